import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { constants, deflateRawSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as library from "ws";
import { Batch } from "../../../../src/delivery/batch.ts";
import { Deflater, MIN_WINDOW_BITS } from "../../../../src/transports/ws/deflater.ts";
import { OutgoingFrame } from "../../../../src/delivery/outgoing-frame.ts";
import { inflate } from "../../../support/inflate.ts";

/** What `ws` exports but does not declare. */
const { PerMessageDeflate, Receiver } = library as unknown as {
  PerMessageDeflate: new (options: object) => { accept(offers: object[]): unknown };
  Receiver: new (options: object) => Writable;
};

const RSV1 = 0x40;
const LETTERS = randomBytes(3_000).toString("base64");

function sequenceOf(...messages: readonly (string | Uint8Array)[]): Batch {
  return messages.reduce<Batch>((batch, message) => batch.append(new OutgoingFrame(message)), new Batch());
}

/** The messages that a client of `ws` reads, which compares the rules of the extension as it goes. */
async function read(bytes: Buffer, count: number): Promise<(string | number[])[]> {
  const extension = new PerMessageDeflate({ isServer: false });
  extension.accept([{ server_no_context_takeover: [true] }]);
  const receiver = new Receiver({ isServer: false, extensions: { "permessage-deflate": extension } });
  const messages: (string | number[])[] = [];
  const all = new Promise<void>((resolve, reject) => {
    receiver.on("error", reject);
    receiver.on("message", (data: Buffer, isBinary: boolean) => {
      messages.push(isBinary ? [...data] : data.toString());
      if (messages.length === count) resolve();
    });
  });
  receiver.end(bytes);
  await Promise.all([all, once(receiver, "finish")]);
  return messages;
}

function inflateFrame(frame: Buffer, windowBits: number): string {
  const length = frame.readUInt8(1);
  return inflate(frame.subarray(length < 126 ? 2 : length === 126 ? 4 : 10), windowBits);
}

describe("Deflater", () => {
  test("compresses any messages to frames that are read as these messages and are never longer", async () => {
    const text = fc.oneof(fc.string({ maxLength: 2_000 }), fc.stringMatching(/^(ab|cde){0,900}$/));
    const binary = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.uint8Array({ max: 3, maxLength: 3_000, size: "max" }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(text, binary), { minLength: 1, maxLength: 10 }),
        fc.integer({ min: MIN_WINDOW_BITS, max: 15 }),
        async (messages, windowBits) => {
          const sequence = sequenceOf(...messages);
          const bytes = new Deflater(windowBits).bytesOf(sequence);
          expect(bytes.length).toBeLessThanOrEqual(sequence.byteLength);
          expect(await read(bytes, messages.length)).toEqual(
            messages.map((message) => (typeof message === "string" ? message : [...message])),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each([
    ["text of a megabyte", "a price, a time, a place ".repeat(42_000)],
    ["binary of a megabyte", new Uint8Array(1_048_576).map((_, index) => (index * index) >> 12)],
    ["text of 64 KiB, where headers grow", LETTERS.repeat(17).slice(0, 65_536)],
  ])("%s comes out as it went in", async (_name, message) => {
    const sequence = sequenceOf(message);
    const bytes = new Deflater(15).bytesOf(sequence);
    expect(bytes.length).toBeLessThan(sequence.byteLength);
    expect(await read(bytes, 1)).toEqual([typeof message === "string" ? message : [...message]]);
  });

  test("compresses a sequence once, and each frame once for all sequences", () => {
    const deflater = new Deflater(15);
    const frame = new OutgoingFrame("x".repeat(1_000));
    const sequence = new Batch().append(frame);
    const bytes = deflater.bytesOf(sequence);
    expect(deflater.bytesOf(sequence)).toBe(bytes);
    expect(deflater.bytesOf(new Batch().append(frame))).toBe(bytes);
    const longer = deflater.bytesOf(new Batch().append(new OutgoingFrame("first")).append(frame));
    expect(longer.subarray(-bytes.length)).toEqual(bytes);
    expect(deflater.bytesOf(new Batch().append(new OutgoingFrame("x".repeat(1_000))))).not.toBe(bytes);
  });

  test("says in the header that a frame is compressed, and keeps its kind", () => {
    const deflater = new Deflater(15);
    expect(deflater.bytesOf(sequenceOf("x".repeat(256)))[0]).toBe(0x81 | RSV1);
    expect(deflater.bytesOf(sequenceOf(new Uint8Array(256)))[0]).toBe(0x82 | RSV1);
  });

  test("leaves off the empty block that a flush ends with", () => {
    const { length } = new Deflater(15).bytesOf(sequenceOf("x".repeat(256)));
    const stream = deflateRawSync("x".repeat(256), { finishFlush: constants.Z_SYNC_FLUSH });
    expect(stream.subarray(-4)).toEqual(Buffer.from([0, 0, 0xff, 0xff]));
    expect(length).toBe(2 + stream.length - 4);
  });

  test.each([
    ["is small", "x".repeat(255)],
    ["is empty", ""],
    ["does not get smaller", new Uint8Array(randomBytes(5_000))],
  ])("hands on the very bytes of a message that %s", (_name, message) => {
    const sequence = sequenceOf("short", message);
    expect(new Deflater(15).bytesOf(sequence)).toBe(sequence.bytes);
    const mixed = sequenceOf(message, "x".repeat(1_000));
    expect(new Deflater(15).bytesOf(mixed).subarray(0, mixed.frames[0]?.bytes.length)).toEqual(mixed.frames[0]?.bytes);
  });

  test("hands on the very bytes of a message that is to go uncompressed", () => {
    const text = "x".repeat(1_000);
    const plain = new OutgoingFrame(text, undefined, false, false);
    const alone = new Batch().append(plain);
    const mixed = new Batch().append(new OutgoingFrame(text)).append(plain);
    const deflater = new Deflater(15);
    expect(deflater.bytesOf(alone)).toBe(plain.bytes);
    expect(deflater.bytesOf(mixed).subarray(-plain.bytes.length)).toEqual(plain.bytes);
    expect(deflater.bytesOf(mixed).length).toBeLessThan(plain.bytes.length + 100);
  });

  test("keeps to the window, so that a client with a smaller one can read it", () => {
    const text = LETTERS + LETTERS;
    for (let windowBits = MIN_WINDOW_BITS; windowBits <= 15; windowBits++) {
      expect(inflateFrame(new Deflater(windowBits).bytesOf(sequenceOf(text)), windowBits)).toBe(text);
    }
    // Otherwise the case would have shown nothing.
    expect(() => inflateFrame(new Deflater(15).bytesOf(sequenceOf(text)), MIN_WINDOW_BITS)).toThrow("too far back");
  });
});
