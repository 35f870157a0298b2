// The TypeScript SDK 1.x.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const task = JSON.parse(process.argv[2]);

function transport(url) {
  const [command, ...args] = task.command;
  return url ? new StreamableHTTPClientTransport(new URL(url)) : new StdioClientTransport({ command, args });
}

const client = new Client({ name: "typescript-1", version: "1" });
await client.connect(transport(task.url));
const tools = (await client.listTools()).tools.map((tool) => tool.name);
const result = await client.callTool({ name: task.tool, arguments: task.arguments });
const read = await client.readResource({ uri: task.uri });
await client.close();

const asked = [];
const second = new Client({ name: "typescript-1", version: "1" }, { capabilities: { elicitation: {} } });
second.setRequestHandler(ElicitRequestSchema, ({ params }) => {
  asked.push(params.message);
  const fields = Object.keys(params.requestedSchema.properties);
  return { action: "accept", content: Object.fromEntries(fields.map((field) => [field, true])) };
});
await second.connect(transport(task.session_url));
await second.callTool({ name: task.asking_tool, arguments: task.asking_arguments });
await second.close();

console.log(JSON.stringify({ tools, answer: result.structuredContent, text: read.contents[0].text, asked }));
