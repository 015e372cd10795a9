import { expect, test } from "vitest";
import type { PresentUser } from "../../../src/members/presence-feed.ts";
import { takePortion } from "../../../src/presence/portions.ts";

/** Takes all portions. Returns their lengths. */
function lengthsOf(users: PresentUser[], maxBytes = 1_024): readonly number[] {
  const lengths: number[] = [];
  while (users.length > 0) lengths.push(takePortion(users, maxBytes).length);
  return lengths;
}

const users = (count: number, idLength: number): PresentUser[] =>
  Array.from({ length: count }, (_, index) => [String(index).padStart(idLength, "x"), index]);

test("a message has two hundred users at most", () => {
  expect(lengthsOf(users(450, 10))).toStrictEqual([200, 200, 50]);
});

test("it has fewer if their ids are long, or they may have much data, and one at least", () => {
  expect(lengthsOf(users(100, 6_000))).toStrictEqual([32, 32, 32, 4]);
  const withData = users(100, 10).map(([id, since]): PresentUser => [id, since, "data", 1]);
  expect(lengthsOf(withData, 4_096)).toStrictEqual([31, 31, 31, 7]);
  expect(lengthsOf(users(2, 1_000_000))).toStrictEqual([1, 1]);
});
