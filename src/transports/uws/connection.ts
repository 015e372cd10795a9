import type { WebSocket } from "uWebSockets.js";
import { microtask } from "../../guard.ts";
import type { Close } from "../../protocol/close-codes.ts";
import type { Connection, FrameSequence, MessageFrame, TransportHandlers } from "../transport.ts";
import { ABNORMAL, INVALID_TEXT, TOO_BIG } from "../shared/closes.ts";

/** The result of the native `send` when the operating system took everything. */
const SENT = 1;

/** The user data that uWebSockets.js keeps on its sockets. */
export interface UserData {
  readonly connection: UwsConnection;
}

/**
 * A connection on uWebSockets.js. It drops the native socket once that is closed, because every method of it then
 * throws.
 */
export class UwsConnection implements Connection {
  owner: unknown = undefined;
  readonly protocol: string;
  readonly #handlers: TransportHandlers;
  readonly #compress: boolean;
  #native: WebSocket<UserData> | undefined;
  /**
   * The close of this side, if it closed first. The library reports such a close differently for each way of closing.
   */
  #firstClose: Close | undefined;

  constructor(protocol: string, compress: boolean, handlers: TransportHandlers) {
    this.protocol = protocol;
    this.#compress = compress;
    this.#handlers = handlers;
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
    return this.#native?.getBufferedAmount() ?? 0;
  }

  write({ frames }: FrameSequence): boolean {
    const native = this.#native;
    if (native === undefined) return true;
    const [first] = frames;
    if (first !== undefined && frames.length === 1) {
      return native.send(first.payload, first.binary, this.#compress) === SENT;
    }
    // The cork gathers the frames for one system call.
    native.cork(() => {
      for (const { payload, binary } of frames) native.send(payload, binary, this.#compress);
    });
    return native.getBufferedAmount() === 0;
  }

  ping(): void {
    this.#native?.ping();
  }

  close(code: number, reason: string): void {
    this.#firstClose ??= { code, reason };
    this.#native?.end(code, reason);
  }

  terminate(): void {
    this.#firstClose ??= ABNORMAL;
    this.#native?.close();
  }

  /**
   * Reports the end of the connection, with the code and the text that the library gives. The library calls this from
   * inside `end` and `close` as well, so the hub is told in a microtask.
   */
  closed(libraryCode: number, text: string): void {
    this.#native = undefined;
    const { code, reason } = (this.#firstClose ??= closeOf(libraryCode, text));
    microtask(this.#handlers, () => this.#handlers.close(this, code, reason));
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
