import { setImmediate as turn } from "node:timers/promises";
import * as fc from "fast-check";
import { jsonCodec } from "roomcast";
import { VirtualClock } from "roomcast/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../../src/time/clock.ts";
import type { Handshake } from "../../../src/members/handshake.ts";
import { Heartbeat, type Beating } from "../../../src/time/heartbeat.ts";
import { Member } from "../../../src/members/member.ts";
import type { Connection } from "../../../src/transports/transport.ts";
import { RAISING } from "../../support/raising.ts";

/** Lets the time pass, with turns of the event loop after every millisecond: for a timer, and for what it sets. */
async function advance(milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed++) {
    vi.advanceTimersByTime(1);
    await turn();
    await turn();
  }
}

const OPTIONS = { interval: 1_000, timeout: 400 };

describe("Heartbeat", () => {
  let members: Map<string, Member>;
  let pings: string[];
  let lost: string[];
  let heartbeat: Heartbeat<Member>;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    members = new Map();
    pings = [];
    lost = [];
    heartbeat = new Heartbeat<Member>(OPTIONS, members, systemClock, {
      ...RAISING,
      ping,
      lost: ({ id }) => {
        lost.push(id);
        members.delete(id);
      },
    });
  });

  afterEach(() => {
    heartbeat.stop();
    vi.useRealTimers();
  });

  function ping({ id }: Member): void {
    pings.push(id);
  }

  function add(id: string): Member {
    const member = new Member(id, {} as Connection, jsonCodec, {} as Handshake, undefined);
    members.set(id, member);
    return member;
  }

  test("asks every member once in an interval", async () => {
    heartbeat.start();
    const all = [add("a"), add("b")];
    await advance(999);
    expect(pings).toEqual([]);
    await advance(1);
    expect(pings).toEqual(["a", "b"]);
    for (const member of all) member.askedIn = 0;
    await advance(999);
    expect(pings.length).toBe(2);
    await advance(1);
    expect(pings).toEqual(["a", "b", "a", "b"]);
    expect(lost).toEqual([]);
  });

  test("reports the members that give no sign of life in time, and no others", async () => {
    heartbeat.start();
    const quick = add("quick");
    add("silent");
    const late = add("late");
    await advance(1_000);
    quick.askedIn = 0;
    await advance(399);
    expect(lost).toEqual([]);
    late.askedIn = 0;
    await advance(1);
    expect(lost).toEqual(["silent"]);
    await advance(600);
    expect(pings.filter((id) => id === "silent").length).toBe(1);
  });

  test("keeps a member that has answered late, and asks it again", async () => {
    heartbeat.start();
    const member = add("a");
    member.unconfirmedBytes = 1024 * 1024;
    await advance(1_000);
    member.asked(member.unconfirmedBytes);
    member.unconfirmedBytes += 5;
    await advance(3_000);
    member.askedIn = 0;
    member.answered();
    expect([member.unconfirmedBytes, member.bytesAhead]).toEqual([5, 0]);
    await advance(1_400);
    expect([pings, lost]).toEqual([["a", "a"], ["a"]]);
  });

  test("finds a member that falls silent within interval and timeout", async () => {
    heartbeat.start();
    const member = add("a");
    await advance(1_000);
    // The last thing that comes from it comes right after it was asked.
    member.askedIn = 0;
    await advance(OPTIONS.interval + OPTIONS.timeout - 1);
    expect(lost).toEqual([]);
    await advance(1);
    expect(lost).toEqual(["a"]);
  });

  test("does not miss a member that came after the question", async () => {
    heartbeat.start();
    await advance(1_001);
    add("newcomer");
    await advance(399);
    expect(lost).toEqual([]);
    expect(pings).toEqual([]);
    await advance(600);
    expect(pings).toEqual(["newcomer"]);
    await advance(400);
    expect(lost).toEqual(["newcomer"]);
  });

  test("finds no member lost after a pause of the process before its messages were read", async () => {
    const late = add("late");
    add("silent");
    heartbeat.start();
    await advance(1_000);
    // What has arrived is read after the timers that are due, and before immediates.
    vi.advanceTimersByTime(400);
    late.askedIn = 0;
    await turn();
    // A pause takes half of the timeout at most.
    expect(lost).toEqual([]);
    await advance(OPTIONS.timeout / 2);
    expect(lost).toEqual(["silent"]);
  });

  test("asks a member from which nothing is read, does not take it for lost, and asks it anew afterwards", async () => {
    const member = add("a");
    member.isPaused = true;
    heartbeat.start();
    await advance(1_500);
    expect(pings).toEqual(["a"]);
    await advance(500);
    expect(pings).toEqual(["a", "a"]);
    await advance(900);
    expect(lost).toEqual([]);
    member.isPaused = false;
    await advance(100);
    expect(pings).toEqual(["a", "a", "a"]);
    await advance(400);
    expect(lost).toEqual(["a"]);
  });

  test("checks and asks again at once if the timeout is as long as the interval", async () => {
    heartbeat = new Heartbeat<Member>({ interval: 500, timeout: 500 }, members, systemClock, {
      ...RAISING,
      ping,
      lost: ({ id }) => lost.push(id),
    });
    heartbeat.start();
    const member = add("a");
    await advance(500);
    member.askedIn = 0;
    await advance(500);
    expect(lost).toEqual([]);
    // A timer of no milliseconds waits one.
    await advance(1);
    expect(pings).toEqual(["a", "a"]);
    await advance(500);
    expect(lost).toEqual(["a"]);
  });

  test("stops in either half of its round", async () => {
    heartbeat.start();
    add("a");
    heartbeat.stop();
    await advance(10_000);
    expect(pings).toEqual([]);
    heartbeat.start();
    await advance(1_000);
    heartbeat.stop();
    await advance(10_000);
    expect(pings).toEqual(["a"]);
    expect(lost).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("has at most one timer for each slice, and does not keep the process alive", async () => {
    vi.useRealTimers();
    const unref = vi.spyOn(Object.getPrototypeOf(setTimeout(() => {}, 0).unref()) as NodeJS.Timeout, "unref");
    for (let index = 0; index < 100; index++) add(String(index));
    heartbeat.start();
    expect(unref).toHaveBeenCalledTimes(1);
    unref.mockRestore();
  });
});

