import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { pack } from "../../../src/msgpack/packable.ts";
import { Scales, TOLERANCE } from "../../support/weight/scales.ts";
import { jsonOf, shape, type Value } from "../../support/weight/shapes.ts";

const SEED = 20_261_130;
const KIB = 1024;

/** What the engine keeps of thousands of keys that it has not seen before. */
const NEW_KEYS = 4 * TOLERANCE;

/** The number of random shapes in each format; `npm run fuzz` tries more. */
const RANDOM_SHAPES = Number(process.env["WEIGHT_SHAPES"] ?? 250);
const HALF_AN_HOUR = 30 * 60_000;

/** As many units as make 64 KiB, in a list. */
function list(unit: string | ((place: number) => string)): string {
  const one = typeof unit === "string" ? () => unit : unit;
  const count = Math.ceil((64 * KIB) / (one(1000).length + 1));
  return `[${Array.from({ length: count }, (_, place) => one(place)).join()}]`;
}

/** Towers of 500 levels, in a list. */
function towers(open: (level: number) => string, close: string): string {
  return list(Array.from({ length: 500 }, (_, level) => open(level)).join("") + 0 + close.repeat(500));
}

const base36 = (place: number): string => place.toString(36);

/** `count` fields whose names no other object has. */
const fields = (place: number, count: number, value: string): string =>
  `{${Array.from({ length: count }, (_, field) => `"k${base36(place * count + field)}":${value}`).join()}}`;

const JSON_SHAPES: readonly (readonly [shape: string, text: string])[] = [
  ["one string", JSON.stringify("x".repeat(64 * KIB))],
  ["one string with a letter beyond Latin-1", JSON.stringify(`中${"x".repeat(64 * KIB)}`)],
  ["one string of escapes", `"${"\\u4e2d".repeat(10 * KIB)}"`],
  ["strings of two letters", list('"ab"')],
  ["different strings", list((place) => `"${base36(place)}"`)],
  ["different strings beyond Latin-1", list((place) => `"中${base36(place)}"`)],
  ["zeros", list("0")],
  ["fractions", list("1.5")],
  ["negative zeros among objects", `[{},${list("-0").slice(1)}`],
  ["empty lists", list("[]")],
  ["lists of one", list("[0]")],
  ["empty objects", list("{}")],
  ["equal objects", list('{"k":0}')],
  ["nested lists", towers(() => "[", "]")],
  ["nested lists with something before", towers(() => "[{},", "]")],
  ["nested objects", towers(() => '{"":', "}")],
  ["nested objects with different keys", towers((level) => `{"${base36(level)}":`, "}")],
  ["nested objects with an index", towers(() => '{"34":', "}")],
  ...[1, 2, 5, 11, 24, 130].map(
    (count) => [`objects of ${count} different keys`, list((place) => fields(place, count, "1.5"))] as const,
  ),
  ["objects in different orders", list((place) => `{"a":0,"${base36(place)}":0,"b":0}`)],
  ["one object", `{${list((place) => `"${base36(place)}":0`).slice(1, -1)}}`],
  ["one object of indices", `{${list((place) => `"${place}":0`).slice(1, -1)}}`],
  ["one object of distant indices", `{${list((place) => `"${place * 1000}":0`).slice(1, -1)}}`],
  ["one object of ids", `{${list((place) => `"${place * 7 + 1000}":{"x":1}`).slice(1, -1)}}`],
  ...["0", "16", "35", "36", "99", "500", "999", "1023", "1024", "4294967294", "4294967295", "99999999999"].map(
    (index) => [`objects with the index ${index}`, list(`{"${index}":0}`)] as const,
  ),
  ["objects with an index in escapes", list(String.raw`{"\u0039\u0039\u0039":0}`)],
  ["objects with an index that ends in an escape", list(String.raw`{"99\u0039":0}`)],
  ["objects with two indices", list('{"1023":0,"2500":0}')],
  ["objects with three indices", list('{"500":0,"1500":0,"2500":0}')],
  ["objects with small indices", list('{"0":0,"1":0,"2":0,"3":0}')],
  ["objects in objects with an index", list('{"999":{"998":{}}}')],
  ["objects with a list at an index", list('{"999":[0]}')],
  ["a key __proto__", list('{"__proto__":{}}')],
];

