import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { jsonWeight } from "roomcast";
import { afterAll, describe, expect, test } from "vitest";
import { PacketError } from "../../../src/protocol/packet.ts";
import { Scales, TOLERANCE } from "../../support/weight/scales.ts";

const SEED = 20_261_130;
const KIB = 1024;

const weigh = (text: string): number => jsonWeight(Buffer.from(text));

/** As many units as make 64 KiB, in a list. */
function list(unit: string | ((place: number) => string)): string {
  const one = typeof unit === "string" ? () => unit : unit;
  const count = Math.ceil((64 * KIB) / (one(1000).length + 1));
  return `[${Array.from({ length: count }, (_, place) => one(place)).join()}]`;
}

/** Some of the worst; all are in the system tests. */
const SHAPES: readonly (readonly [shape: string, text: string])[] = [
  ["one string with a letter beyond Latin-1", JSON.stringify(`中${"x".repeat(64 * KIB)}`)],
  ["different strings", list((place) => `"中${place.toString(36)}"`)],
  ["lists of one", list("[0]")],
  ["empty objects", list("{}")],
  ["nested objects", list(`${'{"a":'.repeat(500)}0${"}".repeat(500)}`)],
  ["objects of different keys", list((place) => `{"k${place.toString(36)}":1.5}`)],
  ["objects with an index", list('{"999":0}')],
  ["objects with an index in escapes", list(String.raw`{"\u0039\u0039\u0039":0}`)],
  ["objects with two indices", list('{"1023":0,"2500":0}')],
];

describe("The weight of JSON", () => {
  const scales = new Scales();
  afterAll(() => scales.close());

  test.each(SHAPES)("is at least what is held of %s, parsed, cloned or copied", async (_, text) => {
    const { weight, held } = await scales.weigh(Buffer.from(text), false);
    expect(held).toBeLessThanOrEqual(weight + TOLERANCE);
  });

  test.each<[string, number, string]>([
    ["text", 5, list((place) => `{"id":${place},"from":"ann","text":"${"lorem ipsum ".repeat(12)}"}`)],
    ["one string", 3, JSON.stringify("x".repeat(64 * KIB))],
    ["bytes as integers", 9, list((place) => String(100 + (place % 156)))],
    ["coordinates", 8, list((place) => `[${13.377 + place / 7},${52.516 + place / 3}]`)],
    ["rows", 14, list((place) => `{"id":${place},"name":"name ${place}","score":${place / 7},"active":true}`)],
    ["points", 17, list((place) => `{"x":${(place / 7).toFixed(3)},"y":${(place / 3).toFixed(3)}}`)],
    ["rows by id", 23, `{${list((place) => `"${place * 7 + 1000}":{"name":"n","age":7}`).slice(1, -1)}}`],
    ["dates as keys", 24, `{${list((place) => `"2026-01-${place}":{"high":7}`).slice(1, -1)}}`],
  ])("is small for %s: at most %d for each byte", (_, most, text) => {
    expect(weigh(text) / Buffer.byteLength(text)).toBeLessThan(most);
  });

  test("does not depend on spaces", () => {
    const dense = '{"7":[1,{"a":"b"}],"999":{}}';
    const spaced = dense.replaceAll(/[{}[\],:]/g, " \n$&\t\r ");
    expect(weigh(spaced) - 2 * spaced.length).toBe(weigh(dense) - 2 * dense.length);
  });

  test("does not look into strings, however they end", () => {
    const inside = fc.oneof(
      fc.constantFrom(
        "[",
        "{",
        ",",
        ":",
        '"',
        "\\",
        "\\\\",
        '\\"',
        "é",
        "x".repeat(23),
        "x".repeat(24),
        "x".repeat(48),
        '{"999":0}',
      ),
      fc.string({ unit: "binary" }),
    );
    const text = fc.array(inside, { maxLength: 12 }).map((parts) => JSON.stringify(parts.join("")));
    fc.assert(
      fc.property(text, fc.nat(60), (string, length) => {
        const plain = JSON.stringify("x".repeat(length));
        const bytes = Buffer.byteLength(string);
        expect(weigh(`[{},${string},{}]`) - 2 * bytes).toBe(weigh(`[{},${plain},{}]`) - 2 * plain.length);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test.each<[string, string, string]>([
    ["lists", "[", "]"],
    ["objects", '{"a":', "}"],
    ["lists and objects", '[{"a":', "}]"],
    ["lists behind strings", '["[[[",', "]"],
    ["objects behind others", '{"b":"{","a":', "}"],
    ["spaced lists", " [ \n", " ] "],
  ])("exists for %s that are nested 512 deep, and not for one level more", (_, open, close) => {
    const levels = open.startsWith("[{") ? 255 : 510;
    const inner = `${open.repeat(levels)}[0]${close.repeat(levels)}`;
    const deepest = `{"data":${inner}}`;
    expect(JSON.parse(deepest)).toBeTypeOf("object");
    expect(weigh(deepest)).toBeGreaterThan(0);
    const error = new PacketError("The message is nested more than 512 deep.");
    expect(() => weigh(`[${deepest}]`)).toThrow(error);
    expect(() => weigh(deepest.replace("[0]", "[{}]"))).toThrow(error);
    expect(() => weigh(deepest.replace("[0]", '{"a":[]}'))).toThrow(error);
  });

  test("is the same whatever was weighed before", () => {
    const text = '{"999":{"1":0}}';
    const before = weigh(text);
    expect(() => weigh('{"5000":'.repeat(600))).toThrow(PacketError);
    expect(weigh(text)).toBe(before);
  });

  test("exists for what is no JSON, and needs no more than the place of a byte", () => {
    const part = fc.constantFrom(
      "[",
      "]",
      "{",
      "}",
      ",",
      ":",
      '"',
      "\\",
      "u0039",
      " ",
      "1",
      "é",
      '"999":',
      "]]",
      "}}",
      '"\\"',
      "\u{1f300}",
    );
    const broken = fc.oneof(
      fc.array(part, { maxLength: 300 }).map((parts) => Buffer.from(parts.join(""))),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(fc.json(), fc.nat(60)).map(([json, end]) => Buffer.from(json.slice(0, end))),
    );
    fc.assert(
      fc.property(broken, (bytes) => {
        expect(jsonWeight(bytes)).toBeGreaterThanOrEqual(2 * bytes.length);
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  test.each<[string, string]>([
    ["quotes", '"'],
    ["backslashes", "\\"],
    ["escaped quotes", '\\"'],
    ["long strings with escaped quotes", `${"x".repeat(60)}\\"`],
    ["spaces", " "],
    ["strings", '"x",'],
    ["long keys of digits", `"${"9".repeat(50)}":`],
    ["keys", '"9":'],
    ["colons", ":"],
  ])("looks at each byte of a flood of %s about once", (_, unit) => {
    const flood = unit.repeat((32 * KIB) / unit.length);
    for (const text of [flood, `"${flood}`]) expect(looksAt(text)).toBeLessThan(2 * text.length);
  });
});

/** How many bytes are looked at, those included that the engine passes when it searches. */
function looksAt(text: string): number {
  const bytes = Buffer.from(text);
  let looks = 0;
  jsonWeight(
    new Proxy(bytes, {
      get(target, name) {
        if (name === "length") return target.length;
        if (name === "indexOf") {
          return (byte: number, start: number) => {
            const found = target.indexOf(byte, start);
            looks += (found < 0 ? target.length : found) - start;
            return found;
          };
        }
        looks++;
        return target[Number(name)];
      },
    }),
  );
  return looks;
}
