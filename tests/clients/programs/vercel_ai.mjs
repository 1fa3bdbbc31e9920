// node vercel_ai.mjs PROVIDER SCENARIO...: asks the proxy at OPENAI_BASE_URL through the Vercel AI SDK, prints JSON.
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import * as ai from "ai";
import { z } from "zod";

const { generateObject, generateText, streamObject, streamText, tool } = ai;
// Renamed in version 7.
const stepCountIs = ai.isStepCount ?? ai.stepCountIs;

const [provider, ...wanted] = process.argv.slice(2);
const given = { baseURL: process.env.OPENAI_BASE_URL, apiKey: "any value" };
const compatible = createOpenAICompatible({
  name: "proxy", ...given, includeUsage: true, supportsStructuredOutputs: true,
});
const openai = createOpenAI(given);
const models = { openai: openai.chat, responses: openai, compatible };
const model = models[provider](process.env.MODEL);

const prompt = "Weather in Paris and Rome?";
const schema = z.object({ city: z.string(), size: z.enum(["small", "large"]), country: z.string().nullable() });
const getWeather = tool({
  description: "Weather of a city",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `18 degrees in ${city}`,
});
const asking = { model, maxRetries: 0, prompt };
const withTools = { ...asking, tools: { getWeather }, stopWhen: stepCountIs(3) };

const scenarios = {
  async text() {
    const { text, finishReason, usage } = await generateText({ ...asking, system: "Be short." });
    return { text, finishReason, counted: usage.inputTokens > 0 && usage.outputTokens > 0 };
  },
  async streamed() {
    const result = streamText(asking);
    let text = "";
    for await (const piece of result.textStream) text += piece;
    const usage = await result.usage;
    return { text, finishReason: await result.finishReason, counted: usage.outputTokens > 0 };
  },
  async tools() {
    const { text, steps } = await generateText(withTools);
    return { text, results: steps[0].toolResults.map(({ output }) => output) };
  },
  async streamedTools() {
    const result = streamText(withTools);
    await result.consumeStream();
    const steps = await result.steps;
    return { text: await result.text, results: steps[0].toolResults.map(({ output }) => output) };
  },
  async object() {
    return (await generateObject({ ...asking, schema })).object;
  },
  async streamedObject() {
    const result = streamObject({ ...asking, schema });
    let object = null;
    for await (const partial of result.partialObjectStream) object = partial;
    return object;
  },
};

const results = {};
for (const name of wanted) results[name] = await scenarios[name]();
console.log(JSON.stringify(results));
