import type { EventPacket, ReplyPacket } from "roomcast";
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
  readonly room?: string;
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
  readonly at: number;
  /** Of the connection, if there is one. */
  readonly id: string | undefined;
}

export type Entry =
  | Call
  | Outcome
  | StateChange
  | { readonly type: "step"; readonly step: Step }
  | { readonly type: "aborted"; readonly at: number; readonly signal: AbortSignal }
  /** A `hub:error` of the client's. */
  | { readonly type: "failed"; readonly error: unknown }
  /** The client handed something to the application. */
  | { readonly type: "received"; readonly m: number; readonly id: string | undefined }
  /** What the client does with a WebSocket; they are numbered. */
  | { readonly type: "dialled" | "pinged" | "gone"; readonly ws: number }
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
const PATIENCE = 10_000;

/** Everything that has happened in a scenario, on both sides and between, in its order. */
export class Journal {
  readonly entries: Entry[] = [];
  readonly #waiting = new Set<() => void>();

  note(entry: Entry): void {
    this.entries.push(entry);
    this.#check();
  }

  #check(): void {
    for (const check of this.#waiting) check();
  }

  /** The entries of these types. */
  of<K extends Entry["type"]>(...types: readonly K[]): readonly EntryOf<K>[] {
    return this.entries.filter((entry): entry is EntryOf<K> => (types as readonly string[]).includes(entry.type));
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
