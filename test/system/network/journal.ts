import { setTimeout as delay } from "node:timers/promises";
import type { EventPacket, ReplyPacket } from "roomcast";
import type { PageEvent } from "./page.ts";
import type { Step, Treatment } from "./scenario.ts";
import { createDeferred } from "../../../src/deferred.ts";

/** A call of the application's at the client; what it came to is in later entries with the same number. */
export interface Call {
  readonly type: "call";
  readonly n: number;
  readonly what: "event" | "request" | "bytes" | "join" | "leave";
  readonly at: number;
  readonly treatment?: Treatment;
  readonly idempotent?: boolean;
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly rooms?: readonly string[];
  /** The number of the client: the next one takes its place when the page is loaded again. */
  readonly client: number;
}

/** A call that threw, or a promise that settled. */
export interface Outcome {
  readonly type: "threw" | "resolved" | "rejected";
  readonly n: number;
  readonly at: number;
  readonly value: unknown;
}

/** As the client reports it. */
interface StateChange {
  readonly type: "state";
  readonly state: string;
  readonly previous: string;
  readonly code: number | undefined;
  readonly reason: string | undefined;
  readonly at: number;
  /** The number of the client. */
  readonly client: number;
  /** Of the connection, if there is one. */
  readonly id: string | undefined;
}

export type Entry =
  | Call
  | Outcome
  | StateChange
  | { readonly type: "step"; readonly step: Step }
  | { readonly type: "aborted"; readonly signal: AbortSignal }
  /** The application has begun, with its first client or another one. */
  | { readonly type: "loaded"; readonly client: number }
  /** An event of the page, and the client's state after it. */
  | { readonly type: "page"; readonly event: PageEvent; readonly state: string }
  /** A `hub:error` of the client's. */
  | { readonly type: "failed"; readonly error: unknown }
  /** The client handed something to the application. */
  | { readonly type: "received"; readonly m: number; readonly id: string | undefined }
  /** What the client does with a WebSocket; they are numbered. */
  | { readonly type: "dialled" | "pinged" | "gone"; readonly ws: number }
  /** A message has arrived. */
  | { readonly type: "heard"; readonly ws: number; readonly at: number }
  /** The platform tells of an end, with whatever code it tells. */
  | { readonly type: "ended"; readonly ws: number; readonly code: number | undefined }
  | {
      readonly type: "sent";
      readonly ws: number;
      readonly packet: EventPacket | ReplyPacket;
      readonly n: number | undefined;
    }
  /** The server's greeting has arrived. */
  | { readonly type: "welcomed"; readonly ws: number; readonly id: string }
  /** At the server; `run` numbers its restarts. */
  | { readonly type: "connection" | "disconnection"; readonly id: string; readonly run: number }
  | {
      readonly type: "handled";
      readonly n: number;
      readonly id: string;
      readonly run: number;
      readonly rooms: readonly string[];
    }
  | { readonly type: "told"; readonly m: number; readonly id: string; readonly isQuestion: boolean }
  /** The server's request has settled. */
  | { readonly type: "askedFor"; readonly m: number; readonly outcome: unknown };

/** Some entries share their shape with another type of entry. */
type EntryOf<K extends Entry["type"], E extends Entry = Entry> = E extends unknown
  ? K extends E["type"]
    ? E
    : never
  : never;

/** How long to wait for what has to come, in milliseconds: only a scenario that fails ever waits so long. */
const PATIENCE = 30_000;

/** Everything that has happened in a scenario, on both sides and between, in its order. */
export class Journal {
  readonly entries: Entry[] = [];
  /** The entries with the number of a call. */
  readonly #ofCalls = new Map<number, Entry[]>();
  /** The turn of the event loop in which each entry was noted. */
  readonly #turns = new Map<Entry, number>();
  readonly #waiting = new Set<() => void>();
  #turn = 0;
  #isTurning = false;

  note(entry: Entry): void {
    this.entries.push(entry);
    this.#turns.set(entry, this.#turn);
    if ("n" in entry && entry.n !== undefined) {
      const others = this.#ofCalls.get(entry.n);
      if (others === undefined) this.#ofCalls.set(entry.n, [entry]);
      else others.push(entry);
    }
    if (!this.#isTurning) {
      this.#isTurning = true;
      setImmediate(() => {
        this.#turn += 1;
        this.#isTurning = false;
      });
    }
    this.#check();
  }

  /** The entries of these types that are about one call. */
  about<K extends Entry["type"]>(n: number, ...types: readonly K[]): readonly EntryOf<K>[] {
    return chosen(this.#ofCalls.get(n) ?? [], types);
  }

  /**
   * Whether one entry came after all that another one had to bring about, in microtasks. This is a question of order and
   * not of time, which a busy machine stretches.
   */
  isLater(entry: Entry, other: Entry): boolean {
    return (this.#turns.get(entry) as number) > (this.#turns.get(other) as number);
  }

  #check(): void {
    for (const check of this.#waiting) check();
  }

  /** The entries of these types. */
  of<K extends Entry["type"]>(...types: readonly K[]): readonly EntryOf<K>[] {
    return chosen(this.entries, types);
  }

  /** Waits for what is not in the journal. */
  async settled(what: string, promise: Promise<unknown>): Promise<void> {
    let settled = false;
    void promise.finally(() => {
      settled = true;
      this.#check();
    });
    await this.until(what, () => settled);
  }

  /** Waits for what no entry tells of. */
  async poll(what: string, condition: () => boolean): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (!condition()) {
      if (performance.now() > end) throw new Error(`Waited in vain for ${what}`);
      await delay(5);
    }
  }

  /** Waits for entries to make the condition true. */
  async until(what: string, condition: () => boolean): Promise<void> {
    if (condition()) return;
    const { promise, resolve, reject } = createDeferred();
    const timer = setTimeout(() => reject(new Error(`Waited in vain for ${what}`)), PATIENCE);
    const check = (): void => {
      if (condition()) resolve();
    };
    this.#waiting.add(check);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(check);
    }
  }
}

function chosen<K extends Entry["type"]>(entries: readonly Entry[], types: readonly K[]): readonly EntryOf<K>[] {
  return entries.filter((entry): entry is EntryOf<K> => (types as readonly string[]).includes(entry.type));
}
