import { createPlainHub } from "./plain.ts";
import { readCommandLine, type CommandLine } from "../command-line.ts";

const commandLine = readCommandLine("node examples/plain/server.js");
if (commandLine !== undefined) await run(commandLine);

async function run({ transport, port }: CommandLine): Promise<void> {
  try {
    const hub = createPlainHub({ transport });
    hub.on("error", (error) => console.error(error));
    const bound = await hub.listen(port);
    console.log(`Listening at ws://localhost:${bound.port} (transport: ${transport}). Ctrl+C ends it.`);
    console.log("A client for the browser: examples/plain/client.html");

    // The same signal again finds no listener and ends the process at once.
    const stop = (): void => void hub.drain({ within: 5_000, spread: 1_000 });
    process.once("SIGINT", stop).once("SIGTERM", stop);
  } catch (error) {
    // A port in use or a library that is missing: the library's sentence says what to do.
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
