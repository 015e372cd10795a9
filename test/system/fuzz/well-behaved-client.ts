import type { Buffer } from "node:buffer";
import { WebSocket } from "ws";
import { jsonCodec, type Codec } from "roomcast";
import { within } from "./patience.ts";

interface Packet {
  readonly event?: string;
  readonly reply?: number;
  readonly data?: unknown;
  readonly error?: unknown;
}

/**
 * A client that does nothing wrong. It follows a stream of numbers, asks something at each of them, and notes whatever is
 * not as it should be.
 */
export class WellBehavedClient {
  readonly complaints: string[] = [];
  readonly #name: string;
  readonly #codec: Codec;
  readonly #webSocket: WebSocket;
  #last: number | undefined;
  #asked = 0;
  readonly #unanswered = new Set<number>();
  #wake: () => void = () => {};

  /** Resolves when it has the first number. Without a codec it is a plain client. */
  static async join(port: number, name: string, codec: Codec | undefined): Promise<WellBehavedClient> {
    const client = new WellBehavedClient(port, name, codec);
    await client.#until(() => client.#last !== undefined, "first number");
    return client;
  }

  private constructor(port: number, name: string, codec: Codec | undefined) {
    this.#name = name;
    this.#codec = codec ?? jsonCodec;
    const protocol = codec?.protocol;
    this.#webSocket = new WebSocket(`ws://127.0.0.1:${port}/?as=watcher`, protocol === undefined ? [] : [protocol]);
    this.#webSocket
      .on("open", () => {
        if (protocol !== undefined) this.#send({ event: "hub:hello", data: { protocol: 1, auth: "watcher" } });
      })
      .on("message", (data, isBinary) =>
        this.#receive(this.#codec.decode(isBinary ? (data as Buffer) : (data as Buffer).toString())),
      )
      .on("error", (error) => this.#complain(String(error)))
      .on("close", (code, reason) => this.#complain(`closed with ${code} ${String(reason)}`));
  }

  /** Resolves when it has this number, the last one, and an answer to everything. */
  async finish(last: number): Promise<void> {
    await this.#until(() => (this.#last ?? 0) >= last && this.#unanswered.size === 0, `number ${last}`);
  }

  leave(): void {
    this.#webSocket.removeAllListeners().on("error", () => {});
    this.#webSocket.terminate();
  }

  #receive(packet: unknown): void {
    const { event, reply, data, error } = packet as Packet;
    if (event === "hub:welcome") this.#send({ event: "watch" });
    else if (event === "hub:ping") this.#send({ event: "hub:pong" });
    else if (event === "hub:error") this.#complain(`told of ${JSON.stringify(data)}`);
    else if (event === "hub:dropped") this.#complain("messages for it were dropped");
    else if (event === "tick") this.#follow(data as number);
    else if (reply !== undefined) this.#hear(reply, data, error);
    this.#wake();
  }

  #follow(tick: number): void {
    if (this.#last !== undefined && tick !== this.#last + 1) this.#complain(`number ${tick} after ${this.#last}`);
    this.#last = tick;
    this.#asked += 1;
    this.#unanswered.add(this.#asked);
    this.#send({ event: tick % 2 === 0 ? "echo" : "later", id: this.#asked, data: `${this.#name} ${this.#asked}` });
  }

  #hear(id: number, data: unknown, error: unknown): void {
    if (!this.#unanswered.delete(id) || data !== `${this.#name} ${id}`) {
      this.#complain(`reply ${id} is ${JSON.stringify({ data, error })}`);
    }
  }

  #send(packet: object): void {
    this.#webSocket.send(this.#codec.encode(packet as never));
  }

  #complain(what: string): void {
    this.complaints.push(`${this.#name}: ${what}`);
    this.#wake();
  }

  async #until(isSo: () => boolean, what: string): Promise<void> {
    const waiting = async (): Promise<void> => {
      while (!isSo() && this.complaints.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    };
    await within(waiting(), `${this.#name}'s ${what}`);
  }
}
