import { once } from "node:events";
import { startChatServer } from "./chat-server.ts";
import { readCommandLine, type CommandLine } from "../command-line.ts";

const commandLine = readCommandLine("npm run demo --");
if (commandLine !== undefined) await run(commandLine);

async function run({ transport, port }: CommandLine): Promise<void> {
  try {
    const server = await startChatServer(transport, port);
    console.log(`The chat is open at http://localhost:${server.port} (transport: ${transport}). Ctrl+C ends it.`);
    // The same signal again finds no listener and ends the process at once.
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
    await server.drain();
  } catch (error) {
    console.error(explain(error as NodeJS.ErrnoException, port));
    process.exitCode = 1;
  }
}

function explain({ code, message }: NodeJS.ErrnoException, port: number): string {
  if (code === "EADDRINUSE") {
    return `Port ${port} is in use. Stop what listens there, or take a free port: npm run demo -- --port 0`;
  }
  return `The chat cannot start: ${message}`;
}
