import { createServer } from "node:net";
import type { TemplatedApp, us_listen_socket } from "uWebSockets.js";
import type { ListenOptions } from "../transport.ts";

/**
 * `LIBUS_LISTEN_EXCLUSIVE_PORT`, which the library exports but declares elsewhere. Without it a second listener on the
 * same port is no error: the system would share the clients out between the two.
 */
const EXCLUSIVE_PORT = 1;

/** Binds the app. `false`, without a reason, if that failed. */
export function listenOn(app: TemplatedApp, options: ListenOptions): us_listen_socket | false {
  const { port = 0, host, socketPath } = options;
  let result: us_listen_socket | false = false;
  // The callbacks are called before the methods return.
  const done = (socket: us_listen_socket | false): void => {
    result = socket;
  };
  const listening = app as unknown as Listening;
  if (socketPath !== undefined) app.listen_unix(done, socketPath);
  else if (host === undefined) listening.listen(port, EXCLUSIVE_PORT, done);
  else listening.listen(host, port, EXCLUSIVE_PORT, done);
  return result;
}

/** The library takes options after a host and a port as well, although its declarations do not say so. */
interface Listening {
  listen(port: number, options: number, callback: (socket: us_listen_socket | false) => void): void;
  listen(host: string, port: number, options: number, callback: (socket: us_listen_socket | false) => void): void;
}

/** Why Node cannot listen there: the library says only that it could not. `undefined` if Node can. */
export async function obstacleTo({ port = 0, host, socketPath }: ListenOptions): Promise<unknown> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once("error", resolve);
    probe.listen(socketPath === undefined ? { port, host } : { path: socketPath }, () => {
      probe.close(() => resolve(undefined));
    });
  });
}
