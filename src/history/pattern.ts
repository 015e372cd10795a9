/** A pattern of names, in which each `*` stands for any text, also for none. */
export class Pattern {
  readonly text: string;
  /** The text between the stars; one part only if there is no star. */
  readonly #parts: readonly string[];

  constructor(text: string) {
    this.text = text;
    this.#parts = text.split("*");
  }

  /** The length of the shortest name that matches. */
  get minLength(): number {
    return this.text.length - this.#parts.length + 1;
  }

  matches(name: string): boolean {
    const parts = this.#parts;
    const [first = ""] = parts;
    if (parts.length === 1) return name === first;
    const last = parts[parts.length - 1] as string;
    if (!name.startsWith(first) || !name.endsWith(last)) return false;
    const end = name.length - last.length;
    let from = first.length;
    // The leftmost place is the best one for each part, because it leaves the most to those that follow.
    for (let place = 1; place < parts.length - 1; place++) {
      const part = parts[place] as string;
      const found = name.indexOf(part, from);
      if (found === -1) return false;
      from = found + part.length;
    }
    return from <= end;
  }

  /**
   * Returns whether this pattern matches every name that the other one matches. The stars of the other one are read as a
   * character that only a star here can match, because the names can have anything in their place.
   */
  covers(other: Pattern): boolean {
    return this.matches(other.text);
  }
}
