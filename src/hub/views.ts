/** A read-only view of a set, which follows changes of the set. */
export class SetView<T> implements Iterable<T> {
  readonly #size: () => number;
  readonly #has: (item: T) => boolean;
  readonly #items: () => Iterable<T>;

  private constructor(size: () => number, has: (item: T) => boolean, items: () => Iterable<T>) {
    this.#size = size;
    this.#has = has;
    this.#items = items;
  }

  /**
   * Creates a view of a set whose items the view shows as something else.
   *
   * @param source - returns the set, at every use; `undefined` counts as an empty set.
   * @param outward - returns what the view shows for an item of the set.
   * @param inward - returns the item that the view shows so.
   */
  static of<I, T>(
    source: () => ReadonlySet<I> | undefined,
    outward: (item: I) => T,
    inward: (item: T) => I | undefined,
  ): SetView<T> {
    return new SetView(
      () => source()?.size ?? 0,
      (item) => {
        const inner = inward(item);
        return inner !== undefined && source()?.has(inner) === true;
      },
      () => map(source() ?? [], outward),
    );
  }

  get size(): number {
    return this.#size();
  }

  has(item: T): boolean {
    return this.#has(item);
  }

  *values(): IterableIterator<T> {
    yield* this.#items();
  }

  /** Returns an array, because JSON has no sets. */
  toJSON(): T[] {
    return [...this];
  }

  forEach(visit: (item: T) => void): void {
    for (const item of this.#items()) visit(item);
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.values();
  }
}

/** A read-only view of a map with string keys, which follows changes of the map. */
export class MapView<T> implements Iterable<[string, T]> {
  readonly #source: () => ReadonlyMap<string, unknown>;
  readonly #get: (key: string) => T | undefined;
  readonly #entries: () => Iterable<[string, T]>;

  private constructor(
    source: () => ReadonlyMap<string, unknown>,
    get: (key: string) => T | undefined,
    entries: () => Iterable<[string, T]>,
  ) {
    this.#source = source;
    this.#get = get;
    this.#entries = entries;
  }

  /**
   * Creates a view of a map whose values the view shows as something else.
   *
   * @param source - the map, or a function that returns it at every use.
   * @param outward - returns what the view shows for an entry of the map.
   */
  static of<I, T>(
    source: ReadonlyMap<string, I> | (() => ReadonlyMap<string, I>),
    outward: (value: I, key: string) => T,
  ): MapView<T> {
    const present = typeof source === "function" ? source : () => source;
    return new MapView(
      present,
      (key) => {
        const value = present().get(key);
        return value === undefined ? undefined : outward(value, key);
      },
      () => map<[string, I], [string, T]>(present(), ([key, value]) => [key, outward(value, key)]),
    );
  }

  get size(): number {
    return this.#source().size;
  }

  has(key: string): boolean {
    return this.#source().has(key);
  }

  get(key: string): T | undefined {
    return this.#get(key);
  }

  keys(): IterableIterator<string> {
    return this.#source().keys();
  }

  *values(): IterableIterator<T> {
    for (const [, value] of this.#entries()) yield value;
  }

  *entries(): IterableIterator<[string, T]> {
    yield* this.#entries();
  }

  /** Returns an object, because JSON has no maps. */
  toJSON(): Record<string, T> {
    return Object.fromEntries(this);
  }

  forEach(visit: (value: T, key: string) => void): void {
    for (const [key, value] of this.#entries()) visit(value, key);
  }

  [Symbol.iterator](): IterableIterator<[string, T]> {
    return this.entries();
  }
}

function* map<I, T>(items: Iterable<I>, outward: (item: I) => T): Generator<T> {
  for (const item of items) yield outward(item);
}
