/** One direction of a connection in memory: hands over in order, each item in a later turn than it was pushed. */
export class Pipe {
  readonly #drained: () => void;
  readonly #items: { readonly size: number; readonly deliver: () => void }[] = [];
  #size = 0;
  #scheduled = false;
  #paused = false;
  #heldBack = false;
  #cut = false;

  /** `drained` is called when what was held back by a pause has been delivered. */
  constructor(drained: () => void = () => {}) {
    this.#drained = drained;
  }

  /** The sizes of all that is not delivered yet. */
  get size(): number {
    return this.#size;
  }

  /** Whether something waits, or has waited, because of a pause. Until `drained` is called. */
  get isHeldBack(): boolean {
    return this.#heldBack;
  }

  push(size: number, deliver: () => void): void {
    if (this.#cut) return;
    this.#items.push({ size, deliver });
    this.#size += size;
    this.#heldBack ||= this.#paused;
    this.#schedule();
  }

  /** Loses everything, now and from now on. */
  cut(): void {
    this.#cut = true;
    this.#items.length = 0;
    this.#size = 0;
  }

  pause(): void {
    this.#paused = true;
    this.#heldBack ||= this.#items.length > 0;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#items.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    // What is pushed meanwhile waits for the next turn.
    let count = this.#items.length;
    while (count-- > 0 && !this.#paused) {
      const item = this.#items.shift();
      if (item === undefined) break;
      this.#size -= item.size;
      item.deliver();
    }
    if (this.#items.length > 0) {
      this.#schedule();
    } else if (this.#heldBack) {
      this.#heldBack = false;
      this.#drained();
    }
  }
}
