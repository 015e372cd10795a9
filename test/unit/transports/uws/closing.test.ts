import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { sequence } from "../../../../src/testing/suite/transport-fixture.ts";
import { Opcode } from "../../../../src/testing/raw-frame.ts";
import { TRANSPORTS } from "../../../support/transports.ts";
import type { SlowReader } from "../../../support/slow-reader.ts";
import { DEFLATE, QUICK, UwsFixture } from "./uws-fixture.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** More than a Unix socket holds for a client that does not read. */
const MORE = randomBytes(MIB);

/** As much as TCP holds for a client that does not read. */
const UNSEEN = randomBytes(1_500 * KIB);

/** The control frames but pings that the library client of a test got. */
function closesOf({ controls }: SlowReader): readonly number[] {
  return controls.filter((opcode) => opcode === Opcode.close);
}

/** Passes seconds, and what is due in them. */
async function pass(seconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1_000);
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

describe.runIf(TRANSPORTS.includes("uws"))("a close", () => {
  test("ends TCP at once if there is nothing to speak of to read", async () => {
    const fixture = await UwsFixture.open("TCP");
    const { reader, connection } = await fixture.connect(QUICK);
    connection.write(sequence("x"));
    connection.close(4003, "", 64 * KIB);
    expect(await reader.ended).toEqual({ code: 4003, error: undefined });
    expect(reader.controls).toEqual([Opcode.close]);
  });

  test("waits for the pong of a client that has much to read, whatever it sends meanwhile", async () => {
    const fixture = await UwsFixture.open("TCP");
    const { reader, connection } = await fixture.connect(2 * MIB);
    connection.write(sequence(UNSEEN));
    // Otherwise the case would show nothing.
    expect(connection.bufferedAmount).toBe(0);
    connection.close(4003, "", UNSEEN.length);
    const pinging = setInterval(() => {
      reader.send(Opcode.ping);
      reader.send(Opcode.pong);
      reader.send(Opcode.text, "more");
    }, 20);
    const end = await reader.ended;
    clearInterval(pinging);
    expect(end).toEqual({ code: 4003, error: undefined });
    expect(reader.messages[0]?.equals(UNSEEN)).toBe(true);
    expect(reader.controls.at(-1)).toBe(Opcode.close);
    expect(await fixture.closes.next()).toBe(4003);
  });

  test.each(["a Unix socket", "TLS over a Unix socket"] as const)(
    "over %s waits for what the system has not taken",
    async (wire) => {
      const fixture = await UwsFixture.open(wire);
      const { reader, connection } = await fixture.connect(0);
      connection.write(sequence(MORE, "last"));
      connection.close(4003, "", MORE.length);
      await pass(20);
      reader.rate = QUICK;
      expect(await reader.ended).toEqual({ code: 4003, error: undefined });
      expect(reader.messages.map(({ length }) => length)).toEqual([MORE.length, 4]);
    },
  );

  test.each(["a Unix socket", "TLS over a Unix socket"] as const)(
    "over %s cuts a client that takes nothing for 30 seconds, and its place is free",
    async (wire) => {
      const fixture = await UwsFixture.open(wire);
      const { connection } = await fixture.connect(0);
      connection.write(sequence(MORE));
      connection.close(4003, "", MORE.length);
      await pass(29);
      expect(fixture.gone.take()).toEqual([]);
      await pass(2);
      expect(await fixture.gone.next()).toBe(connection);
    },
  );

  test.each([
    ["5 seconds", 0, 5],
    ["as long as 16 KiB a second take, and 5 seconds more,", 160 * KIB, 15],
  ])("gives a client that has taken everything %s to answer", async (_name, unconfirmed, seconds) => {
    const fixture = await UwsFixture.open("TCP", { compression: true });
    const { reader, connection } = await fixture.connect(QUICK, DEFLATE);
    reader.isAnswering = false;
    connection.write(sequence("x"));
    connection.close(4003, "", unconfirmed);
    await pass(seconds - 1);
    await expect.poll(() => reader.controls).toEqual([Opcode.ping]);
    await pass(2);
    expect(await reader.ended).toEqual({ code: 4003, error: undefined });
  });

  test("goes on when a client that agreed on compression has read everything", async () => {
    const fixture = await UwsFixture.open("TCP", { compression: true });
    const { reader, connection } = await fixture.connect(QUICK, DEFLATE);
    connection.write(sequence("x".repeat(1_000)));
    // The answer to a ping from before says nothing.
    reader.isAnswering = false;
    connection.ping();
    await expect.poll(() => reader.controls).toEqual([Opcode.ping]);
    connection.close(4003, "");
    await expect.poll(() => reader.controls).toEqual([Opcode.ping, Opcode.ping]);
    reader.send(Opcode.pong);
    reader.send(Opcode.ping, "served?");
    await expect.poll(() => reader.controls.length).toBe(3);
    expect(closesOf(reader)).toEqual([]);
    reader.send(Opcode.pong, "close");
    expect(await reader.ended).toEqual({ code: 4003, error: undefined });
  });

  test.each([
    ["messages", Opcode.text, "x".repeat(1_000), 1_100],
    ["pongs", Opcode.pong, "", 2_100],
    ["pings", Opcode.ping, "", 2_100],
  ])("does not wait for a client that goes on and on with %s", async (_name, opcode, payload, count) => {
    const fixture = await UwsFixture.open("TCP", { compression: true });
    const { reader, connection } = await fixture.connect(QUICK, DEFLATE);
    reader.isAnswering = false;
    connection.close(4003, "");
    for (let index = 0; index < count; index++) reader.send(opcode, payload);
    expect(await reader.ended).toEqual({ code: 4003, error: undefined });
  });

  test("waits for a client that takes what waits for it, although it sends a lot", async () => {
    const fixture = await UwsFixture.open("TLS over a Unix socket");
    const { reader, connection } = await fixture.connect(2 * MIB);
    const messages = [MORE, MORE, MORE];
    connection.write(sequence(...messages));
    connection.close(4003, "", 3 * MIB);
    let sent = 0;
    const sending = setInterval(() => {
      for (let count = 0; count < 100 && sent < 3_000; count++, sent++) reader.send(Opcode.text, "more");
    }, 40);
    expect(await reader.ended).toEqual({ code: 4003, error: undefined });
    clearInterval(sending);
    expect(sent).toBe(3_000);
    expect(reader.messages.map(({ length }) => length)).toEqual(messages.map(({ length }) => length));
  });

  test("a client that closes while it is waited for has closed", async () => {
    const fixture = await UwsFixture.open("TCP", { compression: true });
    const { reader, connection } = await fixture.connect(QUICK, DEFLATE);
    reader.isAnswering = false;
    connection.close(4003, "");
    reader.close(4500);
    expect(await reader.ended).toEqual({ code: 4500, error: undefined });
    expect(await fixture.closes.next()).toBe(4003);
    await pass(6);
    expect(await fixture.gone.next()).toBe(connection);
  });
});

