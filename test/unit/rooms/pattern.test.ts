import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Pattern } from "../../../src/rooms/pattern.ts";

const text = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 6 });
const name = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });

/** What the pattern means, as a regular expression. */
const expression = (pattern: string): RegExp => new RegExp(`^${pattern.replaceAll("*", ".*")}$`, "s");

test("a pattern matches as the regular expression with a dot and a star for each star", () => {
  fc.assert(
    fc.property(text, name, (pattern, room) => {
      expect(new Pattern(pattern).matches(room)).toBe(expression(pattern).test(room));
    }),
    { numRuns: 2_000 },
  );
});

test("a pattern covers another exactly if it matches every name that the other one matches", () => {
  const names = [""];
  for (const prefix of names) if (prefix.length < 5) names.push(...["a", "b", "c"].map((letter) => prefix + letter));
  const short = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 3 });
  fc.assert(
    fc.property(short, short, (one, other) => {
      const all = names.filter((room) => expression(other).test(room));
      expect(new Pattern(one).covers(new Pattern(other))).toBe(all.every((room) => expression(one).test(room)));
    }),
    { numRuns: 500 },
  );
});

test("the shortest name that matches has the letters of the pattern", () => {
  expect(new Pattern("chat:*:*").minLength).toBe(6);
  expect(new Pattern("chat").minLength).toBe(4);
});
