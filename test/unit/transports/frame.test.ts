import { once } from "node:events";
import type { Writable } from "node:stream";
import * as fc from "fast-check";
import * as library from "ws";
import { describe, expect, test } from "vitest";
import { Frame, FrameBytes } from "../../../src/transports/frame.ts";

/** The parser of `ws`, which it exports but does not declare. */
const { Receiver } = library as unknown as { Receiver: new (options: object) => Writable };

/** One frame, read by the letter of RFC 6455 section 5.2. */
interface ParsedFrame {
  readonly fin: boolean;
  readonly reserved: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
  readonly rest: number;
}

function parseFrame(bytes: Buffer): ParsedFrame {
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  const [start, length] =
    short < 126 ? [2, short] : short === 126 ? [4, bytes.readUInt16BE(2)] : [10, Number(bytes.readBigUInt64BE(2))];
  return {
    fin: (first & 0x80) !== 0,
    reserved: first & 0x70,
    opcode: first & 0x0f,
    masked: (second & 0x80) !== 0,
    payload: bytes.subarray(start, start + length),
    rest: bytes.length - start - length,
  };
}

/** What a client on `ws` makes of the bytes. */
async function receive(bytes: Buffer): Promise<{ readonly data: Buffer; readonly isBinary: boolean }> {
  const receiver = new Receiver({ isServer: false, maxPayload: 0 });
  const message = once(receiver, "message");
  receiver.write(bytes);
  const [data, isBinary] = (await message) as [Buffer, boolean];
  return { data, isBinary };
}

describe("Frame", () => {
  test.each<[length: number, header: readonly number[]]>([
    [0, [0x82, 0]],
    [1, [0x82, 1]],
    [125, [0x82, 125]],
    [126, [0x82, 126, 0, 126]],
    [127, [0x82, 126, 0, 127]],
    [65_535, [0x82, 126, 0xff, 0xff]],
    [65_536, [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
    [16_909_060, [0x82, 127, 0, 0, 0, 0, 1, 2, 3, 4]],
  ])("of %i bytes has the shortest header", (length, header) => {
    const payload = Buffer.alloc(length, 7);
    const frame = new Frame(payload);
    expect([...frame.bytes.subarray(0, header.length)]).toEqual(header);
    expect(frame.bytes.length).toBe(header.length + length);
    expect(frame.payload.equals(payload)).toBe(true);
    expect(frame.binary).toBe(true);
  });

  test("of text counts bytes, not characters", () => {
    const text = "é".repeat(63);
    const frame = new Frame(text);
    expect([...frame.bytes.subarray(0, 4)]).toEqual([0x81, 126, 0, 126]);
    expect(frame.payload.toString()).toBe(text);
    expect(frame.binary).toBe(false);
    expect([...new Frame("").bytes]).toEqual([0x81, 0]);
  });

  test("replaces what UTF-8 cannot represent, and its length stays right", async () => {
    const frame = new Frame("lone \ud800 surrogate");
    expect(parseFrame(frame.bytes).rest).toBe(0);
    expect((await receive(frame.bytes)).data.toString()).toBe("lone \ufffd surrogate");
  });

  test.each([0, 125, 126, 65_535, 65_536])(
    "of %i bytes is made of its own bytes again, which are not copied",
    (length) => {
      for (const frame of [new Frame(Buffer.alloc(length, 7)), new Frame("x".repeat(length))]) {
        const same = new Frame(new FrameBytes(frame.bytes));
        expect(same.bytes).toBe(frame.bytes);
        expect(same.payload.equals(frame.payload)).toBe(true);
        expect(same.binary).toBe(frame.binary);
      }
    },
  );

  test("copies the bytes of any view", () => {
    const memory = new Uint8Array([1, 2, 3, 4, 5]);
    const view = memory.subarray(1, 4);
    const frame = new Frame(view);
    memory.fill(0);
    expect([...frame.payload]).toEqual([2, 3, 4]);
  });

  test("has a payload that shares its memory and is made once", () => {
    const frame = new Frame("text");
    expect(frame.payload).toBe(frame.payload);
    expect(frame.payload.buffer).toBe(frame.bytes.buffer);
  });

  const content = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 300, size: "max" }),
    fc.uint8Array({ maxLength: 300, size: "max" }),
    fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000).map((length) => "x".repeat(length)),
    fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000).map((length) => new Uint8Array(length).fill(length)),
  );

  test("is read back by a parser made from the specification and by that of ws", async () => {
    await fc.assert(
      fc.asyncProperty(content, async (data) => {
        const { bytes } = new Frame(data);
        const text = typeof data === "string";
        const payload = Buffer.from(data as string);
        const { payload: parsed, ...header } = parseFrame(bytes);
        expect(header).toEqual({ fin: true, reserved: 0, opcode: text ? 1 : 2, masked: false, rest: 0 });
        expect(parsed.equals(payload)).toBe(true);
        const message = await receive(bytes);
        expect(message.isBinary).toBe(!text);
        expect(message.data.equals(payload)).toBe(true);
      }),
      { seed: 20_261_123, numRuns: 150 },
    );
  });
});