describe.runIf(TRANSPORTS.includes("uws"))("an expulsion", () => {
  test.each(["a Unix socket", "TLS over a Unix socket"] as const)(
    "over %s waits a second for what the library holds",
    async (wire) => {
      const fixture = await UwsFixture.open(wire);
      const { connection } = await fixture.connect(0);
      connection.write(sequence(MORE));
      connection.expel?.(4101, "");
      await pass(2);
      expect(await fixture.gone.next()).toBe(connection);
    },
  );

  test("over TLS loses what waits besides, and the client gets the code", async () => {
    const fixture = await UwsFixture.open("TLS over a Unix socket");
    const { reader, connection } = await fixture.connect(0);
    connection.write(sequence(...Array.from({ length: 100 }, () => MORE.subarray(0, 10 * KIB))));
    connection.expel?.(4101, "");
    reader.rate = QUICK;
    expect(await reader.ended).toEqual({ code: 4101, error: undefined });
    expect(reader.messages.length).toBeLessThan(90);
  });
});

describe.runIf(TRANSPORTS.includes("uws"))("destroy", () => {
  test("resolves when every connection that is closing has ended", async () => {
    const fixture = await UwsFixture.open("TLS over a Unix socket");
    const clients = [await fixture.connect(0), await fixture.connect(0)];
    for (const { connection } of clients) {
      connection.write(sequence(MORE));
      connection.close(1001, "", MORE.length);
    }
    let isDone = false;
    const done = fixture.transport.destroy().then(() => (isDone = true));
    await pass(20);
    expect(isDone).toBe(false);
    for (const { reader } of clients) reader.rate = QUICK;
    await done;
    for (const { reader } of clients) {
      expect(await reader.ended).toEqual({ code: 1001, error: undefined });
      expect(reader.messages[0]?.equals(MORE)).toBe(true);
    }
  });

  test("cuts after the time that it is given", async () => {
    const fixture = await UwsFixture.open("a Unix socket");
    const { reader, connection } = await fixture.connect(0);
    connection.write(sequence(MORE));
    connection.close(1001, "", MORE.length);
    const done = fixture.transport.destroy(10_000);
    await pass(10);
    await done;
    reader.rate = QUICK;
    expect(await reader.ended).toMatchObject({ code: 1006 });
    expect(await fixture.gone.next()).toBe(connection);
  });

  test("gives clients that have nothing to speak of to read a second to answer", async () => {
    const fixture = await UwsFixture.open("TCP", { compression: true });
    const { reader, connection } = await fixture.connect(QUICK, DEFLATE);
    reader.isAnswering = false;
    connection.close(1001, "");
    const done = fixture.transport.destroy();
    await pass(1);
    await done;
    expect(await reader.ended).toEqual({ code: 1001, error: undefined });
  });
});
