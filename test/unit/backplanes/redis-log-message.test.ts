import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { LogEntry } from "../../../src/backplanes/backplane.ts";
import { decodeEntry, decodeMessage, encodeEntry, encodeEnvelope } from "../../../src/backplanes/redis/log-message.ts";

const entries = fc.array(
  fc.record({
    origin: fc.stringMatching(/^[\w-]{1,12}$/),
    number: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    envelope: fc.uint8Array({ maxLength: 40 }),
    isHole: fc.boolean(),
  }),
  { minLength: 1, maxLength: 5 },
);

function entryOf({ isHole, origin, number, envelope }: LogEntry & { readonly isHole: boolean }): LogEntry {
  return isHole ? { origin, number, envelope: new Uint8Array(), hole: true } : { origin, number, envelope };
}

function plain({ envelope, ...rest }: LogEntry): object {
  return { ...rest, envelope: Buffer.from(envelope).toString("hex") };
}

/** The message as the script makes it. */
function messageOf(all: readonly LogEntry[], at: number): Buffer {
  return Buffer.concat([Buffer.from(`\u0000\u0001179-ab 179-${at}\n`), ...all.map(encodeEntry)]);
}

test("entries come out as they went in, in the places that follow each other", () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 2 ** 50 }), (given, first) => {
      const all = given.map(entryOf);
      const expected = all.map((entry, index) => {
        return plain(Object.assign({ epoch: "179-ab", at: first + index, previous: first + index - 1 }, entry));
      });
      const message = decodeMessage(messageOf(all, first));
      expect(message instanceof Uint8Array ? [] : message.map(plain)).toEqual(expected);
      const read = all.map((entry, index) => decodeEntry(encodeEntry(entry), { epoch: "179-ab", at: first + index }));
      expect(read.map((record) => record && plain(record))).toEqual(expected);
    }),
  );
});

test("an envelope comes out as it went in, even if it looks like entries", () => {
  const likeEntries = messageOf([{ origin: "o", number: 1, envelope: Buffer.from("e") }], 1);
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.constant(likeEntries), fc.constant(Buffer.of(0, 0))), (envelope) => {
      expect(decodeMessage(encodeEnvelope(envelope))).toEqual(Buffer.from(envelope));
    }),
  );
});

test("what nodes send each other is published as it is", () => {
  const bundle = Buffer.from([2, 1, 1]);
  expect(encodeEnvelope(bundle)).toEqual(bundle);
});

test.each([
  ["no position", "\u0000\u0001\n1 1 o\ne"],
  ["no line", "\u0000\u0001179-ab 179-1"],
  ["an entry that ends early", "\u0000\u0001179-ab 179-1\n1 2 o\ne"],
  ["an entry without an origin", "\u0000\u0001179-ab 179-1\n1 1\ne"],
  ["an entry without a number", "\u0000\u0001179-ab 179-1\nn 1 o\ne"],
  ["an entry without a length", "\u0000\u0001179-ab 179-1\n1 l o\ne"],
  ["a length that leads back to the entry", "\u0000\u0001179-ab 179-1\n1 -7 o\ne"],
  ["a kind of a later release", "\u0000\u0002"],
  ["one byte", "\u0000"],
])("the hub is told of what cannot be read: %s", (_, text) => {
  const message = Buffer.from(text);
  expect(decodeMessage(message)).toEqual(message);
});

test("an entry with more behind it is none", () => {
  expect(decodeEntry(Buffer.from("1 1 o\nee"), { epoch: "e", at: 1 })).toBe(undefined);
});
