import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { sequence } from "../../../../src/testing/suite/transport-fixture.ts";
import { closePayload, rawFrame, Opcode } from "../../../../src/testing/raw-frame.ts";
import type { Connection } from "../../../../src/transports/transport.ts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WsFixture } from "./ws-fixture.ts";

const SECOND = 1_000;
const KIB = 1024;
const MIB = 1024 * KIB;

/** Far more than the operating system takes for a client that does not read. */
const MUCH = sequence(Buffer.alloc(8 * MIB));

const CLOSE = rawFrame(Opcode.close, closePayload(4000));

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** Lets time pass, second by second, as the transport looks at what is closing. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    vi.advanceTimersByTime(SECOND);
    await nextTurn();
  }
}

async function gone(fixture: WsFixture, connection: Connection): Promise<void> {
  expect(await fixture.transport.gone.next()).toEqual({ connection, isClosed: true });
  await expect.poll(() => fixture.descriptors()).toBe(0);
}

test("a closed client that takes nothing for 30 seconds is cut", async () => {
  const fixture = await WsFixture.open();
  const { tcp, connection } = await fixture.connect();
  tcp.pause();
  connection.write(MUCH);
  connection.close(4000, "", 8 * MIB);
  await pass(29);
  expect(fixture.transport.gone.take()).toEqual([]);
  await pass(2);
  await gone(fixture, connection);
});

test("a closed client that has everything gets 5 seconds to answer, and more for what it may not have read", async () => {
  const fixture = await WsFixture.open();
  const [one, two] = [await fixture.connect(), await fixture.connect()];
  one.connection.close(4000, "");
  two.connection.close(4000, "", 160 * KIB);
  await pass(5);
  expect(fixture.transport.gone.take()).toEqual([]);
  await pass(1);
  expect(await fixture.transport.gone.next()).toEqual({ connection: one.connection, isClosed: true });
  await pass(9);
  expect(fixture.transport.gone.take()).toEqual([]);
  await pass(1);
  await gone(fixture, two.connection);
});

test("a client that has answered a close, but does not end TCP, is cut", async () => {
  const fixture = await WsFixture.open();
  const { client, connection } = await fixture.connect();
  connection.close(4000, "", 8 * MIB);
  client.write(CLOSE);
  expect(await client.frame()).toMatchObject({ opcode: Opcode.close });
  expect(await client.frame()).toBeUndefined();
  await pass(6);
  await gone(fixture, connection);
});

test.each([
  ["closes", CLOSE, 30],
  ["breaks RFC 6455", rawFrame(Opcode.text, "x", { reserved: 2 }), 1],
  ["ends its side of TCP", undefined, 30],
])("a client that %s and takes nothing of what is under way is cut", async (_what, bytes, seconds) => {
  const fixture = await WsFixture.open();
  const { tcp, connection, server } = await fixture.connect();
  tcp.pause();
  connection.write(MUCH);
  const { bytesRead } = server;
  const ended = once(server, "end");
  if (bytes === undefined) {
    tcp.end();
    await ended;
  } else {
    tcp.write(bytes);
    while (server.bytesRead === bytesRead) await nextTurn();
  }
  await pass(seconds - 1);
  expect(await fixture.descriptors()).toBe(1);
  await pass(2);
  await gone(fixture, connection);
});

test("destroy gives clients that have little to read a second, and others the bounds of a close", async () => {
  const fixture = await WsFixture.open();
  const [quick, slow, open] = [await fixture.connect(), await fixture.connect(), await fixture.connect()];
  slow.tcp.pause();
  slow.connection.write(MUCH);
  for (const { connection } of [quick, slow]) connection.close(4000, "", connection === slow.connection ? 8 * MIB : 0);
  let isOver = false;
  const destroyed = fixture.transport.transport.destroy().then(() => (isOver = true));
  expect(await fixture.transport.gone.next()).toEqual({ connection: open.connection, isClosed: true });
  await pass(2);
  expect(await fixture.transport.gone.next()).toEqual({ connection: quick.connection, isClosed: true });
  await pass(20);
  expect(isOver).toBe(false);
  slow.tcp.resume();
  while (!(await slow.client.frame())?.opcode);
  slow.client.write(CLOSE);
  slow.client.end();
  await destroyed;
});

test("destroy cuts what is left after the time that it was given", async () => {
  const fixture = await WsFixture.open();
  const { tcp, connection } = await fixture.connect();
  tcp.pause();
  connection.write(MUCH);
  connection.close(4000, "", 8 * MIB);
  const destroyed = fixture.transport.transport.destroy(3_000);
  await nextTurn();
  vi.advanceTimersByTime(2_999);
  await nextTurn();
  expect(fixture.transport.gone.take()).toEqual([]);
  vi.advanceTimersByTime(1);
  await destroyed;
  expect(await fixture.transport.gone.next()).toEqual({ connection, isClosed: true });
});
