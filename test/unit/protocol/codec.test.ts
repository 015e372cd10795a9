import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { msgpackCodec } from "roomcast/msgpack";
import { jsonCodec } from "../../../src/protocol/codec.ts";
import { MAX_EVENT_NAME_LENGTH, PacketError, parsePacket, type Packet } from "../../../src/protocol/packet.ts";

const SEED = 20_261_123;

const id = fc.maxSafeNat();
const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 });
const data = fc.jsonValue();

const event: fc.Arbitrary<Packet> = fc.record({ event: name, data, id, room: name }, { requiredKeys: ["event"] });
const reply: fc.Arbitrary<Packet> = fc.record({ reply: id, data }, { requiredKeys: ["reply"] });
const errorReply: fc.Arbitrary<Packet> = fc.record({
  reply: id,
  error: fc.record({ code: fc.string(), message: fc.string() }),
});

/** Text with halves of surrogate pairs, and what looks like their escapes. */
const ragged = fc
  .array(fc.constantFrom("\uD83D", "\uDE00", "\uDFFF", "\\", "\\ud83d", "ud800", '"', "a", "\u{1F600}", "\n"), {
    maxLength: 12,
  })
  .map((parts) => parts.join(""));
/** Without backslashes: `JSON.parse` of Node.js 24 and 26 takes `\\"` in a key for a key that it has seen (nodejs/node#63785). */
const raggedKey = ragged.map((text) => text.replaceAll("\\", ""));
const raggedData = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof({ maxDepth: 3 }, ragged, fc.array(tie("node")), fc.dictionary(raggedKey, tie("node"))),
})).node;
const raggedEvent = fc.record({ event: ragged, key: ragged, room: ragged, data: raggedData });
const raggedReply = fc.record({ reply: id, error: fc.record({ code: ragged, message: ragged }) });

/** Makes every text in a value well-formed. Of keys that become equal, the last counts. */
function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key.toWellFormed(), wellFormed(field)]));
}

const circular: Record<string, unknown> = {};
circular["self"] = circular;
const circularArray: unknown[] = [];
circularArray.push([circularArray]);

/** What no codec can represent. */
const UNSERIALISABLE: readonly (readonly [what: string, value: unknown])[] = [
  ["a function", () => 1],
  ["a symbol", Symbol("s")],
  ["an integer of 65 bits", 2n ** 64n],
  ["a circle", circular],
  ["a circle of arrays", circularArray],
  ["what turns into nothing", { toJSON: () => undefined }],
  [
    "what throws",
    {
      toJSON(): never {
        throw new Error("no");
      },
    },
  ],
];

