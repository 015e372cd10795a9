import type { Program } from "../recovery/program.ts";
import type { Tab } from "./tab.ts";

/** Somebody with one tab or several, in the same rooms with all of them. */
export class User {
  readonly id: string;
  readonly tabs: Tab[] = [];
  /** Whether the user has gone for good. */
  isGone = false;
  /** The time since which no tab is in the rooms; `undefined` while one is. */
  #awaySince: number | undefined;
  /** The longest time for which no tab was, in milliseconds. */
  #longest = 0;
  #isPresent = false;

  constructor(id: string) {
    this.id = id;
  }

  /** The longest time so far for which no tab was in the rooms since the first one was, in milliseconds. */
  get absence(): number {
    const now = performance.now();
    return Math.max(this.#longest, now - (this.#awaySince ?? now));
  }

  /** The nodes on which the user is. */
  get nodes(): ReadonlySet<Program> {
    return new Set(this.tabs.flatMap(({ node, isIn }) => (isIn && node !== undefined ? [node] : [])));
  }

  /** Takes note that a tab is in the rooms now, or is not any more. */
  moved(): void {
    const isIn = this.tabs.some((tab) => tab.isIn);
    if (isIn) this.#longest = this.absence;
    this.#awaySince = isIn || !this.#isPresent ? undefined : (this.#awaySince ?? performance.now());
    this.#isPresent ||= isIn;
  }

  /** Forgets absences, because something has happened that may have taken long. */
  pardon(): void {
    this.#longest = 0;
    if (this.#awaySince !== undefined) this.#awaySince = performance.now();
  }

  leave(): void {
    this.isGone = true;
    for (const tab of this.tabs) tab.close();
  }
}
