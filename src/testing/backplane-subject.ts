import type { Backplane } from "../backplanes/backplane.ts";

/** A backplane for the conformance suite: how to create it, and how to break its engine. */
export interface BackplaneSubject {
  /** The name of the backplane in the names of the tests. */
  readonly name: string;

  /**
   * Creates a backplane on the engine.
   *
   * @param scope - a short word of letters and digits, a different one for each test. Backplanes with the same scope
   *   reach each other, and backplanes with different scopes do not. It is what applications give as the option
   *   `prefix`.
   */
  create(scope: string): Backplane;

  /** Whether the backplane has a `log`. Without one, the tests of logs do not apply. Default: `false`. */
  readonly hasLog?: boolean;

  /** Functions that break and repair the engine, for the tests of outages. Without them these tests do not apply. */
  readonly outage?: {
    /** Stops the engine at once, with the loss of everything that it holds. */
    begin(): Promise<void>;
    /** Starts the engine again, at the same address. */
    end(): Promise<void>;
  };
}
