import type { TransportName } from "roomcast";
import type { HubName } from "./server/messages.ts";

/** Where the cases are played. */
export interface Arena {
  readonly transport: TransportName;
  readonly ports: Readonly<Record<HubName, number>>;
}

/** What came of one connection. */
export interface Result {
  /** How many hostile requests, frames or packets were sent. */
  readonly inputs: number;
  /** Everything that the server did, in the words of the documents: codes, statuses, ends. */
  readonly outcomes: readonly string[];
  /** What must not have happened. */
  readonly complaints: readonly string[];
  /** What was sent, for whoever looks for the cause. */
  readonly script: string;
}

/** What hostile clients can get wrong. */
export interface Level {
  readonly name: string;
  /** How much of all inputs are for it. */
  readonly share: number;
  /** What has to come about if the inputs get anywhere: on every transport, and on some. */
  readonly outcomes: readonly string[];
  readonly outcomesOn?: Partial<Readonly<Record<TransportName, readonly string[]>>>;
  /** One connection. The seed determines what is sent. */
  readonly play: (seed: number, arena: Arena) => Promise<Result>;
}
