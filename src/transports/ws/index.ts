/**
 * The transport on `ws`, for a hub on a server of the application's: {@link ws}.
 *
 * @module roomcast/transports/ws
 */

import type { Buffer } from "node:buffer";
import type { IncomingMessage, Server } from "node:http";
import type { Server as TlsServer } from "node:https";
import type { AddressInfo, Socket as TcpSocket } from "node:net";
import type { Duplex } from "node:stream";
import { HubError } from "../../errors.ts";
import type { ListenAddress, ListenOptions, Transport, TransportHandlers, TransportSettings } from "../transport.ts";
import { Closings } from "../shared/closings.ts";
import { checkFactoryOptions } from "../shared/factory-options.ts";
import { asksForWebSocket, CLOSED, NO_HANDSHAKE, NOT_FOUND, pathOf } from "../shared/handshake.ts";
import { listenError } from "../shared/listen-error.ts";
import { OpenFiles } from "../shared/open-files.ts";
import { checkServer, type ApplicationServer } from "./application-server.ts";
import { refuseBun } from "./bun.ts";
import { WsConnection, type CarrierWebSocket, type WireForm, type WsConnectionParts } from "./connection.ts";
import { afterEarlierAnswers } from "./earlier-answers.ts";
import { Handshakes } from "./handshakes.ts";
import { InflatedFragments } from "./inflated-fragments.ts";
import { listenOn } from "./listening.ts";
import { guardReceiver } from "./receiver-guard.ts";
import { refuseUpgrade } from "./refusal.ts";
import { UpgradeRouter } from "./upgrade-router.ts";

/** The number of fragments that a compressed message may have whatever its size. */
const LEAST_INFLATED_FRAGMENTS = 1024;

/** The mean size of fragments below which a large compressed message has too many of them. */
const INFLATED_FRAGMENT_BYTES = 512;

export type { ApplicationServer } from "./application-server.ts";

/** Options of {@link ws}: one of them at most. */
export interface WsOptions {
  /**
   * A server of the application to attach to, listening or not. The transport takes the handshakes for the hub's path
   * and leaves all other requests alone. Default: a server of its own, which `hub.listen` starts.
   */
  readonly server?: ApplicationServer;

  /**
   * Whether the application routes upgrade requests itself and hands them to `hub.handleUpgrade`. Then the transport
   * has no server. Default: `false`.
   */
  readonly noServer?: boolean;
}

/**
 * Creates a transport on the package `ws`.
 *
 * @throws {HubError} `ERR_HUB_OPTION`; `ERR_HUB_TRANSPORT_UNAVAILABLE` on Bun.
 *
 * @example Beside Express:
 * const server = http.createServer(express());
 * const hub = new Hub({ transport: ws({ server }), path: "/chat" });
 * server.listen(8080);
 */
export function ws(options: WsOptions = {}): Transport {
  refuseBun();
  checkFactoryOptions("ws", ["server", "noServer"], options);
  const { server, noServer = false } = options;
  if (typeof noServer !== "boolean") {
    throw new HubError("ERR_HUB_OPTION", 'The option "noServer" of ws() must be true or false.');
  }
  if ("server" in options) {
    checkServer(server);
    if (noServer) {
      throw new HubError(
        "ERR_HUB_OPTION",
        'ws() takes "server" or "noServer", not both: with "noServer" the hub has none.',
      );
    }
  }
  return new WsTransport(server as Server | TlsServer | undefined, noServer);
}

class WsTransport implements Transport {
  readonly name = "ws";
  readonly #attachedTo: Server | TlsServer | undefined;
  readonly #noServer: boolean;
  readonly #connections = new Map<TcpSocket, WsConnection>();
  /** The TCP sockets below TLS. Nothing else knows the socket of a client that never finishes its TLS handshake. */
  readonly #tlsSockets = new Set<TcpSocket>();
  #handlers!: TransportHandlers;
  #settings!: TransportSettings;
  #parts!: WsConnectionParts;
  #handshakes!: Handshakes;
  #own: Server | TlsServer | undefined;
  #openFiles: OpenFiles | undefined;
  #destroyed: Promise<void> | undefined;
  #empty: (() => void) | undefined;

  /** Tells a connection that its client has ended what it sends: one listener for all of them. */
  readonly #clientEnded: (this: TcpSocket) => void;

