import { beforeEach, expect, test } from "vitest";
import { MemoryLog } from "../../../src/backplanes/shared/memory-log.ts";

const LIMITS = { size: 10, age: 1_000 };
const NOWHERE = { epoch: "", at: 0 };

let now: number;
let log: MemoryLog;
let number: number;

beforeEach(() => {
  now = 0;
  number = 0;
  log = new MemoryLog(() => now);
});

function append(channel: string, bytes = 1_000): void {
  log.append(channel, [{ origin: "o", number: ++number, envelope: new Uint8Array(bytes) }], LIMITS);
}

function placesOf(channel: string): readonly number[] {
  return log.read(channel, NOWHERE, 100)?.records.map(({ at }) => at) ?? [];
}

test("above its bound, the oldest entries go first of the channel that was silent longest", () => {
  for (const channel of ["a", "b", "a", "b", "c", "a"]) append(channel);
  log.maxBytes = 7_500;
  append("c");
  expect(["a", "b", "c"].map(placesOf)).toEqual([[1, 2, 3], [], [1, 2]]);
});

test("a log whose entries had to go keeps its epoch, so that nobody is told of a gap who has missed nothing", () => {
  append("a");
  const before = log.headOf("a");
  log.maxBytes = 2_000;
  append("b");
  expect(log.read("a", NOWHERE, 1)).toEqual({ epoch: before?.epoch, head: 1, floor: 1, records: [] });
  append("a", 100);
  expect(log.headOf("a")).toEqual({ epoch: before?.epoch, at: 2 });
});

test("logs without entries are bounded as well, and an entry that is too large is not kept", () => {
  log.maxBytes = 10_000;
  for (let index = 0; index < 1_000; index++) append(`${index}`);
  expect([log.headOf("0"), log.headOf("900")]).toEqual([undefined, undefined]);
  expect(log.headOf("999")).toBeDefined();
  append("999", 20_000);
  expect(placesOf("999")).toEqual([]);
});

test("what has ended by its silence takes nothing any more", () => {
  log.maxBytes = 5_000;
  append("a");
  append("b");
  now = 1_000;
  for (const channel of ["c", "c", "c"]) append(channel);
  expect(placesOf("c")).toEqual([1, 2, 3]);
});
