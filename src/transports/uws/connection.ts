import { Buffer } from "node:buffer";
import type { WebSocket } from "uWebSockets.js";
import { microtask, soon } from "../../guard.ts";
import type { Close } from "../../protocol/close-codes.ts";
import type { Connection, FrameSequence, MessageFrame, TransportHandlers } from "../transport.ts";
import { ABNORMAL, INVALID_TEXT, TOO_BIG } from "../shared/closes.ts";
import type { Closing, Closings, Ended } from "../shared/closings.ts";

/** The result of the native `send` when the operating system took everything. */
const SENT = 1;

/** The user data that uWebSockets.js keeps on its sockets. */
export interface UserData {
  readonly connection: UwsConnection;
}

/**
 * The number of pings after which the transport looks what the library holds. Their pongs are at most 8 KiB.
 */
const PINGS_PER_LOOK = 64;

/**
 * The time after which the descriptor of a connection is free that was ended with nothing outstanding, in seconds: the
 * library closes it within four seconds, whatever the client does, and tells nobody.
 */
const ENDED = 5;

/**
 * The time for a connection that the client ended while something was outstanding, in seconds. The library goes on
 * sending that, cannot be stopped from JavaScript, and does not tell when it is through.
 */
const LINGERING = 30;

/** What a connection needs of its transport. */
export interface UwsConnectionParts {
  readonly handlers: TransportHandlers;
  readonly closings: Closings;
  readonly compression: boolean;
  readonly maxBufferedBytes: number;
}

/**
 * A connection on uWebSockets.js. It drops the native socket once that is closed, because every method of it then
 * throws.
 *
 * The library tells nothing more of a socket that it was asked to end, and leaves it open for as long as the client
 * likes if something is outstanding then. So the connection ends its socket only when nothing is.
 */
export class UwsConnection implements Connection, Closing, Ended {
  owner: unknown = undefined;
  readonly protocol: string;
  readonly #parts: UwsConnectionParts;
  #native: WebSocket<UserData> | undefined;
  /** The close of the end that closed first. The library reports one of this side differently for each way of closing. */
  #firstClose: Close | undefined;
  /** How this side ended the native socket. */
  #ending: "ended" | "cut" | undefined;
  /** Whether something was outstanding when this was last known. */
  #holds = false;
  #pings = 0;

  constructor(protocol: string, parts: UwsConnectionParts) {
    this.protocol = protocol;
    this.#parts = parts;
  }

  /** Takes the native socket, which the library creates after the connection was accepted. */
  opened(native: WebSocket<UserData>): void {
    this.#native = native;
  }

  subscribe(topic: string): void {
    this.#native?.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    this.#native?.unsubscribe(topic);
  }

  /**
   * Publishes a frame to all other subscribers of a topic.
   *
   * @returns `false` if nothing was sent, because this connection is closed.
   */
  publish(topic: string, { payload, binary }: MessageFrame): boolean {
    if (this.#native === undefined) return false;
    this.#native.publish(topic, payload, binary, false);
    return true;
  }

  get bufferedAmount(): number {
    return this.#firstClose === undefined ? this.outstanding : 0;
  }

  get outstanding(): number {
    const outstanding = this.#native?.getBufferedAmount() ?? 0;
    this.#holds = outstanding > 0;
    return outstanding;
  }

  write({ frames }: FrameSequence): boolean {
    const native = this.#native;
    if (native === undefined || this.#firstClose !== undefined) return true;
    const { compression } = this.#parts;
    const [first] = frames;
    if (first !== undefined && frames.length === 1) {
      const isSent = native.send(first.payload, first.binary, compression) === SENT;
      if (!isSent) this.#holds = true;
      return isSent;
    }
    // The cork gathers the frames for one system call.
    native.cork(() => {
      for (const { payload, binary } of frames) native.send(payload, binary, compression);
    });
    return this.outstanding === 0;
  }

  ping(): void {
    if (this.#firstClose === undefined) this.#native?.ping();
  }

  close(code: number, reason: string, unconfirmed = 0): void {
    if (this.#firstClose !== undefined) return;
    this.#report({ code, reason });
    if (this.outstanding === 0) this.#end({ code, reason });
    else this.#parts.closings.close(this, unconfirmed);
  }

  expel(code: number, reason: string): void {
    if (this.#firstClose !== undefined) return;
    this.#report({ code, reason });
    if (this.outstanding === 0) this.#end({ code, reason });
    else this.#parts.closings.expel(this);
  }

  /** Ends a connection whose client has not answered in time. */
  unanswered(): void {
    if (this.#firstClose !== undefined) this.#end(this.#firstClose);
  }

  terminate(): void {
    if (this.#native === undefined) return;
    if (this.#firstClose === undefined) this.#report(ABNORMAL);
    this.#ending = "cut";
    this.#native.close();
  }

  /** Hands over a message, unless this side has closed the connection. */
  received(data: ArrayBuffer, isBinary: boolean): void {
    if (this.#firstClose === undefined) this.#parts.handlers.message(this, Buffer.from(data), isBinary);
  }

  /**
   * Hands over a ping, unless this side has closed the connection. The library answers by itself, and sets no limit to
   * the answers that it holds for a client that does not read.
   */
  pinged(): void {
    if (this.#firstClose !== undefined) return;
    const { handlers, maxBufferedBytes } = this.#parts;
    this.#pings = (this.#pings + 1) % PINGS_PER_LOOK;
    if (this.#pings === 0 && this.outstanding > maxBufferedBytes) soon(handlers, () => handlers.overflow(this));
    handlers.ping(this);
  }

  /** Hands over a pong, unless this side has closed the connection. */
  ponged(): void {
    if (this.#firstClose === undefined) this.#parts.handlers.pong(this);
  }

  /** Takes note that the operating system has taken something. */
  drained(): void {
    const isEmpty = this.outstanding === 0;
    if (this.#firstClose === undefined) this.#parts.handlers.drain(this);
    else if (isEmpty) this.#end(this.#firstClose);
  }

  /** Takes the end of the native socket. The library calls this from inside `end` and `close` as well. */
  closed(libraryCode: number, text: string): void {
    const { closings, handlers } = this.#parts;
    this.#native = undefined;
    if (this.#firstClose === undefined) this.#report(closeOf(libraryCode, text));
    closings.delete(this);
    // Only what the library itself breaks off has a text besides this code. All else may be a close frame of the client.
    if (this.#ending === "cut" || (libraryCode === ABNORMAL.code && text !== "")) {
      microtask(handlers, () => this.freed());
    } else closings.ended(this, this.#ending === undefined && this.#holds ? LINGERING : ENDED);
  }

  freed(): void {
    this.#parts.handlers.gone(this);
  }

  #end({ code, reason }: Close): void {
    this.#ending = "ended";
    this.#native?.end(code, reason);
  }

  /** Tells the hub of the end, in a microtask, because that may be from inside a call. */
  #report(close: Close): void {
    const { handlers } = this.#parts;
    this.#firstClose = close;
    microtask(handlers, () => handlers.close(this, close.code, close.reason));
  }
}

/** Translates a close of the library, which reports faults of the client as 1006 with a text. */
function closeOf(code: number, text: string): Close {
  if (code !== ABNORMAL.code) return { code, reason: text };
  // For a compressed message the text goes on with "or other inflation error".
  if (text.startsWith("Received too big message")) return TOO_BIG;
  if (text === "Received invalid UTF-8") return INVALID_TEXT;
  return ABNORMAL;
}
