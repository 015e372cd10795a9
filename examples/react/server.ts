import { once } from "node:events";
import { readCommandLine, type CommandLine } from "../command-line.ts";
import { startRoomsServer } from "./rooms-server.ts";

const PAGE = new URL("page/dist/", import.meta.url);

const commandLine = readCommandLine("npm run react --");
if (commandLine !== undefined) await run(commandLine);

async function run({ transport, port }: CommandLine): Promise<void> {
  try {
    const server = await startRoomsServer(transport, port, PAGE);
    console.log(`The rooms are open at http://localhost:${server.port} (transport: ${transport}). Ctrl+C ends it.`);
    // The same signal again finds no listener and ends the process at once.
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
    await server.drain();
  } catch (error) {
    // A port in use, a library or a page that is missing: the sentence names it.
    console.error(`The rooms cannot open: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