describe.each([jsonCodec, msgpackCodec])("The codec of $protocol", (codec) => {
  test("decodes every packet as it was encoded, as far as JSON can", () => {
    fc.assert(
      fc.property(fc.oneof(event, reply, errorReply), (packet) => {
        // JSON has one zero.
        expect(parsePacket(codec.decode(codec.encode(packet)))).toEqual(JSON.parse(JSON.stringify(packet)));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("writes only text that every strict decoder takes, whatever text it is given", () => {
    fc.assert(
      fc.property(fc.oneof(raggedEvent, raggedReply), (packet) => {
        const message = codec.encode(packet);
        expect(String(message).isWellFormed()).toBe(true);
        expect(codec.decode(message)).toEqual(wellFormed(JSON.parse(JSON.stringify(packet))));
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  test("omits from data what JSON omits", () => {
    const leaf = fc.oneof(fc.jsonValue(), fc.constantFrom(undefined, new Set([1]), Symbol("s"), new Date(Number.NaN)));
    const { node } = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        leaf,
        leaf.map((json) => ({ toJSON: (key: string) => [key, json] })),
        fc.sparseArray(tie("node"), { maxLength: 5 }),
        fc.dictionary(fc.string(), tie("node"), { noNullPrototype: false }),
      ),
    }));
    fc.assert(
      fc.property(fc.array(node), (values) => {
        const packet = { event: "e", data: values };
        expect(codec.decode(codec.encode(packet))).toStrictEqual(JSON.parse(JSON.stringify(packet)));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("keeps the key of a request", () => {
    const packet = { event: "e", id: 1, key: "k" };
    expect(codec.decode(codec.encode(packet))).toStrictEqual(packet);
  });

  test.each(UNSERIALISABLE)("refuses %s as the data of an event", (_, value) => {
    expect(() => codec.encode({ event: "e", data: value })).toThrow(Error);
  });

  test.each(UNSERIALISABLE)("refuses %s as the data of a reply", (_, value) => {
    expect(() => codec.encode({ reply: 1, data: value })).toThrow(Error);
  });

  test("calls the `toJSON` of an object once", () => {
    const turns = { toJSON: () => ({ own: 1, toJSON: 2 }) };
    const stays = {
      own: 1,
      toJSON() {
        return this;
      },
    };
    expect(codec.decode(codec.encode({ reply: 1, data: [turns, stays] }))).toStrictEqual({
      reply: 1,
      data: [{ own: 1, toJSON: 2 }, { own: 1 }],
    });
  });

  test("treats a key __proto__ like any other key", () => {
    const own = JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"hasOwnProperty":2}') as object;
    const back = codec.decode(codec.encode({ event: "e", data: own })) as { data: { polluted?: unknown } };
    expect(Object.entries(back.data)).toStrictEqual(Object.entries(own));
    expect(Object.getPrototypeOf(back.data)).toBe(Object.prototype);
    expect(back.data.polluted).toBeUndefined();
  });
});

describe("jsonCodec", () => {
  test.each<[Packet, string]>([
    [{ event: "chat", data: { text: "hi" } }, '{"event":"chat","data":{"text":"hi"}}'],
    [{ data: [1], room: "lobby", id: 7, event: "chat" }, '{"event":"chat","id":7,"room":"lobby","data":[1]}'],
    [{ event: "ping" }, '{"event":"ping"}'],
    [{ event: "ping", data: undefined, id: undefined, room: undefined }, '{"event":"ping"}'],
    [{ event: "n", data: null, id: 0 }, '{"event":"n","id":0,"data":null}'],
    [{ event: 'quote " and \n', data: "\u2028" }, '{"event":"quote \\" and \\n","data":"\u2028"}'],
    [{ reply: 3, data: 5 }, '{"reply":3,"data":5}'],
    [{ reply: 3, data: undefined }, '{"reply":3}'],
    [{ reply: 3, error: { code: "c", message: "m" } }, '{"reply":3,"error":{"code":"c","message":"m"}}'],
  ])("writes %j with its fields in order", (packet, text) => {
    expect(jsonCodec.encode(packet)).toBe(text);
  });

  test("leaves binary messages to others", () => {
    expect(jsonCodec.decode(Buffer.from('{"event":"e"}'))).toBeUndefined();
  });

  test.each(["", "{", "hello", "{'event':1}", "\0", '{"event":"e"} trailing', "NaN", "undefined"])(
    "refuses %j without quoting it",
    (text) => {
      expect(() => jsonCodec.decode(text)).toThrow(new PacketError("The message is not valid JSON."));
    },
  );
});

/** What may come from a client, and what is to be made of it: the packet, or words that say what is wrong. */
const VERDICTS: readonly (readonly [value: unknown, says: RegExp | undefined])[] = [
  [{ event: "e" }, undefined],
  [{ event: "e", id: 0 }, undefined],
  [{ event: "e", id: Number.MAX_SAFE_INTEGER }, undefined],
  [{ event: "e", unknown: true }, undefined],
  [{ event: "x".repeat(MAX_EVENT_NAME_LENGTH) }, undefined],
  [{ event: "constructor", data: { hasOwnProperty: 1 } }, undefined],
  [{ reply: 0 }, undefined],
  [{ reply: 1, error: { code: "", message: "" } }, undefined],
  [null, /object/],
  [true, /object/],
  [0, /object/],
  ["event", /object/],
  [[], /object/],
  [[{ event: "e" }], /object/],
  [{}, /"event" or a number "reply"/],
  [{ type: "e" }, /"event" or a number "reply"/],
  [{ event: "" }, /"event" must be a non-empty string/],
  [{ event: null }, /"event" must be a non-empty string/],
  [{ event: 1 }, /"event" must be a non-empty string/],
  [{ event: ["e"] }, /"event" must be a non-empty string/],
  [{ event: "x".repeat(MAX_EVENT_NAME_LENGTH + 1) }, /at most 256/],
  [{ event: "x".repeat(1_000_000) }, /at most 256/],
  [{ event: "e", id: -1 }, /"id"/],
  [{ event: "e", id: 1.5 }, /"id"/],
  [{ event: "e", id: "1" }, /"id"/],
  [{ event: "e", id: null }, /"id"/],
  [{ event: "e", id: 2 ** 53 }, /"id"/],
  [{ event: "e", id: Number.NaN }, /"id"/],
  [{ event: "e", id: Number.POSITIVE_INFINITY }, /"id"/],
  [{ reply: -1 }, /"reply"/],
  [{ reply: "1" }, /"reply"/],
  [{ reply: null }, /"reply"/],
  [{ reply: {} }, /"reply"/],
  [{ reply: 1, error: null }, /"error"/],
  [{ reply: 1, error: "failed" }, /"error"/],
  [{ reply: 1, error: { code: 1, message: "m" } }, /"error"/],
  [{ reply: 1, error: { code: "c" } }, /"error"/],
  [{ reply: 1, error: [] }, /"error"/],
];

describe("parsePacket", () => {
  test.each(VERDICTS.filter(([, says]) => says === undefined))("takes %j as it is", (value) => {
    expect(parsePacket(value)).toBe(value);
  });

  test.each(VERDICTS.filter(([, says]) => says !== undefined))("refuses %j", (value, says) => {
    expect(() => parsePacket(value)).toThrow(PacketError);
    expect(() => parsePacket(value)).toThrow(says);
  });

  test("an event with a reply is an event", () => {
    expect(parsePacket({ event: "e", reply: "not looked at" })).toHaveProperty("event", "e");
  });

  test("names that objects inherit are not events", () => {
    const inherited = JSON.parse('{"__proto__":{"event":"polluted"}}') as object;
    expect(Object.hasOwn(inherited, "__proto__")).toBe(true);
    expect(() => parsePacket(inherited)).toThrow(PacketError);
    expect(({} as { event?: unknown }).event).toBeUndefined();
  });
});

/** What becomes of a message: a packet, or an error that tells the client what was wrong. */
function receive(text: string): string {
  try {
    parsePacket(jsonCodec.decode(text));
    return "a packet";
  } catch (error) {
    if (error instanceof PacketError) return error.message;
    throw error;
  }
}

describe("A message of a hostile client", () => {
  const nearly = fc.record(
    {
      event: fc.oneof(name, data),
      reply: fc.oneof(id, data),
      id: fc.oneof(id, data),
      error: fc.oneof(fc.record({ code: data, message: data }), data),
      data,
      __proto__: data,
    },
    { requiredKeys: [] },
  );

  test("is a packet, or is refused with a sentence", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      nearly.map((value) => JSON.stringify(value)),
      fc.tuple(nearly, fc.nat(40)).map(([value, end]) => JSON.stringify(value).slice(0, end)),
    );
    fc.assert(
      fc.property(text, (message) => {
        expect(receive(message)).toMatch(/^a packet$|^.{10,100}\.$/);
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  test.each<[string, string, string | RegExp]>([
    ["nested arrays", "[".repeat(100_000) + "]".repeat(100_000), /object|not valid JSON/],
    ["nested arrays as data", `{"event":"e","data":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, /packet|JSON/],
    [
      "nested objects as an error",
      `{"reply":1,"error":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`,
      /error|JSON/,
    ],
    ["arrays that never end", "[".repeat(1_000_000), /JSON/],
    ["a long number", `{"event":"e","id":${"9".repeat(100_000)}}`, /"id"/],
    ["many fields", `{${Array.from({ length: 50_000 }, (_, key) => `"${key}":0`).join()},"event":"e"}`, /packet/],
    ["a key given twice", '{"event":1,"event":"e"}', "a packet"],
  ])("%s, of any size, is dealt with", (_, text, says) => {
    expect(receive(text)).toMatch(says);
  });
});

test("a long run of backslashes, of which JSON may look back at each, is looked at once", () => {
  const run = "\\".repeat(2 ** 20);
  expect(jsonCodec.encode({ event: "e", data: `${run}\uD800` })).toBe(`{"event":"e","data":"${run}${run}\uFFFD"}`);
});
