import { guarded, type Guardian } from "../guard.ts";
import type { Clock, Timer } from "../time/clock.ts";

/** The number of leases for which late words of a node are ignored that has said that it leaves. */
const LATE = 6;

/** Hears what becomes of the other nodes. */
export interface NodeLeasesReport {
  /** Called for a node that was not known. */
  came(node: string): void;
  /** Called for a node that has said that it leaves: its users are on their way to others. */
  left(node: string): void;
  /** Called for a node whose users are gone. */
  gone(node: string): void;
  failed(error: unknown): void;
}

/** How long the users of the other nodes are believed in. */
export class NodeLeases {
  readonly #clock: Clock;
  readonly #lease: number;
  readonly #report: NodeLeasesReport;
  readonly #guardian: Guardian;
  /** The nodes, and when each gave its last sign of life. */
  readonly #seen = new Map<string, number>();
  /** Those that have said that they leave. Their ids are never used again. */
  readonly #left = new Map<string, Timer>();

  constructor(clock: Clock, lease: number, report: NodeLeasesReport) {
    this.#clock = clock;
    this.#lease = lease;
    this.#report = report;
    this.#guardian = { error: (error) => report.failed(error) };
  }

  /** Takes a sign of life. Returns whether the node may be believed. */
  heard(node: string): boolean {
    if (this.#left.has(node)) return false;
    const isNew = !this.#seen.has(node);
    this.#seen.set(node, this.#clock.now());
    if (isNew) this.#report.came(node);
    return true;
  }

  /** P5: a node leaves. Its users are believed in for so many milliseconds, because they come back on other nodes. */
  leave(node: string, within: number): void {
    if (this.#left.has(node)) return;
    this.#seen.delete(node);
    const forget = (): void => {
      this.#left.delete(node);
    };
    const end = (): void =>
      guarded(this.#guardian, () => {
        // P7: what it has said before may still be on its way.
        this.#left.set(node, this.#clock.setTimeout(forget, LATE * this.#lease));
        this.#report.gone(node);
      });
    this.#left.set(node, this.#clock.setTimeout(end, within));
    this.#report.left(node);
  }

  /**
   * Ends the leases of nodes that are silent (P3), but not because this one has heard nobody (P6).
   *
   * @param heard - the nodes that have given a sign of life since the last call.
   */
  look(heard: ReadonlySet<string>, isAwake: boolean): void {
    const now = this.#clock.now();
    if (!isAwake) {
      this.renew();
      return;
    }
    for (const [node, seen] of this.#seen) {
      if (heard.has(node)) this.#seen.set(node, now);
      else if (now - seen >= this.#lease) {
        this.#seen.delete(node);
        this.#report.gone(node);
      }
    }
  }

  /** Begins all leases anew, because nobody could be heard. */
  renew(): void {
    const now = this.#clock.now();
    for (const node of this.#seen.keys()) this.#seen.set(node, now);
  }

  stop(): void {
    for (const timer of this.#left.values()) timer.cancel();
  }
}
