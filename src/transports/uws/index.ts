/**
 * The transport on uWebSockets.js, for a hub on an app of the application's: {@link uws}.
 *
 * @module roomcast/transports/uws
 */

import { Buffer } from "node:buffer";
import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t } from "uWebSockets.js";
import { HubError } from "../../errors.ts";
import { later, watch } from "../../guard.ts";
import type {
  ListenAddress,
  ListenOptions,
  Transport,
  TransportHandlers,
  TransportSettings,
  UpgradeDecision,
} from "../transport.ts";
import { Closings } from "../shared/closings.ts";
import { checkFactoryOptions } from "../shared/factory-options.ts";
import { CLOSED, handshakeFault } from "../shared/handshake.ts";
import { OpenFiles } from "../shared/open-files.ts";
import { WaitingClient } from "../shared/waiting-client.ts";
import { UwsConnection, type UserData, type UwsConnectionParts } from "./connection.ts";
import { answer, copyUpgrade, isWebSocketRequest } from "./http.ts";
import { acceptableOffer } from "./negotiation.ts";
import { loadLibrary, type Library } from "./library.ts";
import { OwnApp } from "./own-app.ts";
import { ANY_PATH, freePattern, takePattern } from "./patterns.ts";
import { UwsTopics } from "./topics.ts";

/** The time after which `destroy` cuts connections that have not ended by themselves, in milliseconds. */
const DESTROY_GRACE = 1_000;

/** Options of {@link uws}. */
export interface UwsOptions {
  /**
   * An app of the application to attach to, before or after it listens. The transport takes the hub's path and leaves
   * other routes alone. Default: an app of its own, which `hub.listen` starts.
   */
  readonly app?: TemplatedApp;
}

/**
 * Creates a transport on uWebSockets.js, which has to be installed beside roomcast.
 *
 * @throws {HubError} `ERR_HUB_TRANSPORT_UNAVAILABLE`, `ERR_HUB_OPTION`.
 *
 * @example On an app that serves HTTP as well:
 * const app = uWS.App().get("/health", (response) => response.end("ok"));
 * const hub = new Hub({ transport: uws({ app }), path: "/chat" });
 * app.listen(8080, () => {});
 */
export function uws(options: UwsOptions = {}): Transport {
  checkFactoryOptions("uws", ["app"], options);
  const { app } = options;
  if ("app" in options && typeof (app as Partial<TemplatedApp> | null | undefined)?.ws !== "function") {
    throw new HubError("ERR_HUB_OPTION", 'The option "app" of uws() must be an App or SSLApp of uWebSockets.js.');
  }
  return new UwsTransport(loadLibrary(), app);
}

class UwsTransport implements Transport {
  readonly name = "uws";
  readonly topics: UwsTopics = new UwsTopics();
  readonly #library: Library;
  readonly #attachedTo: TemplatedApp | undefined;
  readonly #connections = new Set<UwsConnection>();
  #closings!: Closings;
  #plain!: UwsConnectionParts;
  #compressing!: UwsConnectionParts;
  #handlers!: TransportHandlers;
  #settings!: TransportSettings;
  #own: OwnApp | undefined;
  #openFiles: OpenFiles | undefined;
  #destroyed: Promise<void> | undefined;

  constructor(library: Library, app: TemplatedApp | undefined) {
    this.#library = library;
    this.#attachedTo = app;
  }