/** An array of units in hexadecimal that make 64 KiB. */
function packed(unit: string): Buffer {
  const count = Math.ceil((128 * KIB) / unit.length);
  return Buffer.from(`dd${count.toString(16).padStart(8, "0")}${unit.repeat(count)}`, "hex");
}

const tower = (open: string): Buffer => packed(`${open.repeat(500)}00`);
/** Maps from 0 to the next one. */
function maps(levels: number): string {
  let text = "00";
  for (let level = 0; level < levels; level++) {
    text = `c9${(text.length / 2 + 2).toString(16).padStart(8, "0")}4d9200${text}`;
  }
  return text;
}

const key = (index: number): string => `a${String(index).length}${Buffer.from(String(index)).toString("hex")}`;

const MESSAGE_PACK_SHAPES: readonly (readonly [shape: string, message: Uint8Array])[] = [
  ["zeros", packed("00")],
  ["fractions", packed("ca3fc00000")],
  ["fractions among others", packed("9290ca3fc00000")],
  ["large integers", packed("cfffffffffffffffff")],
  ["strings", packed("a26162")],
  ["long strings", packed(`d9ff${"61".repeat(255)}`)],
  ["strings beyond Latin-1", packed("a3e4b8ad")],
  ["empty bytes", packed("c400")],
  ["bytes", packed(`c420${"00".repeat(32)}`)],
  ["times", packed("d6ff00000000")],
  ["empty arrays", packed("90")],
  ...[1, 2, 3, 4, 5, 15].map(
    (count) => [`arrays of ${count}`, packed(`9${count.toString(16)}${"00".repeat(count)}`)] as const,
  ),
  ["arrays of 17", packed(`dc0011${"00".repeat(17)}`)],
  ["empty maps", packed("80")],
  ["equal maps", packed("81a16b00")],
  ["empty Maps", packed("c7014d90")],
  ["Maps of one", packed("c7034d920000")],
  ["Maps of five", packed("c70b4d9a00000100020003000400")],
  ["nested arrays", tower("91")],
  ["nested arrays with something before", tower("9280")],
  ["nested maps", tower("81a0")],
  ["nested maps with an index", tower(`81${key(34)}`)],
  ["nested Maps", packed(maps(500))],
  ...[0, 35, 36, 99, 999, 1023, 1024].map(
    (index) => [`maps with the index ${index}`, packed(`81${key(index)}00`)] as const,
  ),
  ["maps with two indices", packed(`82${key(1023)}00${key(2500)}00`)],
  ["maps with three indices", packed(`83${key(500)}00${key(1500)}00${key(2500)}00`)],
];

describe.each([
  { format: "JSON", isBinary: false, shapes: JSON_SHAPES.map(([name, text]) => [name, Buffer.from(text)] as const) },
  { format: "MessagePack", isBinary: true, shapes: MESSAGE_PACK_SHAPES },
])("The weight of $format", ({ isBinary, shapes }) => {
  const scales = new Scales();
  afterAll(() => scales.close());
  const encode = (value: Value): Uint8Array => (isBinary ? pack(value) : Buffer.from(jsonOf(value)));

  test.each(shapes)("is at least what is held of %s, decoded, cloned or copied", async (_, message) => {
    const { weight, held } = await scales.weigh(message, isBinary);
    expect(held).toBeLessThanOrEqual(weight + TOLERANCE);
  });

  test(
    "is at least what is held of any small shape, many times or nested",
    async () => {
      await fc.assert(
        fc.asyncProperty(shape, async (value) => {
          const { weight, held } = await scales.weigh(encode(value), isBinary, NEW_KEYS);
          expect(held).toBeLessThanOrEqual(weight + NEW_KEYS);
        }),
        { seed: SEED, numRuns: RANDOM_SHAPES },
      );
    },
    HALF_AN_HOUR,
  );
});
