import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../src/clock.ts";
import type { Handshake } from "../src/handshake.ts";
import { Heartbeat } from "../src/heartbeat.ts";
import { Member } from "../src/member.ts";
import { jsonCodec } from "../src/protocol/codec.ts";
import type { Connection } from "../src/transport.ts";

/** Lets the time pass, with a turn of the event loop after every millisecond. */
async function advance(milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed++) {
    vi.advanceTimersByTime(1);
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
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    members = new Map();
    pings = [];
    lost = [];
    heartbeat = new Heartbeat(OPTIONS, members, systemClock, ping, ({ id }) => {
      lost.push(id);
      members.delete(id);
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

  test("asks everybody once in an interval", async () => {
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

  test("loses who gives no sign of life in time, and nobody else", async () => {
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

  test("finds whoever falls silent within interval and timeout", async () => {
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

  test("does not miss who came after the question", async () => {
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

  test("with the timeout as long as the interval, judges and asks again at once", async () => {
    heartbeat = new Heartbeat({ interval: 500, timeout: 500 }, members, systemClock, ping, ({ id }) => lost.push(id));
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

  test("has a timer for each slice at most, however many members, and does not keep the process alive", async () => {
    vi.useRealTimers();
    const unref = vi.spyOn(Object.getPrototypeOf(setTimeout(() => {}, 0).unref()) as NodeJS.Timeout, "unref");
    for (let index = 0; index < 100; index++) add(String(index));
    heartbeat.start();
    expect(unref).toHaveBeenCalledTimes(1);
    unref.mockRestore();
  });
});
