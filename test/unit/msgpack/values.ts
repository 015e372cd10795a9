import * as fc from "fast-check";

/** The most that a `Date` may be away from 1970, in milliseconds. */
export const MAX_TIME = 8_640_000_000_000_000;

const date = fc
  .oneof(fc.integer({ min: -MAX_TIME, max: MAX_TIME }), fc.integer({ min: -5000, max: 2 ** 43 }))
  .map((time) => new Date(time));

/** Zero has one sign. */
const number = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double()).map((any) => (any === 0 ? 0 : any));

/** A bigint in the range of numbers arrives as a number. */
const bigint = fc.oneof(
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
);

const bytes = fc.uint8Array({ maxLength: 70_000, size: "medium" });
const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary", maxLength: 300, size: "medium" }));

/** Everything that MessagePack carries, nested. */
export const value: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(fc.constantFrom(null, true, false), number, bigint, text, bytes, date),
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(text, tie("value"), { maxKeys: 20, noNullPrototype: true }),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 20 }).map((entries) => new Map(entries)),
  ),
})).value;
