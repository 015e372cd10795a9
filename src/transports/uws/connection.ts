import { Buffer } from "node:buffer";
import type { WebSocket } from "uWebSockets.js";
import { microtask, soon } from "../../guard.ts";
import type { Close } from "../../protocol/close-codes.ts";
import type { Connection, FrameSequence, MessageFrame, TransportHandlers } from "../transport.ts";
import { ABNORMAL, INVALID_TEXT, TOO_BIG } from "../shared/closes.ts";
import { LIGHT_BYTES, type Closing, type Closings, type Ended } from "../shared/closings.ts";
import { Outgoing, type Sender } from "./outgoing.ts";

/** The result of the native `send` when the operating system took everything. */
const SENT = 1;

/** Over TLS, the number of bytes that the library holds at most, unless a message that may not be cut has more. */
const TLS_BYTES = 128 * 1024;

/** The user data that uWebSockets.js keeps on its sockets. */
export interface UserData {
  readonly connection: UwsConnection;
}

/**
 * The number of pings after which the transport looks what the library holds. Their pongs are at most 8 KiB.
 */
const PINGS_PER_LOOK = 64;

/** The payload of the ping before a close. Its pong says that the client has read everything. */
const LAST_PING = "close";

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
  readonly maxBufferedBytes: number;
  /** Whether the connection uses TLS. */
  readonly secure: boolean;
  /** Whether the client has agreed on compression. */
  readonly compresses: boolean;
  /** The connections that hold something back. */
  readonly holding: Set<UwsConnection>;
}

/**
 * How far this side is with a close: it waits until everything was taken and read ("closing"), or for a moment only
 * ("expelled"); it has asked with a ping whether everything was read ("asked"); it has ended the native socket ("ended")
 * or cut it ("cut").
 */
type Stage = "open" | "closing" | "expelled" | "asked" | "ended" | "cut";

/**
 * A connection on uWebSockets.js. It drops the native socket once that is closed, because every method of it then
 * throws.
 *
 * The library tells nothing more of a socket that it was asked to end, and leaves it open for as long as the client
 * likes if something is outstanding then. So the connection ends its socket only when nothing is. The system may hold
 * megabytes even then, and loses them if the client sends anything after the end. So if there may be much of it, a
 * ping goes first, and the end comes with its pong.
 */
export class UwsConnection implements Connection, Closing, Ended {
  owner: unknown = undefined;
  readonly protocol: string;
  readonly #parts: UwsConnectionParts;
  #native: WebSocket<UserData> | undefined;
  /** What waits besides what the library holds; absent while nothing does. */
  #outgoing: Outgoing | undefined;
  /** The close of the end that closed first. The library reports one of this side differently for each way of closing. */
  #firstClose: Close | undefined;
  #stage: Stage = "open";
  /** Whether the library held something when this was last known. */
  #holds = false;
  /** Whether a message is being handled. */
  #isCorked = false;
  /** Whether a drain is to be handled in a moment. */
  #isDraining = false;
  /** The number of pings since the last look. */
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

