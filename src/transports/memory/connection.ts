import { Buffer } from "node:buffer";
import type { Connection, FrameSequence, TransportHandlers } from "../transport.ts";
import { ABNORMAL, Fault, type Outcome } from "../shared/faults.ts";
import { Pipe } from "./pipe.ts";
import type { MemoryWebSocket } from "./web-socket.ts";

/** The server's end of a connection in memory. */
export class MemoryConnection implements Connection {
  owner: unknown = undefined;
  readonly protocol: string;
  readonly #client: MemoryWebSocket;
  readonly #handlers: TransportHandlers;
  readonly #forget: () => void;
  readonly #toClient: Pipe = new Pipe(() => this.#drained());
  #open = true;

  constructor(protocol: string, client: MemoryWebSocket, handlers: TransportHandlers, forget: () => void) {
    this.protocol = protocol;
    this.#client = client;
    this.#handlers = handlers;
    this.#forget = forget;
  }

  get bufferedAmount(): number {
    return this.#open ? this.#toClient.size : 0;
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
      setImmediate(() => {
        if (this.#open) this.#handlers.pong(this);
      });
    });
  }

  close(code: number, reason: string): void {
    if (!this.#open) return;
    this.#toClient.push(0, () => this.#client.closed({ code, reason }));
    this.#end({ code, reason });
  }

  terminate(): void {
    if (!this.#open) return;
    this.#toClient.cut();
    setImmediate(() => this.#client.closed(ABNORMAL));
    this.#end(ABNORMAL);
  }

  /** While paused, what is written stays in `bufferedAmount`. */
  setPaused(paused: boolean): void {
    if (paused) this.#toClient.pause();
    else this.#toClient.resume();
  }

  received(message: string | Uint8Array): void {
    if (!this.#open) return;
    this.#handlers.message(this, typeof message === "string" ? message : Buffer.from(message));
  }

  receivedTooMuch(): void {
    this.#toClient.push(0, () => this.#client.closed(Fault.size));
    this.#end(Fault.size);
  }

  clientClosed(outcome: Outcome): void {
    this.#end(outcome);
  }

  clientVanished(): void {
    this.#toClient.cut();
    this.#end(ABNORMAL);
  }

  #end({ code, reason }: Outcome): void {
    if (!this.#open) return;
    this.#open = false;
    this.#forget();
    setImmediate(() => this.#handlers.close(this, code, reason));
  }

  #drained(): void {
    if (this.#open) this.#handlers.drain(this);
  }
}
