import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  isStampAt,
  now,
  sequenceAt,
  stamp,
  STAMP_LENGTH,
  streamAt,
  timeAt,
  TIME_MODULUS,
} from "../../../bench/stamp.ts";

const stream = fc.nat(64 ** 3 - 1);
const sequence = fc.nat(64 ** 5 - 1);
const time = fc.nat(TIME_MODULUS - 1);

test("a stamp is read back wherever in the message it is", () => {
  fc.assert(
    fc.property(stream, sequence, time, fc.string(), fc.string(), (...[id, number, sent, before, after]) => {
      const text = stamp(id, number, sent);
      const bytes = Buffer.from(`${before}${text}${after}`);
      const offset = Buffer.byteLength(before);
      expect(text).toHaveLength(STAMP_LENGTH);
      expect(isStampAt(bytes, offset)).toBe(true);
      expect([streamAt(bytes, offset), sequenceAt(bytes, offset), timeAt(bytes, offset)]).toEqual([id, number, sent]);
    }),
    { seed: 20_261_123 },
  );
});

test("a stamp is text that JSON leaves as it is", () => {
  fc.assert(
    fc.property(stream, sequence, time, (...parts) => {
      const text = stamp(...parts);
      expect(JSON.stringify(text)).toBe(`"${text}"`);
    }),
    { seed: 20_261_123 },
  );
});

test("a stamp says the time modulo 19 hours", () => {
  const bytes = Buffer.from(stamp(0, 0, 3 * TIME_MODULUS + 17));
  expect(timeAt(bytes, 0)).toBe(17);
});

test("a stamp is told from text with anything else in it", () => {
  const text = stamp(1, 2, 3);
  for (let index = 0; index < STAMP_LENGTH; index++) {
    for (const other of [" ", '"', "é", "\0"]) {
      const bytes = Buffer.from(`${text.slice(0, index)}${other}${text.slice(index + 1)}`);
      expect(isStampAt(bytes, 0)).toBe(false);
    }
  }
});

test("a stamp has the clock that all processes share", () => {
  const before = process.hrtime.bigint() / 1_000n;
  const between = BigInt(now());
  const after = process.hrtime.bigint() / 1_000n;
  expect(before <= between && between <= after).toBe(true);
});