  start(handlers: TransportHandlers, settings: TransportSettings): void {
    this.#handlers = handlers;
    this.#settings = settings;
    this.#closings = new Closings(handlers);
    if (this.#attachedTo === undefined) return;
    this.#route(this.#attachedTo, isTls(this.#attachedTo));
    this.#openFiles = new OpenFiles(handlers);
  }

  async listen(options: ListenOptions): Promise<ListenAddress> {
    if (this.#attachedTo !== undefined) {
      throw new HubError("ERR_HUB_ATTACHED", "This hub is attached to your own app. Call app.listen() instead.");
    }
    this.#own = await OwnApp.open(this.#library, options, (app) => this.#route(app, options.tls !== undefined));
    this.#openFiles = new OpenFiles(this.#handlers);
    return { port: this.#own.port };
  }

  stopListening(): void {
    this.#own?.stopListening();
  }

  destroy(within?: number): Promise<void> {
    this.#destroyed ??= this.#destroy();
    if (within !== undefined) this.#closings.cutAfter(within);
    return this.#destroyed;
  }

  /**
   * Ends everything, and waits for the connections that are closing. The library tells nothing of a socket once it was
   * asked to end it, so it is impossible to wait for more. Connections that are left then are cut after a while, by a
   * timer that does not keep the process alive.
   */
  async #destroy(): Promise<void> {
    this.stopListening();
    this.#openFiles?.stop();
    if (this.#attachedTo !== undefined) freePattern(this.#attachedTo, this.#settings.path ?? ANY_PATH);
    for (const connection of this.#connections) {
      if (!this.#closings.has(connection)) connection.terminate();
    }
    await this.#closings.finish();
    later(this.#handlers, DESTROY_GRACE, this.#cut).unref();
  }

  readonly #cut = (): void => {
    for (const connection of this.#connections) connection.terminate();
    if (this.#own === undefined) return;
    this.#own.close();
    this.#closings.allFreed();
  };

  #route(app: TemplatedApp, secure: boolean): void {
    const { path, maxBufferedBytes, maxMessageBytes, compression } = this.#settings;
    const parts = { handlers: this.#handlers, closings: this.#closings, maxBufferedBytes, secure };
    this.#plain = { ...parts, compresses: false, holding: this.topics.holding };
    this.#compressing = { ...this.#plain, compresses: true };
    takePattern(app, path ?? ANY_PATH);
    // Without topics, compressed messages are written one by one, in the same order as all others.
    if (!compression) this.topics.use(app);
    app.ws<UserData>(path ?? ANY_PATH, {
      compression: compression ? this.#library.SHARED_COMPRESSOR : this.#library.DISABLED,
      // The hub itself pings clients and limits what is buffered: with the library's own means, messages and close
      // frames would be lost.
      idleTimeout: 0,
      maxBackpressure: 0,
      maxPayloadLength: maxMessageBytes,
      sendPingsAutomatically: false,
      upgrade: (response, request, context) => {
        // The library takes ":name" and "*" for patterns, but the path of a hub is literal.
        const isOurs = (path === undefined || request.getUrl() === path) && isWebSocketRequest(request);
        if (!isOurs) request.setYield(true);
        else watch(this.#handlers, this.#upgrade(response, request, context, secure), () => response.close());
      },
      open: (native) => native.getUserData().connection.opened(native),
      message: (native, data, isBinary) => native.getUserData().connection.received(data, isBinary),
      ping: (native, payload) => native.getUserData().connection.pinged(payload),
      pong: (native, payload) => native.getUserData().connection.ponged(payload),
      drain: (native) => native.getUserData().connection.drained(),
      close: (native, code, reason) => {
        const { connection } = native.getUserData();
        this.#connections.delete(connection);
        connection.closed(code, Buffer.from(reason).toString());
      },
    });
  }

  /**
   * Decides on an upgrade. The request is read before the first `await`, while the library's handler has not returned.
   */
  async #upgrade(
    response: HttpResponse,
    request: HttpRequest,
    context: us_socket_context_t,
    secure: boolean,
  ): Promise<void> {
    const client = new WaitingClient();
    response.onAborted(() => client.disconnected());
    const info = copyUpgrade(request, response, secure, client);
    const fault = handshakeFault(info.headers);
    if (fault !== undefined) {
      answer(response, fault);
      return;
    }
    const decision = this.#handlers.upgrade(info);
    const decided = decision instanceof Promise ? await decision : decision;
    if (client.isGone) return;
    if (this.#destroyed === undefined) this.#answer(decided, info.headers, response, context);
    else answer(response, CLOSED);
  }

  #answer(
    decision: UpgradeDecision,
    headers: Readonly<Record<string, string>>,
    response: HttpResponse,
    context: us_socket_context_t,
  ): void {
    if (!decision.accept) {
      answer(response, decision);
      return;
    }
    const offer = this.#settings.compression ? acceptableOffer(headers["sec-websocket-extensions"]) : "";
    const connection = new UwsConnection(decision.protocol, offer === "" ? this.#plain : this.#compressing);
    response.cork(() => {
      response.upgrade<UserData>({ connection }, headers["sec-websocket-key"] ?? "", decision.protocol, offer, context);
    });
    this.#connections.add(connection);
    this.#handlers.open(connection, decision.context);
  }
}

function isTls(app: TemplatedApp): boolean {
  return app.constructor.name.includes("SSL");
}
