import { expect, test } from "vitest";
import { openClient, reached, rejection } from "../../support/clients.ts";

test("the stream yields the events from the call on, in order, and ends with the client", async () => {
  const { client, peer } = await openClient();
  const events = client.events();
  peer.send({ event: "a", data: 1, room: "tea" });
  peer.send({ event: "b" });
  peer.sendRaw("no packet");
  peer.send({ event: "hub:later" });
  peer.send({ event: "c", data: 3 });
  peer.close(1000);
  const seen: unknown[] = [];
  for await (const event of events) seen.push(event);
  expect(seen).toEqual([
    { event: "a", data: 1, past: false, room: "tea" },
    { event: "b", data: undefined, past: false, room: undefined },
    { event: "c", data: 3, past: false, room: undefined },
  ]);
  expect(await events.next()).toEqual({ done: true, value: undefined });
});

test("the stream goes on over lost connections", async () => {
  const { server, client, peer } = await openClient();
  const events = client.events();
  peer.send({ event: "a" });
  expect(await events.next()).toMatchObject({ value: { event: "a" } });
  peer.cut();
  const next = await server.admit();
  next.send({ event: "b" });
  expect(await events.next()).toMatchObject({ value: { event: "b" } });
});

test("a pending `next` resolves when the client is closed", async () => {
  const { client } = await openClient();
  const events = client.events();
  const waiting = [events.next(), events.next()];
  await client.close();
  expect(await Promise.all(waiting)).toEqual([
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
});

test("the events of a closed client begin when the client is opened again", async () => {
  const { server, client } = await openClient();
  await client.close();
  const events = client.events();
  client.open();
  const peer = await server.admit();
  peer.send({ event: "said", data: 1 });
  expect(await events.next()).toMatchObject({ value: { event: "said", data: 1 } });
});

test("leaving the loop ends the stream, and later events are not kept", async () => {
  const { client, peer } = await openClient();
  const events = client.events({ maxBuffered: 2 });
  for (const event of ["a", "b"]) peer.send({ event });
  for await (const { event } of events) {
    expect(event).toBe("a");
    break;
  }
  for (const event of ["c", "d", "e", "fence"]) peer.send({ event });
  await new Promise((resolve) => void client.once("fence", resolve));
  expect(await events.next()).toEqual({ done: true, value: undefined });
});

test("a reader that falls behind gets what was kept and then one error", async () => {
  const { client, peer } = await openClient();
  const behind = client.events({ maxBuffered: 2 });
  const ahead = client.events();
  for (const event of ["a", "b", "c", "fence"]) peer.send({ event });
  await new Promise((resolve) => void client.once("fence", resolve));
  expect(await behind.next()).toMatchObject({ value: { event: "a" } });
  expect(await behind.next()).toMatchObject({ value: { event: "b" } });
  expect(await rejection(behind.next())).toMatchObject({ code: "ERR_CLIENT_OVERFLOW" });
  expect(await behind.next()).toEqual({ done: true, value: undefined });
  for (const event of ["a", "b", "c", "fence"]) expect(await ahead.next()).toMatchObject({ value: { event } });
});

test("each of several streams gets all events", async () => {
  const { client, peer } = await openClient();
  const streams = [client.events(), client.events()];
  peer.send({ event: "a" });
  const closed = reached(client, "closed");
  peer.close(1000);
  await closed;
  for (const stream of streams) {
    expect(await stream.next()).toMatchObject({ done: false, value: { event: "a" } });
    expect(await stream.next()).toMatchObject({ done: true });
  }
});
