import { parseArgs } from "node:util";
import type { TransportName } from "roomcast";

/** What the examples can be told. */
export interface CommandLine {
  readonly transport: TransportName;
  readonly port: number;
}

/** The exit status of a program that was called wrongly, as shells have it. */
const MISUSE = 2;

/**
 * What the program was called with. After a mistake it says so, and how to call it, and returns nothing.
 *
 * @param program - how it is called.
 */
export function readCommandLine(program: string): CommandLine | undefined {
  try {
    return parseCommandLine(process.argv.slice(2), process.env);
  } catch (error) {
    console.error(`${(error as Error).message}

Usage: ${program} [options]

  --transport ws|uws   What carries the bytes. Default: the environment variable ROOMCAST_TRANSPORT, or ws.
  --port N             Where to listen; 0 takes a free port. Default: 8080.
`);
    process.exitCode = MISUSE;
    return undefined;
  }
}

/** @throws {Error} saying which argument is wrong and what it must be. */
export function parseCommandLine(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): CommandLine {
  const { values } = parseArgs({
    args: [...args],
    options: {
      // An empty variable counts as none.
      transport: { type: "string", default: environment["ROOMCAST_TRANSPORT"] || "ws" },
      port: { type: "string", default: "8080" },
    },
  });
  return { transport: checkTransport(values.transport), port: checkPort(values.port) };
}

function checkTransport(name: string): TransportName {
  if (name === "ws" || name === "uws") return name;
  throw new Error(`The transport must be "ws" or "uws", not "${name}".`);
}

function checkPort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new Error(`The port must be a number from 0 to 65535, not "${text}".`);
}
