import type { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Socket as TcpSocket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { WebSocketServer, type ServerOptions } from "ws";
import { HubError, messageOf } from "../../errors.ts";
import { microtask, watch } from "../../guard.ts";
import type { TransportHandlers, TransportSettings, UpgradeDecision, UpgradeInfo } from "../transport.ts";
import { handshakeFault } from "../shared/handshake.ts";
import { addHeader, fromLatin1 } from "../shared/headers.ts";
import { upgradeInfo } from "../shared/upgrade-info.ts";
import { WaitingClient } from "../shared/waiting-client.ts";
import { CarrierWebSocket, PLAIN, type WireForm } from "./connection.ts";
import { Deflater, MIN_WINDOW_BITS } from "./deflater.ts";
import { EarlyBytes } from "./early-bytes.ts";
import { agreedRequest, agreedWindowBits, DEFLATE_OPTIONS } from "./negotiation.ts";
import { refuseUpgrade } from "./refusal.ts";
import { SocketClaim } from "./socket-claim.ts";

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

const BESIDE_OTHERS =
  "Another listener for upgrades answered a client that asked for this hub. If it answers every path, route upgrades " +
  "yourself: create the hub with ws({ noServer: true }), and call hub.handleUpgrade() for the hub's path alone.";

const HANDED_OVER =
  "The application answered a client that it had handed to hub.handleUpgrade(), or handed over twice. Hand over each " +
  "upgrade request once, and leave its socket to the hub.";

export interface HandshakesParts {
  readonly handlers: TransportHandlers;
  readonly settings: TransportSettings;
  /** Whether the application hands the requests over, and could answer them itself. */
  readonly areHandedOver: boolean;
  /** Called for each client that is let in, at once. */
  opened(carrier: CarrierWebSocket, tcp: TcpSocket, form: WireForm, context: unknown): void;
}

/** Answers the handshakes of a transport, from an upgrade request to the open WebSocket. */
export class Handshakes {
  readonly #parts: HandshakesParts;
  readonly #upgrader: WebSocketServer;
  /** The TCP sockets of clients that wait for the decision on their upgrade. */
  readonly #undecided = new Set<TcpSocket>();
  /** The deflaters by the window that clients agreed on, which is nearly always the same. */
  readonly #deflaters = new Map<number, Deflater>();
  // The results of the negotiation that is being answered. `ws` asks for them and tells them in callbacks, all of which
  // it calls before `handleUpgrade` returns.
  #protocol = "";
  #wireForm: WireForm = PLAIN;

  constructor(parts: HandshakesParts) {
    const { compression, maxMessageBytes } = parts.settings;
    this.#parts = parts;
    const options: ServerOptions<typeof CarrierWebSocket> & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      autoPong: false,
      closeTimeout: NEVER,
      handleProtocols: () => this.#protocol || false,
      maxPayload: maxMessageBytes,
      maxFragments: Math.max(LEAST_FRAGMENTS, maxMessageBytes / FRAGMENT_BYTES),
      maxBufferedChunks: Math.max(LEAST_CHUNKS, maxMessageBytes / CHUNK_BYTES),
      perMessageDeflate: compression && DEFLATE_OPTIONS,
      WebSocket: CarrierWebSocket,
    };
    this.#upgrader = new WebSocketServer(options);
    this.#upgrader.on("headers", (headers) => {
      this.#wireForm = this.#wireFormFor(agreedWindowBits(headers));
    });
  }

  /**
   * Takes a request for a WebSocket whose answer is the next on its connection.
   *
   * @param isShared - whether other listeners get the request in this turn.
   */
  take(request: IncomingMessage, socket: Duplex, head: Buffer, isShared: boolean): void {
    // The client may have left while the application looked at its request.
    if (socket.destroyed) return;
    const claim = new SocketClaim(socket as TcpSocket, isShared || this.#parts.areHandedOver);
    if (isShared) this.#takeShared(request, claim, head);
    else this.#begin(request, claim, head);
  }

  /** Disconnects the clients that wait for a decision. */
  destroy(): void {
    for (const socket of this.#undecided) socket.destroy();
  }

  #takeShared(request: IncomingMessage, claim: SocketClaim, head: Buffer): void {
    microtask(this.#parts.handlers, () => {
      if (claim.isLost || claim.tcp.destroyed) this.#lost();
      else this.#begin(request, claim, head);
    });
  }

  #begin(request: IncomingMessage, claim: SocketClaim, head: Buffer): void {
    watch(this.#parts.handlers, this.#upgrade(request, claim, head), () => claim.tcp.destroy());
  }

  async #upgrade(request: IncomingMessage, claim: SocketClaim, head: Buffer): Promise<void> {
    const { tcp } = claim;
    const client = new WaitingClient();
    const info = describe(request, tcp, client);
    const fault = handshakeFault(info.headers);
    if (fault !== undefined) {
      refuseUpgrade(tcp, fault);
      return;
    }
    const decision = this.#parts.handlers.upgrade(info);
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
    if (claim.isLost) {
      this.#lost();
      return;
    }
    const { tcp } = claim;
    if (!decision.accept) {
      refuseUpgrade(tcp, decision);
      return;
    }
    const { context, protocol } = decision;
    this.#protocol = protocol;
    const request = agreedRequest(headers, protocol, this.#parts.settings.compression);
    try {
      this.#upgrader.handleUpgrade(request, tcp, head, (carrier) => {
        this.#parts.opened(carrier as CarrierWebSocket, tcp, this.#wireForm, context);
      });
    } catch (error) {
      // The socket is a WebSocket already, of whoever was quicker.
      if (!/more than once/.test(messageOf(error))) throw error;
      this.#lost(error);
    }
  }

  /** Reports a client that somebody else has answered. Its connection is theirs. */
  #lost(cause?: unknown): void {
    const { areHandedOver, handlers } = this.#parts;
    handlers.error(new HubError("ERR_HUB_PATH_TAKEN", areHandedOver ? HANDED_OVER : BESIDE_OTHERS, { cause }));
  }

  /** Chooses the form for a window. Messages that are not compressed are valid for every client. */
  #wireFormFor(windowBits: number | undefined): WireForm {
    if (windowBits === undefined || windowBits < MIN_WINDOW_BITS) return PLAIN;
    const deflater = this.#deflaters.get(windowBits) ?? new Deflater(windowBits);
    this.#deflaters.set(windowBits, deflater);
    return deflater;
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
