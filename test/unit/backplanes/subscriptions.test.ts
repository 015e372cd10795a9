import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { SubscriptionRefused, type Session } from "../../../src/backplanes/shared/session.ts";
import { Subscriptions } from "../../../src/backplanes/shared/subscriptions.ts";

let refusals: Map<string, unknown>;
let failures: unknown[];
let subscriptions: Subscriptions;

beforeEach(() => {
  refusals = new Map();
  failures = [];
  subscriptions = new Subscriptions({
    failed: (_session, error) => failures.push(error),
    refused: (channel, error) => refusals.set(channel, error),
  });
});

/** A session of an engine that takes a number of subscriptions, and none to channels whose names begin with "no". */
class StrictSession implements Session {
  readonly maxBytes = Infinity;
  readonly heard = new Set<string>();
  readonly #most: number;

  constructor(most = Infinity) {
    this.#most = most;
  }

  async publish(): Promise<void> {}

  async subscribe(channels: readonly string[]): Promise<void> {
    await turn();
    if (channels.some((channel) => channel.startsWith("no")) || this.heard.size + channels.length > this.#most) {
      throw new SubscriptionRefused("no");
    }
    for (const channel of channels) this.heard.add(channel);
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    for (const channel of channels)
      if (!this.heard.delete(channel)) throw new Error(`${channel} is not subscribed to.`);
  }

  async ping(): Promise<void> {}

  end(): void {}
}

/** The channels whose promises resolve. */
async function heardOf(channels: readonly string[]): Promise<Set<string>> {
  const outcomes = await Promise.allSettled(channels.map((channel) => subscriptions.add(channel)));
  return new Set(channels.filter((_, index) => outcomes[index]?.status === "fulfilled"));
}

const MIXED = Array.from({ length: 2_500 }, (_, index) => (index % 400 === 7 ? `no ${index}` : `yes ${index}`));
const GRANTED = new Set(MIXED.filter((channel) => channel.startsWith("yes")));
const REFUSED = new Map(MIXED.filter((channel) => channel.startsWith("no")).map((channel) => [channel, "no"]));

test("of many channels those are refused that the engine refuses, and no others", async () => {
  const session = new StrictSession();
  await subscriptions.restore(session);
  expect(await heardOf(MIXED)).toEqual(GRANTED);
  expect([session.heard, refusals, failures]).toEqual([GRANTED, REFUSED, []]);
});

test("the same holds for channels that a new session brings to the engine", async () => {
  const heard = heardOf(MIXED);
  const session = new StrictSession();
  await subscriptions.restore(session);
  expect(await heard).toEqual(GRANTED);
  expect([session.heard, refusals]).toEqual([GRANTED, REFUSED]);
});

test("of more channels than the engine takes, those are heard whose promises resolve", async () => {
  const session = new StrictSession(700);
  await subscriptions.restore(session);
  const heard = await heardOf([...GRANTED]);
  expect([heard, heard.size]).toEqual([session.heard, 700]);
  expect(refusals.size).toBe(GRANTED.size - 700);
});

test("a refused channel is never unsubscribed from, and the next session asks for it again", async () => {
  const session = new StrictSession(1);
  await subscriptions.restore(session);
  await heardOf(["a", "b", "c"]);
  subscriptions.remove("c");
  await turn();
  expect([[...session.heard], [...refusals.keys()]]).toEqual([["a"], ["b", "c"]]);
  subscriptions.suspend();
  refusals.clear();
  const next = new StrictSession();
  await subscriptions.restore(next);
  expect([[...next.heard], refusals.size, failures]).toEqual([["a", "b"], 0, []]);
});
