import { Buffer } from "node:buffer";
import { connect, type Client } from "roomcast/client";
import type { Call, Journal } from "./journal.ts";
import { observeWebSockets, type ObservedWebSockets } from "./observed-web-socket.ts";
import type { RequestStep, Scenario, Treatment } from "./scenario.ts";

/** The application at the client's side: calls it and notes what comes of that. */
export class Application {
  readonly client: Client;
  readonly sockets: ObservedWebSockets;
  /** All that were handed to the client. */
  readonly signals: AbortSignal[] = [];
  readonly #journal: Journal;
  #abort = new AbortController();
  #attempts = 0;
  #calls = 0;
  #settled = 0;

  constructor(journal: Journal, { seed, queue, minDelay, hangingAuth }: Scenario, port: number) {
    this.#journal = journal;
    this.sockets = observeWebSockets(journal);
    this.client = connect(`ws://127.0.0.1:${port}`, {
      auth: () => (++this.#attempts % hangingAuth === 0 ? new Promise(() => {}) : `user ${seed}`),
      WebSocket: this.sockets.WebSocket,
      connectTimeout: 250,
      reconnect: { minDelay, maxDelay: 20, stableAfter: 50 },
      queue,
    });
    const received = (m: number): void => journal.note({ type: "received", m, id: this.client.id });
    this.client.on("hub:state", ({ state, previous, code }) => {
      journal.note({ type: "state", state, previous, code, at: performance.now(), id: this.client.id });
    });
    this.client.on("hub:error", (error) => journal.note({ type: "failed", error }));
    this.client.on("hub:message", (bytes) => received(Number(Buffer.from(bytes).toString())));
    this.client.on("news", received);
    this.client.handle("question", (m: number) => {
      received(m);
      return m;
    });
  }

  /** Whether every promise that the client gave has settled. */
  get isQuiet(): boolean {
    return this.#settled === this.#calls;
  }

  event(size: number): void {
    void this.#call({ what: "event" }, (n) => this.client.emit("event", { n, padding: "x".repeat(size) }));
  }

  bytes(): void {
    void this.#call({ what: "bytes" }, (n) => this.client.send(Buffer.from(String(n))));
  }

  /** Resolves when the request has settled, with whether it was answered. */
  request({ treatment, idempotent, timeout, abort }: Omit<RequestStep, "do">): Promise<boolean> {
    const { signal } = this.#abort;
    if (abort !== "never") this.signals.push(signal);
    if (abort === "before") this.abort();
    return this.#request(treatment, idempotent, timeout, abort === "never" ? undefined : signal);
  }

  #request(
    treatment: Treatment,
    idempotent: boolean,
    timeout: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    return this.#call({ what: "request", treatment, idempotent, timeout, signal }, (n) => {
      return this.client.request(
        "request",
        { n, treatment },
        {
          idempotent,
          ...(timeout !== undefined && { timeout }),
          ...(signal !== undefined && { signal }),
        },
      );
    });
  }

  /** Like {@link request}. */
  join(room: string): Promise<boolean> {
    return this.#call({ what: "join", room }, () => this.client.join(room));
  }

  leave(room: string): Promise<boolean> {
    return this.#call({ what: "leave", room }, () => this.client.leave(room));
  }

  abort(): void {
    const { signal } = this.#abort;
    this.#journal.note({ type: "aborted", at: performance.now(), signal });
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  async #call(call: Omit<Call, "type" | "n" | "at">, perform: (n: number) => unknown): Promise<boolean> {
    const n = (this.#calls += 1);
    const note = (type: "threw" | "resolved" | "rejected", value: unknown): void => {
      this.#settled += 1;
      this.#journal.note({ type, n, at: performance.now(), value });
    };
    this.#journal.note({ ...call, type: "call", n, at: performance.now() });
    let result: unknown;
    try {
      result = perform(n);
    } catch (error) {
      note("threw", error);
      return false;
    }
    try {
      note("resolved", await result);
      return true;
    } catch (error) {
      note("rejected", error);
      return false;
    }
  }
}
