import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { addExtension, Packr, unpack } from "msgpackr";
import { describe, expect, test } from "vitest";
import { msgpackCodec } from "roomcast/msgpack";
import { MAX_TIME, value } from "./values.ts";

const SEED = 20_261_124;

const encode = (data: unknown): Uint8Array => msgpackCodec.encode({ event: "e", data }) as Uint8Array;
const decode = (message: Uint8Array): unknown => (msgpackCodec.decode(message) as { data: unknown }).data;

/** The map {"event": "e", "data": …} up to the data. */
const HEAD = "82a56576656e74a165a464617461";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const message = (data: string): Uint8Array => Buffer.from(HEAD + data, "hex");

describe("A value that JSON does not have", () => {
  test("survives, also nested", () => {
    fc.assert(
      fc.property(value, (data) => {
        expect(decode(encode(data))).toStrictEqual(data);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test.each<[string, unknown, string]>([
    ["bytes", new Uint8Array([1, 255]), "c40201ff"],
    ["no bytes", new Uint8Array(), "c400"],
    ["a Date of whole seconds", new Date(1_000), "d6ff00000001"],
    ["a Date of milliseconds", new Date(1_767_225_600_123), "d7ff1d5353006955b900"],
    ["a Date before 1970", new Date(-1), "c70cff3b8b87c0ffffffffffffffff"],
    ["a Date after 2106", new Date(4_294_967_296_000), "c70cff000000000000000100000000"],
    ["the first Date", new Date(-MAX_TIME), "c70cff00000000fffff82457de8000"],
    ["the last Date", new Date(MAX_TIME), "c70cff00000000000007dba8218000"],
    [
      "a Map",
      new Map<unknown, unknown>([
        ["a", 1],
        [2, null],
      ]),
      "c7064d94a1610102c0",
    ],
    ["an empty Map", new Map(), "d44d90"],
    ["a Map in a Map", new Map([[new Map([[1, 2]]), 3]]), "d74d92c7034d92010203"],
    ["the largest integer of 64 bits", 2n ** 64n - 1n, "cfffffffffffffffff"],
    ["the smallest integer of 64 bits", -(2n ** 63n), "d38000000000000000"],
    ["infinity", Number.POSITIVE_INFINITY, "cb7ff0000000000000"],
    ["not a number", Number.NaN, "cb7ff8000000000000"],
    ["an integer of 53 bits", Number.MAX_SAFE_INTEGER, "d3001fffffffffffff"],
    ["a negative integer of 53 bits", Number.MIN_SAFE_INTEGER, "d3ffe0000000000001"],
    ["the first integer beyond 32 bits", 2 ** 32, "d30000000100000000"],
    ["the last integer of 32 bits", 2 ** 32 - 1, "ceffffffff"],
    ["the first negative integer beyond 32 bits", -(2 ** 31) - 1, "d3ffffffff7fffffff"],
    ["an integer that a double may have rounded", 2 ** 53, "cb4340000000000000"],
    ["text that begins with a byte order mark", `\uFEFF${"x".repeat(99)}`, "d966efbbbf" + "78".repeat(99)],
  ])("%s is standard MessagePack", (_, data, bytes) => {
    expect(hex(encode(data))).toBe(HEAD + bytes);
    expect(decode(message(bytes))).toStrictEqual(data);
  });

  test.each<[string, unknown]>([
    ["cc05", 5],
    ["ce00000005", 5],
    ["cf0000000000000005", 5],
    ["cf001fffffffffffff", Number.MAX_SAFE_INTEGER],
    ["cf0020000000000000", 2n ** 53n],
    ["d3ffe0000000000001", -Number.MAX_SAFE_INTEGER],
    ["d0ff", -1],
    ["d1ffff", -1],
    ["d2ffffffff", -1],
    ["ca3fc00000", 1.5],
    ["da000161", "a"],
    ["db0000000161", "a"],
    ["c6000000017f", new Uint8Array([127])],
    ["dd00000001c0", [null]],
    ["df00000001a16101", { a: 1 }],
    ["82a16101a16102", { a: 2 }],
    ["c9000000034d920102", new Map([[1, 2]])],
    ["d7ff0000000000000001", new Date(1_000)],
    ["d7ff0000000300000000", new Date(3 * 2 ** 32 * 1_000)],
    ["c70cff3b9ac9ffffffffffffffffff", new Date(-1)],
  ])("%s, which others may write, is understood", (bytes, data) => {
    expect(decode(message(bytes))).toStrictEqual(data);
  });

  test.each<[string, unknown, unknown]>([
    ["a Buffer", Buffer.from([1]), new Uint8Array([1])],
    ["an invalid Date", [new Date(Number.NaN)], [null]],
    ["a small bigint", 5n, 5],
    ["a Map with what JSON leaves out", new Map([[undefined, () => 1]]), new Map([[null, null]])],
    ["half a surrogate pair", { "\uD800k": "\uDC00v" }, { "\uFFFDk": "\uFFFDv" }],
    ["half a surrogate pair in long text", `\uD800${"x".repeat(99)}`, `\uFFFD${"x".repeat(99)}`],
    ["toJSON that returns bytes", { toJSON: () => new Uint8Array([1]) }, new Uint8Array([1])],
    ["an object of many fields", wide(70_000), wide(70_000)],
  ])("%s becomes what the other end can read", (_, data, becomes) => {
    expect(decode(encode(data))).toStrictEqual(becomes);
  });

  test.each<[string, unknown, RegExp]>([
    ["an integer below 64 bits", -(2n ** 63n) - 1n, /64 bits/],
    ["arrays 512 deep", nested(512), /512/],
    ["a Map that contains itself", selfish(), /contains itself/],
    ["a Map of 1,025 numbers", numbered(1025), /1024/],
  ])("%s cannot be sent", (_, data, says) => {
    expect(() => encode(data)).toThrow(TypeError);
    expect(() => encode(data)).toThrow(says);
  });

  test.each<[string, unknown]>([
    ["arrays 511 deep", nested(511)],
    ["a Map of 1,024 numbers", numbered(1024)],
    ["a Map of many names", new Map(Object.entries(wide(5_000)))],
  ])("%s can", (_, data) => {
    expect(decode(encode(data))).toStrictEqual(data);
  });
});

describe("Memory", () => {
  test("a message belongs to the caller, and neither to msgpackr's pool nor to the next message", () => {
    const first = encode("first");
    const before = hex(first);
    expect(first.buffer.byteLength).toBe(first.byteLength);
    encode("other");
    expect(hex(first)).toBe(before);
    expect(Object.getPrototypeOf(first)).toBe(Uint8Array.prototype);
  });

  test("a value that was read shares no memory with its message", () => {
    const bytes = Buffer.from(encode([new Uint8Array([1, 2, 3]), new Map([["k", new Uint8Array([4])]])]));
    const data = decode(bytes);
    bytes.fill(0);
    expect(data).toStrictEqual([new Uint8Array([1, 2, 3]), new Map([["k", new Uint8Array([4])]])]);
  });
});

describe("Other users of msgpackr in the process", () => {
  test("write a Map as they did, and read their own extension 77", () => {
    const map = new Map([["a", 1]]);
    expect(hex(new Packr({ useRecords: false }).pack(map))).toBe("81a16101");
    const theirs = Buffer.from("d44d07", "hex");
    expect(() => unpack(theirs) as unknown).toThrow("Unknown extension");
    addExtension({ type: 77, unpack: ([byte]) => ({ byte }) });
    expect(unpack(theirs)).toStrictEqual({ byte: 7 });
    expect(decode(encode(map))).toStrictEqual(map);
  });

  test("read the values of JSON that we write, and we read theirs", () => {
    const packr = new Packr({ useRecords: false });
    fc.assert(
      fc.property(fc.jsonValue(), (data) => {
        const packet = { event: "e", data: JSON.parse(JSON.stringify(data)) as unknown };
        expect(packr.unpack(encode(packet.data))).toEqual(packet);
        expect(msgpackCodec.decode(packr.pack(packet))).toStrictEqual(packet);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});

function wide(size: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: size }, (_, index) => [`k${index}`, index]));
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

function numbered(size: number): Map<number, number> {
  return new Map(Array.from({ length: size }, (_, index) => [index, index]));
}

function selfish(): Map<string, unknown> {
  const map = new Map<string, unknown>();
  return map.set("self", map);
}
