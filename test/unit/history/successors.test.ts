import { expect, test } from "vitest";
import { Successors } from "../../../src/history/successors.ts";
import type { Member } from "../../../src/members/member.ts";

const member = { id: "now" } as Member;

test("the last socket comes first, however far the positions of a client go back", () => {
  const successors = new Successors();
  successors.add(member, ["last"]);
  successors.add(member, ["last", "second", "third"]);
  expect(successors.earlierOf(member)).toStrictEqual(["last", "second", "third"]);
  successors.add(member, ["other", "second of other"]);
  expect(successors.earlierOf(member).slice(0, 3)).toStrictEqual(["last", "other", "second"]);
});

test("what leaves out an earlier socket leaves out its successor, until that has ended", () => {
  const successors = new Successors();
  successors.add(member, ["last", "", "now"]);
  expect(successors.withSuccessors(["last", "other"])).toStrictEqual(["last", "other", "now"]);
  successors.delete(member);
  expect(successors.withSuccessors(["last"])).toStrictEqual(["last"]);
});
