import type { Buffer } from "node:buffer";
import type { WebSocket } from "uWebSockets.js";
import type { MessageFrame } from "../transport.ts";

/** The number of bytes that are handed to the library at a time. */
const PORTION = 64 * 1024;

/** The methods of a native socket that send. The declarations of the library leave out those for fragments. */
export interface Sender extends Pick<WebSocket<unknown>, "send" | "ping"> {
  sendFirstFragment(fragment: Buffer, isBinary: boolean): number;
  sendFragment(fragment: Buffer): number;
  sendLastFragment(fragment: Buffer): number;
}

/**
 * Messages that wait for one client besides what the library holds for it.
 *
 * Over TLS the library reports no progress until everything that it holds has gone. So it gets a portion at a time. It
 * writes nothing but frames, so a large message goes in fragments.
 */
export class Outgoing {
  readonly #compresses: boolean;
  /** The messages in order, with `undefined` for a ping. */
  readonly #waiting: (MessageFrame | undefined)[] = [];
  /** The place of the first one that has not gone. */
  #next = 0;
  /** The number of bytes of its payload that have gone. */
  #offset = 0;
  #byteLength = 0;

  /**
   * @param compresses - whether the client has agreed on compression. Then all messages go whole: no client inflates
   *   what the library makes of fragments.
   */
  constructor(compresses: boolean) {
    this.#compresses = compresses;
  }

  /** The number of bytes that wait. */
  get byteLength(): number {
    return this.#byteLength;
  }

  get isEmpty(): boolean {
    return this.#next === this.#waiting.length;
  }

  push(frames: readonly MessageFrame[]): void {
    for (const frame of frames) {
      this.#waiting.push(frame);
      this.#byteLength += frame.bytes.length;
    }
  }

  /** Puts a ping behind the messages: its pong says that the client has read them. */
  pushPing(): void {
    this.#waiting.push(undefined);
  }

  /** Sends the next portion: at least one message or fragment. */
  sendPortion(sender: Sender): void {
    let room = PORTION;
    while (!this.isEmpty) {
      const frame = this.#waiting[this.#next];
      const left = frame === undefined ? 0 : frame.bytes.length - this.#offset;
      if (left > room && room < PORTION) return;
      if (frame === undefined) sender.ping();
      else if (!this.#compresses && frame.payload.length - this.#offset > PORTION) {
        this.#sendFragment(sender, frame);
        return;
      } else this.#sendRest(sender, frame);
      room -= left;
      this.#byteLength -= left;
      this.#offset = 0;
      this.#waiting[this.#next++] = undefined;
    }
  }

  #sendFragment(sender: Sender, { payload, binary }: MessageFrame): void {
    const fragment = payload.subarray(this.#offset, this.#offset + PORTION);
    if (this.#offset === 0) sender.sendFirstFragment(fragment, binary);
    else sender.sendFragment(fragment);
    this.#offset += PORTION;
    this.#byteLength -= PORTION;
  }

  #sendRest(sender: Sender, { payload, binary, compress }: MessageFrame): void {
    if (this.#offset === 0) sender.send(payload, binary, this.#compresses && compress);
    else sender.sendLastFragment(payload.subarray(this.#offset));
  }
}
