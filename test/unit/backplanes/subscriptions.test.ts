import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { createDeferred } from "../../../src/deferred.ts";
import type { Session } from "../../../src/backplanes/shared/session.ts";
import { Subscriptions, type Answers } from "../../../src/backplanes/shared/subscriptions.ts";
import { ScriptedSession } from "./scripted-session.ts";

let refused: Set<string>;
let failures: unknown[];
let subscriptions: Subscriptions;

beforeEach(() => {
  refused = new Set();
  failures = [];
  subscriptions = new Subscriptions({
    failed: (_session, error) => failures.push(error),
    refused: (channel) => refused.add(channel),
  });
});

async function restore(session: Session): Promise<void> {
  const answers: Answers = new Map();
  await subscriptions.restore(session, answers);
  subscriptions.resume(session, answers);
}

/** Subscribes to channels. Resolves with those whose promises resolve. */
async function heardOf(channels: readonly string[]): Promise<Set<string>> {
  const outcomes = await Promise.allSettled(channels.map((channel) => subscriptions.add(channel)));
  return new Set(channels.filter((_, index) => outcomes[index]?.status === "fulfilled"));
}

/** Resolves with what a promise has come to by the end of the turn. */
async function stateOf(promise: Promise<void>): Promise<string> {
  let state = "pending";
  promise.then(
    () => (state = "resolved"),
    () => (state = "rejected"),
  );
  await turn();
  return state;
}

const MIXED = Array.from({ length: 2_500 }, (_, index) => (index % 400 === 7 ? `no ${index}` : `yes ${index}`));
const GRANTED = new Set(MIXED.filter((channel) => channel.startsWith("yes")));
const REFUSED = new Set(MIXED.filter((channel) => channel.startsWith("no")));

test("of many channels those are refused that the engine refuses, and no others", async () => {
  const session = new ScriptedSession();
  await restore(session);
  expect(await heardOf(MIXED)).toEqual(GRANTED);
  expect([session.heard, refused, failures]).toEqual([GRANTED, REFUSED, []]);
});

test("the same holds for channels that a new session brings to the engine", async () => {
  const heard = heardOf(MIXED);
  const session = new ScriptedSession();
  await restore(session);
  expect(await heard).toEqual(GRANTED);
  expect([session.heard, refused]).toEqual([GRANTED, REFUSED]);
});

test("of more channels than the engine takes, those are heard whose promises resolve", async () => {
  const session = new ScriptedSession(700);
  await restore(session);
  const heard = await heardOf([...GRANTED]);
  expect([heard, heard.size]).toEqual([session.heard, 700]);
  expect(refused.size).toBe(GRANTED.size - 700);
});

test("the engine is asked once for each channel, however many it refuses", async () => {
  const heard = heardOf(Array.from({ length: 20_000 }, (_, index) => `no ${index}`));
  const session = new ScriptedSession();
  await restore(session);
  expect((await heard).size).toBe(0);
  expect(session.calls).toEqual(Array.from({ length: 20 }, () => 1_000));
});

test("a refused channel is never unsubscribed from, and the next session asks for it again", async () => {
  const session = new ScriptedSession(1);
  await restore(session);
  await heardOf(["a", "b", "c"]);
  subscriptions.remove("c");
  await turn();
  expect([[...session.heard], [...refused]]).toEqual([["a"], ["b", "c"]]);
  subscriptions.suspend();
  refused.clear();
  const next = new ScriptedSession();
  await restore(next);
  expect([[...next.heard], refused.size, failures]).toEqual([["a", "b"], 0, []]);
});

test("a channel that is refused after it was unsubscribed from is not unsubscribed from", async () => {
  const session = new ScriptedSession();
  await restore(session);
  const answer = createDeferred();
  session.answer = () => answer.promise;
  const first = subscriptions.add("no");
  await turn();
  subscriptions.remove("no");
  answer.resolve();
  expect(await stateOf(first)).toBe("rejected");
  await turn();
  expect([refused.size, failures]).toEqual([0, []]);
});

test.each([
  ["yes", "resolved"],
  ["no", "rejected"],
])(
  "a channel %j that is left and joined again before the engine has answered is settled by its answer",
  async (channel, state) => {
    const session = new ScriptedSession();
    await restore(session);
    const answer = createDeferred();
    session.answer = () => answer.promise;
    subscriptions.add(channel).catch(() => {});
    await turn();
    subscriptions.remove(channel);
    const again = subscriptions.add(channel);
    expect(await stateOf(again)).toBe("pending");
    answer.resolve();
    expect(await stateOf(again)).toBe(state);
    expect([session.calls, failures]).toEqual([[1], []]);
  },
);

test("a session that ends without an answer does not delay what the next one is asked for", async () => {
  const hung = new ScriptedSession();
  await restore(hung);
  hung.answer = () => new Promise(() => {});
  const early = subscriptions.add("early");
  await turn();
  subscriptions.suspend();
  const next = new ScriptedSession();
  await restore(next);
  await early;
  subscriptions.remove("early");
  await Promise.all([subscriptions.add("early"), subscriptions.add("late")]);
  expect([...next.heard]).toEqual(["early", "late"]);
});

test("nothing is settled by a session that is not used in the end", async () => {
  const [heard, deaf] = [subscriptions.add("yes"), subscriptions.add("no")];
  await subscriptions.restore(new ScriptedSession(), new Map());
  expect([await stateOf(heard), await stateOf(deaf), refused.size]).toEqual(["pending", "pending", 0]);
});
