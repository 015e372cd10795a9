import { expect, test, vi } from "vitest";
import type { StateChange } from "roomcast/client";
import { openClient, QUICK, reached, rejection, startClient, startServer, thrown } from "../../support/clients.ts";

/** More than any test waits, in milliseconds. */
const LONG = 1_000_000;

/** Waits that would not end, but for what the test does. */
const PATIENT = { minDelay: LONG, maxDelay: LONG, stableAfter: 0 } as const;

test("each connection has its id, and the states tell what happens", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  const changes: StateChange[] = [];
  client.on("hub:state", (change) => changes.push(change));
  expect([client.state, client.id]).toEqual(["connecting", undefined]);
  const first = await server.admit({ id: "first" });
  await reached(client, "open");
  expect([client.state, client.id]).toEqual(["open", "first"]);
  const waiting = reached(client, "waiting");
  first.close(1001, "bye");
  await waiting;
  expect([client.state, client.id]).toEqual(["waiting", undefined]);
  const second = await server.admit({ id: "second" });
  await reached(client, "open");
  expect(client.id).toBe("second");
  second.close(4003, "kicked");
  await reached(client, "closed");
  expect([client.state, client.id]).toEqual(["closed", undefined]);
  expect(changes).toMatchObject([
    { state: "open", previous: "connecting" },
    { state: "waiting", previous: "open", code: 1001, reason: "bye", delay: expect.any(Number) },
    { state: "connecting", previous: "waiting" },
    { state: "open", previous: "connecting" },
    { state: "closed", previous: "open", code: 4003, reason: "kicked" },
  ]);
});

test.each([1000, 1005, 4000, 4099, 4300])("after a close with %i the client stays closed", async (code) => {
  const { client, peer } = await openClient();
  const asked = rejection(client.request("ask"));
  await peer.asked();
  const closed = reached(client, "closed");
  if (code === 1005) peer.close();
  else peer.close(code, "enough");
  await closed;
  const error = await asked;
  expect(["ERR_CLIENT_CLOSED", "ERR_CLIENT_DISCONNECTED"]).toContain(error.code);
  expect(thrown(() => client.emit("event"))).toMatchObject({ code: "ERR_CLIENT_CLOSED" });
});

test.each([1001, 1011, 1012, 4100, 4201])("after a close with %i the client reconnects", async (code) => {
  const { server, client, peer } = await openClient();
  peer.close(code, "later");
  const next = await server.admit();
  await reached(client, "open");
  expect(await next.rest()).toEqual([]);
});

test("the client reconnects at once after a close with 42xx of a stable connection", async () => {
  const { server, client, peer } = await openClient({ reconnect: PATIENT });
  peer.close(4200);
  await server.admit();
  await reached(client, "open");
  expect(client.state).toBe("open");
});

test("`hub:bye` counts instead of the close code, for its own connection", async () => {
  const { server, client, peer } = await openClient({ reconnect: PATIENT });
  const delays: (number | undefined)[] = [];
  client.on("hub:state", ({ state, delay }) => {
    if (state === "waiting") delays.push(delay);
  });
  peer.send({ event: "hub:bye", data: { reconnect: true, after: 5, spread: 5 } });
  peer.close(4003);
  const second = await server.admit();
  await reached(client, "open");
  second.send({ event: "hub:bye", data: { reconnect: true } });
  second.cut();
  const third = await server.admit();
  await reached(client, "open");
  expect(delays[0]).toBeGreaterThanOrEqual(5);
  expect(delays[0]).toBeLessThanOrEqual(10);
  expect(delays[1]).toBe(0);
  third.send({ event: "hub:bye", data: { reconnect: false } });
  third.close(1001);
  await reached(client, "closed");
  expect(delays).toHaveLength(2);
});

test("with `reconnect: false` the first loss closes the client", async () => {
  const { client, peer } = await openClient({ reconnect: false });
  const sent = rejection(client.request("ask"));
  await peer.asked();
  peer.cut();
  await reached(client, "closed");
  await sent;
  expect(client.state).toBe("closed");
  expect(await rejection(client.request("ask"))).toMatchObject({ code: "ERR_CLIENT_CLOSED" });
});

test("a server that is absent or sends no welcome is a failed attempt", async () => {
  const server = await startServer();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const client = startClient(server.url, { connectTimeout: 200 });
  const waiting = reached(client, "waiting");
  const open = reached(client, "open");
  await server.accept();
  await vi.advanceTimersByTimeAsync(200);
  await waiting;
  await vi.advanceTimersByTimeAsync(QUICK.maxDelay);
  vi.useRealTimers();
  await server.admit();
  await open;
  const nobody = startClient("ws://127.0.0.1:1", { reconnect: false });
  const change = new Promise<StateChange>((resolve) => void nobody.on("hub:state", resolve));
  expect(await change).toMatchObject({ state: "closed", code: 1006 });
});

test("a server of another version is told so, and the client stays closed", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  const change = new Promise<StateChange>((resolve) => void client.on("hub:state", resolve));
  const peer = await server.accept();
  await peer.next();
  peer.welcome({ protocol: 2 });
  const { state, reason } = await change;
  expect(state).toBe("closed");
  expect(reason).toContain("2");
  await peer.closed;
});

test("a server that agrees on no subprotocol gets no message", async () => {
  const server = await startServer("chat.v1");
  const client = startClient(server.url, { reconnect: { ...QUICK, minDelay: LONG, maxDelay: LONG } });
  const change = new Promise<StateChange>((resolve) => void client.on("hub:state", resolve));
  expect(await change).toMatchObject({ state: "waiting", code: 1006 });
});
