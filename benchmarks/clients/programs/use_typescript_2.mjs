// The TypeScript SDK 2.x. The option `mode` says how it finds the revision, if it is there.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const task = JSON.parse(process.argv[2]);
const { mode } = task.options;
const options = mode ? { versionNegotiation: { mode } } : {};

function transport(url) {
  const [command, ...args] = task.command;
  return url ? new StreamableHTTPClientTransport(new URL(url)) : new StdioClientTransport({ command, args });
}

const client = new Client({ name: "typescript-2", version: "1" }, options);
await client.connect(transport(task.url));
const tools = (await client.listTools()).tools.map((tool) => tool.name);
const result = await client.callTool({ name: task.tool, arguments: task.arguments });
const read = await client.readResource({ uri: task.uri });
await client.close();

const asked = [];
const second = new Client(
  { name: "typescript-2", version: "1" },
  { ...options, capabilities: { elicitation: { form: {} } } },
);
second.setRequestHandler("elicitation/create", ({ params }) => {
  asked.push(params.message);
  const fields = Object.keys(params.requestedSchema.properties);
  return { action: "accept", content: Object.fromEntries(fields.map((field) => [field, true])) };
});
await second.connect(transport(task.session_url));
await second.callTool({ name: task.asking_tool, arguments: task.asking_arguments });
await second.close();

console.log(JSON.stringify({ tools, answer: result.structuredContent, text: read.contents[0].text, asked }));
