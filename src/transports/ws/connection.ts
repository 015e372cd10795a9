import { Buffer } from "node:buffer";
import type { Socket as TcpSocket } from "node:net";
import { WebSocket } from "ws";
import { microtask } from "../../guard.ts";
import { CloseCode, type Close } from "../../protocol/close-codes.ts";
import type { Connection, FrameSequence, TransportHandlers } from "../transport.ts";
import { ABNORMAL, INVALID_TEXT, TOO_BIG } from "../shared/closes.ts";
import type { Closing, Closings } from "../shared/closings.ts";
import type { InflatedFragments } from "./inflated-fragments.ts";
import { Outgoing } from "./outgoing.ts";

/** The code of `ws` for a message in too many parts. No table of the protocol has it, and clients would not come back. */
const TOO_MANY_PARTS = 1008;

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

/** The number of bytes that a client may send more after a close for each portion that it takes meanwhile. */
const LATE_BYTES_PER_PORTION = 256 * 1024;

/**
 * The number of bytes that the TCP socket may hold with a write that does not wait: a turn is written at 64 KiB or a little
 * more, and another may be under way.
 */
const MOST_DIRECT_BYTES = 128 * 1024;

/** The same for pings and pongs. Many of them would weigh a hundred times their bytes in the TCP socket. */
const MOST_DIRECT_CONTROL_BYTES = 4 * 1024;

/**
 * The number of bytes that pongs may take beyond `maxBufferedBytes`, so that one for a client that waits for a message
 * of this size does not end the connection.
 */
const PONG_ALLOWANCE = 8 * 1024;

const FIN = 0x80;
const PING: Buffer = Buffer.from([FIN | 0x9, 0]);
const OPCODE_PONG = 0xa;

/** A close frame. A client's, which is answered with the same, may be without a code. */
interface CloseFrame {
  readonly code: number | undefined;
  readonly reason: string | Buffer | undefined;
}

/** The class of which `ws` creates its sockets, so that listeners that all of them share can find the connection. */
export class CarrierWebSocket extends WebSocket {
  connection!: WsConnection;

  /**
   * Leaves the answer to the connection: `ws` calls this method for a client's close frame, and without a reason for a
   * breach, and would write to the TCP socket at once, perhaps in the middle of a frame.
   */
  override close(code?: number, reason?: string | Buffer): void {
    this.connection.answer(code, reason);
  }

  /** Sends a close frame. If the client's has come, TCP ends when this one is written. */
  closeNow({ code, reason }: CloseFrame): void {
    super.close(code, reason);
  }
}

/** The form of frames on the wire, as a connection agreed on it in its handshake. */
export interface WireForm {
  /** Joins all frames of a sequence into one run of bytes, which is the same for all connections of this form. */
  bytesOf(sequence: FrameSequence): Buffer;
}

/** The form in which frames stay as the hub built them. */
export const PLAIN: WireForm = { bytesOf: ({ bytes }) => bytes };

/** What a connection needs of its transport. */
export interface WsConnectionParts {
  readonly handlers: TransportHandlers;
  readonly closings: Closings;
  readonly maxBufferedBytes: number;
  /** Called when the TCP connection has ended. */
  readonly gone: (tcp: TcpSocket) => void;
}

/**
 * A connection on `ws`.
 *
 * Frames are already built and go directly to the TCP socket; `ws` reads, and writes the close frame. What a slow client
 * has not taken waits in an {@link Outgoing}, which exists only then. While something waits there, everything goes through
 * it, because a frame may be under way: pings and pongs as well, and the close frame is kept until all has been handed over.
 */
export class WsConnection implements Connection, Closing {
  owner: unknown = undefined;
  /** The fragments of the client's compressed messages; absent without permessage-deflate. */
  inflated: InflatedFragments | undefined;
  readonly #carrier: CarrierWebSocket;
  readonly #tcp: TcpSocket;
  readonly #wireForm: WireForm;
  readonly #parts: WsConnectionParts;
  /** What waits; absent while nothing does. */
  #outgoing: Outgoing | undefined;
  /** The close frame of this side, which is sent when nothing waits any more. */
  #closeFrame: CloseFrame | undefined;
  /** The close of the end that closed first; `ws` reports the other end's echo of it. */
  #firstClose: Close | undefined;
  /** The bytes of pings and pongs since the last message; after a close by this side, of all that comes. */
  #idleBytes = 0;
  #isForsaken = false;
  #reported = false;
  #drainAwaited = false;

  constructor(carrier: CarrierWebSocket, tcp: TcpSocket, wireForm: WireForm, parts: WsConnectionParts) {
    this.#carrier = carrier;
    this.#tcp = tcp;
    this.#wireForm = wireForm;
    this.#parts = parts;
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
    return this.#isOpen ? this.outstanding : 0;
  }

