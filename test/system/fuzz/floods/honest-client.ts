import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { WebSocket } from "ws";
import { within } from "../patience.ts";

/** How often an honest client asks something, in milliseconds. */
const INTERVAL = 10;

/** The id of requests that are repeated. Others have lower ones. */
const REPEATED_ID = 1_000_000_000;

/** A client that asks something again and again, and notes how long each answer takes. */
export class HonestClient {
  readonly complaints: string[] = [];
  /** How long answers took since the last look, in milliseconds. */
  #times: number[] = [];
  readonly #asked = new Map<number, number>();
  readonly #webSocket: WebSocket;
  #asking: NodeJS.Timeout | undefined;
  #next = 1;
  #expected = 1;
  #key = 0;
  /** The answer to the request that is repeated. */
  #answer: unknown;
  #answered: (answer: unknown) => void = () => {};

  static async connect(port: number): Promise<HonestClient> {
    const client = new HonestClient(new WebSocket(`ws://127.0.0.1:${port}`));
    await once(client.#webSocket, "open");
    client.#asking = setInterval(() => client.#ask(), INTERVAL);
    return client;
  }

  private constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
    webSocket
      .on("message", (data) => this.#hear((data as Buffer).toString()))
      .on("error", (error) => this.complaints.push(`The honest client: ${error.message}`))
      .on("close", (code) => this.complaints.push(`The honest client was closed with ${code}.`));
  }

  /** Returns how long answers took since the last look, in milliseconds, the shortest first. */
  look(): readonly number[] {
    const times = this.#times.toSorted((one, other) => one - other);
    this.#times = [];
    return times;
  }

  /** Asks something that is to be handled once only. */
  async askOnce(): Promise<void> {
    this.#key++;
    this.#answer = await this.#count();
  }

  /** Repeats what was asked once, as if the answer had been lost: it has to be the same. */
  async repeat(): Promise<void> {
    const answer = await this.#count();
    if (answer !== this.#answer) this.complaints.push("The answer that was kept for the honest client was forgotten.");
  }

  /** Whether everything that was asked has been answered. */
  get isAnswered(): boolean {
    return this.#asked.size === 0;
  }

  /** Asks nothing more. */
  rest(): void {
    clearInterval(this.#asking);
  }

  leave(): void {
    this.rest();
    this.#webSocket.removeAllListeners().on("error", () => {});
    this.#webSocket.terminate();
  }

  #count(): Promise<unknown> {
    const answer = new Promise((resolve) => {
      this.#answered = resolve;
    });
    this.#webSocket.send(JSON.stringify({ event: "count", id: REPEATED_ID, key: `honest ${this.#key}` }));
    return within(answer, "The answer to the honest client");
  }

  #ask(): void {
    const id = this.#next++;
    this.#asked.set(id, performance.now());
    this.#webSocket.send(JSON.stringify({ event: "echo", id, data: id }));
  }

  #hear(message: string): void {
    const { event, reply, data: answer } = JSON.parse(message) as { event?: string; reply?: number; data?: unknown };
    if (event === "hub:welcome" || event === "hub:ping") return;
    if (reply === REPEATED_ID) {
      this.#answered(answer);
      return;
    }
    const asked = this.#asked.get(reply ?? 0);
    if (asked === undefined || reply !== this.#expected || answer !== reply) {
      this.complaints.push(`The honest client heard ${message}, not the answer to ${this.#expected}.`);
    } else this.#times.push(performance.now() - asked);
    this.#asked.delete(reply ?? 0);
    this.#expected++;
  }
}
