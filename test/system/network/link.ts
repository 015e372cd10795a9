import type { Socket } from "node:net";
import { ShapedStream } from "./shaped-stream.ts";

/** `up` is towards the server, `down` towards the client. */
export type Direction = "up" | "down";

/** One connection through the proxy: `near` is the client's end, `far` the server's. */
export class Link {
  readonly #ends: readonly [near: Socket, far: Socket];
  readonly #streams: Readonly<Record<Direction, ShapedStream>>;
  /** Whether what becomes of one end is none of the other's business any more. */
  #detached = false;
  /** Resolves when both ends have closed. */
  readonly gone: Promise<void>;

  constructor(near: Socket, far: Socket) {
    this.#ends = [near, far];
    const spent = (): void => this.cut();
    this.#streams = { up: new ShapedStream(near, far, spent), down: new ShapedStream(far, near, spent) };
    this.gone = Promise.all([this.#closed(near, far), this.#closed(far, near)]).then(() => this.isolate());
  }

  delay(ms: number): void {
    for (const stream of Object.values(this.#streams)) stream.delay(ms);
  }

  stall(direction?: Direction): void {
    for (const stream of this.#chosen(direction)) stream.stall();
  }

  resume(direction?: Direction): void {
    for (const stream of this.#chosen(direction)) stream.resume();
  }

  /** Cuts as soon as so many more bytes have passed. */
  cutAfter(direction: Direction, bytes: number): void {
    this.#streams[direction].allow(bytes);
  }

  /** As when a cable is pulled: nothing passes any more, and neither end hears of it. */
  isolate(): void {
    this.#detached = true;
    for (const stream of Object.values(this.#streams)) stream.swallow();
  }

  /** Ends the connection in both directions, without a word of WebSocket. What is on its way is lost. */
  cut(): void {
    this.isolate();
    for (const end of this.#ends) end.end();
  }

  /** As a machine does that knows nothing of the connection. */
  reset(): void {
    this.isolate();
    for (const end of this.#ends) reset(end);
  }

  /** The client's end is reset at once; the server still gets what is held for it, and then an end. */
  detach(): void {
    this.#detached = true;
    const [near] = this.#ends;
    this.#streams.up.end();
    this.#streams.down.swallow();
    reset(near);
  }

  destroy(): void {
    this.isolate();
    for (const end of this.#ends) end.destroy();
  }

  #closed(end: Socket, other: Socket): Promise<void> {
    // What was wrong is told by `close`.
    end.on("error", () => {});
    return new Promise((resolve) => {
      end.on("close", (failed) => {
        // An orderly end has gone through the stream already.
        if (failed && !this.#detached) reset(other);
        resolve();
      });
    });
  }

  #chosen(direction: Direction | undefined): readonly ShapedStream[] {
    return direction === undefined ? Object.values(this.#streams) : [this.#streams[direction]];
  }
}

/** A socket whose own end is on its way can not be reset any more: Node would never report its close. */
function reset(end: Socket): void {
  if (end.writableEnded) end.destroy();
  else end.resetAndDestroy();
}
