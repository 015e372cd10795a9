import { MAX_DELAY } from "../checks/option-rules.ts";
import type { AbsentNode } from "../members/presence-feed.ts";
import type { Clock, Timer } from "../time/clock.ts";

/** The number of leases for which nothing is believed any more of a node that has left, but what it says itself. */
const LATE = 6;

/** The share of a lease after which a node is silent. */
const SILENT = 0.5;

/** Hears what becomes of the other nodes. */
export interface NodeLeasesReport {
  /** Called for a node that was not known. */
  came(node: string): void;
  /** Called for a node that has said that it leaves: its users are on their way to others. */
  left(node: string): void;
  /** Called for a node whose users are gone. */
  gone(node: string): void;
}

/** How long the users of the other nodes are believed in. */
export class NodeLeases {
  readonly #clock: Clock;
  readonly #lease: number;
  readonly #isCut: () => boolean;
  readonly #report: NodeLeasesReport;
  /** The nodes, and when each gave its last sign of life. */
  readonly #seen = new Map<string, number>();
  /** Those of them that have given one since this node could hear them: others may have died long before. */
  readonly #spoken = new Set<string>();
  /** Those whose lease has ended, and when. */
  readonly #gone = new Map<string, number>();
  /** Those that have said that they leave, and until when their users are believed in. Their ids are never used again. */
  readonly #left = new Map<string, { timer: Timer; readonly until: number }>();

  /** @param isCut - whether the engine cannot be reached. */
  constructor(clock: Clock, lease: number, isCut: () => boolean, report: NodeLeasesReport) {
    this.#isCut = isCut;
    this.#clock = clock;
    this.#lease = lease;
    this.#report = report;
  }

  /** Takes a sign of life. Returns whether the node may be believed. */
  heard(node: string): boolean {
    if (this.#left.has(node)) return false;
    const isNew = !this.#seen.has(node);
    this.#gone.delete(node);
    this.#spoken.add(node);
    this.#seen.set(node, this.#clock.now());
    if (isNew) this.#report.came(node);
    return true;
  }

  /** Takes what a node tells of its users. Returns whether it may be believed: also a last word on its way, behind its goodbye. */
  mayTell(node: string): boolean {
    const left = this.#left.get(node);
    return left === undefined ? this.heard(node) : left.until > this.#clock.now();
  }

  /** Returns in what way a node is absent; `undefined` for one that speaks for itself. */
  absenceOf(node: string): AbsentNode | undefined {
    const now = this.#clock.now();
    const left = this.#left.get(node);
    if (left !== undefined) return { node, within: Math.max(left.until - now, 0) };
    if (!this.#spoken.has(node)) return undefined;
    const silentFor = now - (this.#seen.get(node) ?? now);
    return silentFor > this.#lease * SILENT ? { node, silentFor } : undefined;
  }

  /** Takes what another node tells of an absent one. Returns whether that may be believed. */
  believe({ node, within, silentFor = 0 }: AbsentNode): boolean {
    const left = this.#left.get(node);
    if (left !== undefined) return left.until > this.#clock.now();
    // Otherwise nodes would remind each other for ever of one that is gone.
    if (this.#gone.has(node)) return false;
    if (within !== undefined) this.leave(node, within);
    else if (!this.#seen.has(node)) this.#seen.set(node, this.#clock.now() - silentFor);
    return true;
  }

  /** P5: a node leaves. Its users are believed in for so many milliseconds, because they come back on other nodes. */
  leave(node: string, within: number): void {
    if (this.#left.has(node)) return;
    this.#seen.delete(node);
    this.#spoken.delete(node);
    const forget = (): void => {
      this.#left.delete(node);
    };
    const end = (): void => {
      if (this.#isCut()) {
        // P6: nobody can say where its users are now.
        this.#left.set(node, { timer: this.#clock.setTimeout(end, this.#lease), until });
        return;
      }
      // P7: what it has said before may still be on its way.
      this.#left.set(node, { timer: this.#clock.setTimeout(forget, Math.min(LATE * this.#lease, MAX_DELAY)), until });
      this.#report.gone(node);
    };
    const until = this.#clock.now() + within;
    this.#left.set(node, { timer: this.#clock.setTimeout(end, within), until });
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
      if (heard.has(node)) {
        this.#seen.set(node, now);
        this.#spoken.add(node);
      } else if (now - seen >= this.#lease) {
        this.#seen.delete(node);
        this.#spoken.delete(node);
        this.#gone.set(node, now);
        this.#report.gone(node);
      }
    }
    for (const [node, since] of this.#gone) if (now - since >= LATE * this.#lease) this.#gone.delete(node);
  }

  /** Begins all leases anew, because nobody could be heard. */
  renew(): void {
    const now = this.#clock.now();
    this.#spoken.clear();
    for (const node of this.#seen.keys()) this.#seen.set(node, now);
  }

  stop(): void {
    for (const { timer } of this.#left.values()) timer.cancel();
  }
}
