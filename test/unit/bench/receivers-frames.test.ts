import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TAIL_LENGTH } from "../../../bench/envelope.ts";
import { FrameWalker, type FrameHandler } from "../../../bench/receivers/frame-walker.ts";
import { STAMP_LENGTH } from "../../../bench/stamp.ts";
import { cut, serverFrame } from "./server-frames.ts";

/** How much of a message a receiver is sure to see. */
const END_LENGTH = STAMP_LENGTH + TAIL_LENGTH;

const SEED = 20_261_123;

/** Writes down what it is handed, which is only lent. */
class Log implements FrameHandler {
  readonly events: string[] = [];
  readonly #length: number;

  /** @param length - how much of the end of each message to write down. */
  constructor(length = END_LENGTH) {
    this.#length = length;
  }

  message(bytes: Buffer, start: number, end: number): void {
    this.events.push(`message ${bytes.toString("latin1", Math.max(start, end - this.#length), end)}`);
  }

  compressed(payload: Buffer): void {
    this.events.push(`compressed ${payload.toString("hex")}`);
  }

  ping(payload: Buffer): void {
    this.events.push(`ping ${payload.toString("hex")}`);
  }

  close(payload: Buffer): void {
    this.events.push(`close ${payload.toString("hex")}`);
  }

  malformed(): void {
    this.events.push("malformed");
  }
}

/** One frame, and what has to be made of it. */
interface Item {
  readonly bytes: Buffer;
  readonly event: string | undefined;
}

/** Hands the pieces over one after the other in the same memory, each in another place, as a socket does. */
function walk(pieces: readonly Buffer[], { whole = false } = {}): readonly string[] {
  const log = new Log(whole ? Number.POSITIVE_INFINITY : END_LENGTH);
  const walker = new FrameWalker(log);
  walker.whole = whole;
  const shared = Buffer.alloc(Math.max(...pieces.map((piece) => piece.length)) + 7);
  for (const [index, piece] of pieces.entries()) {
    shared.fill(0x81);
    const start = index % 7;
    piece.copy(shared, start);
    walker.walk(shared, start, start + piece.length);
  }
  return log.events;
}

function text(length: number, last: number): Item {
  const payload = `${"m".repeat(Math.max(0, length - 1))}${String.fromCharCode(97 + (last % 26))}`.slice(0, length);
  return { bytes: serverFrame(0x81, payload), event: `message ${payload.slice(-END_LENGTH)}` };
}

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength, size: "max" });

const length = fc.oneof(
  fc.nat(130),
  fc.constantFrom(0, 1, 15, 16, 17, 125, 126, 127, 1_024, 16_384, 65_535, 65_536, 70_000),
);
const item: fc.Arbitrary<Item> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(length, fc.nat(25)).map(([size, last]) => text(size, last)) },
  bytes(125).map((payload) => ({
    bytes: serverFrame(0x89, payload),
    event: `ping ${Buffer.from(payload).toString("hex")}`,
  })),
  bytes(125).map((payload) => ({ bytes: serverFrame(0x8a, payload), event: undefined })),
  bytes(125).map((payload) => ({
    bytes: serverFrame(0x88, payload),
    event: `close ${Buffer.from(payload).toString("hex")}`,
  })),
  bytes(400).map((payload) => ({
    bytes: serverFrame(0xc1, payload),
    event: `compressed ${Buffer.from(payload).toString("hex")}`,
  })),
  // Binary, a fragment, its continuation, reserved bits, a reserved opcode; a ping that is too long.
  fc.tuple(fc.constantFrom(0x82, 0x01, 0x80, 0xa1, 0x91, 0x83, 0xc9), bytes(300)).map(([first, payload]) => ({
    bytes: serverFrame(first, payload),
    event: "malformed",
  })),
  fc.constantFrom(126, 5_000).map((size) => ({ bytes: serverFrame(0x89, "p".repeat(size)), event: "malformed" })),
);

function eventsOf(items: readonly Item[]): readonly string[] {
  return items.map(({ event }) => event).filter((event) => event !== undefined);
}

describe("FrameWalker", () => {
  test("finds the same frames however the bytes are cut", () => {
    const items = fc.array(item, { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(items, fc.array(fc.nat(), { maxLength: 20 }), (list, offsets) => {
        const stream = Buffer.concat(list.map((one) => one.bytes));
        expect(walk(cut(stream, offsets))).toEqual(eventsOf(list));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("finds the same frames wherever a few of them are cut once, and byte by byte", () => {
    const list = [text(64, 1), text(0, 1), text(130, 2), text(3, 3), text(16, 4)];
    const ping = { bytes: serverFrame(0x89, "ABC"), event: "ping 414243" };
    const items = [...list, ping, ...list];
    const stream = Buffer.concat(items.map((one) => one.bytes));
    for (let offset = 0; offset < stream.length; offset++) expect(walk(cut(stream, [offset]))).toEqual(eventsOf(items));
    expect(walk(cut(stream, [...stream.keys()]))).toEqual(eventsOf(items));
  });

  test("hands a message over from its first byte on if it is to", () => {
    const payload = `${"begin".padEnd(20_000, "-")}end`;
    const stream = Buffer.concat([serverFrame(0x81, payload), serverFrame(0x81, payload)]);
    for (const offset of [1, 3, 4, 5, 100, 20_006, 20_007, 20_008]) {
      expect(walk(cut(stream, [offset]), { whole: true })).toEqual([`message ${payload}`, `message ${payload}`]);
    }
  });

  test.each([
    ["a masked frame", Buffer.from([0x81, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9])],
    ["a length that nothing has", Buffer.from([0x81, 127, 0, 1, 0, 0, 0, 0, 0, 0, 0])],
    ["a length beyond all numbers", Buffer.from([0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255, 0])],
  ])("gives up at %s", (_, wrong) => {
    const stream = Buffer.concat([text(64, 1).bytes, wrong, text(64, 1).bytes, text(64, 1).bytes]);
    const expected = [text(64, 1).event, "malformed"];
    for (let offset = 0; offset < stream.length; offset++) expect(walk(cut(stream, [offset]))).toEqual(expected);
  });
});
