import * as fc from "fast-check";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { Backlog } from "../../../src/delivery/backlog.ts";
import { Delivery } from "../../../src/delivery/delivery.ts";
import { OutgoingFrame } from "../../../src/delivery/outgoing-frame.ts";
import type { Overload } from "../../../src/delivery/overload.ts";
import { zeroCounters } from "../../../src/counters.ts";
import { createRecipient, type SlowRecipient } from "./slow-connection.ts";
import { RAISING } from "../../support/raising.ts";

const LIMIT = 4_000;
const NOTICE = "gone";

type Step =
  | { readonly do: "send"; readonly size: number; readonly overload: Overload | undefined }
  /** The network takes so many of the bytes that the transport holds. */
  | { readonly do: "drain"; readonly share: number }
  | { readonly do: "turn" };

const someKey = fc.constantFrom(...Array.from({ length: 12 }, () => undefined), "a", "b", "c");
const dropping = fc.record({ policy: fc.constant("drop" as const), key: someKey });
const any = fc.oneof(
  fc.constant(undefined),
  dropping,
  fc.record({ policy: fc.constant("close" as const), key: someKey }),
);

function scriptOf(overload: fc.Arbitrary<Overload | undefined>): fc.Arbitrary<readonly Step[]> {
  const size = fc.noBias(fc.integer({ min: 8, max: 1_500 }));
  const share = fc.constantFrom(0.05, 0.2, 0.5, 1);
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant("send" as const), size, overload }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("drain" as const), share }) },
    { weight: 1, arbitrary: fc.constant({ do: "turn" as const }) },
  );
  return fc.array(step, { minLength: 1, maxLength: 120 });
}

/** With any policies, a story soon ends with a close. */
const scripts = fc.oneof(scriptOf(dropping), scriptOf(any));

/** What is sent to a reader of any speed, and what comes of it. */
class Story {
  readonly dropped = { overload: 0, superseded: 0, volatile: 0 };
  overflow: number | undefined;
  mostHeld = 0;
  readonly #recipient = createRecipient();
  readonly #delivery: Delivery<SlowRecipient>;
  readonly #sent: (Overload | undefined)[] = [];

  constructor() {
    this.#recipient.connection.stalled = true;
    this.#delivery = new Delivery<SlowRecipient>({
      maxBufferedBytes: LIMIT,
      multicast: undefined,
      counters: zeroCounters(),
      report: {
        ...RAISING,
        dropped: (_, reason) => {
          this.dropped[reason]++;
        },
        // Long, so that there is often no room for it.
        notice: (_, count) => new OutgoingFrame(`${NOTICE} ${count}`.padEnd(400)),
        overflow: (recipient) => {
          this.overflow ??= this.#sent.length - 1;
          recipient.open = false;
          this.#delivery.discard(recipient);
        },
      },
    });
  }

  async take(step: Step): Promise<void> {
    if (step.do === "send") this.#send(step.size, step.overload);
    else if (step.do === "drain") this.#drain(step.share);
    else await turn();
    this.mostHeld = Math.max(this.mostHeld, this.#held);
  }

  /** Until everything has been taken. */
  async end(): Promise<void> {
    await turn();
    while (this.#held > 0) this.#drain(1);
  }

  get heard(): readonly string[] {
    return this.#recipient.connection.writes.flat();
  }

  get sent(): readonly (Overload | undefined)[] {
    return this.#sent;
  }

  get #held(): number {
    const { backlog, connection, pending } = this.#recipient;
    return connection.bufferedAmount + (pending?.byteLength ?? 0) + (backlog?.byteLength ?? 0);
  }

  #send(size: number, how: Overload | undefined): void {
    if (!this.#recipient.open) return;
    const name = String(this.#sent.length).padStart(5);
    this.#sent.push(how);
    this.#delivery.send(this.#recipient, new OutgoingFrame(name.padEnd(size), how));
  }

  #drain(share: number): void {
    const { connection } = this.#recipient;
    connection.bufferedAmount -= Math.ceil(connection.bufferedAmount * share);
    this.#delivery.drained(this.#recipient);
  }
}

/** What is wrong with what was heard of a story in which nothing was closed. */
function faultsOf({ dropped, heard, sent }: Story): readonly string[] {
  const numbers = new Set(heard.filter((text) => !text.startsWith(NOTICE)).map(Number));
  const counts = heard.filter((text) => text.startsWith(NOTICE)).map(countIn);
  const missing = [...sent.keys()].filter((number) => !numbers.has(number));
  const newest = ["a", "b", "c"].map((key) => sent.findLastIndex((how) => how?.key === key));
  const checks = {
    "every dropped message is in a notice": sum(counts) === dropped.overload,
    "every missing message is counted": missing.length === dropped.overload + dropped.superseded,
    "only those are missing that may be": missing.every((number) => mayMiss(sent[number])),
    // One that may be dropped can be, by itself.
    "the newest of each key is there": newest.every((at) => numbers.has(at) || sent[at]?.policy !== "close"),
    "each gap is as long as its notice says": dropped.superseded > 0 || isInPlace(heard, sent.length),
  };
  return Object.entries(checks).flatMap(([what, holds]) => (holds ? [] : [what]));
}

