import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { msgpackCodec } from "roomcast/msgpack";
import { PacketError } from "../../../src/protocol/packet.ts";
import { value } from "./values.ts";

const SEED = 20_261_125;

/** What becomes of a message: "a value", or the sentence that its sender is told. */
function receive(message: Uint8Array): string {
  try {
    for (const object of objects(msgpackCodec.decode(message))) {
      if (!isOrdinary(object, message)) return `an odd ${object.constructor.name}`;
    }
    return "a value";
  } catch (error) {
    if (error instanceof PacketError) return error.message;
    throw error;
  }
}

/** Of one of the few types that there are, and of no bytes but its own. */
function isOrdinary(object: object, { buffer }: Uint8Array): boolean {
  if (!ORDINARY.has(Object.getPrototypeOf(object))) return false;
  if (object instanceof Date) return !Number.isNaN(object.getTime());
  if (!(object instanceof Uint8Array)) return true;
  return object.buffer !== buffer && object.buffer.byteLength === object.byteLength;
}

const ORDINARY: ReadonlySet<unknown> = new Set(
  [Object, Array, Map, Date, Uint8Array].map(({ prototype }) => prototype as unknown),
);

/** Every object in what was read. */
function* objects(read: unknown): Generator<object> {
  if (typeof read !== "object" || read === null) return;
  yield read;
  if (read instanceof Uint8Array || read instanceof Date) return;
  const inside = read instanceof Map ? [...read].flat() : Object.values(read);
  for (const item of inside) yield* objects(item);
}

function check(message: Uint8Array): void {
  expect(receive(message)).toMatch(/^a value$|^The message .{10,90}\.$/);
}

/** Bytes that begin something: what random ones seldom do. */
const meaningful = fc.oneof(
  fc.integer({ min: 0x80, max: 0xdf }),
  fc.constantFrom(0, 1, 4, 12, 0x42, 0x4d, 0x62, 0x65, 0x69, 0x70, 0x72, 0x73, 0x74, 0x78, 0xff),
);

interface Change {
  readonly at: number;
  readonly take: number;
  readonly put: readonly number[];
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(2 ** 20),
  take: fc.nat(3),
  put: fc.array(fc.oneof(fc.integer({ min: 0, max: 255 }), meaningful), { maxLength: 3 }),
});

function changed(message: Uint8Array, changes: readonly Change[]): Uint8Array {
  const bytes = [...message];
  for (const { at, take, put } of changes) bytes.splice(at % (bytes.length + 1), take, ...put);
  return Uint8Array.from(bytes);
}

describe("A message of a hostile client", () => {
  test("is read or refused if it is random bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), check), { seed: SEED, numRuns: 3_000 });
  });

  test("is read or refused if it is random beginnings of values", () => {
    const message = fc.array(meaningful, { maxLength: 60 }).map((bytes) => Uint8Array.from(bytes));
    fc.assert(fc.property(message, check), { seed: SEED, numRuns: 10_000 });
  });

  test("is read or refused if it was changed on the way", () => {
    const message = fc
      .tuple(value, fc.array(change, { minLength: 1, maxLength: 4 }))
      .map(([data, changes]) => changed(msgpackCodec.encode({ event: "e", data }) as Uint8Array, changes));
    fc.assert(fc.property(message, check), { seed: SEED, numRuns: 800 });
  });

  test("is refused if it is cut short or continued", () => {
    const data = { a: [1, "two", new Uint8Array(3), new Date(0)], b: new Map([[4n ** 31n, null]]) };
    const whole = msgpackCodec.encode({ event: "e", data }) as Uint8Array;
    const beginnings = Array.from(whole.keys(), (end) => receive(whole.subarray(0, end)));
    expect(new Set(beginnings)).toStrictEqual(new Set(["The message ends within a MessagePack value."]));
    expect(receive(Uint8Array.of(...whole, 0xc0))).toBe("The message goes on after its MessagePack value.");
  });

  test.each<[string, string, RegExp]>([
    ["nothing", "", /ends within/],
    ["the byte that is not used", "c1", /0xc1/],
    ["text of invalid UTF-8", "a2c328", /UTF-8/],
    ["long text of invalid UTF-8", `d940${"61".repeat(63)}ff`, /UTF-8/],
    ["text with half a surrogate pair", "a3eda080", /UTF-8/],
    ["a key that is a number", "810102", /key/],
    ["a key that is bytes", "81c4016102", /key/],
    ["a key that is a list", "819002", /key/],
    ["an unknown extension", "d40500", /neither -1 nor 77/],
    ["a record", "d4724091a16101", /neither -1 nor 77/],
    ["a regular expression", "d4780092a12ea0", /neither -1 nor 77/],
    ["an error", "d4650093a0a0c0", /neither -1 nor 77/],
    ["a Set", "d4730090", /neither -1 nor 77/],
    ["a reference to itself", "d6690000000191d67000000001", /neither -1 nor 77/],
    ["a typed array", "c705740800000000", /neither -1 nor 77/],
    ["a timestamp of 1 byte", "d4ff00", /4, 8 or 12/],
    ["a timestamp of 2^30 nanoseconds", "d7ffffffffff00000000", /out of range/],
    ["a timestamp of 2^32 nanoseconds", "c70cffffffffff0000000000000000", /out of range/],
    ["a timestamp after the last Date", "c70cff00000000000007dba8218001", /out of range/],
    ["a timestamp before the first Date", "c70cff000000008000000000000000", /out of range/],
    ["a Map of nothing", "c7004d", /ends within/],
    ["a Map that is no array", "d44d80", /Map/],
    ["a Map with a key that has no value", "d54d9101", /Map/],
    ["a Map with more than its array", "d54d9000", /Map/],
    ["a Map with less than its array", "d54d920102", /Map/],
  ])("%s is refused", (_, bytes, says) => {
    expect(receive(Buffer.from(bytes, "hex"))).toMatch(says);
  });

  test.each(["db", "c6", "c9", "dd", "df"])("is refused if its five bytes announce 4 GiB (%s)", (token) => {
    expect(receive(Buffer.from(`${token}ffffffff`, "hex"))).toMatch(/ends within/);
  });

  test.each<[string, Uint8Array]>([
    ["arrays", new Uint8Array(1_000_000).fill(0x91)],
    ["maps", Buffer.from("81a161".repeat(300_000), "hex")],
    ["Maps", Buffer.from("c9000f00004d92c0".repeat(100_000), "hex")],
    ["announcements of arrays", Buffer.from("dd00010000".repeat(200_000), "hex")],
  ])("a million bytes of nested %s are refused", (_, message) => {
    expect(receive(message)).toMatch(/nested more than 512 deep/);
  });

  test("is refused if it is Maps that are Maps, a million bytes deep", () => {
    expect(receive(Buffer.from("d54d".repeat(500_000), "hex"))).toMatch(/Map that is not/);
  });

  test("cannot have thousands of colliding numbers as the keys of a Map", () => {
    const entries = Array.from({ length: 1_025 }, (_, key) => `cd${key.toString(16).padStart(4, "0")}c0`).join("");
    const payload = `dc${(2_050).toString(16).padStart(4, "0")}${entries}`;
    const length = (payload.length / 2).toString(16).padStart(8, "0");
    expect(receive(Buffer.from(`c9${length}4d${payload}`, "hex"))).toMatch(/more than 1024 keys/);
  });
});
