import { VirtualClock } from "roomcast/testing";
import { describe, expect, test } from "vitest";
import { Copies } from "../../../src/cluster/copies.ts";
import type { Member } from "../../../src/members/member.ts";

const A = "nodenode-a";
const B = "nodenode-b";

const [one, two] = [{}, {}] as [Member, Member];
const nobody = (): Set<Member> => new Set();

describe("Copies of an engine that keeps the order of all channels", () => {
  test("only the first copy of a message is taken, however late the others are", async () => {
    const clock = new VirtualClock();
    const copies = new Copies(clock, true);
    expect(copies.isFirst(A, 1)).toBe(true);
    expect(copies.isFirst(B, 1)).toBe(true);
    expect(copies.isFirst(A, 1)).toBe(false);
    expect(copies.isFirst(A, 3)).toBe(true);
    // A process that was suspended finds the other copy when it goes on.
    await clock.advance(3_600_000);
    expect(copies.isFirst(A, 3)).toBe(false);
  });

  test("a node that sends no more is forgotten", async () => {
    const clock = new VirtualClock();
    const copies = new Copies(clock, true);
    copies.isFirst(A, 7);
    for (let number = 1; number <= 3; number++) {
      // oxlint-disable-next-line no-await-in-loop -- time passes between messages
      await clock.advance(30_000);
      copies.isFirst(B, number);
    }
    expect(copies.isFirst(A, 7)).toBe(true);
  });
});

describe("Copies of an engine that keeps the order of each channel", () => {
  test("the members who wait for a message are found with its first copy, and then taken out", () => {
    const copies = new Copies(new VirtualClock(), false);
    const waiting = copies.waiting(A, 1, () => new Set([one]));
    expect([...waiting]).toEqual([one]);
    waiting.delete(one);
    expect(copies.waiting(A, 1, () => new Set([one, two])).size).toBe(0);
    expect(copies.waiting(A, 2, () => new Set([two])).size).toBe(1);
    expect(copies.waiting(B, 1, () => new Set([two])).size).toBe(1);
  });

  test("messages of one node may come in any order", () => {
    const copies = new Copies(new VirtualClock(), false);
    expect(copies.isFirst(A, 2)).toBe(true);
    expect(copies.isFirst(A, 1)).toBe(true);
    expect([copies.isFirst(A, 2), copies.isFirst(A, 1)]).toEqual([false, false]);
  });

  test("a message is remembered until there were 50,000 others", () => {
    const copies = new Copies(new VirtualClock(), false);
    copies.waiting(A, 0, nobody);
    for (let number = 1; number <= 50_000; number++) copies.isFirst(B, number);
    expect(copies.isFirst(A, 0)).toBe(false);
    for (let number = 50_001; number <= 100_000; number++) copies.isFirst(B, number);
    expect(copies.isFirst(A, 0)).toBe(true);
  });

  test("a message is remembered for half a minute at least, and then forgotten", async () => {
    const clock = new VirtualClock();
    const copies = new Copies(clock, false);
    copies.waiting(A, 1, nobody);
    await clock.advance(29_999);
    copies.waiting(A, 2, nobody);
    expect(copies.waiting(A, 1, () => new Set([one])).size).toBe(0);
    for (let number = 3; number <= 4; number++) {
      // oxlint-disable-next-line no-await-in-loop -- time passes between messages
      await clock.advance(30_000);
      copies.waiting(A, number, nobody);
    }
    expect(copies.waiting(A, 1, () => new Set([one])).size).toBe(1);
  });
});
