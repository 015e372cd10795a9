import type { GapReason, Position } from "roomcast";

/** What has happened, as far as the promises of a record are concerned. Clients and sources are numbered. */
export type Entry =
  /** A source was told to send an event to a room. Each source does so in the order of these entries. */
  | {
      readonly type: "sent";
      readonly id: number;
      readonly room: string;
      /** The process that sends it. A process that was started in the place of another one is another source. */
      readonly source: string;
      /** The sockets that it leaves out, and the clients that have or had them. */
      readonly exceptSockets: readonly { readonly socket: string; readonly client: number }[];
      /** The clients in the rooms that it leaves out. */
      readonly exceptMembers: readonly number[];
    }
  /** `record()` has resolved with the place of an event. */
  | { readonly type: "recorded"; readonly id: number; readonly at: number }
  /** From here on, gaps for these reasons may occur. */
  | { readonly type: "fault"; readonly name: string; readonly causes: readonly GapReason[] }
  /** A client was told that its position in a room is here. */
  | {
      readonly type: "noticed";
      readonly client: number;
      readonly room: string;
      readonly position: Position;
      readonly gap?: GapReason | undefined;
    }
  /** A client has heard an event, and has this position now. */
  | {
      readonly type: "heard";
      readonly client: number;
      readonly room: string;
      readonly position: Position;
      readonly id: number;
    }
  /** A client asks to leave a room. */
  | { readonly type: "leaving"; readonly client: number; readonly room: string }
  /** A client has left a room, and forgotten its position. */
  | { readonly type: "left"; readonly client: number; readonly room: string }
  /** A program has told of an outage or of a loss. */
  | { readonly type: "told"; readonly source: string; readonly text: string }
  /** Something that never happens where all is well. */
  | { readonly type: "failed"; readonly what: string };

/** Everything that has happened in a run, in the order in which this process has seen it. */
export class Journal {
  readonly entries: Entry[] = [];
  /** The events that each client has heard. */
  readonly #heard = new Map<number, Set<number>>();
  readonly #times: number[] = [];
  #deliveries = 0;

  /** Number of events that clients have heard. */
  get deliveries(): number {
    return this.#deliveries;
  }

  /** The entries, one in a line, each with its time in milliseconds. */
  get text(): string {
    return this.entries
      .map((entry, index) => `${JSON.stringify({ time: Math.round(this.#times[index] as number), ...entry })}\n`)
      .join("");
  }

  note(entry: Entry): void {
    this.entries.push(entry);
    this.#times.push(performance.now());
    if (entry.type === "heard") {
      this.#deliveries++;
      const heard = this.#heard.get(entry.client);
      if (heard === undefined) this.#heard.set(entry.client, new Set([entry.id]));
      else heard.add(entry.id);
    }
  }

  hasHeard(client: number, id: number): boolean {
    return this.#heard.get(client)?.has(id) === true;
  }
}
