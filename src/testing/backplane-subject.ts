import type { Backplane } from "../backplanes/backplane.ts";

/** A backplane as the conformance suite sees it. */
export interface BackplaneSubject {
  /** For the names of the tests. */
  readonly name: string;

  /**
   * A new backplane on the engine.
   *
   * @param scope - a short word of letters and digits, another one for each test: backplanes with the same hear each other, and
   *   those with different ones do not. It is what applications give as the option `prefix`.
   */
  create(scope: string): Backplane;

  /** Breaks the engine, and mends it again, for the tests of outages. Without it they do not apply. */
  readonly outage?: {
    /** The engine is gone at once, with everything that it had. */
    begin(): Promise<void>;
    /** It is there again, at the same place. */
    end(): Promise<void>;
  };
}
