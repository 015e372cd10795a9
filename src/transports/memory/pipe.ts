/** Brings something from one end of a connection to the other, by calling it later. */
export type Carrier = (arrive: () => void) => void;

/** Carries to a later turn of the event loop. */
export const nextTurn: Carrier = (arrive) => void setImmediate(arrive);

/** One direction of a connection in memory. It delivers items in order, each when it was carried. */
export class Pipe {
  readonly #carry: Carrier;
  readonly #drained: () => void;
  readonly #items: { readonly size: number; readonly deliver: () => void }[] = [];
  #size = 0;
  #scheduled = false;
  #paused = false;
  #heldBack = false;
  #cut = false;

  /** @param drained - called when items that a pause held back have been delivered. */
  constructor(carry: Carrier, drained: () => void = () => {}) {
    this.#carry = carry;
    this.#drained = drained;
  }

  /** The sum of the sizes of the items that are not delivered yet. */
  get size(): number {
    return this.#size;
  }

  /** Whether a pause has held back items that are not all delivered yet. */
  get isHeldBack(): boolean {
    return this.#heldBack;
  }

  /** Adds an item, and calls `deliver` when its turn has come. */
  push(size: number, deliver: () => void): void {
    if (this.#cut) return;
    this.#items.push({ size, deliver });
    this.#size += size;
    this.#heldBack ||= this.#paused;
    this.#schedule();
  }

  /** Discards the items that wait and all later ones. */
  cut(): void {
    this.#cut = true;
    this.#items.length = 0;
    this.#size = 0;
  }

  /** Stops delivering until {@link resume}. */
  pause(): void {
    this.#paused = true;
    this.#heldBack ||= this.#items.length > 0;
  }

  /** Delivers again. */
  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#items.length === 0) return;
    this.#scheduled = true;
    this.#carry(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    // Items that are pushed meanwhile are carried later.
    let count = this.#items.length;
    while (count-- > 0 && !this.#paused) {
      const item = this.#items.shift();
      if (item === undefined) break;
      this.#size -= item.size;
      item.deliver();
    }
    this.#schedule();
    if (!this.#heldBack) return;
    this.#heldBack = this.#items.length > 0;
    this.#drained();
  }
}
