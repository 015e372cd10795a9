/** A pattern of names, in which each `*` stands for any text, also for none. */
export class Pattern {
  readonly text: string;
  /** The text before the first star. */
  readonly #first: string;
  /** The text between the stars. */
  readonly #middle: readonly string[];
  /** The text behind the last star; `undefined` if there is no star. */
  readonly #last: string | undefined;

  constructor(text: string) {
    const [first = "", ...parts] = text.split("*");
    this.text = text;
    this.#first = first;
    this.#last = parts.pop();
    this.#middle = parts;
  }

  /** The length of the shortest name that matches. */
  get minLength(): number {
    return this.text.replaceAll("*", "").length;
  }

  matches(name: string): boolean {
    const last = this.#last;
    // Each event asks this of each rule, and most names differ at the beginning.
    if (!name.startsWith(this.#first)) return false;
    if (last === undefined) return name.length === this.#first.length;
    if (!name.endsWith(last)) return false;
    let from = this.#first.length;
    // The leftmost place is the best one for each part, because it leaves the most to those that follow.
    for (const part of this.#middle) {
      const found = name.indexOf(part, from);
      if (found === -1) return false;
      from = found + part.length;
    }
    return from <= name.length - last.length;
  }

  /**
   * Returns whether this pattern matches every name that the other one matches. The stars of the other one are read as a
   * character that only a star here can match, because the names can have anything in their place.
   */
  covers(other: Pattern): boolean {
    return this.matches(other.text);
  }
}

/**
 * Says what is wrong with the next pattern of a list of which the first that matches counts, as the end of a sentence about the
 * list; `undefined` if nothing is.
 *
 * @param earlier - the patterns before it in the list.
 */
export function faultOf(pattern: Pattern, earlier: readonly Pattern[], roomNameLength: number): string | undefined {
  const { text } = pattern;
  if (text === "" || !text.isWellFormed() || pattern.minLength > roomNameLength) {
    return (
      `has the pattern ${JSON.stringify(text)}, which matches no room: a name is well-formed and has 1 to ` +
      `${roomNameLength} characters. Correct the pattern or raise the option "limits.roomNameLength".`
    );
  }
  const covering = earlier.find((other) => other.covers(pattern));
  if (covering === undefined) return undefined;
  return (
    `has the pattern "${text}" behind "${covering.text}", which takes every room that it matches. ` +
    `Write "${text}" before "${covering.text}", or remove it.`
  );
}
