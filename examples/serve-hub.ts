import type { HubOptions } from "roomcast";
import { readCommandLine, type CommandLine } from "./command-line.ts";

/** What is needed of a hub to serve it. */
interface Servable {
  on(event: "error", listener: (error: unknown) => void): unknown;
  listen(port: number): Promise<{ readonly port: number }>;
  drain(options: { readonly within: number; readonly spread: number }): Promise<void>;
}

/**
 * Serves a hub, as the command line says, until a signal ends the process.
 *
 * @param folder - of the example, with `server.js` and `client.html`.
 */
export async function serveHub(
  folder: string,
  createHub: (options: Pick<HubOptions, "transport">) => Servable,
): Promise<void> {
  const commandLine = readCommandLine(`node ${folder}/server.js`);
  if (commandLine !== undefined) await serve(commandLine);

  async function serve({ transport, port }: CommandLine): Promise<void> {
    try {
      const hub = createHub({ transport });
      hub.on("error", (error) => console.error(error));
      const bound = await hub.listen(port);
      console.log(`Listening at ws://localhost:${bound.port} (transport: ${transport}). Ctrl+C ends it.`);
      console.log(`A client for the browser: ${folder}/client.html`);

      // The same signal again finds no listener and ends the process at once.
      const stop = (): void => void hub.drain({ within: 5_000, spread: 1_000 });
      process.once("SIGINT", stop).once("SIGTERM", stop);
    } catch (error) {
      // A port in use or a library that is missing: the library's sentence says what to do.
      console.error((error as Error).message);
      process.exitCode = 1;
    }
  }
}
