import type { StateChange } from "roomcast/client";
import { expect, test, vi } from "vitest";
import {
  nextError,
  openClient,
  QUICK,
  reached,
  rejection,
  startClient,
  startServer,
  thrown,
} from "../../support/clients.ts";

const PATIENT = { minDelay: 1_000_000, maxDelay: 1_000_000, stableAfter: 0 } as const;

test("with `start: false` the client connects when it is opened, and listeners hear everything", async () => {
  const server = await startServer();
  const client = startClient(server.url, { start: false });
  const changes: StateChange[] = [];
  client.on("hub:state", (change) => changes.push(change));
  expect([client.state, client.id]).toEqual(["closed", undefined]);
  expect(thrown(() => client.emit("early"))).toMatchObject({
    code: "ERR_CLIENT_CLOSED",
    message: expect.stringContaining("open()"),
  });
  const events = client.events();
  client.open();
  client.emit("event", 1);
  const peer = await server.admit();
  expect(await peer.rest()).toEqual([{ event: "event", data: 1 }]);
  peer.send({ event: "said", data: 2 });
  expect(await events.next()).toMatchObject({ value: { event: "said", data: 2 } });
  // An open client stays as it is.
  client.open();
  expect(await peer.rest()).toEqual([]);
  expect(changes).toEqual([
    { state: "connecting", previous: "closed" },
    { state: "open", previous: "connecting" },
  ]);
});

test("after refused credentials the client can be opened again, with its listeners, handlers and rooms", async () => {
  const server = await startServer();
  let token = "wrong";
  const client = startClient(server.url, { auth: () => token });
  const heard: unknown[] = [];
  client.on("said", (data) => heard.push(data));
  client.handle("question", () => 42);
  const joined = rejection(client.room("tea").join());
  const closed = reached(client, "closed");
  const first = await server.accept();
  await first.next();
  first.close(4001, "unauthorized");
  await closed;
  expect(await joined).toMatchObject({ code: "ERR_CLIENT_CLOSED", message: expect.stringContaining("4001") });
  token = "right";
  client.open();
  const second = await server.accept();
  expect(await second.next()).toMatchObject({ data: { auth: "right" } });
  second.welcome();
  expect(await second.asked()).toMatchObject({ event: "hub:join", data: { rooms: ["tea"] } });
  second.send({ event: "said", data: 1 });
  second.send({ event: "question", id: 7 });
  expect(await second.next()).toEqual({ reply: 7, data: 42 });
  expect(heard).toEqual([1]);
  // It comes back by itself again, too.
  second.cut();
  await server.admit();
  await reached(client, "open");
});

test("a client that is opened while its old connection closes lets that end in peace", async () => {
  const { server, client, peer } = await openClient();
  client.emit("last", 1);
  const closed = client.close(4_321, "enough");
  client.open();
  expect(await peer.next()).toEqual({ event: "last", data: 1 });
  expect(await peer.closed).toEqual({ code: 4_321, reason: "enough" });
  await closed;
  const next = await server.admit();
  await reached(client, "open");
  expect(await next.rest()).toEqual([]);
});

test("credentials that do not come in time fail the attempt, and are asked for anew", async () => {
  const server = await startServer();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  let asked = 0;
  const client = startClient(server.url, {
    connectTimeout: 200,
    auth: () => (++asked === 1 ? new Promise(() => {}) : "token"),
  });
  const change = new Promise<StateChange>((resolve) => void client.once("hub:state", resolve));
  await vi.advanceTimersByTimeAsync(200);
  expect(await change).toMatchObject({ state: "waiting", code: 1006, reason: expect.stringMatching(/200 ms.*auth/) });
  await vi.advanceTimersByTimeAsync(QUICK.maxDelay);
  vi.useRealTimers();
  expect(await (await server.accept()).next()).toMatchObject({ data: { auth: "token" } });
});

test("the time for the credentials and the one for the connection are one", async () => {
  const server = await startServer();
  const timers = vi.spyOn(globalThis, "setTimeout");
  const client = startClient(server.url, { connectTimeout: 5_000, auth: async () => "token" });
  await server.admit();
  await reached(client, "open");
  expect(timers.mock.calls.filter(([, delay]) => delay === 5_000)).toHaveLength(1);
  timers.mockRestore();
});

test("`reconnect` begins anew instead of waiting for an attempt that hangs", async () => {
  const server = await startServer();
  let asked = 0;
  const client = startClient(server.url, {
    reconnect: PATIENT,
    auth: () => (++asked === 1 ? new Promise(() => {}) : asked),
  });
  await expect.poll(() => asked).toBe(1);
  // The credentials hang, then the server.
  client.reconnect();
  const silent = await server.accept();
  expect(await silent.next()).toMatchObject({ data: { auth: 2 } });
  client.reconnect();
  const change = new Promise<StateChange>((resolve) => void client.once("hub:state", resolve));
  await server.admit();
  expect(await change).toEqual({ state: "open", previous: "connecting" });
  await silent.closed;
  client.reconnect();
  expect(client.state).toBe("open");
});

test("an answer to an attempt that was given up changes nothing", async () => {
  const server = await startServer();
  const client = startClient(server.url, { reconnect: PATIENT });
  const first = await server.accept();
  await first.next();
  client.reconnect();
  first.welcome({ id: "late" });
  first.close(4001, "late");
  await server.admit({ id: "second" });
  await reached(client, "open");
  expect(client.id).toBe("second");
});

test("credentials that expired on their way are asked for anew, with back-off", async () => {
  const server = await startServer();
  let asked = 0;
  const client = startClient(server.url, { auth: () => ++asked, reconnect: { ...QUICK, stableAfter: 10_000 } });
  const delays: number[] = [];
  client.on("hub:state", ({ code, delay }) => code === 4103 && delays.push(delay ?? -1));
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  for (let attempt = 1; attempt <= 3; attempt++) {
    const peer = await server.accept();
    expect(await peer.next()).toMatchObject({ data: { auth: attempt } });
    peer.close(4103, "The credentials have expired");
  }
  await server.admit();
  await reached(client, "open");
  expect(delays).toEqual([0.5, 0.5, 0.5]);
  vi.restoreAllMocks();
});

test("a failing `auth` is reported with the reason", async () => {
  const client = startClient("ws://127.0.0.1:1", { auth: () => Promise.reject(new Error("no token")) });
  expect((await nextError(client)).message).toContain("no token");
});