/** One life, in milliseconds of the test's time. */
interface Life {
  /** When it comes. */
  readonly from: number;
  /** How long after that it falls silent for ever; `undefined` for never. */
  readonly silentAfter: number | undefined;
  /** How long after that it leaves; `undefined` for never. */
  readonly leavesAfter: number | undefined;
  /** How much of the timeout its answers take. */
  readonly laziness: number;
  /** When it says something of its own accord, after it came. */
  readonly words: readonly number[];
}

const MOST = 20_000;

const lives = fc.record({
  interval: fc.integer({ min: 2, max: MOST }),
  timeoutShare: fc.double({ min: 0, max: 1, noNaN: true }),
  lives: fc.array(
    fc.record({
      from: fc.integer({ min: 0, max: 2 * MOST }),
      silentAfter: fc.option(fc.integer({ min: 0, max: MOST }), { nil: undefined }),
      leavesAfter: fc.option(fc.integer({ min: 0, max: 3 * MOST }), { nil: undefined }),
      laziness: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      words: fc.array(fc.integer({ min: 0, max: MOST }), { maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 100 },
  ),
});

/** What is kept of each. */
interface Being extends Beating {
  readonly life: Life;
  readonly sign: () => void;
  silent: boolean;
  lastSign: number;
  lastAsked: number;
}

/** Timers wait whole milliseconds; slices need not be of that many. */
const ROUNDING = 1;

test("while members come and go, those alive are asked and kept, and those silent are found in time", async () => {
  await fc.assert(
    fc.asyncProperty(lives, async ({ interval, timeoutShare, lives: all }) => {
      const timeout = Math.max(2, Math.round(interval * timeoutShare));
      const clock = new VirtualClock(0);
      const beings = new Map<string, Being>();
      const overdue: unknown[] = [];
      const check = (isFine: boolean, complaint: string): void => {
        if (!isFine) overdue.push(`${complaint} at ${clock.now()}`);
      };
      const heartbeat: Heartbeat<Being> = new Heartbeat<Being>({ interval, timeout }, beings, clock, {
        ...RAISING,
        ping: (being) => {
          const now = clock.now();
          check(now - being.lastAsked <= interval + ROUNDING, "asked too late");
          being.lastAsked = now;
          if (!being.silent) clock.setTimeout(being.sign, being.life.laziness * (timeout - 1));
        },
        lost: (being) => {
          check(being.silent, "a living one was lost");
          check(clock.now() - being.lastSign <= interval + timeout + ROUNDING, "found too late");
          for (const [id, other] of beings) if (other === being) beings.delete(id);
        },
      });
      for (const [index, life] of all.entries()) {
        const id = String(index);
        const arrive = (): void => {
          const now = clock.now();
          const being: Being = {
            askedIn: 0,
            bytesAhead: 0,
            isPaused: false,
            phase: heartbeat.nextPhase(),
            life,
            silent: false,
            lastSign: now,
            lastAsked: now,
            sign: () => {
              if (being.silent) return;
              being.askedIn = 0;
              being.lastSign = clock.now();
            },
          };
          beings.set(id, being);
          for (const after of life.words) clock.setTimeout(being.sign, after);
          if (life.silentAfter !== undefined) clock.setTimeout(() => (being.silent = true), life.silentAfter);
          if (life.leavesAfter !== undefined) clock.setTimeout(() => beings.delete(id), life.leavesAfter);
        };
        clock.setTimeout(arrive, life.from);
      }
      heartbeat.start();
      await clock.advance(3 * MOST + interval + timeout + 2 * ROUNDING);
      for (const { silent, lastAsked } of beings.values()) {
        check(!silent, "never found");
        check(clock.now() - lastAsked <= interval + ROUNDING, "not asked any more");
      }
      heartbeat.stop();
      expect(overdue).toEqual([]);
    }),
    { numRuns: 25 },
  );
});

test("Heartbeat: the questions are spread, and no moment asks more than a slice", async () => {
  const clock = new VirtualClock(0);
  const members = new Map<string, Beating>();
  const asked = new Map<number, number>();
  const heartbeat = new Heartbeat<Beating>({ interval: 25_000, timeout: 20_000 }, members, clock, {
    ...RAISING,
    ping: (member) => {
      asked.set(clock.now(), (asked.get(clock.now()) ?? 0) + 1);
      member.askedIn = 0;
    },
    lost: () => expect.unreachable(),
  });
  for (let index = 0; index < 6_400; index++) {
    members.set(String(index), { askedIn: 0, bytesAhead: 0, isPaused: false, phase: heartbeat.nextPhase() });
  }
  heartbeat.start();
  await clock.advance(25_000);
  heartbeat.stop();
  expect([...asked.values()]).toEqual(Array.from({ length: 64 }, () => 100));
  expect(clock.timers).toBe(0);
});

test.each([
  ["a second for every 16 KiB", 100 * 16 * 1024, 20_000, 100_000],
  ["256 seconds for any number of bytes", 1024 ** 3, 100_000, 256_000],
  ["eleven timeouts at most", 1024 ** 3, 400, 4_400],
  ["nothing for less than is read in a slice", 2 * 1024, 400, 0],
])("Heartbeat: a member that has to read a lot before it can answer gets %s", async (_, bytesAhead, timeout, extra) => {
  const clock = new VirtualClock(0);
  const members = new Map<string, Beating>([["a", { askedIn: 0, bytesAhead, isPaused: false, phase: 0 }]]);
  let askedAt = 0;
  let lostAfter = 0;
  const interval = Math.max(timeout, 1_000);
  const heartbeat = new Heartbeat<Beating>({ interval, timeout }, members, clock, {
    ...RAISING,
    ping: () => {
      askedAt = clock.now();
    },
    lost: () => {
      lostAfter = clock.now() - askedAt;
      members.clear();
    },
  });
  heartbeat.start();
  await clock.advance(interval + 400_000);
  heartbeat.stop();
  // It is looked for in every slice.
  const slice = interval / Math.min(interval / 250, 64);
  expect(lostAfter).toBeLessThanOrEqual(timeout + extra);
  expect(lostAfter).toBeGreaterThan(timeout + extra - slice);
});
