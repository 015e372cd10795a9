import type { Buffer } from "node:buffer";
import type { IncomingMessage, Server } from "node:http";
import type { Server as TlsServer } from "node:https";
import type { AddressInfo, Socket as TcpSocket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { WebSocketServer, type ServerOptions } from "ws";
import { HubError, messageOf } from "../../errors.ts";
import { microtask, watch } from "../../guard.ts";
import type {
  ListenAddress,
  ListenOptions,
  Transport,
  TransportHandlers,
  TransportSettings,
  UpgradeDecision,
  UpgradeInfo,
} from "../transport.ts";
import { Closings } from "../shared/closings.ts";
import { checkFactoryOptions } from "../shared/factory-options.ts";
import { asksForWebSocket, handshakeFault } from "../shared/handshake.ts";
import { addHeader, fromLatin1 } from "../shared/headers.ts";
import { listenError } from "../shared/listen-error.ts";
import { OpenFiles } from "../shared/open-files.ts";
import { upgradeInfo } from "../shared/upgrade-info.ts";
import { WaitingClient } from "../shared/waiting-client.ts";
import { checkServer, type ApplicationServer } from "./application-server.ts";
import { refuseBun } from "./bun.ts";
import { CarrierWebSocket, PLAIN, WsConnection, type WireForm, type WsConnectionParts } from "./connection.ts";
import { Deflater, MIN_WINDOW_BITS } from "./deflater.ts";
import { EarlyBytes } from "./early-bytes.ts";
import { InflatedFragments } from "./inflated-fragments.ts";
import { listenOn } from "./listening.ts";
import { agreedRequest, agreedWindowBits, DEFLATE_OPTIONS } from "./negotiation.ts";
import { guardReceiver } from "./receiver-guard.ts";
import { refuseUpgrade } from "./refusal.ts";
import { SocketClaim } from "./socket-claim.ts";
import { UpgradeRouter } from "./upgrade-router.ts";

/** How long `ws` waits for the end of a connection that it closes, in milliseconds: the transport has its own bounds. */
const NEVER = 2 ** 31 - 1;

// `ws` keeps some 150 bytes for each fragment of a message and some 210 for each chunk of a frame that the network brings,
// however little is in them. A message in more parts than these ends its connection with 1009, as one that is too large.

/** The number of fragments that a message may have whatever its size. */
const LEAST_FRAGMENTS = 32 * 1024;

/** The mean size of fragments below which a large message has too many of them. */
const FRAGMENT_BYTES = 32;

/** The number of chunks that a frame may come in whatever its size. */
const LEAST_CHUNKS = 1024;

/** The mean size of chunks below which a large frame comes in too many of them. */
const CHUNK_BYTES = 256;

/** The number of fragments that a compressed message may have whatever its size. */
const LEAST_INFLATED_FRAGMENTS = 1024;

/** The mean size of fragments below which a large compressed message has too many of them. */
const INFLATED_FRAGMENT_BYTES = 512;

export type { ApplicationServer } from "./application-server.ts";

const UPGRADE: Readonly<Record<string, string>> = { Upgrade: "websocket", "Sec-WebSocket-Version": "13" };

const ANSWERED =
  "Another listener for upgrades answered a client that asked for this hub. If it answers every path, route upgrades " +
  "yourself: create the hub with ws({ noServer: true }), and call hub.handleUpgrade() for the hub's path alone.";

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
  /** The TCP sockets of clients that wait for the decision on their upgrade. */
  readonly #undecided = new Set<TcpSocket>();
  /** The deflaters by the window that clients agreed on, which is nearly always the same. */
  readonly #deflaters = new Map<number, Deflater>();
  #handlers!: TransportHandlers;
  #settings!: TransportSettings;
  #parts!: WsConnectionParts;
  #upgrader!: WebSocketServer;
  #own: Server | TlsServer | undefined;
  #openFiles: OpenFiles | undefined;
  // The results of the negotiation that is being answered. `ws` asks for them and tells them in callbacks, all of which
  // it calls before `handleUpgrade` returns.
  #protocol = "";
  #wireForm: WireForm = PLAIN;
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
    const options: ServerOptions<typeof CarrierWebSocket> & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      autoPong: false,
      closeTimeout: NEVER,
      handleProtocols: () => this.#protocol || false,
      maxPayload: settings.maxMessageBytes,
      maxFragments: Math.max(LEAST_FRAGMENTS, settings.maxMessageBytes / FRAGMENT_BYTES),
      maxBufferedChunks: Math.max(LEAST_CHUNKS, settings.maxMessageBytes / CHUNK_BYTES),
      perMessageDeflate: settings.compression && DEFLATE_OPTIONS,
      WebSocket: CarrierWebSocket,
    };
    this.#upgrader = new WebSocketServer(options);
    this.#upgrader.on("headers", (headers) => {
      this.#wireForm = this.#wireFormFor(agreedWindowBits(headers));
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
    return (this.#destroyed ??= this.#destroy(within));
  }

  async #destroy(within: number | undefined): Promise<void> {
    this.#openFiles?.stop();
    const server = this.#attachedTo ?? this.#own;
    if (server !== undefined) UpgradeRouter.of(server).remove(this.#settings.path);
    for (const socket of this.#undecided) socket.destroy();
    const { closings } = this.#parts;
    for (const connection of this.#connections.values()) if (!closings.has(connection)) connection.terminate();
    await closings.finish(within);
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
    const { path } = this.#settings;
    const [asked] = (request.url ?? "/").split("?", 1);
    if (!asksForWebSocket(request.method, request.headers)) refuseUpgrade(socket, 426, "Upgrade Required", UPGRADE);
    else if (path !== undefined && asked !== path) refuseUpgrade(socket, 404, "Not Found");
    else if (this.#destroyed !== undefined) refuseUpgrade(socket, 503, "Service Unavailable");
    else this.#take(request, socket, head, false);
  }

  #route(server: Server | TlsServer): void {
    UpgradeRouter.of(server).add(this.#settings.path, {
      take: (request, socket, head, isShared) => this.#take(request, socket, head, isShared),
      failed: (error) => this.#handlers.error(error),
    });
  }

  #take(request: IncomingMessage, socket: Duplex, head: Buffer, isShared: boolean): void {
    // The client may have left while the application looked at its request.
    if (socket.destroyed) return;
    const claim = new SocketClaim(socket as TcpSocket, isShared || this.#noServer);
    if (isShared) this.#takeShared(request, claim, head);
    else this.#begin(request, claim, head);
  }

  /** Takes a request that other listeners get in this turn. What they do to the socket must not end the process. */
  #takeShared(request: IncomingMessage, claim: SocketClaim, head: Buffer): void {
    claim.tcp.on("error", ignore);
    microtask(this.#handlers, () => {
      if (claim.isLost || claim.tcp.destroyed) this.#lost(claim);
      else this.#begin(request, claim, head);
    });
  }

  #begin(request: IncomingMessage, claim: SocketClaim, head: Buffer): void {
    watch(this.#handlers, this.#upgrade(request, claim, head), () => claim.tcp.destroy());
  }

  async #upgrade(request: IncomingMessage, claim: SocketClaim, head: Buffer): Promise<void> {
    const { tcp } = claim;
    const client = new WaitingClient();
    const info = describe(request, tcp, client);
    const fault = handshakeFault(info.headers);
    if (fault !== undefined) {
      refuseUpgrade(tcp, fault.status, fault.message, fault.headers);
      return;
    }
    const decision = this.#handlers.upgrade(info);
    if (!(decision instanceof Promise)) {
      this.#answer(decision, info.headers, claim, head);
      return;
    }
    this.#undecided.add(tcp);
    const early = new EarlyBytes(tcp, head, () => {
      this.#undecided.delete(tcp);
      client.disconnected();
    });
    // A function that awaits keeps its arguments: the head would be held for as long as the decision takes.
    return this.#answerLater(decision, client, info.headers, claim, early);
  }

  async #answerLater(
    decision: Promise<UpgradeDecision>,
    client: WaitingClient,
    headers: UpgradeInfo["headers"],
    claim: SocketClaim,
    early: EarlyBytes,
  ): Promise<void> {
    const decided = await decision;
    if (client.isGone) return;
    this.#undecided.delete(claim.tcp);
    this.#answer(decided, headers, claim, early.take());
  }

  #answer(decision: UpgradeDecision, headers: UpgradeInfo["headers"], claim: SocketClaim, head: Buffer): void {
    const { tcp } = claim;
    if (claim.isLost) return this.#lost(claim);
    if (!decision.accept) {
      refuseUpgrade(tcp, decision.status, decision.message, decision.headers);
      return;
    }
    this.#protocol = decision.protocol;
    const request = agreedRequest(headers, decision.protocol);
    try {
      this.#upgrader.handleUpgrade(request, tcp, head, (carrier) => {
        this.#open(carrier as CarrierWebSocket, tcp, decision.context);
      });
    } catch (error) {
      // The socket is a WebSocket already, of whoever was quicker.
      if (!/more than once/.test(messageOf(error))) throw error;
      this.#lost(claim, error);
    }
  }

  #open(carrier: CarrierWebSocket, tcp: TcpSocket, context: unknown): void {
    const connection = new WsConnection(carrier, tcp, this.#wireForm, this.#parts);
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

  /** Reports a client that somebody else has answered. Its connection is theirs. */
  #lost({ isShared, tcp }: SocketClaim, cause?: unknown): void {
    if (isShared) this.#handlers.error(new HubError("ERR_HUB_PATH_TAKEN", ANSWERED, { cause }));
    else refuseUpgrade(tcp, 400, "Wait for the answers to earlier requests");
  }

  /** Chooses the form for a window. Messages that are not compressed are valid for every client. */
  #wireFormFor(windowBits: number | undefined): WireForm {
    if (windowBits === undefined || windowBits < MIN_WINDOW_BITS) return PLAIN;
    const deflater = this.#deflaters.get(windowBits) ?? new Deflater(windowBits);
    this.#deflaters.set(windowBits, deflater);
    return deflater;
  }

  #gone(tcp: TcpSocket): void {
    this.#connections.delete(tcp);
    if (this.#connections.size === 0) this.#empty?.();
  }
}

function describe(request: IncomingMessage, tcp: TcpSocket, client: WaitingClient): UpgradeInfo {
  return upgradeInfo(
    {
      url: request.url ?? "/",
      headers: headersOf(request),
      remoteAddress: tcp.remoteAddress ?? "",
      secure: (tcp as Partial<TLSSocket>).encrypted === true,
    },
    client,
  );
}

/** The headers as on every transport, whatever the options of the application's server make of them. */
function headersOf({ rawHeaders }: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    addHeader(headers, (rawHeaders[index] as string).toLowerCase(), fromLatin1(rawHeaders[index + 1] as string));
  }
  return headers;
}

function ignore(): void {}
