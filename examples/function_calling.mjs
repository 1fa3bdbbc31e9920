// Two tool calls at once, put together from a stream, run, and answered. Run: npm install openai && node function_calling.mjs
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:3000/v1", apiKey: "any" });
const model = "custom-claude-4-opus";

const degrees = { Paris: 18, Rome: 24 };
const getWeather = ({ city }) => ({ city, celsius: degrees[city] ?? null });

const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "Current weather in one city.",
      parameters: {
        type: "object",
        properties: { city: { type: "string", description: "Name of the city" } },
        required: ["city"],
      },
    },
  },
];
const messages = [{ role: "user", content: "What is the weather in Paris and Rome?" }];

const asked = await client.chat.completions.stream({ model, messages, tools }).finalMessage();
messages.push(asked);
for (const call of asked.tool_calls ?? []) {
  console.log("call:", call.function.name, call.function.arguments);
  const result = getWeather(JSON.parse(call.function.arguments));
  messages.push({ role: "tool", tool_call_id: call.id, content: JSON.stringify(result) });
}

const answer = client.chat.completions.stream({ model, messages, tools });
for await (const chunk of answer) {
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
}
process.stdout.write("\n");
