/** What the receivers have confirmed of one load. */
export class Credit {
  #received = 0;
  #largest = 0;
  #wake: (() => void) | undefined;

  /** So many more deliveries have arrived. */
  add(deliveries: number): void {
    this.#received += deliveries;
    this.#largest = Math.max(this.#largest, deliveries);
    this.#wake?.();
  }

  get received(): number {
    return this.#received;
  }

  /** Calls back once, when credit comes. */
  onNext(callback: () => void): void {
    this.#wake = () => {
      this.#wake = undefined;
      callback();
    };
  }

  /**
   * Resolves when no more credit is to be expected for so many deliveries, or when none has come for a time.
   *
   * Receivers tell of deliveries by the thousand: what is left of the last thousand nobody tells.
   */
  async settled(deliveries: number, milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, milliseconds);
      const look = (): void => {
        if (this.#largest === 0 || deliveries - this.#received >= this.#largest) {
          patience.refresh();
          this.onNext(look);
          return;
        }
        clearTimeout(patience);
        resolve();
      };
      look();
    });
  }
}