  get outstanding(): number {
    return this.#tcp.writableLength + (this.#outgoing?.byteLength ?? 0);
  }

  get isHolding(): boolean {
    return this.#outgoing !== undefined;
  }

  write(sequence: FrameSequence): boolean {
    return !this.#isOpen || this.#send(this.#wireForm.bytesOf(sequence), MOST_DIRECT_BYTES);
  }

  ping(): void {
    if (this.#isOpen) this.#send(PING, MOST_DIRECT_CONTROL_BYTES);
  }

  pause(): void {
    if (this.#isOpen) this.#carrier.pause();
  }

  resume(): void {
    this.#carrier.resume();
  }

  close(code: number, reason: string, unconfirmed: number = 0): void {
    if (!this.#isOpen) return;
    this.#firstClose = { code, reason };
    this.#idleBytes = 0;
    this.#parts.closings.close(this, unconfirmed);
    // The client's close frame is to be seen.
    this.#carrier.resume();
    this.#close({ code, reason });
    this.#reportLater(this.#firstClose);
  }

  expel(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.close(code, reason);
    this.forsake();
  }

  terminate(): void {
    this.#firstClose ??= ABNORMAL;
    this.#outgoing = undefined;
    this.#carrier.terminate();
  }

  /** Called when the client has not answered the close frame in time. */
  unanswered(): void {
    this.terminate();
  }

  /**
   * Closes the connection because the client did, behind all that waits, or because it broke RFC 6455: of what waits for
   * such a client, only the run is sent that is under way. The hub is told now: the `close` event of `ws` comes only when
   * the client has closed the TCP connection too, and until then the hub would count a client as connected that has closed.
   */
  answer(code: number | undefined, reason: string | Buffer | undefined): void {
    const isBreach = code !== undefined && reason === undefined;
    const told = isBreach && code === TOO_MANY_PARTS ? TOO_BIG.code : code;
    const { closings, handlers } = this.#parts;
    if (this.#isOpen) handlers.ending(this);
    if (!this.#isForsaken) closings.close(this, 0);
    if (isBreach) this.#cut();
    this.#close({ code: told, reason });
    if (isBreach) this.forsake();
    this.#reportLater({ code: told ?? CloseCode.noStatus, reason: reason?.toString() ?? "" });
  }

  /**
   * Parses nothing more of a client that has been sent a close frame for what it did, and cuts the connection soon. Of what
   * waits for this client, only the run is sent that is under way.
   *
   * A little is read and thrown away: a client that writes before it reads would not see the frame otherwise, and neither
   * would one whose connection is cut at once, because what is not read makes a reset of the end.
   */
  forsake(): void {
    if (this.#isForsaken) return;
    const tcp = this.#tcp;
    let left = DISCARDED_BYTES;
    tcp.removeAllListeners("data").on("data", ({ length }: Buffer) => {
      left -= length;
      if (left < 0) tcp.pause();
    });
    tcp.resume();
    this.#parts.closings.expel(this);
    this.#cut();
    this.#isForsaken = true;
    if (this.#outgoing === undefined) tcp.end();
  }

  /** Takes the end of what the client sends. `ws` then ends this side as well, so that what waits must go now. */
  clientEnded(): void {
    const { closings } = this.#parts;
    if (!closings.has(this)) closings.close(this, 0);
    this.#outgoing?.flush();
    if (this.#outgoing !== undefined) this.#release();
  }

  /** Returns whether `ws` may parse what was read; ends the connection if not. */
  admits(chunk: Buffer): boolean {
    if (this.#isForsaken) return false;
    if (this.inflated === undefined || this.inflated.read(chunk)) return true;
    this.expel(TOO_BIG.code, TOO_BIG.reason);
    // It may have been closing already.
    this.forsake();
    return false;
  }

  /** Hands over a message, unless this side has closed the connection. */
  received(data: Buffer, isBinary: boolean): void {
    if (this.#firstClose !== undefined) {
      this.#countLate(data.length);
      return;
    }
    this.#idleBytes = 0;
    this.#parts.handlers.message(this, data, isBinary);
  }

  /** Answers a ping until the close frame is sent, and hands it over unless this side has closed the connection. */
  pinged(data: Buffer): void {
    if (this.#carrier.readyState === WebSocket.OPEN) this.#pong(data);
    if (this.#firstClose === undefined) {
      this.#countControl(data.length);
      this.#parts.handlers.ping(this);
    } else this.#countLate(data.length);
  }

  /** Hands over a pong, unless this side has closed the connection. */
  ponged(length: number): void {
    if (this.#firstClose === undefined) {
      this.#countControl(length);
      this.#parts.handlers.pong(this);
    } else this.#countLate(length);
  }

  /**
   * Ends the connection of a client that broke a rule. `ws` answers with the right code but reports 1006. It reads
   * nothing more from this client, so the hub is told at once.
   */
  failed({ code }: NodeJS.ErrnoException): void {
    this.#report(CLOSES[code ?? ""] ?? ABNORMAL);
  }

  /** Reports that the TCP connection has ended. */
  closed(close: Close): void {
    const { closings, gone, handlers } = this.#parts;
    this.#outgoing = undefined;
    this.#report(close);
    closings.delete(this);
    gone(this.#tcp);
    handlers.gone(this);
  }

  /**
   * Writes a run of whole frames, or lets it wait.
   *
   * @param mostDirect - the number of bytes that the TCP socket may hold with this run, if nothing waits.
   * @returns whether the operating system took everything at once.
   */
  #send(run: Buffer, mostDirect: number): boolean {
    const tcp = this.#tcp;
    if (this.#outgoing === undefined && tcp.writableLength + run.length <= mostDirect) {
      if (tcp.write(run) || tcp.writableLength === 0) return true;
      this.#awaitDrain();
      return false;
    }
    this.#outgoing ??= new Outgoing(tcp, () => this.#taken());
    this.#outgoing.push(run);
    this.#pump();
    return this.#outgoing === undefined && tcp.writableLength === 0;
  }

  #awaitDrain(): void {
    if (this.#drainAwaited) return;
    this.#drainAwaited = true;
    this.#tcp.once("drain", () => {
      this.#drainAwaited = false;
      this.#parts.handlers.drain(this);
    });
  }

  #pong(data: Buffer): void {
    const frame = Buffer.concat([Buffer.from([FIN | OPCODE_PONG, data.length]), data]);
    this.#send(frame, MOST_DIRECT_CONTROL_BYTES);
    const { handlers, maxBufferedBytes } = this.#parts;
    if (this.bufferedAmount > maxBufferedBytes + PONG_ALLOWANCE) handlers.overflow(this);
  }

  /** Sends a close frame when nothing waits any more; the first one if there are two. */
  #close(frame: CloseFrame): void {
    this.#closeFrame ??= frame;
    if (this.#outgoing === undefined) this.#carrier.closeNow(frame);
  }

  #pump(): void {
    this.#outgoing?.pump();
    this.#settle();
  }

  /** Drops what waits behind the run that is under way. */
  #cut(): void {
    this.#outgoing?.cut();
    this.#settle();
  }

  /** Ends the wait, if nothing waits any more and the last portion is taken: the next one must not follow it at once. */
  #settle(): void {
    if (this.#outgoing?.isUnderWay === false) this.#release();
  }

  #release(): void {
    this.#outgoing = undefined;
    if (this.#closeFrame !== undefined) this.#carrier.closeNow(this.#closeFrame);
    if (this.#isForsaken) this.#tcp.end();
  }

  /** Takes note that the operating system has taken something. */
  #taken(): void {
    this.#pump();
    if (this.#isOpen) this.#parts.handlers.drain(this);
    else this.#idleBytes = Math.max(0, this.#idleBytes - LATE_BYTES_PER_PORTION);
  }

  #countControl(length: number): void {
    this.#idleBytes += length + CONTROL_HEADER_BYTES;
    if (this.#idleBytes > MOST_CONTROL_BYTES) this.expel(TOO_BIG.code, TOO_BIG.reason);
  }

  #countLate(length: number): void {
    this.#idleBytes += length + LATE_FRAME_COST;
    if (this.#idleBytes > MOST_LATE_BYTES) this.forsake();
  }

  /** Whether the hub can still send. `ws` itself is open until it has sent its close frame, which may wait. */
  get #isOpen(): boolean {
    return this.#closeFrame === undefined && this.#carrier.readyState === WebSocket.OPEN;
  }

  /**
   * Reports that either end has closed. The report waits for a microtask, because a close from this side must not be
   * reported from inside the call, and because {@link failed} may report a more exact code first.
   */
  #reportLater(close: Close): void {
    microtask(this.#parts.handlers, () => this.#report(close));
  }

  #report(close: Close): void {
    if (this.#reported) return;
    this.#reported = true;
    const { code, reason } = (this.#firstClose ??= close);
    this.#parts.handlers.close(this, code, reason);
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

function onPing(this: WebSocket, data: Buffer): void {
  (this as CarrierWebSocket).connection.pinged(data);
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
