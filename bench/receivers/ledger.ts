import { Gaps } from "./gaps.ts";
import type { Violations } from "./messages.ts";

/** The counts of all connections together. */
export type MutableViolations = { -readonly [K in keyof Violations]: Violations[K] };

/** Which streams a client hears. */
export interface Hearing {
  readonly streams: readonly number[];
  readonly passing?: readonly number[];
}

/** In place of the next number of a stream that the client must not hear. */
const UNHEARD = -1;

/**
 * What one connection has heard. Every stream that it has to hear is numbered from 0, so that the ordinary case is one
 * look into an array and one comparison.
 *
 * A number above the one that is due opens a gap, which is missing until it is filled: then it was reordered. A number
 * below that fills no gap was there before. Of a passing stream nothing is missing. After more than 64 open gaps in one
 * stream the oldest are forgotten: what fills them counts as a duplicate, and stays missing.
 */
export class Ledger {
  readonly #streams: readonly number[];
  readonly #passing: ReadonlySet<number>;
  readonly #violations: MutableViolations;
  readonly #gaps = new Map<number, Gaps>();
  /** The next number of each stream, from {@link #lowest} on. */
  readonly #due: Int32Array;
  readonly #lowest: number;
  #own: readonly number[] = [];

  constructor({ streams, passing = [] }: Hearing, violations: MutableViolations) {
    this.#streams = streams;
    this.#passing = new Set(passing);
    this.#violations = violations;
    const heard = [...streams, ...passing];
    this.#lowest = heard.length === 0 ? 0 : Math.min(...heard);
    this.#due = new Int32Array(heard.length === 0 ? 0 : Math.max(...heard) - this.#lowest + 1);
    this.begin([]);
  }

  /** Forgets everything. `own` are the streams that this client sends: it must not hear them, whatever it was told. */
  begin(own: readonly number[]): void {
    this.#own = own;
    this.#gaps.clear();
    this.#due.fill(UNHEARD);
    for (const stream of [...this.#streams, ...this.#passing]) {
      if (!own.includes(stream)) this.#due[stream - this.#lowest] = 0;
    }
  }

  /** Enters this message if it is the one that is due; otherwise {@link enterOther} has to. */
  enter(stream: number, sequence: number): boolean {
    const index = stream - this.#lowest;
    if (this.#due[index] !== sequence) return false;
    this.#due[index] = sequence + 1;
    return true;
  }

  /** Enters a message that is not due. Returns whether it belongs here, and came for the first time. */
  enterOther(stream: number, sequence: number): boolean {
    const due = this.#due[stream - this.#lowest] ?? UNHEARD;
    if (due === UNHEARD) {
      if (this.#own.includes(stream)) this.#violations.echoed++;
      else this.#violations.misrouted++;
      return false;
    }
    const gaps = this.#gapsOf(stream);
    const passing = this.#passing.has(stream);
    if (sequence > due) {
      gaps.open(due, sequence);
      this.#due[stream - this.#lowest] = sequence + 1;
      if (!passing) this.#violations.missing += sequence - due;
      return true;
    }
    if (!gaps.fill(sequence)) {
      this.#violations.duplicated++;
      return false;
    }
    this.#violations.reordered++;
    if (!passing) this.#violations.missing--;
    return true;
  }

  /** How many messages this client has to hear if so many were sent to each stream. */
  owed(sent: Readonly<Record<number, number>>): number {
    let owed = 0;
    for (const stream of this.#streams) if (!this.#own.includes(stream)) owed += sent[stream] ?? 0;
    return owed;
  }

  /** Nothing more comes: counts what was sent after the last message that has arrived, and what nobody has sent. */
  settle(sent: Readonly<Record<number, number>>): void {
    for (const stream of [...this.#streams, ...this.#passing]) {
      if (this.#own.includes(stream)) continue;
      const late = (sent[stream] ?? 0) - (this.#due[stream - this.#lowest] as number);
      if (late < 0) this.#violations.malformed -= late;
      else if (!this.#passing.has(stream)) this.#violations.missing += late;
    }
  }

  #gapsOf(stream: number): Gaps {
    let gaps = this.#gaps.get(stream);
    if (gaps === undefined) this.#gaps.set(stream, (gaps = new Gaps()));
    return gaps;
  }
}
