import { createServer } from "node:net";
import type { TemplatedApp, us_listen_socket } from "uWebSockets.js";
import type { ListenOptions } from "../transport.ts";

/**
 * The value of `LIBUS_LISTEN_EXCLUSIVE_PORT`, which the library exports but declares elsewhere. Without this option a
 * second listener on the same port is no error: the system would divide the clients between the two.
 */
const EXCLUSIVE_PORT = 1;

/**
 * Binds an app to an address.
 *
 * @returns the listening socket, or `false` if binding failed; the library tells no reason.
 */
export function listenOn(app: TemplatedApp, options: ListenOptions): us_listen_socket | false {
  const { port = 0, host, socketPath } = options;
  let result: us_listen_socket | false = false;
  // The library calls back before its methods return.
  const done = (socket: us_listen_socket | false): void => {
    result = socket;
  };
  const listening = app as unknown as Listening;
  if (socketPath !== undefined) app.listen_unix(done, socketPath);
  else if (host === undefined) listening.listen(port, EXCLUSIVE_PORT, done);
  else listening.listen(host, port, EXCLUSIVE_PORT, done);
  return result;
}

/** The methods of an app as they are. The declarations of the library do not say that they take options as well. */
interface Listening {
  listen(port: number, options: number, callback: (socket: us_listen_socket | false) => void): void;
  listen(host: string, port: number, options: number, callback: (socket: us_listen_socket | false) => void): void;
}

/**
 * Finds out why listening failed, by trying it with Node.js: the library does not tell.
 *
 * @returns the error of Node.js, or `undefined` if Node.js can listen there.
 */
export async function obstacleTo(options: ListenOptions): Promise<unknown> {
  return probe(options).then(
    () => undefined,
    (error: unknown) => error,
  );
}

/**
 * Chooses the port for port 0. The library would leave that to the system, but then listens without `SO_REUSEADDR`:
 * after the close, the port would be in use for a minute.
 *
 * @throws {Error} as a rejection: the error of Node.js.
 */
export async function withPort(options: ListenOptions): Promise<ListenOptions> {
  if (options.socketPath !== undefined || (options.port ?? 0) !== 0) return options;
  return { ...options, port: await probe(options) };
}

/**
 * Listens with Node.js for a moment. Returns the port.
 *
 * `exclusive`, because in a worker of `node:cluster` Node.js would share the port with all workers, and the primary
 * process would hold it.
 */
async function probe({ port = 0, host, socketPath }: ListenOptions): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const where = socketPath === undefined ? { port, host } : { path: socketPath };
    server.listen({ ...where, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
