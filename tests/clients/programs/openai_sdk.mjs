// node openai_sdk.mjs SCENARIO...: asks the proxy at OPENAI_BASE_URL through the official SDK, prints JSON.
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

const model = process.env.MODEL;
const client = new OpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: "any value", maxRetries: 0 });
const messages = [{ role: "user", content: "Weather in Paris and Rome?" }];
const getWeather = ({ city }) => `18 degrees in ${city}`;
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ type: "function", function: { name: "get_weather", description: "Weather of a city", parameters } }];

const Shape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("circle"), radius: z.number() }),
  z.object({ kind: z.literal("square"), side: z.number() }),
]);
const Drawing = z.object({
  title: z.string().min(1).max(40),
  colour: z.enum(["red", "green"]),
  note: z.string().nullable(),
  shapes: z.array(Shape),
});

const scenarios = {
  async whole() {
    const { choices, usage } = await client.chat.completions.create({ model, messages });
    const { content, refusal } = choices[0].message;
    const added = usage.prompt_tokens + usage.completion_tokens === usage.total_tokens;
    return { content, refusal, finish: choices[0].finish_reason, added };
  },
  async streamed() {
    const stream = await client.chat.completions.create({
      model, messages, stream: true, stream_options: { include_usage: true },
    });
    let content = "";
    let usage = null;
    for await (const chunk of stream) {
      content += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    return { content, counted: usage.total_tokens > 0 };
  },
  async tools() {
    const runner = client.chat.completions.runTools({
      model, messages, tools: [{ type: "function", function: { ...tools[0].function, parse: JSON.parse, function: getWeather } }],
    });
    return await runner.finalContent();
  },
  async streamedTools() {
    const stream = client.chat.completions.stream({ model, messages, tools });
    const completion = await stream.finalChatCompletion();
    return completion.choices[0].message.tool_calls.map((call) => JSON.parse(call.function.arguments));
  },
  async parsed() {
    const response_format = zodResponseFormat(Drawing, "drawing");
    const completion = await client.chat.completions.parse({ model, messages, response_format });
    return completion.choices[0].message.parsed;
  },
  async error() {
    try {
      await client.chat.completions.create({ model: "gpt-4o", messages });
    } catch (error) {
      return [error.constructor.name, error.status, error.code];
    }
  },
  async models() {
    const ids = [];
    for await (const { id } of client.models.list()) ids.push(id);
    return ids.slice(0, 2);
  },
};

const results = {};
for (const name of process.argv.slice(2)) results[name] = await scenarios[name]();
console.log(JSON.stringify(results));
