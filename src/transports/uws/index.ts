import { Buffer } from "node:buffer";
import { unlinkSync } from "node:fs";
import { access } from "node:fs/promises";
import type { HttpRequest, HttpResponse, TemplatedApp, us_listen_socket, us_socket_context_t } from "uWebSockets.js";
import { HubError } from "../../errors.ts";
import type {
  ListenAddress,
  ListenOptions,
  Transport,
  TransportHandlers,
  TransportSettings,
  UpgradeDecision,
} from "../transport.ts";
import { checkFactoryOptions } from "../shared/factory-options.ts";
import { ABNORMAL, Fault, type Outcome } from "../shared/faults.ts";
import { listenError } from "../shared/listen-error.ts";
import { pathTaken } from "../shared/path-taken.ts";
import { Vanishing } from "../shared/vanishing.ts";
import { UwsConnection, type Carrier } from "./connection.ts";
import { answer, copyUpgrade } from "./http.ts";
import { listenOn, obstacleTo } from "./listening.ts";
import { loadLibrary, type Library } from "./library.ts";
import { UwsTopics } from "./topics.ts";

/** After this long, in milliseconds, `destroy` cuts what has not ended by itself. */
const DESTROY_GRACE = 1_000;

export interface UwsOptions {
  /**
   * An app of the application's to attach to, before or after it listens. The transport takes the hub's path and leaves
   * other routes alone. Default: an app of its own, which `hub.listen` starts.
   */
  readonly app?: TemplatedApp;
}

/**
 * The transport on uWebSockets.js, which has to be installed beside roomcast.
 *
 * @throws {HubError} `ERR_HUB_TRANSPORT_UNAVAILABLE`, `ERR_HUB_OPTION`.
 *
 * @example On an app that serves HTTP as well:
 * const app = uWS.App().get("/health", (response) => response.end("ok"));
 * const hub = new Hub({ transport: uws({ app }), path: "/chat" });
 * app.listen(8080, () => {});
 */
export function uws(options: UwsOptions = {}): Transport {
  checkFactoryOptions("uws", "app", options);
  const { app } = options;
  if (app !== undefined && typeof (app as Partial<TemplatedApp> | null)?.ws !== "function") {
    throw new HubError("ERR_HUB_OPTION", 'The option "app" of uws() must be an App or SSLApp of uWebSockets.js.');
  }
  return new UwsTransport(loadLibrary(), app);
}

/** The patterns that hubs have taken on an app: the library would let the last of them win. */
const patternsOf = new WeakMap<TemplatedApp, Set<string>>();

const ANY_PATH = "/*";

const UNEXPLAINED = "uWebSockets.js could not, for a reason that it does not tell";

class UwsTransport implements Transport {
  readonly name = "uws";
  readonly topics: UwsTopics = new UwsTopics();
  readonly #library: Library;
  readonly #attachedTo: TemplatedApp | undefined;
  readonly #connections = new Set<UwsConnection>();
  #handlers!: TransportHandlers;
  #settings!: TransportSettings;
  #own: TemplatedApp | undefined;
  #listenSocket: us_listen_socket | undefined;
  #socketPath: string | undefined;
  #destroyed: Promise<void> | undefined;

  constructor(library: Library, app: TemplatedApp | undefined) {
    this.#library = library;
    this.#attachedTo = app;
  }

  start(handlers: TransportHandlers, settings: TransportSettings): void {
    this.#handlers = handlers;
    this.#settings = settings;
    if (this.#attachedTo !== undefined) this.#route(this.#attachedTo, isTls(this.#attachedTo));
  }

  async listen(options: ListenOptions): Promise<ListenAddress> {
    if (this.#attachedTo !== undefined) {
      throw new HubError("ERR_HUB_ATTACHED", "This hub is attached to your own app. Call app.listen() instead.");
    }
    const app = await this.#createApp(options).catch((error: unknown) => {
      throw listenError(error, options);
    });
    this.#route(app, options.tls !== undefined);
    app.any(ANY_PATH, (response, request) => {
      // Only the hub's path upgrades; a WebSocket client at any other has the wrong address.
      if (request.getHeader("upgrade") === "") answer(response, 426, "Upgrade Required\n", { Upgrade: "websocket" });
      else answer(response, 404, "Not Found");
    });
    const { socketPath } = options;
    // The library would replace whatever is at a socket's path, another program's socket or a file.
    const obstacle = socketPath === undefined ? undefined : await obstacleTo(options);
    const socket = obstacle === undefined && listenOn(app, options);
    if (socket === false) {
      app.close();
      throw listenError(obstacle ?? (await obstacleTo(options)) ?? new Error(UNEXPLAINED), options);
    }
    this.#own = app;
    this.#listenSocket = socket;
    this.#socketPath = socketPath;
    return { port: options.socketPath === undefined ? this.#library.us_socket_local_port(socket) : 0 };
  }

