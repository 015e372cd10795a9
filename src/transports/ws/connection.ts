import { Buffer } from "node:buffer";
import type { Socket as TcpSocket } from "node:net";
import { WebSocket } from "ws";
import { CloseCode } from "../../protocol/close-codes.ts";
import type { Connection, FrameSequence, TransportHandlers } from "../transport.ts";
import { ABNORMAL, Fault, type Outcome } from "../shared/faults.ts";

/** `ws` makes its sockets of this class, so that listeners shared by all of them can find the connection. */
export class CarrierWebSocket extends WebSocket {
  connection!: WsConnection;

  /**
   * `ws` answers a client's close frame through this method as well. Its `close` event comes much later, when the client
   * has closed the TCP connection too; until then the hub would take a client for present that has said goodbye.
   */
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason);
    this.connection.closing({ code: code ?? CloseCode.noStatus, reason: reason?.toString() ?? "" });
  }
}

/** How frames look to the clients of a connection, by what it agreed on in its handshake. */
export interface WireForm {
  /** All frames of the sequence as one run of bytes. The same for all connections of this form. */
  bytesOf(sequence: FrameSequence): Buffer;
}

/** As the hub made them. */
export const PLAIN: WireForm = { bytesOf: ({ bytes }) => bytes };

/**
 * A connection on `ws`.
 *
 * Frames go to the TCP socket directly, already built; `ws` does the rest: it reads, answers pings and closes. It
 * compresses nothing, so it never holds a frame back, and what both write stays in order.
 */
export class WsConnection implements Connection {
  owner: unknown = undefined;
  readonly #carrier: CarrierWebSocket;
  readonly #tcp: TcpSocket;
  readonly #wireForm: WireForm;
  readonly #handlers: TransportHandlers;
  readonly #gone: (connection: WsConnection) => void;
  /** Decided by whoever ends the connection first: `ws` reports the other end's echo. */
  #outcome: Outcome | undefined;
  #reported = false;
  #drainAwaited = false;

  /** `gone` is called when the TCP connection has ended. */
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
    this.#outcome ??= { code, reason };
    this.#carrier.close(code, reason);
  }

  terminate(): void {
    this.#outcome ??= ABNORMAL;
    this.#carrier.terminate();
  }

  /** After a close from this side, what the client still sends is nobody's business. */
  received(data: Buffer, isBinary: boolean): void {
    if (this.#outcome === undefined) this.#handlers.message(this, isBinary ? ownedCopy(data) : data.toString());
  }

  ponged(): void {
    if (this.#outcome === undefined) this.#handlers.pong(this);
  }

  /**
   * The client broke a rule. `ws` answers with the right code but reports 1006. Nothing more can come from it, so the hub
   * is told at once.
   */
  failed({ code }: NodeJS.ErrnoException): void {
    this.#report(FAULTS[code ?? ""] ?? ABNORMAL);
  }

  /** Later than the call: a close from this side must not be reported from inside it, and `failed` knows better. */
  closing(outcome: Outcome): void {
    queueMicrotask(() => this.#report(outcome));
  }

  closed(outcome: Outcome): void {
    this.#report(outcome);
    this.#gone(this);
  }

  get #isOpen(): boolean {
    return this.#carrier.readyState === WebSocket.OPEN;
  }

  #report(outcome: Outcome): void {
    if (this.#reported) return;
    this.#reported = true;
    const { code, reason } = (this.#outcome ??= outcome);
    this.#handlers.close(this, code, reason);
  }
}

const FAULTS: Readonly<Record<string, Outcome>> = {
  WS_ERR_INVALID_UTF8: Fault.text,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: Fault.size,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: Fault.size,
};

/** A small message is a slice of the buffer that it was read into, and would keep all of that alive. */
function ownedCopy(data: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(data.length);
  copy.set(data);
  return copy;
}

// One function for all connections: closures for each would weigh more than the rest of what is kept for it.

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
