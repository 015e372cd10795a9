import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Frame } from "../../../../src/transports/frame.ts";
import { Outgoing, type Sender } from "../../../../src/transports/uws/outgoing.ts";

const PORTION = 64 * 1024;

/** Puts together what is sent, and notes how. */
class RecordingSender implements Sender {
  /** The lengths of the messages that are whole and unharmed, with the byte of which they are, and "ping" for each ping. */
  readonly sent: string[] = [];
  /** The number of bytes of the payloads of the present portion. */
  bytes = 0;
  calls = 0;
  #fragments: Buffer[] = [];

  /** Whether each message was to be compressed that was sent by itself. */
  readonly compressed: (boolean | undefined)[] = [];

  send(message: unknown, _isBinary?: boolean, compress?: boolean): number {
    this.#check(false);
    this.compressed.push(compress);
    return this.#whole(message as Buffer);
  }

  ping(): number {
    this.calls++;
    this.sent.push("ping");
    return 1;
  }

  sendFirstFragment(fragment: Buffer): number {
    this.#check(false);
    return this.#part(fragment);
  }

  sendFragment(fragment: Buffer): number {
    this.#check(true);
    return this.#part(fragment);
  }

  sendLastFragment(fragment: Buffer): number {
    this.#check(true);
    const fragments = [...this.#fragments, fragment];
    this.#fragments = [];
    this.bytes -= Buffer.concat(fragments).length - fragment.length;
    return this.#whole(Buffer.concat(fragments));
  }

  /** Whether a message may, or must, be under way. */
  #check(isUnderWay: boolean): void {
    if (this.#fragments.length > 0 !== isUnderWay) throw new Error("A fragment is out of order.");
  }

  #part(fragment: Buffer): number {
    this.calls++;
    this.bytes += fragment.length;
    this.#fragments.push(fragment);
    return 1;
  }

  #whole(message: Buffer): number {
    this.calls++;
    this.bytes += message.length;
    this.sent.push(nameOf(message));
    return 1;
  }
}

/** Tells one message from another, and a whole one from one that is not. */
function nameOf(message: Buffer): string {
  const [byte = 0] = message;
  return `${message.length} of ${message.equals(Buffer.alloc(message.length, byte)) ? byte : "many"}`;
}

/** Messages of these lengths that differ. */
function framesOf(lengths: readonly number[]): readonly Frame[] {
  return lengths.map((length, index) => new Frame(Buffer.alloc(length, index)));
}

describe("what waits", () => {
  const lengths = fc.array(
    fc.oneof(fc.nat(200), fc.nat(40_000), fc.integer({ min: PORTION - 12, max: 3 * PORTION + 12 })),
    { maxLength: 12 },
  );

  it.each([false, true])("goes whole and in order, and counts until it has gone (compressed: %s)", (compresses) => {
    fc.assert(
      fc.property(lengths, lengths, (first, second) => {
        const outgoing = new Outgoing(compresses);
        const sender = new RecordingSender();
        const frames = [framesOf(first), framesOf(second)] as const;
        outgoing.push(frames[0]);
        outgoing.pushPing();
        outgoing.push(frames[1]);
        let left = outgoing.byteLength;
        expect(left).toBe(frames.flat().reduce((sum, { bytes }) => sum + bytes.length, 0));
        const largest = compresses ? Math.max(PORTION, ...first, ...second) : PORTION;
        while (!outgoing.isEmpty) {
          sender.bytes = 0;
          sender.calls = 0;
          outgoing.sendPortion(sender);
          expect(sender.calls).toBeGreaterThan(0);
          expect(sender.bytes).toBeLessThanOrEqual(largest);
          expect(outgoing.byteLength).toBeLessThanOrEqual(left - sender.bytes);
          left = outgoing.byteLength;
        }
        expect(left).toBe(0);
        expect(sender.sent).toEqual([
          ...frames[0].map(({ payload }) => nameOf(payload)),
          "ping",
          ...frames[1].map(({ payload }) => nameOf(payload)),
        ]);
      }),
      { numRuns: 100 },
    );
  });

  it.each([false, true])("is compressed where both the client and the message allow it (client: %s)", (compresses) => {
    const outgoing = new Outgoing(compresses);
    const sender = new RecordingSender();
    outgoing.push([new Frame("first"), new Frame("second", false, false), new Frame("third")]);
    outgoing.sendPortion(sender);
    expect(sender.compressed).toEqual([compresses, false, compresses]);
  });

  it("goes in portions that are full", () => {
    const outgoing = new Outgoing(false);
    outgoing.push(framesOf(Array.from({ length: 128 }, () => 1_000)));
    const sender = new RecordingSender();
    outgoing.sendPortion(sender);
    expect(sender.sent).toHaveLength(65);
  });
});