function mayMiss(how: Overload | undefined): boolean {
  return how?.policy === "drop" || how?.key !== undefined;
}

function countIn(notice: string): number {
  return Number(notice.slice(NOTICE.length));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Whether the numbers are all there or in a notice where they are missing. */
function isInPlace(heard: readonly string[], end: number): boolean {
  let next = 0;
  for (const text of heard) {
    if (text.startsWith(NOTICE)) next += countIn(text);
    else if (Number(text) === next) next++;
    else return false;
  }
  return next === end;
}

test("each message sent to a reader of any speed arrives in its place or is accounted for there", async () => {
  await fc.assert(
    fc.asyncProperty(scripts, async (script) => {
      const story = new Story();
      for (const step of script) await story.take(step);
      await story.end();
      const { heard, mostHeld, overflow, sent } = story;
      expect(mostHeld).toBeLessThanOrEqual(LIMIT);
      const numbers = heard.filter((text) => !text.startsWith(NOTICE)).map(Number);
      expect(numbers).toEqual([...new Set(numbers)].toSorted((one, other) => one - other));
      // It is closed for a message that must not be dropped, and nothing comes behind that.
      expect(overflow === undefined ? [] : [sent[overflow]?.policy]).not.toContain("drop");
      expect(Math.max(-1, ...numbers)).toBeLessThan(overflow ?? sent.length);
      expect(overflow === undefined ? faultsOf(story) : []).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});

/** One call on a backlog: a push with a key or without one, or a take of so many bytes. */
type BacklogCall = { readonly key: string | undefined; readonly size: number } | { readonly take: number };

const backlogCalls: fc.Arbitrary<readonly BacklogCall[]> = fc.array(
  fc.oneof(
    fc.record({
      key: fc.option(fc.constantFrom("a", "b", "c", "d"), { nil: undefined }),
      size: fc.integer({ min: 1, max: 300 }),
    }),
    fc.record({ take: fc.integer({ min: 1, max: 2_000 }) }),
  ),
  { maxLength: 200 },
);

/** A backlog in the simplest form. */
class ModelBacklog {
  frames: OutgoingFrame[] = [];

  push(frame: OutgoingFrame): boolean {
    const key = frame.overload?.key;
    const { length } = this.frames;
    this.frames = this.frames.filter(({ overload }) => key === undefined || overload?.key !== key);
    const isSuperseding = this.frames.length < length;
    this.frames.push(frame);
    return isSuperseding;
  }

  /** As many frames as fit, but one at least. */
  take(most: number): readonly OutgoingFrame[] {
    let bytes = 0;
    const end = this.frames.findIndex((frame, index) => (bytes += frame.bytes.length) > most && index > 0);
    return this.frames.splice(0, end === -1 ? this.frames.length : end);
  }
}

/** Makes the call on both, and returns what they answer. */
function callBoth(call: BacklogCall, backlog: Backlog, model: ModelBacklog): [unknown, unknown] {
  if ("take" in call) {
    if (model.frames.length === 0) return [0, 0];
    const { frames, count, byteLength, bytes } = backlog.take(call.take);
    const expected = model.take(call.take);
    const joined = Buffer.concat(expected.map((frame) => frame.bytes));
    return [
      { frames, count, byteLength, bytes },
      { frames: expected, count: expected.length, byteLength: joined.length, bytes: joined },
    ];
  }
  const frame = new OutgoingFrame("".padEnd(call.size), { policy: "close", key: call.key });
  const isSuperseding = call.key !== undefined && backlog.supersede(call.key);
  backlog.push(frame);
  return [isSuperseding, model.push(frame)];
}

test("a backlog holds what was pushed and neither superseded nor taken, in any order of calls", () => {
  fc.assert(
    fc.property(backlogCalls, (calls) => {
      const [backlog, model] = [new Backlog(), new ModelBacklog()];
      for (const call of calls) {
        const [actual, expected] = callBoth(call, backlog, model);
        expect(actual).toEqual(expected);
        expect(backlog.count).toBe(model.frames.length);
        expect(backlog.byteLength).toBe(sum(model.frames.map(({ bytes }) => bytes.length)));
      }
    }),
  );
});

test("a backlog of one key does not grow, however often its value changes", () => {
  const backlog = new Backlog();
  for (let index = 0; index < 100_000; index++) {
    backlog.supersede("key");
    backlog.push(new OutgoingFrame("value", { policy: "close", key: "key" }));
  }
  expect(backlog.count).toBe(1);
  expect(backlog.byteLength).toBe(new OutgoingFrame("value", undefined).bytes.length);
});
