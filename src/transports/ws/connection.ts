import type { Buffer } from "node:buffer";
import type { Socket as TcpSocket } from "node:net";
import { WebSocket } from "ws";
import { later, microtask } from "../../guard.ts";
import { CloseCode, type Close } from "../../protocol/close-codes.ts";
import type { Connection, FrameSequence, TransportHandlers } from "../transport.ts";
import type { InflatedFragments } from "./inflated-fragments.ts";
import { ABNORMAL, INVALID_TEXT, TOO_BIG } from "../shared/closes.ts";

/** The code of `ws` for a message in too many parts. No table of the protocol has it, and clients would not come back. */
const TOO_MANY_PARTS = 1008;

/** The time between the close frame for a client that did harm and the end of its connection, in milliseconds. */
const CUT_AFTER = 1_000;

/** The number of bytes that are read of a client that did harm, and thrown away. */
const DISCARDED_BYTES = 8 * 1024 * 1024;

/** The number of bytes that a fragment counts for beside its own if it has to be inflated. */
const INFLATED_FRAGMENT_COST = 4 * 1024;

/** The length of the header of a client's ping or pong. */
const CONTROL_HEADER_BYTES = 6;

/**
 * The number of bytes of pings and pongs that a client may send without a message.
 *
 * `ws` keeps the fragments of a message as views of what it read: a fragment of one byte amid pongs holds 64 KiB, and
 * nothing but their number would bound what 32,768 of them hold. A client that never sends a message may ping once a
 * second for days before its connection ends.
 */
const MOST_CONTROL_BYTES = 4 * 1024 * 1024;

/** The number of bytes that a client may go on to send after a close frame of this side, until nothing more is parsed. */
const MOST_LATE_BYTES = 2 * 1024 * 1024;

/** The number of bytes that a frame counts for beside its own after a close, because the hub limits its rate no more. */
const LATE_FRAME_COST = 1024;

/** The class of which `ws` creates its sockets, so that listeners that all of them share can find the connection. */
export class CarrierWebSocket extends WebSocket {
  connection!: WsConnection;

  /**
   * Closes the connection and tells the hub so. `ws` calls this method for its answer to a client's close frame as
   * well, and without a reason for a breach. The `close` event would be too late for that: it comes only when the client
   * has closed the TCP connection too, and until then the hub would count a client as connected that has closed.
   */
  override close(code?: number, reason?: string | Buffer): void {
    const { connection } = this;
    const isBreach = code !== undefined && reason === undefined;
    const told = isBreach && code === TOO_MANY_PARTS ? TOO_BIG.code : code;
    connection.ending();
    super.close(told, reason);
    if (isBreach) connection.forsake();
    connection.closing({ code: told ?? CloseCode.noStatus, reason: reason?.toString() ?? "" });
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
  /** The fragments of the client's compressed messages; absent without permessage-deflate. */
  inflated: InflatedFragments | undefined;
  readonly #carrier: CarrierWebSocket;
  readonly #tcp: TcpSocket;
  readonly #wireForm: WireForm;
  readonly #handlers: TransportHandlers;
  readonly #gone: (connection: WsConnection) => void;
  /** The close of the end that closed first; `ws` reports the other end's echo of it. */
  #firstClose: Close | undefined;
  /** The bytes of pings and pongs since the last message; after a close by this side, of all that comes. */
  #idleBytes = 0;
  #isForsaken = false;
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
    carrier.on("message", onMessage).on("ping", onPing).on("pong", onPong).on("error", onError).on("close", onClose);
  }

  get protocol(): string {
    return this.#carrier.protocol;
  }

  get bytesRead(): number {
    return this.#tcp.bytesRead + (this.inflated?.total ?? 0) * INFLATED_FRAGMENT_COST;
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

  pause(): void {
    if (this.#isOpen) this.#carrier.pause();
  }

  resume(): void {
    this.#carrier.resume();
  }

  close(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.#firstClose ??= { code, reason };
    this.#idleBytes = 0;
    // The client's close frame is to be seen.
    this.#carrier.resume();
    this.#carrier.close(code, reason);
  }

  expel(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.close(code, reason);
    this.forsake();
  }

  terminate(): void {
    this.#firstClose ??= ABNORMAL;
    this.#carrier.terminate();
  }

  /**
   * Parses nothing more of a client that has been sent a close frame for what it did, and cuts the connection soon.
   *
   * A little is read and thrown away: a client that writes before it reads would not see the frame otherwise, and neither
   * would one whose connection is cut at once, because what is not read makes a reset of the end.
   */
  forsake(): void {
    if (this.#isForsaken) return;
    this.#isForsaken = true;
    const tcp = this.#tcp;
    let left = DISCARDED_BYTES;
    tcp.removeAllListeners("data").on("data", ({ length }: Buffer) => {
      left -= length;
      if (left < 0) tcp.pause();
    });
    tcp.resume().end();
    const cut = later(this.#handlers, CUT_AFTER, () => void tcp.destroy());
    tcp.once("close", () => clearTimeout(cut));
  }

  /** Tells the hub that the client ends the connection, while what was sent to it can still be written. */
  ending(): void {
    if (this.#isOpen && this.#firstClose === undefined) this.#handlers.ending(this);
  }

  /** Returns whether `ws` may parse what was read; ends the connection if not. */
  admits(chunk: Buffer): boolean {
    if (this.#isForsaken) return false;
    if (this.inflated === undefined || this.inflated.read(chunk)) return true;
    this.expel(TOO_BIG.code, TOO_BIG.reason);
    return false;
  }

  /** Hands over a message, unless this side has closed the connection. */
  received(data: Buffer, isBinary: boolean): void {
    if (this.#firstClose !== undefined) {
      this.#countLate(data.length);
      return;
    }
    this.#idleBytes = 0;
    this.#handlers.message(this, data, isBinary);
  }

  /** Hands over a ping, unless this side has closed the connection. */
  pinged(length: number): void {
    if (this.#firstClose === undefined) {
      this.#countControl(length);
      this.#handlers.ping(this);
    } else this.#countLate(length);
  }

  /** Hands over a pong, unless this side has closed the connection. */
  ponged(length: number): void {
    if (this.#firstClose === undefined) {
      this.#countControl(length);
      this.#handlers.pong(this);
    } else this.#countLate(length);
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
    this.#handlers.gone(this);
  }

  #countControl(length: number): void {
    this.#idleBytes += length + CONTROL_HEADER_BYTES;
    if (this.#idleBytes > MOST_CONTROL_BYTES) this.expel(TOO_BIG.code, TOO_BIG.reason);
  }

  #countLate(length: number): void {
    this.#idleBytes += length + LATE_FRAME_COST;
    if (this.#idleBytes > MOST_LATE_BYTES) this.forsake();
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
  WS_ERR_TOO_MANY_BUFFERED_PARTS: TOO_BIG,
};

// All connections share these functions: separate closures would weigh more than everything else that is kept for a
// connection.

function onMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  (this as CarrierWebSocket).connection.received(data as Buffer, isBinary);
}

function onPing(this: WebSocket, { length }: Buffer): void {
  (this as CarrierWebSocket).connection.pinged(length);
}

function onPong(this: WebSocket, { length }: Buffer): void {
  (this as CarrierWebSocket).connection.ponged(length);
}

function onError(this: WebSocket, error: NodeJS.ErrnoException): void {
  (this as CarrierWebSocket).connection.failed(error);
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  (this as CarrierWebSocket).connection.closed({ code, reason: reason.toString() });
}
