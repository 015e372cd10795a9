/** A read-only set that follows the one behind it. */
export class SetView<I, O> implements Iterable<O> {
  readonly #source: () => ReadonlySet<I> | undefined;
  readonly #outward: (item: I) => O;
  readonly #inward: (item: O) => I | undefined;

  /** `source` is asked at every use; `undefined` counts as an empty set. */
  constructor(source: () => ReadonlySet<I> | undefined, outward: (item: I) => O, inward: (item: O) => I | undefined) {
    this.#source = source;
    this.#outward = outward;
    this.#inward = inward;
  }

  get size(): number {
    return this.#source()?.size ?? 0;
  }

  has(item: O): boolean {
    const inner = this.#inward(item);
    return inner !== undefined && this.#source()?.has(inner) === true;
  }

  *values(): IterableIterator<O> {
    for (const item of this.#source() ?? []) yield this.#outward(item);
  }

  forEach(visit: (item: O) => void): void {
    for (const item of this.values()) visit(item);
  }

  [Symbol.iterator](): IterableIterator<O> {
    return this.values();
  }
}

/** A read-only map that follows the one behind it. */
export class MapView<I, O> implements Iterable<[string, O]> {
  readonly #source: ReadonlyMap<string, I>;
  readonly #outward: (value: I, key: string) => O;

  constructor(source: ReadonlyMap<string, I>, outward: (value: I, key: string) => O) {
    this.#source = source;
    this.#outward = outward;
  }

  get size(): number {
    return this.#source.size;
  }

  has(key: string): boolean {
    return this.#source.has(key);
  }

  get(key: string): O | undefined {
    const value = this.#source.get(key);
    return value === undefined ? undefined : this.#outward(value, key);
  }

  keys(): IterableIterator<string> {
    return this.#source.keys();
  }

  *values(): IterableIterator<O> {
    for (const [key, value] of this.#source) yield this.#outward(value, key);
  }

  *entries(): IterableIterator<[string, O]> {
    for (const [key, value] of this.#source) yield [key, this.#outward(value, key)];
  }

  forEach(visit: (value: O, key: string) => void): void {
    for (const [key, value] of this.entries()) visit(value, key);
  }

  [Symbol.iterator](): IterableIterator<[string, O]> {
    return this.entries();
  }
}