  stopListening(): void {
    const socket = this.#listenSocket;
    this.#listenSocket = undefined;
    if (socket === undefined) return;
    this.#library.us_listen_socket_close(socket);
    if (this.#socketPath !== undefined) removeSocketFile(this.#socketPath);
  }

  destroy(): Promise<void> {
    return (this.#destroyed ??= this.#destroy());
  }

  /**
   * The library tells nothing of a socket once it was asked to end: whether the client has answered cannot be waited
   * for. So what is left is cut after a while, by a timer that does not keep the process alive on its own.
   */
  async #destroy(): Promise<void> {
    this.stopListening();
    // A route cannot be taken back, but a later one with the same pattern replaces it.
    if (this.#attachedTo !== undefined) patternsOf.get(this.#attachedTo)?.delete(this.#settings.path ?? ANY_PATH);
    for (const connection of this.#connections) connection.terminate();
    const own = this.#own;
    if (own !== undefined) setTimeout(() => own.close(), DESTROY_GRACE).unref();
  }

  async #createApp({ tls }: ListenOptions): Promise<TemplatedApp> {
    if (tls === undefined) return this.#library.App();
    // The library would serve without a certificate that it cannot read.
    await Promise.all([access(tls.certFile), access(tls.keyFile)]);
    const { certFile, keyFile, passphrase } = tls;
    return this.#library.SSLApp({
      cert_file_name: certFile,
      key_file_name: keyFile,
      ...(passphrase === undefined ? {} : { passphrase }),
    });
  }

  #route(app: TemplatedApp, secure: boolean): void {
    const { path, maxMessageBytes, compression } = this.#settings;
    takePattern(app, path ?? ANY_PATH);
    // Compressed messages are left to be written one by one, in the same order as all others.
    if (!compression) this.topics.use(app);
    app.ws<Carrier>(path ?? ANY_PATH, {
      compression: compression ? this.#library.SHARED_COMPRESSOR : this.#library.DISABLED,
      // The hub pings, and bounds what is buffered; the library's own ways of doing so lose messages and close frames.
      idleTimeout: 0,
      maxBackpressure: 0,
      maxPayloadLength: maxMessageBytes,
      sendPingsAutomatically: false,
      upgrade: (response, request, context) => {
        // The library takes ":name" and "*" for patterns; a path is meant literally.
        if (path !== undefined && request.getUrl() !== path) request.setYield(true);
        else void this.#upgrade(response, request, context, secure);
      },
      open: (native) => native.getUserData().connection.opened(native),
      message: (native, data, isBinary) => {
        const bytes = Buffer.from(data);
        // The memory is the library's again when this returns.
        const message = isBinary ? Buffer.from(data.slice(0)) : bytes.toString();
        this.#handlers.message(native.getUserData().connection, message);
      },
      ping: (native) => {
        // The library answers by itself, and nothing bounds what it holds of that for a client that does not read.
        if (native.getBufferedAmount() > this.#settings.maxBufferedBytes) {
          const { connection } = native.getUserData();
          setImmediate(() => this.#handlers.overflow(connection));
        }
      },
      pong: (native) => this.#handlers.pong(native.getUserData().connection),
      drain: (native) => this.#handlers.drain(native.getUserData().connection),
      close: (native, code, reason) => {
        const { connection } = native.getUserData();
        this.#connections.delete(connection);
        connection.closed(outcomeOf(code, Buffer.from(reason).toString()));
      },
    });
  }

  /** What comes before the first `await` runs before the library's handler returns, as it has to. */
  async #upgrade(
    response: HttpResponse,
    request: HttpRequest,
    context: us_socket_context_t,
    secure: boolean,
  ): Promise<void> {
    if (request.getHeader("sec-websocket-version") !== "13") {
      answer(response, 426, "Only version 13 of the WebSocket protocol", { "Sec-WebSocket-Version": "13" });
      return;
    }
    const client = new Vanishing();
    response.onAborted(() => client.vanish());
    const info = copyUpgrade(request, response, secure, client);
    const decision = this.#handlers.upgrade(info);
    const decided = decision instanceof Promise ? await decision : decision;
    if (client.vanished) return;
    if (this.#destroyed === undefined) this.#answer(decided, info.headers, response, context);
    else answer(response, 503, "Service Unavailable");
  }

  #answer(
    decision: UpgradeDecision,
    headers: Readonly<Record<string, string>>,
    response: HttpResponse,
    context: us_socket_context_t,
  ): void {
    if (!decision.accept) {
      answer(response, decision.status, decision.message, decision.headers);
      return;
    }
    const connection = new UwsConnection(decision.protocol, this.#settings.compression, this.#handlers);
    response.cork(() => {
      response.upgrade<Carrier>(
        { connection },
        headers["sec-websocket-key"] ?? "",
        decision.protocol,
        headers["sec-websocket-extensions"] ?? "",
        context,
      );
    });
    this.#connections.add(connection);
    this.#handlers.open(connection, decision.context);
  }
}

/** Node removes the file of its own sockets; the library does not. */
function removeSocketFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone, or something else has taken its place: that is not ours to remove.
  }
}

function takePattern(app: TemplatedApp, pattern: string): void {
  const taken = patternsOf.get(app) ?? new Set();
  if (taken.has(pattern)) throw pathTaken(pattern === ANY_PATH ? undefined : pattern);
  patternsOf.set(app, taken.add(pattern));
}

function isTls(app: TemplatedApp): boolean {
  return app.constructor.name.includes("SSL");
}

/** The library reports faults as 1006 with a text. */
function outcomeOf(code: number, reason: string): Outcome {
  if (code !== ABNORMAL.code) return { code, reason };
  // The text goes on, "or other inflation error", for a compressed message.
  if (reason.startsWith("Received too big message")) return Fault.size;
  if (reason === "Received invalid UTF-8") return Fault.text;
  return ABNORMAL;
}
