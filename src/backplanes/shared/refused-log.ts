import type { Appended, BackplaneLog, LogEntry } from "../backplane.ts";

/** The logs of an engine that keeps none. */
export class RefusedLog implements BackplaneLog {
  readonly #error: Error;

  /** @param error - says why, and what to do. */
  constructor(error: Error) {
    this.#error = error;
  }

  async append(_channel: string, entries: readonly LogEntry[]): Promise<readonly Appended[]> {
    return entries.map(() => "refused");
  }

  read(): Promise<never> {
    return Promise.reject(this.#error);
  }

  heads(): Promise<never> {
    return Promise.reject(this.#error);
  }

  forget(): Promise<never> {
    return Promise.reject(this.#error);
  }
}
