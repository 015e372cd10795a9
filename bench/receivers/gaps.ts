/** So that a server which drops every other message cannot fill the memory of the receivers. */
const MOST = 64;

/** The numbers of a stream that were passed over, as ranges. Only the latest 64 are remembered. */
export class Gaps {
  readonly #ranges: { from: number; to: number }[] = [];

  /** From `from` up to, but not including, `to`; nothing from there on has been passed over yet. */
  open(from: number, to: number): void {
    this.#ranges.push({ from, to });
    if (this.#ranges.length > MOST) this.#ranges.shift();
  }

  /** Whether this number was missing until now. */
  fill(number: number): boolean {
    const index = this.#ranges.findIndex(({ from, to }) => from <= number && number < to);
    const range = this.#ranges[index];
    if (range === undefined) return false;
    const parts = [
      { from: range.from, to: number },
      { from: number + 1, to: range.to },
    ];
    this.#ranges.splice(index, 1, ...parts.filter(({ from, to }) => from < to));
    if (this.#ranges.length > MOST) this.#ranges.shift();
    return true;
  }
}
