import type { WebSocket } from "uWebSockets.js";
import type { Connection, FrameSequence, MessageFrame, TransportHandlers } from "../transport.ts";
import { ABNORMAL, type Outcome } from "../shared/faults.ts";

/** What the native `send` returns when the operating system took everything. */
const SENT = 1;

/** What uWebSockets.js keeps on its sockets for us. */
export interface Carrier {
  readonly connection: UwsConnection;
}

/** A connection on uWebSockets.js. Every method of the native socket throws once it is closed, so it is let go of then. */
export class UwsConnection implements Connection {
  owner: unknown = undefined;
  readonly protocol: string;
  readonly #handlers: TransportHandlers;
  readonly #compress: boolean;
  #native: WebSocket<Carrier> | undefined;
  /** Decided by a close from this side; what the library reports then is not the same for all ways of closing. */
  #outcome: Outcome | undefined;

  constructor(protocol: string, compress: boolean, handlers: TransportHandlers) {
    this.protocol = protocol;
    this.#compress = compress;
    this.#handlers = handlers;
  }

  opened(native: WebSocket<Carrier>): void {
    this.#native = native;
  }

  subscribe(topic: string): void {
    this.#native?.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    this.#native?.unsubscribe(topic);
  }

  /** To all other subscribers. `false`, and nothing was sent, once closed. */
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
    this.#outcome ??= { code, reason };
    this.#native?.end(code, reason);
  }

  terminate(): void {
    this.#outcome ??= ABNORMAL;
    this.#native?.close();
  }

  /** The library calls this from within `end` and `close`, too; the hub is told later. */
  closed(outcome: Outcome): void {
    this.#native = undefined;
    const { code, reason } = (this.#outcome ??= outcome);
    queueMicrotask(() => this.#handlers.close(this, code, reason));
  }
}
