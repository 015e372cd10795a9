/** An item of a {@link Queue}, in which it can be once. */
export interface Queued<I> {
  /** The queue that the item is in. */
  queue: { remove(item: I): void } | undefined;
  previous: I | undefined;
  next: I | undefined;
}

/** Items in the order in which they were put into it. To take one out from the middle costs no more than from an end. */
export class Queue<I extends Queued<I>> {
  #first: I | undefined;
  #last: I | undefined;
  #length = 0;

  /** The item that was put into the queue first. */
  get first(): I | undefined {
    return this.#first;
  }

  /** Number of items. */
  get length(): number {
    return this.#length;
  }

  /** Puts an item at the end, and takes it out of the queue that it is in. */
  push(item: I): void {
    if (item === this.#last) return;
    item.queue?.remove(item);
    this.#length++;
    item.queue = this;
    item.previous = this.#last;
    if (this.#last === undefined) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
  }

  /** Takes out an item of this queue. */
  remove(item: I): void {
    const { previous, next } = item;
    this.#length--;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    item.queue = undefined;
    item.previous = undefined;
    item.next = undefined;
  }
}
