import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { zeroCounters } from "../../../src/counters.ts";
import { Delivery } from "../../../src/delivery/delivery.ts";
import type { Recipient } from "../../../src/delivery/recipient.ts";
import { createRecipient, frameOf, type SlowConnection } from "./slow-connection.ts";
import { RAISING } from "../../support/raising.ts";

const KIB = 1024;

/** More than any case sends. */
const LIMITLESS = 16 * KIB * KIB;

describe("Delivery", () => {
  let overflows: Recipient[];
  let recipient: ReturnType<typeof createRecipient>;
  let connection: SlowConnection;

  beforeEach(() => {
    overflows = [];
    recipient = createRecipient();
    connection = recipient.connection;
  });

  /** As the hub does, an overflow ends the recipient. */
  function createDelivery(maxBufferedBytes: number): Delivery<Recipient> {
    const delivery = new Delivery<Recipient>({
      maxBufferedBytes,
      multicast: undefined,
      counters: zeroCounters(),
      report: {
        ...RAISING,
        dropped: () => {},
        notice: () => undefined,
        overflow: (slow) => {
          overflows.push(slow);
          slow.open = false;
          delivery.discard(slow);
        },
      },
    });
    return delivery;
  }

  function names(): string[] {
    return connection.writes.flat().map((name) => name.trim());
  }

  /** The bytes that are held, here and in the transport. */
  function held(): number {
    return connection.bufferedAmount + (recipient.pending?.byteLength ?? 0) + (recipient.backlog?.byteLength ?? 0);
  }

  test("writes everything of a turn at once, in order, and nothing earlier", async () => {
    const delivery = createDelivery(4096);
    for (const name of ["a", "b", "c"]) delivery.send(recipient, frameOf(name, 20));
    expect(connection.writes).toEqual([]);
    await turn();
    expect(connection.writes.length).toBe(1);
    expect(names()).toEqual(["a", "b", "c"]);
    await turn();
    expect(connection.writes.length).toBe(1);
  });

  test("sends nothing to a recipient that is not open", async () => {
    const delivery = createDelivery(4096);
    recipient.open = false;
    delivery.send(recipient, frameOf("a", 20));
    await turn();
    expect(connection.writes).toEqual([]);
    expect(recipient.pending).toBeUndefined();
  });

  test.each([
    [
      "one by one",
      (delivery: Delivery<Recipient>, to: Recipient, name: string, size: number) =>
        delivery.send(to, frameOf(name, size)),
    ],
    [
      "to a group",
      (delivery: Delivery<Recipient>, to: Recipient, name: string, size: number, group: Set<Recipient>) =>
        delivery.sendToGroup(group.add(to), frameOf(name, size)),
    ],
  ])("closes no client that keeps up, however much a turn sends: %s", async (_, send) => {
    const delivery = createDelivery(64 * KIB);
    const group = new Set<Recipient>();
    send(delivery, recipient, "a", 20_000, group);
    send(delivery, recipient, "b", 50_000, group);
    send(delivery, recipient, "c", 20, group);
    send(delivery, recipient, "d", 64 * KIB, group);
    await turn();
    expect(names()).toEqual(["a", "b", "c", "d"]);
    expect(overflows).toEqual([]);
  });

  test("flushes at once when 64 KiB wait, and not a byte earlier", async () => {
    const delivery = createDelivery(4 * KIB * KIB);
    delivery.send(recipient, frameOf("a", 64 * KIB - 21));
    delivery.send(recipient, frameOf("b", 20));
    expect(connection.writes).toEqual([]);
    const other = createRecipient();
    delivery.send(other, frameOf("c", 64 * KIB));
    expect(other.connection.writes.length).toBe(1);
    delivery.send(recipient, frameOf("d", 20));
    expect(names()).toEqual(["a", "b", "d"]);
    delivery.send(recipient, frameOf("e", 20));
    expect(connection.writes.length).toBe(1);
    await turn();
    expect(connection.writes.length).toBe(2);
    expect(names()).toEqual(["a", "b", "d", "e"]);
  });

  test("holds back what follows for a congested recipient, and writes it in order as it drains", async () => {
    const delivery = createDelivery(KIB * KIB);
    connection.stalled = true;
    delivery.send(recipient, frameOf("a", 64 * KIB + 1));
    for (const name of ["b", "c"]) delivery.send(recipient, frameOf(name, 50));
    await turn();
    expect(names()).toEqual(["a"]);
    expect(recipient.backlog?.byteLength).toBe(100);

    // Progress that leaves it above the mark is not enough; at the mark it is.
    delivery.drained(recipient);
    expect(names()).toEqual(["a"]);
    connection.bufferedAmount = 64 * KIB;
    delivery.drained(recipient);
    expect(names()).toEqual(["a", "b", "c"]);
    expect(recipient.backlog).toBeDefined();

    delivery.send(recipient, frameOf("d", 50));
    await turn();
    connection.stalled = false;
    connection.bufferedAmount = 0;
    delivery.drained(recipient);
    expect(recipient.backlog).toBeUndefined();
    delivery.send(recipient, frameOf("e", 50));
    await turn();
    expect(names()).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("a drain with nothing held back writes nothing", () => {
    const delivery = createDelivery(KIB * KIB);
    delivery.drained(recipient);
    connection.stalled = true;
    delivery.send(recipient, frameOf("a", 65 * KIB));
    connection.bufferedAmount = 0;
    delivery.drained(recipient);
    expect(names()).toEqual(["a"]);
    expect(recipient.backlog).toBeUndefined();
  });

  describe("its limit", () => {
    const LIMIT = 8 * KIB;

    test("is exact for the backlog", () => {
      const delivery = createDelivery(LIMIT);
      connection.stalled = true;
      delivery.send(recipient, frameOf("a", LIMIT / 2 + 1));
      delivery.send(recipient, frameOf("b", LIMIT / 2 - 1));
      expect(held()).toBe(LIMIT);
      expect(overflows).toEqual([]);
      delivery.send(recipient, frameOf("c", 2));
      expect(overflows).toEqual([recipient]);
      expect(recipient.backlog).toBeUndefined();
      delivery.send(recipient, frameOf("d", 20));
      expect(overflows.length).toBe(1);
      expect(names()).toEqual(["a"]);
    });

    test("is exceeded by a single byte", () => {
      const delivery = createDelivery(LIMIT);
      connection.stalled = true;
      delivery.send(recipient, frameOf("a", LIMIT / 2 + 1));
      delivery.send(recipient, frameOf("b", LIMIT / 2 - 3));
      delivery.send(recipient, frameOf("c", 3));
      expect(overflows).toEqual([recipient]);
      expect(connection.writes.length).toBe(1);
    });

    test("is exact for one message that fills it", () => {
      const delivery = createDelivery(LIMIT);
      connection.stalled = true;
      delivery.send(recipient, frameOf("a", LIMIT));
      expect(connection.bufferedAmount).toBe(LIMIT);
      expect(overflows).toEqual([]);
      delivery.send(recipient, frameOf("b", 2));
      expect(overflows).toEqual([recipient]);
      expect(names()).toEqual(["a"]);
    });

    test("is exact for an early flush on top of what the transport holds", () => {
      const delivery = createDelivery(LIMIT);
      connection.stalled = true;
      connection.bufferedAmount = LIMIT / 2;
      delivery.send(recipient, frameOf("a", LIMIT / 2));
      expect(held()).toBe(LIMIT);
      expect(overflows).toEqual([]);

      const other = createRecipient();
      other.connection.bufferedAmount = LIMIT / 2;
      delivery.send(other, frameOf("b", LIMIT / 2 + 1));
      expect(overflows).toEqual([other]);
      expect(other.connection.writes).toEqual([]);
    });

    test.each([1024, 1025, 4096, 8191, 256 * KIB])(
      "of %i bytes is never exceeded, whatever the sizes",
      async (limit) => {
        const delivery = createDelivery(limit);
        connection.stalled = true;
        let wanted = 0;
        for (let index = 0; recipient.open; index++) {
          const size = 2 + ((index * 37) % 120);
          wanted = held() + size;
          delivery.send(recipient, frameOf(`${index}`, size));
          expect(held()).toBeLessThanOrEqual(limit);
          // oxlint-disable-next-line no-await-in-loop -- the turns are part of the case
          if (index % 7 === 0) await turn();
        }
        // It gave up where it had to, not before.
        expect(wanted).toBeGreaterThan(limit);
        expect(overflows).toEqual([recipient]);
      },
    );
  });

  describe("flush", () => {
    test("writes what waits for the end of the turn and leaves nothing for it", async () => {
      const delivery = createDelivery(LIMITLESS);
      delivery.send(recipient, frameOf("a", 20));
      delivery.flush(recipient);
      expect(names()).toEqual(["a"]);
      await turn();
      expect(connection.writes.length).toBe(1);
    });

    test("writes the backlog of a congested recipient", () => {
      const delivery = createDelivery(LIMITLESS);
      connection.stalled = true;
      delivery.send(recipient, frameOf("a", 65 * KIB));
      delivery.send(recipient, frameOf("b", 20));
      delivery.flush(recipient);
      expect(names()).toEqual(["a", "b"]);
      expect(recipient.backlog).toBeUndefined();
    });

    test("without anything to write writes nothing, congested or not", () => {
      const delivery = createDelivery(LIMITLESS);
      delivery.flush(recipient);
      connection.stalled = true;
      delivery.send(recipient, frameOf("a", 65 * KIB));
      delivery.flush(recipient);
      expect(names()).toEqual(["a"]);
    });
  });

  test("discard forgets what waits for the end of the turn and what waits for a drain", async () => {
    const delivery = createDelivery(LIMITLESS);
    delivery.send(recipient, frameOf("a", 20));
    delivery.discard(recipient);
    await turn();
    expect(connection.writes).toEqual([]);

    connection.stalled = true;
    delivery.send(recipient, frameOf("b", 65 * KIB));
    delivery.send(recipient, frameOf("c", 20));
    delivery.discard(recipient);
    delivery.drained(recipient);
    expect(names()).toEqual(["b"]);
  });

  test("a message sent while others are being written waits for the next turn", async () => {
    const delivery = createDelivery(LIMITLESS);
    const other = createRecipient();
    const write = connection.write.bind(connection);
    connection.write = (frames) => {
      if (connection.writes.length === 0) delivery.send(recipient, frameOf("late", 20));
      return write(frames);
    };
    delivery.send(recipient, frameOf("early", 20));
    delivery.send(other, frameOf("other", 20));
    await turn();
    expect(names()).toEqual(["early"]);
    expect(other.connection.writes.length).toBe(1);
    await turn();
    expect(names()).toEqual(["early", "late"]);
  });

  test("skips is true with more than 16 KiB in the transport, and with a backlog", () => {
    const delivery = createDelivery(LIMITLESS);
    expect(delivery.skips(recipient)).toBe(false);
    connection.bufferedAmount = 16 * KIB;
    expect(delivery.skips(recipient)).toBe(false);
    connection.bufferedAmount += 1;
    expect(delivery.skips(recipient)).toBe(true);
    connection.stalled = true;
    delivery.send(recipient, frameOf("a", 65 * KIB));
    connection.bufferedAmount = 0;
    expect(delivery.skips(recipient)).toBe(true);
  });
});
