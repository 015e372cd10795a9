import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Handshake } from "../src/handshake.ts";
import { Heartbeat } from "../src/heartbeat.ts";
import { Member } from "../src/member.ts";
import type { Connection } from "../src/transport.ts";

const OPTIONS = { interval: 1_000, timeout: 400 };

describe("Heartbeat", () => {
  let members: Map<string, Member>;
  let pings: string[];
  let lost: string[];
  let heartbeat: Heartbeat;

  beforeEach(() => {
    vi.useFakeTimers();
    members = new Map();
    pings = [];
    lost = [];
    heartbeat = new Heartbeat(OPTIONS, members, ({ id }) => {
      lost.push(id);
      members.delete(id);
    });
  });

  afterEach(() => {
    heartbeat.stop();
    vi.useRealTimers();
  });

  function add(id: string): Member {
    const connection = { ping: () => void pings.push(id) } as unknown as Connection;
    const member = new Member(id, connection, {} as Handshake, undefined);
    members.set(id, member);
    return member;
  }

  test("asks everybody once in an interval", () => {
    heartbeat.start();
    const all = [add("a"), add("b")];
    vi.advanceTimersByTime(999);
    expect(pings).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(pings).toEqual(["a", "b"]);
    for (const member of all) member.alive = true;
    vi.advanceTimersByTime(999);
    expect(pings.length).toBe(2);
    vi.advanceTimersByTime(1);
    expect(pings).toEqual(["a", "b", "a", "b"]);
    expect(lost).toEqual([]);
  });

  test("loses who gives no sign of life in time, and nobody else", () => {
    heartbeat.start();
    const quick = add("quick");
    add("silent");
    const late = add("late");
    vi.advanceTimersByTime(1_000);
    quick.alive = true;
    vi.advanceTimersByTime(399);
    expect(lost).toEqual([]);
    late.alive = true;
    vi.advanceTimersByTime(1);
    expect(lost).toEqual(["silent"]);
    vi.advanceTimersByTime(600);
    expect(pings.filter((id) => id === "silent").length).toBe(1);
  });

  test("finds whoever falls silent within interval and timeout", () => {
    heartbeat.start();
    const member = add("a");
    vi.advanceTimersByTime(1_000);
    // The last thing that comes from it comes right after it was asked.
    member.alive = true;
    vi.advanceTimersByTime(OPTIONS.interval + OPTIONS.timeout - 1);
    expect(lost).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(lost).toEqual(["a"]);
  });

  test("does not miss who came after the question", () => {
    heartbeat.start();
    vi.advanceTimersByTime(1_001);
    add("newcomer");
    vi.advanceTimersByTime(399);
    expect(lost).toEqual([]);
    expect(pings).toEqual([]);
    vi.advanceTimersByTime(600);
    expect(pings).toEqual(["newcomer"]);
    vi.advanceTimersByTime(400);
    expect(lost).toEqual(["newcomer"]);
  });

  test("with the timeout as long as the interval, judges and asks again at once", () => {
    heartbeat = new Heartbeat({ interval: 500, timeout: 500 }, members, ({ id }) => lost.push(id));
    heartbeat.start();
    const member = add("a");
    vi.advanceTimersByTime(500);
    member.alive = true;
    vi.advanceTimersByTime(500);
    expect(lost).toEqual([]);
    // A timer of no milliseconds waits one.
    vi.advanceTimersByTime(1);
    expect(pings).toEqual(["a", "a"]);
    vi.advanceTimersByTime(500);
    expect(lost).toEqual(["a"]);
  });

  test("stops in either half of its round", () => {
    heartbeat.start();
    add("a");
    heartbeat.stop();
    vi.advanceTimersByTime(10_000);
    expect(pings).toEqual([]);
    heartbeat.start();
    vi.advanceTimersByTime(1_000);
    heartbeat.stop();
    vi.advanceTimersByTime(10_000);
    expect(pings).toEqual(["a"]);
    expect(lost).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("has one timer, however many members, and does not keep the process alive", () => {
    vi.useRealTimers();
    const unref = vi.spyOn(Object.getPrototypeOf(setTimeout(() => {}, 0).unref()) as NodeJS.Timeout, "unref");
    for (let index = 0; index < 100; index++) add(String(index));
    heartbeat.start();
    expect(unref).toHaveBeenCalledTimes(1);
    unref.mockRestore();
  });
});
