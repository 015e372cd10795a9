import { Buffer } from "node:buffer";
import { microtask, soon } from "../../guard.ts";
import type { Connection, FrameSequence, TransportHandlers } from "../transport.ts";
import type { Close } from "../../protocol/close-codes.ts";
import { ABNORMAL, TOO_BIG } from "../shared/closes.ts";
import type { Closing, Closings } from "../shared/closings.ts";
import { Pipe, type Carrier } from "./pipe.ts";

/** The client's end of a connection in memory, as the server's end sees it. */
export interface ClientEnd {
  /** Hands over a message from the server. */
  received(message: string | Uint8Array): void;
  /** Tells how the connection has ended. */
  closed(close: Close): void;
}

/**
 * The server's end of a connection in memory. What a pause of the client holds back is buffered; everything else counts
 * as taken by the operating system.
 */
export class MemoryConnection implements Connection, Closing {
  owner: unknown = undefined;
  readonly protocol: string;
  readonly #client: ClientEnd;
  readonly #handlers: TransportHandlers;
  readonly #closings: Closings;
  readonly #forget: () => void;
  readonly #toClient: Pipe;
  #open = true;
  #gone = false;

  /** @param forget - called when the connection has ended. */
  constructor(
    protocol: string,
    client: ClientEnd,
    handlers: TransportHandlers,
    closings: Closings,
    carry: Carrier,
    forget: () => void,
  ) {
    this.protocol = protocol;
    this.#client = client;
    this.#handlers = handlers;
    this.#closings = closings;
    this.#forget = forget;
    this.#toClient = new Pipe(carry, () => this.#drained());
  }

  get bufferedAmount(): number {
    return this.#open ? this.outstanding : 0;
  }

  get outstanding(): number {
    return this.#toClient.isHeldBack ? this.#toClient.size : 0;
  }

  write({ frames }: FrameSequence): boolean {
    if (!this.#open) return true;
    for (const { payload, bytes, binary } of frames) {
      this.#toClient.push(bytes.length, () => this.#client.received(binary ? payload : payload.toString()));
    }
    return !this.#toClient.isHeldBack;
  }

  ping(): void {
    if (!this.#open) return;
    this.#toClient.push(0, () => {
      soon(this.#handlers, () => {
        if (this.#open) this.#handlers.pong(this);
      });
    });
  }

  close(code: number, reason: string, unconfirmed = 0): void {
    this.#close({ code, reason }, unconfirmed);
  }

  terminate(): void {
    if (this.#gone) return;
    this.#toClient.cut();
    soon(this.#handlers, () => this.#client.closed(ABNORMAL));
    this.#end(ABNORMAL);
    this.#free();
  }

  /** Ends the connection of a client that has not read the close. */
  unanswered(): void {
    this.terminate();
  }

  /** Makes the client stop or resume reading. While it does not read, written bytes stay in `bufferedAmount`. */
  setPaused(paused: boolean): void {
    if (paused) this.#toClient.pause();
    else this.#toClient.resume();
  }

  /** Takes a message from the client. */
  received(message: string | Uint8Array): void {
    if (!this.#open) return;
    this.#handlers.message(this, Buffer.from(message), typeof message !== "string");
  }

  /** Ends the connection because the client sent a message that is too big. */
  receivedTooMuch(): void {
    this.#close(TOO_BIG, 0);
  }

  /** Takes the client's close frame. */
  clientClosed(close: Close): void {
    this.#end(close);
    this.#free();
  }

  /** Notes that the client disconnected without a close frame. */
  clientVanished(): void {
    this.#toClient.cut();
    this.#end(ABNORMAL);
    this.#free();
  }

  #close(close: Close, unconfirmed: number): void {
    if (!this.#open) return;
    this.#closings.close(this, unconfirmed);
    this.#toClient.push(0, () => {
      this.#client.closed(close);
      this.#free();
    });
    this.#end(close);
  }

  #end({ code, reason }: Close): void {
    if (!this.#open) return;
    this.#open = false;
    this.#forget();
    microtask(this.#handlers, () => this.#handlers.close(this, code, reason));
  }

  #free(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#closings.delete(this);
    microtask(this.#handlers, () => this.#handlers.gone(this));
  }

  #drained(): void {
    if (this.#open) this.#handlers.drain(this);
  }
}