  isSubscribed(topic: string): boolean {
    return this.#native?.isSubscribed(topic) === true;
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

  get isHolding(): boolean {
    return this.#outgoing !== undefined;
  }

  get isCorked(): boolean {
    return this.#isCorked;
  }

  get outstanding(): number {
    const buffered = this.#native?.getBufferedAmount() ?? 0;
    this.#holds = buffered > 0;
    return buffered + (this.#outgoing?.byteLength ?? 0);
  }

  write(sequence: FrameSequence): boolean {
    const native = this.#native;
    if (native === undefined || this.#firstClose !== undefined) return true;
    const { compresses, secure } = this.#parts;
    if (secure && (this.#outgoing !== undefined || this.outstanding + sequence.byteLength > TLS_BYTES)) {
      return this.#hold(native, sequence);
    }
    const { frames } = sequence;
    const [first] = frames;
    if (first !== undefined && frames.length === 1) {
      const isSent = native.send(first.payload, first.binary, compresses && first.compress) === SENT;
      if (!isSent) this.#holds = true;
      return isSent;
    }
    // The cork gathers the frames for one system call.
    native.cork(() => {
      for (const { payload, binary, compress } of frames) native.send(payload, binary, compresses && compress);
    });
    return this.outstanding === 0;
  }

  ping(): void {
    if (this.#firstClose !== undefined) return;
    if (this.#outgoing === undefined) this.#native?.ping();
    else this.#outgoing.pushPing();
  }

  close(code: number, reason: string, unconfirmed = 0): void {
    if (this.#firstClose !== undefined) return;
    this.#report({ code, reason });
    // Some clients inflate while they read on: they lose the close frame if the end of TCP comes with it.
    if (this.outstanding === 0 && unconfirmed <= LIGHT_BYTES && !this.#parts.compresses) {
      this.#end();
      return;
    }
    this.#stage = "closing";
    this.#parts.closings.close(this, unconfirmed);
    this.#goOn();
  }

  expel(code: number, reason: string): void {
    if (this.#firstClose !== undefined) return;
    this.#report({ code, reason });
    this.#throwOut();
  }

  /** Ends a connection whose client has not answered in time. */
  unanswered(): void {
    this.#end();
  }

  terminate(): void {
    if (this.#native === undefined) return;
    if (this.#firstClose === undefined) this.#report(ABNORMAL);
    this.#stage = "cut";
    this.#native.close();
  }

  /** Hands over a message, unless this side has closed the connection. */
  received(data: ArrayBuffer, isBinary: boolean): void {
    if (this.#firstClose !== undefined) {
      this.#countLate(data.byteLength);
      return;
    }
    this.#isCorked = true;
    this.#parts.handlers.message(this, Buffer.from(data), isBinary);
    this.#isCorked = false;
  }

  /**
   * Hands over a ping, unless this side has closed the connection. The library answers by itself, and sets no limit to
   * the answers that it holds for a client that does not read.
   */
  pinged({ byteLength }: ArrayBuffer): void {
    if (this.#firstClose !== undefined) {
      this.#countLate(byteLength);
      return;
    }
    const { handlers, maxBufferedBytes } = this.#parts;
    this.#pings = (this.#pings + 1) % PINGS_PER_LOOK;
    if (this.#pings === 0 && this.outstanding > maxBufferedBytes) soon(handlers, () => handlers.overflow(this));
    handlers.ping(this);
  }

  /** Hands over a pong, unless this side has closed the connection. */
  ponged(payload: ArrayBuffer): void {
    if (this.#firstClose === undefined) this.#parts.handlers.pong(this);
    else if (this.#stage === "asked" && Buffer.from(payload).toString("latin1") === LAST_PING) this.#end();
    else this.#countLate(payload.byteLength);
  }

  /**
   * Takes note that the operating system has taken something. This is handled in a later turn: a large message that is
   * sent from within the library's callback, and not taken whole, would never be gone on with.
   */
  drained(): void {
    this.#holds = (this.#native?.getBufferedAmount() ?? 0) > 0;
    if (this.#isDraining) return;
    this.#isDraining = true;
    soon(this.#parts.handlers, () => {
      this.#isDraining = false;
      this.#pump();
      if (this.#firstClose === undefined) {
        this.#parts.handlers.drain(this);
        return;
      }
      this.#parts.closings.progressed(this);
      this.#goOn();
    });
  }

  /** Takes the end of the native socket. The library calls this from inside `end` and `close` as well. */
  closed(libraryCode: number, text: string): void {
    const { closings, handlers } = this.#parts;
    this.#native = undefined;
    this.#letGo();
    if (this.#firstClose === undefined) this.#report(closeOf(libraryCode, text));
    closings.delete(this);
    // Only what the library itself breaks off has a text besides this code. All else may be a close frame of the client.
    if (this.#stage === "cut" || (libraryCode === ABNORMAL.code && text !== "")) {
      microtask(handlers, () => this.freed());
    } else closings.ended(this, this.#stage !== "ended" && this.#holds ? LINGERING : ENDED);
  }

  freed(): void {
    this.#parts.handlers.gone(this);
  }

  /** Holds frames back, and sends what can be sent at once. Returns whether the operating system took everything. */
  #hold(native: WebSocket<UserData>, { frames }: FrameSequence): boolean {
    if (this.#outgoing === undefined) {
      this.#outgoing = new Outgoing(this.#parts.compresses);
      this.#parts.holding.add(this);
    }
    this.#outgoing.push(frames);
    this.#pump();
    return this.#outgoing === undefined && native.getBufferedAmount() === 0;
  }

  /** Hands what waits to the library, a portion whenever the library holds nothing. */
  #pump(): void {
    const outgoing = this.#outgoing;
    const native = this.#native;
    if (outgoing === undefined || native === undefined) return;
    while (!outgoing.isEmpty && native.getBufferedAmount() === 0) {
      native.cork(() => outgoing.sendPortion(native as unknown as Sender));
    }
    this.#holds = native.getBufferedAmount() > 0;
    if (outgoing.isEmpty) this.#letGo();
  }

  #letGo(): void {
    if (this.#outgoing === undefined) return;
    this.#outgoing = undefined;
    this.#parts.holding.delete(this);
  }

  /** Ends an expelled connection once everything was taken; asks any other one first whether everything was read. */
  #goOn(): void {
    if (this.#native === undefined || this.outstanding > 0) return;
    if (this.#stage === "expelled") this.#end();
    else if (this.#stage === "closing") {
      this.#stage = "asked";
      this.#native.ping(LAST_PING);
    }
  }

  /** Waits only a moment for what the library holds; what waits besides is lost. */
  #throwOut(): void {
    this.#stage = "expelled";
    this.#letGo();
    this.#parts.closings.expel(this);
    this.#goOn();
  }

  #countLate(length: number): void {
    if (this.#parts.closings.exceeds(this, length) && this.#stage !== "expelled") this.#throwOut();
  }

  #end(): void {
    const { code, reason } = this.#firstClose as Close;
    this.#stage = "ended";
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
