import { unlinkSync } from "node:fs";
import { access } from "node:fs/promises";
import type { TemplatedApp, us_listen_socket } from "uWebSockets.js";
import type { ListenOptions } from "../transport.ts";
import { listenError } from "../shared/listen-error.ts";
import { endpointPage } from "../shared/endpoint-page.ts";
import { handshakeFault, NOT_FOUND } from "../shared/handshake.ts";
import { answer, isWebSocketRequest } from "./http.ts";
import type { Library } from "./library.ts";
import { listenOn, obstacleTo, withPort } from "./listening.ts";
import { ANY_PATH } from "./patterns.ts";

/** The number of ports that are tried for port 0. */
const ATTEMPTS = 5;

const UNEXPLAINED = "uWebSockets.js gives no reason";

/** The app of a transport that is not attached to one of the application. It listens from its creation on. */
export class OwnApp {
  /** The bound TCP port; 0 for a Unix domain socket. */
  readonly port: number;
  readonly #library: Library;
  readonly #app: TemplatedApp;
  readonly #socketPath: string | undefined;
  #listenSocket: us_listen_socket | undefined;

  /**
   * Creates an app that listens on an address.
   *
   * @param route - adds the hub's route to the app.
   * @throws {HubError} as a rejection: the error of `listen`.
   */
  static async open(library: Library, options: ListenOptions, route: (app: TemplatedApp) => void): Promise<OwnApp> {
    const app = await createApp(library, options).catch((error: unknown) => {
      throw listenError(error, options);
    });
    route(app);
    app.any(ANY_PATH, (response, request) => {
      if (!isWebSocketRequest(request)) {
        answer(response, endpointPage(request.getMethod(), request.getHeader("accept")));
        return;
      }
      // The hub's path upgrades, unless the key is bad; a WebSocket client at any other path has the wrong address.
      const headers = {
        "sec-websocket-key": request.getHeader("sec-websocket-key"),
        "sec-websocket-version": request.getHeader("sec-websocket-version"),
      };
      answer(response, handshakeFault(headers) ?? NOT_FOUND);
    });
    // The library would replace a file that is at a socket's path, even the socket of another program.
    const obstacle = options.socketPath === undefined ? undefined : await obstacleTo(options);
    const listenSocket = obstacle === undefined && (await listen(app, options));
    if (listenSocket === false) {
      app.close();
      throw listenError(obstacle ?? (await obstacleTo(options)) ?? new Error(UNEXPLAINED), options);
    }
    return new OwnApp(library, app, listenSocket, options.socketPath);
  }

  private constructor(
    library: Library,
    app: TemplatedApp,
    listenSocket: us_listen_socket,
    socketPath: string | undefined,
  ) {
    this.#library = library;
    this.#app = app;
    this.#listenSocket = listenSocket;
    this.#socketPath = socketPath;
    this.port = socketPath === undefined ? library.us_socket_local_port(listenSocket) : 0;
  }

  /** Refuses new connections. Calling it again does nothing. */
  stopListening(): void {
    const listenSocket = this.#listenSocket;
    this.#listenSocket = undefined;
    if (listenSocket === undefined) return;
    this.#library.us_listen_socket_close(listenSocket);
    if (this.#socketPath !== undefined) removeSocketFile(this.#socketPath);
  }

  /** Ends all connections at once. */
  close(): void {
    this.#app.close();
  }
}

/** Binds an app. Another program may take a port between its choice and its binding. */
async function listen(app: TemplatedApp, options: ListenOptions): Promise<us_listen_socket | false> {
  for (let attempt = 1; ; attempt++) {
    // oxlint-disable-next-line no-await-in-loop -- one attempt at a time
    const where = await withPort(options).catch(() => options);
    const listenSocket = listenOn(app, where);
    if (listenSocket !== false || where === options || attempt === ATTEMPTS) return listenSocket;
  }
}

async function createApp(library: Library, { tls }: ListenOptions): Promise<TemplatedApp> {
  if (tls === undefined) return library.App();
  // The library would serve without a certificate that it cannot read.
  await Promise.all([access(tls.certFile), access(tls.keyFile)]);
  const { certFile, keyFile, passphrase } = tls;
  return library.SSLApp({
    cert_file_name: certFile,
    key_file_name: keyFile,
    ...(passphrase === undefined ? {} : { passphrase }),
  });
}

/** Removes the file of a Unix domain socket. Node.js removes the files of its own sockets; the library does not. */
function removeSocketFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The file is gone, or something else has taken its place, which is not ours to remove.
  }
}