  constructor(server: Server | TlsServer | undefined, noServer: boolean) {
    this.#attachedTo = server;
    this.#noServer = noServer;
    const connections = this.#connections;
    this.#clientEnded = function clientEnded() {
      connections.get(this)?.clientEnded();
    };
  }

  start(handlers: TransportHandlers, settings: TransportSettings): void {
    this.#handlers = handlers;
    this.#settings = settings;
    this.#parts = {
      handlers,
      closings: new Closings(handlers),
      maxBufferedBytes: settings.maxBufferedBytes,
      gone: (tcp) => this.#gone(tcp),
    };
    this.#handshakes = new Handshakes({
      handlers,
      settings,
      areHandedOver: this.#noServer,
      opened: (carrier, tcp, form, context) => this.#open(carrier, tcp, form, context),
    });
    if (this.#attachedTo !== undefined) this.#route(this.#attachedTo);
    if (this.#attachedTo !== undefined || this.#noServer) this.#openFiles = new OpenFiles(handlers);
  }

  async listen(options: ListenOptions): Promise<ListenAddress> {
    if (this.#attachedTo !== undefined) {
      throw new HubError("ERR_HUB_ATTACHED", "This hub is attached to your own server. Call server.listen() instead.");
    }
    if (this.#noServer) {
      throw new HubError(
        "ERR_HUB_ATTACHED",
        "This hub has no server. Hand the upgrade requests of your own to hub.handleUpgrade(), and call its listen().",
      );
    }
    const server = await listenOn(options, this.#settings).catch((error: unknown) => {
      throw listenError(error, options);
    });
    server.on("error", (error) => this.#handlers.error(error));
    if (options.tls !== undefined) {
      server.on("connection", (socket: TcpSocket) => {
        this.#tlsSockets.add(socket);
        socket.once("close", () => this.#tlsSockets.delete(socket));
      });
    }
    this.#own = server;
    this.#openFiles = new OpenFiles(this.#handlers);
    this.#route(server);
    const address = server.address() as AddressInfo | string;
    return { port: typeof address === "string" ? 0 : address.port };
  }

  stopListening(): void {
    this.#own?.close();
  }

  destroy(within?: number): Promise<void> {
    this.#destroyed ??= this.#destroy();
    if (within !== undefined) this.#parts.closings.cutAfter(within);
    return this.#destroyed;
  }

  async #destroy(): Promise<void> {
    this.#openFiles?.stop();
    const server = this.#attachedTo ?? this.#own;
    if (server !== undefined) UpgradeRouter.of(server).remove(this.#settings.path);
    this.#handshakes.destroy();
    const { closings } = this.#parts;
    for (const connection of this.#connections.values()) if (!closings.has(connection)) connection.terminate();
    await closings.finish();
    await this.#allGone();
    const own = this.#own;
    if (own === undefined) return;
    own.closeAllConnections();
    for (const socket of this.#tlsSockets) socket.destroy();
    // `close` may call back with an error. It says only that the server is closed already.
    await new Promise((resolve) => own.close(resolve));
  }

  async #allGone(): Promise<void> {
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#empty = resolve;
    });
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (!this.#noServer) {
      throw new HubError(
        "ERR_HUB_OPTION",
        "This hub gets the upgrade requests of its server by itself. Only a hub that was created with " +
          "{ transport: ws({ noServer: true }) } is handed them with handleUpgrade().",
      );
    }
    afterEarlierAnswers(socket, head, (early) => this.#take(request, socket, early));
  }

  /** Takes a request that the application hands over. */
  #take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { path } = this.#settings;
    if (!asksForWebSocket(request.method, request.headers)) refuseUpgrade(socket, NO_HANDSHAKE);
    else if (path !== undefined && path !== pathOf(request)) refuseUpgrade(socket, NOT_FOUND);
    else if (this.#destroyed !== undefined) refuseUpgrade(socket, CLOSED);
    else this.#handshakes.take(request, socket, head, false);
  }

  #route(server: Server | TlsServer): void {
    UpgradeRouter.of(server).add(this.#settings.path, {
      take: (request, socket, head, isShared) => this.#handshakes.take(request, socket, head, isShared),
      failed: (error) => this.#handlers.error(error),
    });
  }

  #open(carrier: CarrierWebSocket, tcp: TcpSocket, form: WireForm, context: unknown): void {
    const connection = new WsConnection(carrier, tcp, form, this.#parts);
    // Only clients that agreed on permessage-deflate, the one extension there is, send what has to be inflated.
    if (carrier.extensions !== "") {
      const most = Math.max(LEAST_INFLATED_FRAGMENTS, this.#settings.maxMessageBytes / INFLATED_FRAGMENT_BYTES);
      connection.inflated = new InflatedFragments(most);
      guardReceiver(carrier, (chunk) => connection.admits(chunk));
    }
    this.#connections.set(tcp, connection);
    // Before the listener of `ws`, which ends this side.
    tcp.prependListener("end", this.#clientEnded);
    this.#handlers.open(connection, context);
  }

  #gone(tcp: TcpSocket): void {
    this.#connections.delete(tcp);
    if (this.#connections.size === 0) this.#empty?.();
  }
}
