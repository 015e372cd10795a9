import { Buffer } from "node:buffer";
import { connect, type Client } from "roomcast/client";
import type { Call, Journal } from "./journal.ts";
import { observeWebSockets, type ObservedWebSockets } from "./observed-web-socket.ts";
import type { PageEvent, Page } from "./page.ts";
import type { RequestStep, Scenario, Treatment } from "./scenario.ts";

/** The application at the client's side: calls the client and notes what comes of that. */
export class Application {
  readonly sockets: ObservedWebSockets;
  /** All that were handed to the client. */
  readonly signals: AbortSignal[] = [];
  readonly #journal: Journal;
  readonly #scenario: Scenario;
  readonly #page: Page;
  readonly #url: string;
  #client: Client;
  #loads = 0;
  /** Whether the page is in the browser's cache. */
  #isAway = false;
  #abort = new AbortController();
  #attempts = 0;
  #calls = 0;
  #settled = 0;

  constructor(journal: Journal, scenario: Scenario, page: Page, port: number) {
    this.#journal = journal;
    this.#scenario = scenario;
    this.#page = page;
    this.#url = `ws://127.0.0.1:${port}`;
    this.sockets = observeWebSockets(journal, scenario.platform);
    this.#client = this.#load();
  }

  /** The client. After {@link reload} it is another one. */
  get client(): Client {
    return this.#client;
  }

  #load(): Client {
    const { seed, queue, minDelay, hangingAuth } = this.#scenario;
    const journal = this.#journal;
    const number = (this.#loads += 1);
    this.#isAway = false;
    journal.note({ type: "loaded", client: number });
    const client = connect(this.#url, {
      auth: () => (++this.#attempts % hangingAuth === 0 ? new Promise(() => {}) : `user ${seed}`),
      WebSocket: this.sockets.WebSocket,
      connectTimeout: 250,
      reconnect: { minDelay, maxDelay: 20, stableAfter: 50 },
      queue,
    });
    const received = (m: number): void => journal.note({ type: "received", m, id: client.id });
    client.on("hub:state", ({ state, previous, code, reason }) => {
      const { id } = client;
      journal.note({ type: "state", state, previous, code, reason, at: performance.now(), id, client: number });
    });
    client.on("hub:error", (error) => journal.note({ type: "failed", error }));
    client.on("hub:message", (bytes) => received(Number(Buffer.from(bytes).toString())));
    client.on("news", received);
    client.handle("question", (m: number) => {
      received(m);
      return m;
    });
    return client;
  }

  /** The page goes, and another one takes its place. Resolves when nothing is left of the client of the old one. */
  reload(): Promise<void> {
    this.page("pagehide");
    // What a browser does to the page: nothing of it runs any more.
    const closed = this.#client.close();
    this.#client = this.#load();
    return closed;
  }

  /** Takes the page out of the browser's cache, if it is there. */
  show(): void {
    if (this.#isAway) this.page("pageshow");
  }

  page(event: PageEvent): void {
    if (event === "pagehide") this.#isAway = true;
    else if (event === "pageshow") this.#isAway = false;
    this.#page.fire(event);
    this.#journal.note({ type: "page", event, state: this.#client.state });
  }

  clock(hours: number): void {
    this.#page.jump(hours * 3_600_000);
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
  join(...rooms: readonly string[]): Promise<boolean> {
    return this.#call({ what: "join", rooms }, () => this.client.join(...rooms));
  }

  leave(...rooms: readonly string[]): Promise<boolean> {
    return this.#call({ what: "leave", rooms }, () => this.client.leave(...rooms));
  }

  /** Hundreds of events and requests, which differ in what becomes of them. */
  flood(events: number, requests: number): void {
    const every = Math.ceil(events / requests);
    for (let count = 0; count < events; count++) {
      this.event(0);
      if (count % every !== 0) continue;
      const treatment = count % 3 === 0 ? "hold" : "answer";
      void this.request({ treatment, idempotent: count % 2 === 0, timeout: undefined, abort: "never" });
    }
  }

  abort(): void {
    const { signal } = this.#abort;
    this.#journal.note({ type: "aborted", signal });
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  async #call(call: Omit<Call, "type" | "n" | "at" | "client">, perform: (n: number) => unknown): Promise<boolean> {
    const n = (this.#calls += 1);
    const note = (type: "threw" | "resolved" | "rejected", value: unknown): void => {
      this.#settled += 1;
      this.#journal.note({ type, n, at: performance.now(), value });
    };
    this.#journal.note({ ...call, type: "call", n, at: performance.now(), client: this.#loads });
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
