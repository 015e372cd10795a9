import { Inbox } from "../../../src/testing/inbox.ts";
import type { CallStep, Returns, SeenStep } from "./vectors.ts";

/** A change of the client's state. */
export interface StateChange {
  readonly state: string;
  readonly previous: string;
  readonly delay?: number | undefined;
}

/** A client under test and its application: does the calls of a vector, and tells what the application sees. */
export abstract class Subject {
  protected readonly heard: Inbox<SeenStep> = new Inbox<SeenStep>();
  protected readonly states: Inbox<StateChange> = new Inbox<StateChange>();

  /** Does what the application of the vector does. */
  abstract perform(step: Exclude<CallStep, { readonly call: "connect" }>): void;

  /** What has become of a request. */
  protected abstract outcome(name: string): Promise<SeenStep | undefined>;

  /** Resolves when everything that has arrived has been heard. */
  protected abstract settled(): Promise<void>;

  abstract close(): Promise<void>;

  /** What really happened where `step` was expected. */
  async see(step: SeenStep): Promise<SeenStep | undefined> {
    if ("outcome" in step) return this.outcome(step.outcome);
    return "hears" in step ? this.heard.next() : { returns: await this.#returns(step.returns) };
  }

  /** What was heard that nobody expected, but for these events. */
  async rest(besides: ReadonlySet<string>): Promise<readonly SeenStep[]> {
    await this.settled();
    return this.heard.take().filter((step) => {
      return !("hears" in step && "event" in step.hears && besides.has(step.hears.event));
    });
  }

  async #returns(expected: Returns): Promise<Returns> {
    let change = await this.states.next();
    while (change?.state === "open" || change?.previous === "waiting") change = await this.states.next();
    if (change?.state === "closed") return "never";
    const delay = change?.state === "waiting" ? (change.delay ?? 0) : 0;
    if (typeof expected !== "string") {
      return expected.from <= delay && delay <= expected.to ? expected : { from: delay, to: delay };
    }
    return delay === 0 ? "at-once" : "back-off";
  }
}
