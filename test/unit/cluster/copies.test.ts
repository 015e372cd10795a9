import { VirtualClock } from "roomcast/testing";
import { expect, test } from "vitest";
import { Copies } from "../../../src/cluster/copies.ts";

test("the only copy is not remembered", () => {
  const copies = new Copies(new VirtualClock());
  expect(copies.take("a", 1)).toEqual({ isFirst: true, reached: undefined });
  expect(copies.take("a", 1)).toEqual({ isFirst: true, reached: undefined });
});

test("all copies of one message share the list of who received it, and the next message has its own", () => {
  const copies = new Copies(new VirtualClock());
  const { reached } = copies.take("a", 3);
  expect(copies.take("a", 3)).toEqual({ isFirst: false, reached });
  expect(copies.take("b", 2).reached).not.toBe(reached);
  expect(copies.take("a", 3).reached).toBe(reached);
  expect(copies.take("a", 3).isFirst).toBe(true);
});

test("a late copy is recognised for half a minute, and one that never arrives is forgotten", async () => {
  const clock = new VirtualClock();
  const copies = new Copies(clock);
  copies.take("a", 3);
  await clock.advance(30_000);
  expect(copies.take("a", 3).isFirst).toBe(false);
  copies.take("b", 2);
  await clock.advance(60_000);
  copies.take("c", 2);
  await clock.advance(60_000);
  expect(copies.take("b", 2).isFirst).toBe(true);
});
