import { expect, test } from "vitest";
import { sectionOf, tablesOf } from "../support/markdown.ts";
import { exists, proofsIn } from "../support/proofs.ts";

const PATH = "docs/PRESENCE.md";

/** The rows of the promises, and of when a user is out: the last cell names tests. */
const rows = ["What is promised", "When a user is out"]
  .flatMap((section) => tablesOf(sectionOf(PATH, section)).flat())
  .map((cells) => ({ what: cells[0] ?? "", proofs: proofsIn(cells.at(-1) ?? "") }));

test.each(rows)("the tests exist that hold: $what", ({ proofs }) => {
  expect(proofs).not.toHaveLength(0);
  expect(proofs.filter((proof) => !exists(proof))).toStrictEqual([]);
});

test("there are several rows", () => {
  expect(rows.length).toBeGreaterThan(15);
});
