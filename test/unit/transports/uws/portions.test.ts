import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { sequence } from "../../../../src/testing/suite/transport-fixture.ts";
import { Opcode } from "../../../../src/testing/raw-frame.ts";
import { TRANSPORTS } from "../../../support/transports.ts";
import { DEFLATE, QUICK, UwsFixture } from "./uws-fixture.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** The first of the messages that did not come as it was sent; -1 for none. */
function wrong(messages: readonly Buffer[], sent: readonly Buffer[]): number {
  return sent.findIndex((message, index) => messages[index]?.equals(message) !== true);
}

/** What the system holds of a Unix socket for a client that does not read, and what TLS and frames add. */
const UNSEEN = 512 * KIB;

const open = (settings = {}): Promise<UwsFixture> => UwsFixture.open("TLS over a Unix socket", settings);

describe.runIf(TRANSPORTS.includes("uws"))("over TLS", () => {
  test("a large message goes in fragments, and each portion that is taken is a drain", async () => {
    const fixture = await open();
    const { reader, connection } = await fixture.connect(0);
    const messages = [randomBytes(10), randomBytes(2 * MIB), randomBytes(1_000)];
    expect(connection.write(sequence(...messages))).toBe(false);
    expect(connection.isHolding).toBe(true);
    const held: number[] = [connection.bufferedAmount];
    expect(held[0]).toBeGreaterThan(2 * MIB - UNSEEN);
    reader.rate = 4 * MIB;
    while (connection.bufferedAmount > 0) {
      await fixture.drains.next();
      held.push(connection.bufferedAmount);
    }
    await reader.has(3);
    expect(wrong(reader.messages, messages)).toBe(-1);
    expect(reader.mostFragments).toBe(32);
    expect(held).toEqual(held.toSorted((one, other) => other - one));
    // The system takes a few portions at a time.
    expect(held.length).toBeGreaterThan(5);
    expect(connection.isHolding).toBe(false);
    expect(reader.faults).toEqual([]);
  });

  test("128 KiB go at once and whole, and a quick reader leaves nothing waiting", async () => {
    const fixture = await open();
    const { reader, connection } = await fixture.connect(QUICK);
    connection.write(sequence(randomBytes(100 * KIB), "x"));
    expect(connection.isHolding).toBe(false);
    await reader.has(2);
    expect(reader.mostFragments).toBe(1);
    const large = randomBytes(MIB);
    connection.write(sequence(large));
    await reader.has(3);
    expect(wrong(reader.messages.slice(2), [large])).toBe(-1);
    while (connection.bufferedAmount > 0) await fixture.drains.next();
    expect(connection.isHolding).toBe(false);
  });

  test("messages, pings and large messages keep their order", async () => {
    const fixture = await open();
    const { reader, connection } = await fixture.connect(0);
    const messages = [
      randomBytes(MIB),
      ...Array.from({ length: 50 }, () => randomBytes(2 * KIB)),
      randomBytes(80 * KIB),
    ];
    connection.write(sequence(...messages.slice(0, 1)));
    connection.write(sequence(...messages.slice(1, 51)));
    connection.ping();
    connection.write(sequence(...messages.slice(51)));
    reader.rate = 8 * MIB;
    await fixture.pongs.next();
    expect(reader.messages.length).toBeGreaterThanOrEqual(51);
    await reader.has(52);
    expect(wrong(reader.messages, messages)).toBe(-1);
  });

  test("a client's ping is answered between two fragments", async () => {
    const fixture = await open();
    const { reader, connection } = await fixture.connect(0);
    const message = randomBytes(MIB);
    connection.write(sequence(message));
    reader.send(Opcode.ping, "now");
    reader.rate = 2 * MIB;
    await expect.poll(() => reader.controls).toEqual([Opcode.pong]);
    expect(reader.messages).toEqual([]);
    await reader.has(1);
    expect(wrong(reader.messages, [message])).toBe(-1);
    expect(reader.faults).toEqual([]);
  });

  test("nothing is published to a connection that holds something", async () => {
    const fixture = await open();
    const { topics } = fixture.transport;
    const [slow, quick] = [await fixture.connect(0), await fixture.connect(QUICK)];
    for (const { connection } of [slow, quick]) topics?.subscribe(connection, "one");
    topics?.subscribe(quick.connection, "other");
    const large = randomBytes(MIB);
    slow.connection.write(sequence(large));
    expect(topics?.publish("one", sequence("early"))).toBe(false);
    expect(topics?.publish("other", sequence("other"))).toBe(true);
    slow.reader.rate = 8 * MIB;
    while (slow.connection.isHolding) await fixture.drains.next();
    expect(topics?.publish("one", sequence("late"))).toBe(true);
    await slow.reader.has(2);
    await quick.reader.has(2);
    expect(wrong(slow.reader.messages, [large, Buffer.from("late")])).toBe(-1);
    expect(quick.reader.messages.map(String)).toEqual(["other", "late"]);
  });

  test("compressed messages go whole, however large", async () => {
    const fixture = await open({ compression: true });
    const [reader, plain] = [await fixture.connect(0, DEFLATE), await fixture.connect(0)];
    const messages = [randomBytes(MIB), randomBytes(200 * KIB), randomBytes(10)];
    for (const { connection } of [reader, plain]) connection.write(sequence(...messages));
    for (const client of [reader, plain]) client.reader.rate = 8 * MIB;
    for (const client of [reader, plain]) {
      await client.reader.has(3);
      expect(wrong(client.reader.messages, messages)).toBe(-1);
    }
    expect(reader.reader.mostFragments).toBe(1);
    // A client that has not agreed on compression gets fragments from the same transport.
    expect(plain.reader.mostFragments).toBe(16);
  });

  test.each(["close", "expel", "terminate"] as const)("nothing waits after %s", async (end) => {
    const fixture = await open();
    const { connection } = await fixture.connect(0);
    connection.write(sequence(randomBytes(MIB)));
    connection[end]?.(4000, "");
    expect(connection.bufferedAmount).toBe(0);
    await fixture.transport.destroy(0);
    expect(await fixture.gone.next()).toBe(connection);
    expect(connection.isHolding).toBe(false);
  });
});

test.runIf(TRANSPORTS.includes("uws"))(
  "without TLS a large message goes whole, and the library reports progress",
  async () => {
    const fixture = await UwsFixture.open("a Unix socket");
    const { reader, connection } = await fixture.connect(0);
    const message = randomBytes(2 * MIB);
    expect(connection.write(sequence(message))).toBe(false);
    expect(connection.isHolding).toBe(false);
    const held: number[] = [];
    reader.rate = 4 * MIB;
    while (connection.bufferedAmount > 0) {
      await fixture.drains.next();
      held.push(connection.bufferedAmount);
    }
    await reader.has(1);
    expect(wrong(reader.messages, [message])).toBe(-1);
    expect(reader.mostFragments).toBe(1);
    expect(held.length).toBeGreaterThan(4);
  },
);
