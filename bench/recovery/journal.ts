/** What one client has received, or all clients together. */
export interface Tally {
  /** Messages that were sent to the rooms of the client. */
  readonly due: number;
  /** Different messages that arrived. */
  readonly arrived: number;
  /** Messages that never arrived, and that no gap accounts for. */
  readonly silent: number;
  readonly duplicates: number;
  /** Messages that arrived after a later one of their room. */
  readonly reordered: number;
  /** Gaps that the client was told of, by reason. */
  readonly gaps: Readonly<Record<string, number>>;
  /** Connections after the first. */
  readonly reconnections: number;
}

/** The messages of one room, numbered from 0. */
interface RoomJournal {
  readonly seen: Set<number>;
  /** Messages that were passed over without a gap. */
  readonly silent: Set<number>;
  /** The number of the latest message. */
  last: number;
  /** Whether a gap was told since that message. */
  hasGap: boolean;
}

/** The journal of one client. */
export class Journal {
  readonly #rooms: ReadonlyMap<string, RoomJournal>;
  #duplicates = 0;
  #reordered = 0;
  readonly #gaps: Record<string, number> = {};
  #connections = 0;

  constructor(rooms: readonly string[]) {
    this.#rooms = new Map(rooms.map((room) => [room, { seen: new Set(), silent: new Set(), last: -1, hasGap: false }]));
  }

  connected(): void {
    this.#connections++;
  }

  /** Enters a message. One of a room that the client is not in is an error of the harness. */
  received(room: string, number: number): void {
    const journal = this.#of(room);
    if (journal.seen.has(number)) {
      this.#duplicates++;
      return;
    }
    journal.seen.add(number);
    if (number < journal.last) {
      journal.silent.delete(number);
      this.#reordered++;
      return;
    }
    this.#pass(journal, number);
    journal.last = number;
    journal.hasGap = false;
  }

  /** Enters a gap in a room. */
  gap(room: string, reason: string): void {
    this.#of(room).hasGap = true;
    this.#gaps[reason] = (this.#gaps[reason] ?? 0) + 1;
  }

  /** Number of messages that have yet to arrive if so many were sent to each room. */
  missing(sent: Readonly<Record<string, number>>): number {
    let missing = 0;
    for (const [room, { seen }] of this.#rooms) missing += (sent[room] ?? 0) - seen.size;
    return missing;
  }

  /** Ends the journal: nothing more arrives. */
  close(sent: Readonly<Record<string, number>>): Tally {
    let [due, arrived, silent] = [0, 0, 0];
    for (const [room, journal] of this.#rooms) {
      this.#pass(journal, sent[room] ?? 0);
      due += sent[room] ?? 0;
      arrived += journal.seen.size;
      silent += journal.silent.size;
    }
    return {
      due,
      arrived,
      silent,
      duplicates: this.#duplicates,
      reordered: this.#reordered,
      gaps: this.#gaps,
      reconnections: Math.max(0, this.#connections - 1),
    };
  }

  #pass(journal: RoomJournal, number: number): void {
    if (journal.hasGap) return;
    for (let passed = journal.last + 1; passed < number; passed++) journal.silent.add(passed);
  }

  #of(room: string): RoomJournal {
    const journal = this.#rooms.get(room);
    if (journal === undefined) throw new Error(`The client is not in the room "${room}".`);
    return journal;
  }
}

/** Adds up the tallies of several clients. */
export function sumOf(tallies: readonly Tally[]): Tally {
  const sum = { due: 0, arrived: 0, silent: 0, duplicates: 0, reordered: 0, reconnections: 0 };
  const gaps: Record<string, number> = {};
  for (const tally of tallies) {
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += tally[key];
    for (const [reason, number] of Object.entries(tally.gaps)) gaps[reason] = (gaps[reason] ?? 0) + number;
  }
  return { ...sum, gaps };
}
