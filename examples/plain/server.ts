import { createPlainHub } from "./plain.ts";
import { parseCommandLine, USAGE, type CommandLine } from "./command-line.ts";

/** The exit status of a program that was called wrongly, as shells have it. */
const MISUSE = 2;

const commandLine = readCommandLine();
if (commandLine !== undefined) await run(commandLine);

function readCommandLine(): CommandLine | undefined {
  try {
    return parseCommandLine(process.argv.slice(2), process.env);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = MISUSE;
    return undefined;
  }
}

async function run({ transport, port }: CommandLine): Promise<void> {
  try {
    const hub = createPlainHub({ transport });
    hub.on("error", (error) => console.error(error));
    const bound = await hub.listen(port);
    console.log(`Listening at ws://localhost:${bound.port} (transport: ${transport}). Ctrl+C ends it.`);
    console.log("A client for the browser: examples/plain/client.html");

    // The same signal again finds no listener and ends the process at once.
    const stop = (): void => void hub.close();
    process.once("SIGINT", stop).once("SIGTERM", stop);
  } catch (error) {
    // A port in use or a library that is missing: the library's sentence says what to do.
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
