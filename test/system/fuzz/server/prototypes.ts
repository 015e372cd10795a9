const WATCHED = { Object, Array, Function, String, Number, Boolean, Map, Set, Promise, Error, Uint8Array } as const;

/** What hostile keys would leave behind in the prototypes of the language. */
export class Prototypes {
  readonly #original: ReadonlySet<string> = new Set(properties());

  /** What was added, or changed, since this was made. */
  get additions(): readonly string[] {
    return properties().filter((property) => !this.#original.has(property));
  }
}

function properties(): readonly string[] {
  return Object.entries(WATCHED).flatMap(([name, { prototype }]) => {
    return Object.entries(Object.getOwnPropertyDescriptors(prototype as object)).map(([key, { value }]) => {
      return `${name}.prototype.${key} (${typeof value})`;
    });
  });
}
