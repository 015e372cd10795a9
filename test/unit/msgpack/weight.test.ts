import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { msgpackCodec } from "roomcast/msgpack";
import { afterAll, describe, expect, test } from "vitest";
import { messagePackWeight } from "../../../src/msgpack/weight.ts";
import { PacketError } from "../../../src/protocol/packet.ts";
import { Scales, TOLERANCE } from "../../support/weight/scales.ts";
import { value } from "./values.ts";

const SEED = 20_261_130;

/** An array of so many units, given in hexadecimal. */
function list(unit: string, count: number): Buffer {
  return Buffer.from(`dd${count.toString(16).padStart(8, "0")}${unit.repeat(count)}`, "hex");
}

/** Some of the worst; all are in the system tests. */
const SHAPES: readonly (readonly [shape: string, message: Buffer])[] = [
  ["arrays of one", list("9100", 20_000)],
  ["nested arrays", list(`${"91".repeat(500)}00`, 100)],
  ["nested maps", list(`${"81a0".repeat(500)}00`, 50)],
  ["maps with an index", list("81a339393900", 5_000)],
  ["maps with two indices", list("82a43130323300a43235303000", 2_000)],
  ["empty bytes", list("c400", 5_000)],
  ["empty Maps", list("c7014d90", 5_000)],
  ["Maps of one", list("c7034d920000", 5_000)],
  ["times", list("d6ff00000000", 5_000)],
];

/** What data weighs beside its bytes. */
function of(data: unknown): number {
  const message = msgpackCodec.encode({ event: "e", data }) as Uint8Array;
  return messagePackWeight(message) - 2 * message.length;
}

describe("The weight of MessagePack", () => {
  const scales = new Scales();
  afterAll(() => scales.close());

  test.each(SHAPES)("is at least what is held of %s, read, cloned or copied", async (_, message) => {
    const { weight, held } = await scales.weigh(message, true);
    expect(held).toBeLessThanOrEqual(weight + TOLERANCE);
  });

  test.each<[string, string, string]>([
    ["arrays", "91", "91"],
    ["long arrays", "dc0001", "dd00000001"],
    ["maps", "81a0", "de0001a0"],
    ["Maps", "c9000000004d91", "91"],
  ])("exists for %s that are nested 512 deep, and not for one level more", (_, one, other) => {
    const deepest = (one + other).repeat(256);
    expect(messagePackWeight(Buffer.from(`${deepest}00`, "hex"))).toBeGreaterThan(64 * 512);
    const error = new PacketError("The message is nested more than 512 deep.");
    expect(() => messagePackWeight(Buffer.from(`${deepest}9100`, "hex"))).toThrow(error);
    expect(() => messagePackWeight(Buffer.from(`${deepest}8100`, "hex"))).toThrow(error);
  });

  test("is the same whatever stands around a value", () => {
    const empty = of([]);
    fc.assert(
      fc.property(value, value, (one, other) => {
        expect(of([one, other]) - empty - 48).toBe(of([one]) + of([other]) - 2 * (empty + 24));
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test("is that of its bytes alone for what is no MessagePack, however long it says that it is", () => {
    for (const token of ["db", "c6", "c9", "dd", "df"]) {
      const message = Buffer.from(`${token}ffffffff`, "hex");
      expect(messagePackWeight(message)).toBeLessThan(2 ** 33);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(messagePackWeight(bytes)).toBeGreaterThanOrEqual(2 * bytes.length);
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });
});
