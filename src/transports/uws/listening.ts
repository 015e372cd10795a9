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
export async function obstacleTo({ port = 0, host, socketPath }: ListenOptions): Promise<unknown> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once("error", resolve);
    probe.listen(socketPath === undefined ? { port, host } : { path: socketPath }, () => {
      probe.close(() => resolve(undefined));
    });
  });
}
