import { setImmediate as nextTurn } from "node:timers/promises";
import type { Connection } from "../../../../src/transports/transport.ts";
import { closePayload, rawFrame, Opcode } from "../../../../src/testing/raw-frame.ts";
import type { RawClient } from "../../../../src/testing/raw-client.ts";
import { beforeEach, expect, test } from "vitest";
import { WsFixture } from "./ws-fixture.ts";

const { text, close } = Opcode;
const CLOSE = rawFrame(close, closePayload(1000));

let fixture: WsFixture;
let client: RawClient;
let connection: Connection;

beforeEach(async () => {
  fixture = await WsFixture.open();
  ({ client, connection } = await fixture.connect());
});

/** Lets pass what a loaded server needs to read everything. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await nextTurn();
}

test("a paused connection hands over nothing, and after it is resumed everything in order", async () => {
  connection.pause?.();
  const messages = Array.from({ length: 2_000 }, (_, n) => `${n} ${"x".repeat(1_000)}`);
  for (const message of messages) client.write(rawFrame(text, message));
  await turns();
  expect(fixture.transport.events.take()).toEqual([]);
  connection.resume?.();
  const heard: unknown[] = [];
  while (heard.length < messages.length) heard.push(await fixture.transport.events.next());
  expect(heard).toEqual(messages.map((data) => ({ type: "message", connection, data })));
});

test("the close frame of a client is seen after the connection is resumed", async () => {
  connection.pause?.();
  client.write(rawFrame(text, "last"), CLOSE);
  await turns();
  expect(fixture.transport.events.take()).toEqual([]);
  connection.resume?.();
  expect(await fixture.transport.events.next()).toMatchObject({ type: "message", data: "last" });
  expect(await fixture.transport.events.next()).toMatchObject({ type: "close", code: 1000 });
  expect(await client.frame()).toMatchObject({ opcode: close });
});

test("a paused connection that the hub closes reads the client's answer", async () => {
  connection.pause?.();
  client.write(rawFrame(text, "unread"));
  connection.close(4000, "");
  expect(await client.frame()).toMatchObject({ opcode: close });
  client.write(CLOSE);
  expect(await client.frame()).toBeUndefined();
  client.end();
  expect((await fixture.transport.gone.next())?.connection).toBe(connection);
  expect(fixture.transport.events.take()).toMatchObject([{ type: "close", code: 4000 }]);
});

test("a paused connection that is terminated ends at once", async () => {
  connection.pause?.();
  client.write(rawFrame(text, "unread"));
  connection.terminate();
  expect((await fixture.transport.gone.next())?.connection).toBe(connection);
  expect(fixture.transport.events.take()).toMatchObject([{ type: "close", code: 1006 }]);
});

test("to pause and to resume a connection that has ended does nothing", async () => {
  connection.terminate();
  connection.pause?.();
  connection.resume?.();
  expect((await fixture.transport.gone.next())?.connection).toBe(connection);
  connection.pause?.();
  connection.resume?.();
  expect(fixture.transport.events.take()).toMatchObject([{ type: "close", code: 1006 }]);
});

test("a connection that is closing is not paused", async () => {
  connection.close(4000, "");
  connection.pause?.();
  client.write(CLOSE);
  client.end();
  expect((await fixture.transport.gone.next())?.connection).toBe(connection);
});
