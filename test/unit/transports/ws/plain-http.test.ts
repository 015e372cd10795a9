import type { Socket as TcpSocket } from "node:net";
import { RawClient } from "../../../../src/testing/raw-client.ts";
import { expect, test } from "vitest";
import { WsFixture, UPGRADE } from "./ws-fixture.ts";

const REQUEST = Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");

test("a connection that was told to upgrade is not kept, whatever the client wants", async () => {
  const fixture = await WsFixture.open();
  const clients = await Promise.all(Array.from({ length: 200 }, async () => new RawClient(await fixture.tcp())));
  for (const client of clients) client.write(REQUEST);
  const responses = await Promise.all(clients.map((client) => client.response()));
  expect(new Set(responses.map((response) => response?.status))).toEqual(new Set([426]));
  expect(new Set(responses.map((response) => response?.headers.get("connection")))).toEqual(new Set(["close"]));
  // None of the clients ends its side.
  await expect.poll(() => fixture.descriptors()).toBe(0);
});

test("a client that sends many requests at once gets one 426", async () => {
  const fixture = await WsFixture.open();
  const client = new RawClient(await fixture.tcp());
  client.write(...Array.from({ length: 100 }, () => REQUEST));
  expect((await client.response())?.status).toBe(426);
  await expect.poll(() => fixture.descriptors()).toBe(0);
});

test("a body that never comes keeps no connection", async () => {
  const fixture = await WsFixture.open();
  const client = new RawClient(await fixture.tcp());
  client.write(Buffer.from("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nx"));
  expect((await client.response())?.status).toBe(426);
  await expect.poll(() => fixture.descriptors()).toBe(0);
});

test("TCP connections are bounded beside the connections of the hub, and clients are let in within the bound", async () => {
  const fixture = await WsFixture.open({ maxConnections: 50 });
  const silent: TcpSocket[] = [];
  for (let count = 0; count < 300; count++) silent.push(await fixture.tcp());
  expect(await fixture.descriptors()).toBe(50 + 64 + 7);
  for (const tcp of silent) tcp.destroy();
  await expect.poll(() => fixture.descriptors()).toBe(0);
  const client = new RawClient(await fixture.tcp());
  client.write(UPGRADE);
  expect((await client.response())?.status).toBe(101);
});
