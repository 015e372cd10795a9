import type { Buffer } from "node:buffer";
import type { Socket as TcpSocket } from "node:net";
import { WebSocket } from "ws";
import { microtask } from "../../guard.ts";
import { CloseCode, type Close } from "../../protocol/close-codes.ts";
import type { Connection, FrameSequence, TransportHandlers } from "../transport.ts";
import { ABNORMAL, INVALID_TEXT, TOO_BIG } from "../shared/closes.ts";

/** The class of which `ws` creates its sockets, so that listeners that all of them share can find the connection. */
export class CarrierWebSocket extends WebSocket {
  connection!: WsConnection;

  /**
   * Closes the connection and tells the hub so. `ws` calls this method for its answer to a client's close frame as
   * well. The `close` event would be too late for that: it comes only when the client has closed the TCP connection
   * too, and until then the hub would count a client as connected that has closed.
   */
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason);
    this.connection.closing({ code: code ?? CloseCode.noStatus, reason: reason?.toString() ?? "" });
  }
}

/** The form of frames on the wire, as a connection agreed on it in its handshake. */
export interface WireForm {
  /** Joins all frames of a sequence into one run of bytes, which is the same for all connections of this form. */
  bytesOf(sequence: FrameSequence): Buffer;
}

/** The form in which frames stay as the hub built them. */
export const PLAIN: WireForm = { bytesOf: ({ bytes }) => bytes };

/**
 * A connection on `ws`.
 *
 * Frames are already built and go directly to the TCP socket; `ws` does the rest: it reads, answers pings and closes.
 * It compresses nothing, so it never holds a frame back, and everything written, by the hub or by `ws`, stays in order.
 */
export class WsConnection implements Connection {
  owner: unknown = undefined;
  readonly #carrier: CarrierWebSocket;
  readonly #tcp: TcpSocket;
  readonly #wireForm: WireForm;
  readonly #handlers: TransportHandlers;
  readonly #gone: (connection: WsConnection) => void;
  /** The close of the end that closed first; `ws` reports the other end's echo of it. */
  #firstClose: Close | undefined;
  #reported = false;
  #drainAwaited = false;

  /** @param gone - called when the TCP connection has ended. */
  constructor(
    carrier: CarrierWebSocket,
    tcp: TcpSocket,
    wireForm: WireForm,
    handlers: TransportHandlers,
    gone: (connection: WsConnection) => void,
  ) {
    this.#carrier = carrier;
    this.#tcp = tcp;
    this.#wireForm = wireForm;
    this.#handlers = handlers;
    this.#gone = gone;
    carrier.connection = this;
    carrier.on("message", onMessage).on("pong", onPong).on("error", onError).on("close", onClose);
  }

  get protocol(): string {
    return this.#carrier.protocol;
  }

  get bufferedAmount(): number {
    return this.#isOpen ? this.#carrier.bufferedAmount : 0;
  }

  write(sequence: FrameSequence): boolean {
    if (!this.#isOpen) return true;
    const tcp = this.#tcp;
    if (tcp.write(this.#wireForm.bytesOf(sequence))) return true;
    if (!this.#drainAwaited) {
      this.#drainAwaited = true;
      tcp.once("drain", () => {
        this.#drainAwaited = false;
        this.#handlers.drain(this);
      });
    }
    return false;
  }

  ping(): void {
    if (this.#isOpen) this.#carrier.ping();
  }

  close(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.#firstClose ??= { code, reason };
    this.#carrier.close(code, reason);
  }

  terminate(): void {
    this.#firstClose ??= ABNORMAL;
    this.#carrier.terminate();
  }

  /** Hands over a message, unless this side has closed the connection. */
  received(data: Buffer, isBinary: boolean): void {
    if (this.#firstClose === undefined) this.#handlers.message(this, data, isBinary);
  }

  /** Hands over a pong, unless this side has closed the connection. */
  ponged(): void {
    if (this.#firstClose === undefined) this.#handlers.pong(this);
  }

  /**
   * Ends the connection of a client that broke a rule. `ws` answers with the right code but reports 1006. It reads
   * nothing more from this client, so the hub is told at once.
   */
  failed({ code }: NodeJS.ErrnoException): void {
    this.#report(CLOSES[code ?? ""] ?? ABNORMAL);
  }

  /**
   * Reports that either end has sent a close frame. The report waits for a microtask, because a close from this side
   * must not be reported from inside the call, and because {@link failed} may report a more exact code first.
   */
  closing(close: Close): void {
    microtask(this.#handlers, () => this.#report(close));
  }

  /** Reports that the TCP connection has ended. */
  closed(close: Close): void {
    this.#report(close);
    this.#gone(this);
  }

  get #isOpen(): boolean {
    return this.#carrier.readyState === WebSocket.OPEN;
  }

  #report(close: Close): void {
    if (this.#reported) return;
    this.#reported = true;
    const { code, reason } = (this.#firstClose ??= close);
    this.#handlers.close(this, code, reason);
  }
}

/** The closes that the errors of `ws` stand for. Every other error is {@link ABNORMAL}. */
const CLOSES: Readonly<Record<string, Close>> = {
  WS_ERR_INVALID_UTF8: INVALID_TEXT,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: TOO_BIG,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: TOO_BIG,
};

// All connections share these functions: separate closures would weigh more than everything else that is kept for a
// connection.

function onMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  (this as CarrierWebSocket).connection.received(data as Buffer, isBinary);
}

function onPong(this: WebSocket): void {
  (this as CarrierWebSocket).connection.ponged();
}

function onError(this: WebSocket, error: NodeJS.ErrnoException): void {
  (this as CarrierWebSocket).connection.failed(error);
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  (this as CarrierWebSocket).connection.closed({ code, reason: reason.toString() });
}
