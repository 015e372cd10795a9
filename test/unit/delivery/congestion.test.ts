import * as fc from "fast-check";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { Delivery } from "../../../src/delivery/delivery.ts";
import { OutgoingFrame } from "../../../src/delivery/outgoing-frame.ts";
import type { Overload } from "../../../src/delivery/overload.ts";
import type { Recipient } from "../../../src/delivery/recipient.ts";
import { zeroCounters } from "../../../src/counters.ts";
import type { Connection, FrameSequence } from "../../../src/transports/transport.ts";
import { RAISING } from "../../support/raising.ts";

const LIMIT = 200_000;
const NOTICE = "gone";

/** How a transport behaves that may do all that the seam allows. */
interface Manners {
  /** A write returns `true` although up to so many bytes are not taken, and no drain follows. */
  readonly unseen: number;
  /** The connection holds back itself what is beyond so many bytes; `undefined` if it never does. */
  readonly direct: number | undefined;
  /** The size of the portions in which it then hands on. */
  readonly portion: number;
  /** Whether a drain tells of any progress, and not only that everything has been taken. */
  readonly isTelling: boolean;
  /** The size of the notice of dropped messages. */
  readonly notice: number;
}

/** A connection that owes a drain after a write that returned `false`, and while it holds something back. */
class OwingConnection implements Connection {
  owner: unknown = undefined;
  readonly protocol: string = "";
  readonly heard: string[] = [];
  drained: () => void = () => {};
  /** The number of bytes that the network takes at once. */
  room = 0;
  readonly #manners: Manners;
  readonly #queue: { readonly text: string; left: number }[] = [];
  #queued = 0;
  #owes = false;
  #bytes = 0;

  constructor(manners: Manners) {
    this.#manners = manners;
  }

  get bufferedAmount(): number {
    return this.#bytes;
  }

  get isHolding(): boolean {
    return this.#manners.direct !== undefined && this.#queued > 0;
  }

  get owesDrain(): boolean {
    return this.#owes;
  }

  write({ frames, byteLength }: FrameSequence): boolean {
    for (const { payload, bytes } of frames) {
      this.#queue.push({ text: payload.toString().trim(), left: bytes.length });
    }
    this.#bytes += byteLength;
    const { direct } = this.#manners;
    if (direct !== undefined && (this.#queued > 0 || this.#bytes > direct)) this.#queued += byteLength;
    this.#flow();
    this.#queued = Math.min(this.#queued, this.#bytes);
    if (this.#bytes <= this.#manners.unseen && !this.isHolding) return true;
    this.#owes = true;
    return false;
  }

  /** Lets the network take so many bytes more. */
  take(count: number): void {
    this.room += count;
    while (this.#flow() && this.#owes && (this.#manners.isTelling || this.isHolding || this.#bytes === 0)) {
      // A drain tells of a portion of what was held back, or of all of it.
      this.#queued = Math.max(0, Math.min(this.#queued - this.#manners.portion, this.#bytes));
      this.#owes = this.#bytes > 0;
      this.drained();
    }
  }

  ping(): void {}
  close(): void {}
  terminate(): void {}

  /** Returns whether the network has taken anything. */
  #flow(): boolean {
    const before = this.#bytes;
    for (let next = this.#queue[0]; next !== undefined && this.room > 0; next = this.#queue[0]) {
      const taken = Math.min(next.left, this.room);
      next.left -= taken;
      this.room -= taken;
      this.#bytes -= taken;
      if (next.left > 0) break;
      this.heard.push(next.text);
      this.#queue.shift();
    }
    return this.#bytes < before;
  }
}

type Step =
  | { readonly do: "send"; readonly size: number; readonly overload: Overload }
  | { readonly do: "take"; readonly count: number }
  | { readonly do: "turn" };

const manners: fc.Arbitrary<Manners> = fc.record({
  unseen: fc.constantFrom(0, 16 * 1024, Infinity),
  direct: fc.constantFrom(undefined, 0, 70_000, 130_000),
  portion: fc.constantFrom(1_000, 64 * 1024),
  isTelling: fc.boolean(),
  notice: fc.constantFrom(20, 190_000),
});

const overload: fc.Arbitrary<Overload> = fc.record({
  policy: fc.constant("drop" as const),
  key: fc.constantFrom(undefined, undefined, undefined, "a", "b"),
});

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("send" as const),
        size: fc.oneof(fc.integer({ min: 10, max: 2_000 }), fc.integer({ min: 10, max: 190_000 })),
        overload,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("take" as const),
        count: fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 300_000 })),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ do: "turn" as const }) },
  ),
  { maxLength: 60 },
);

test("a recipient is congested only while the transport owes a drain, whatever the transport does", async () => {
  await fc.assert(
    fc.asyncProperty(manners, steps, async (how, script) => {
      const connection = new OwingConnection(how);
      const recipient: Recipient = {
        connection,
        open: true,
        pending: undefined,
        backlog: undefined,
        unconfirmedBytes: 0,
      };
      const counters = zeroCounters();
      const delivery = new Delivery<Recipient>({
        maxBufferedBytes: LIMIT,
        multicast: undefined,
        counters,
        report: {
          ...RAISING,
          dropped: () => {},
          notice: (_, count) => new OutgoingFrame(`${NOTICE} ${count}`.padEnd(how.notice)),
          overflow: () => expect.unreachable(),
        },
      });
      connection.drained = () => delivery.drained(recipient);
      let sent = 0;
      for (const step of script) {
        if (step.do === "send")
          delivery.send(recipient, new OutgoingFrame(`${sent++}`.padEnd(step.size), step.overload));
        else if (step.do === "take") connection.take(step.count);
        else await turn();
        const isCongested = recipient.backlog !== undefined;
        expect(isCongested && !connection.owesDrain).toBe(false);
        // Nothing may be published to a connection that holds something back.
        expect(connection.isHolding && !isCongested).toBe(false);
      }
      await turn();
      connection.take(Infinity);
      expect([recipient.backlog, recipient.pending, connection.bufferedAmount]).toEqual([undefined, undefined, 0]);
      const numbers = connection.heard.filter((text) => !text.startsWith(NOTICE)).map(Number);
      expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
      expect(numbers.length + counters.drops.overload + counters.drops.superseded).toBe(sent);
      const told = connection.heard.filter((text) => text.startsWith(NOTICE));
      const missing = told.reduce((total, text) => total + Number(text.slice(NOTICE.length)), 0);
      expect(missing).toBe(counters.drops.overload);
      expect(recipient.unconfirmedBytes).toBe(counters.bytesOut);
    }),
    { numRuns: 500 },
  );
});
