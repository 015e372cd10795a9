import type { Clock, Timer } from "../time/clock.ts";

/** The time for which pages are kept, in milliseconds. */
const KEEP = 1_000;

/** The most memory that the pages may take, in bytes. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * The pages of records that were made in the last second. Clients that have lost their connections together have missed
 * the same, and come back one after the other: they share what was made for the first, the compressed bytes included.
 */
export class PageCache<Page> {
  readonly #clock: Clock;
  readonly #pages = new Map<object, Map<string, Page>>();
  #byteLength = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(record: object, name: string): Page | undefined {
    return this.#pages.get(record)?.get(name);
  }

  /** Keeps a page of a record under a name that says all that it depends on. All others go if there is no room for it. */
  set(record: object, name: string, page: Page, byteLength: number): void {
    if (this.#byteLength + byteLength > MAX_BYTES) this.clear();
    this.#byteLength += byteLength;
    const pages = this.#pages.get(record);
    if (pages === undefined) this.#pages.set(record, new Map([[name, page]]));
    else pages.set(name, page);
    this.#timer ??= this.#clock.setTimeout(() => this.clear(), KEEP);
  }

  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#pages.clear();
    this.#byteLength = 0;
  }
}
