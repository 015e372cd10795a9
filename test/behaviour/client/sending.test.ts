import { expect, test } from "vitest";
import { nextError, openClient, reached, rejection, startClient, startServer, thrown } from "../../support/clients.ts";

/** The size in the queue of an event with this data. */
const sizeOf = (event: string, data: unknown): number => JSON.stringify({ event, data }).length + 64;

test("the hello comes first, and nothing else before the welcome", async () => {
  const server = await startServer();
  const client = startClient(server.url, { auth: { token: "t" } });
  client.emit("early", 1);
  void client.join("room").catch(() => {});
  void client.request("ask", undefined, { idempotent: true }).catch(() => {});
  const peer = await server.accept();
  expect(await peer.next()).toEqual({ event: "hub:hello", data: { protocol: 1, auth: { token: "t" } } });
  // A ping is not answered either before the welcome: what comes first after the hello is the room.
  peer.send({ event: "hub:ping" });
  peer.welcome();
  expect(await peer.next()).toMatchObject({ event: "hub:join", data: { rooms: ["room"] } });
  expect(await peer.rest()).toMatchObject([{ event: "early" }, { event: "ask" }]);
});

test("an empty text is a message like others", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  client.send("");
  const peer = await server.admit();
  client.send("");
  expect(await peer.rest()).toEqual(["", ""]);
});

test("events, requests and raw messages go out in the order of the calls, whatever the state", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  client.emit("a", 1);
  void client.request("b", 2).catch(() => {});
  client.send("three");
  client.send(new Uint8Array([4]));
  const peer = await server.admit();
  client.emit("e", 5);
  await reached(client, "open");
  client.send("six");
  client.emit("g", 7);
  expect(await peer.rest()).toEqual([
    { event: "a", data: 1 },
    { event: "b", id: expect.any(Number), data: 2 },
    "three",
    Buffer.from([4]),
    { event: "e", data: 5 },
    "six",
    { event: "g", data: 7 },
  ]);
});

test("data is encoded at the call", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  const data = { n: 1 };
  const bytes = new Uint8Array([1]);
  client.emit("event", data);
  client.send(bytes);
  data.n = 2;
  bytes[0] = 2;
  const peer = await server.admit();
  expect(await peer.rest()).toEqual([{ event: "event", data: { n: 1 } }, Buffer.from([1])]);
});

test("a wrong name, data that cannot be encoded and a message of another type throw at the call", async () => {
  const { client, peer } = await openClient();
  for (const name of ["", "hub:join", "x".repeat(257), 5 as unknown as string]) {
    expect(thrown(() => client.emit(name))).toMatchObject({ name: "ClientError", code: "ERR_CLIENT_ARGUMENT" });
    expect(await rejection(client.request(name))).toMatchObject({ code: "ERR_CLIENT_ARGUMENT" });
  }
  const unserialisable = thrown(() => client.emit("event", 1n));
  expect(unserialisable).toMatchObject({ code: "ERR_CLIENT_UNSERIALISABLE", cause: expect.any(TypeError) });
  expect(thrown(() => client.send({} as Uint8Array))).toMatchObject({ code: "ERR_CLIENT_ARGUMENT" });
  expect(await peer.rest()).toEqual([]);
});

test("under `reject`, a message that does not fit is refused, and one that settles makes room", async () => {
  const server = await startServer();
  const client = startClient(server.url, { queue: { maxBytes: 2 * sizeOf("event", 1) + 30 } });
  client.emit("event", 1);
  const abort = new AbortController();
  const asked = client.request("event", 1, { signal: abort.signal });
  expect(thrown(() => client.emit("event", 2))).toMatchObject({ code: "ERR_CLIENT_QUEUE_FULL" });
  expect(thrown(() => client.send("raw"))).toMatchObject({ code: "ERR_CLIENT_QUEUE_FULL" });
  expect(await rejection(client.request("event", 2))).toMatchObject({ code: "ERR_CLIENT_QUEUE_FULL" });
  abort.abort(new Error("enough"));
  expect(await rejection(asked)).toMatchObject({ message: "enough" });
  client.emit("event", 3);
  const peer = await server.admit();
  expect(await peer.rest()).toEqual([
    { event: "event", data: 1 },
    { event: "event", data: 3 },
  ]);
});

test("a request that times out leaves the queue", async () => {
  const server = await startServer();
  const client = startClient(server.url, { queue: { maxBytes: sizeOf("event", 1) + 20 } });
  expect(await rejection(client.request("event", 1, { timeout: 1 }))).toMatchObject({ code: "ERR_CLIENT_TIMEOUT" });
  client.emit("event", 2);
  const peer = await server.admit();
  expect(await peer.rest()).toEqual([{ event: "event", data: 2 }]);
});

test("under `drop-oldest`, requests that are displaced reject, and events are reported by name", async () => {
  const server = await startServer();
  const maxBytes = 2 * sizeOf("event", 1) + 20;
  const client = startClient(server.url, { queue: { maxBytes, policy: "drop-oldest" } });
  const reported = nextError(client);
  const asked = client.request("event", 1);
  client.emit("lost", 2);
  client.emit("event", 3);
  client.emit("event", 4);
  expect(await rejection(asked)).toMatchObject({ code: "ERR_CLIENT_DROPPED" });
  const error = await reported;
  expect(error).toMatchObject({ code: "ERR_CLIENT_DROPPED" });
  expect(error.message).toContain('"lost"');
  const peer = await server.admit();
  expect(await peer.rest()).toEqual([
    { event: "event", data: 3 },
    { event: "event", data: 4 },
  ]);
});

test("a listener of `hub:error` may close the client while a request makes room for itself", async () => {
  const server = await startServer();
  const maxBytes = sizeOf("event", 1) + 20;
  const client = startClient(server.url, { queue: { maxBytes, policy: "drop-oldest" } });
  client.emit("lost");
  const closed: Promise<void>[] = [];
  client.once("hub:error", () => closed.push(client.close()));
  expect(await rejection(client.request("event", 1))).toMatchObject({ code: "ERR_CLIENT_CLOSED" });
  await Promise.all(closed);
  expect(client.state).toBe("closed");
});

test("bytes are copied when they are sent, also those of a Buffer", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  const bytes = Buffer.from([1, 2]);
  client.send(bytes);
  bytes.fill(9);
  const peer = await server.admit();
  expect(await peer.next()).toEqual(Buffer.from([1, 2]));
});

test.each(["reject", "drop-oldest"] as const)("under `%s`, one message above the bound is refused", async (policy) => {
  const server = await startServer();
  const client = startClient(server.url, { queue: { maxBytes: sizeOf("event", 1), policy } });
  client.emit("event", 1);
  expect(thrown(() => client.emit("event", 10))).toMatchObject({ code: "ERR_CLIENT_QUEUE_FULL" });
  const peer = await server.admit();
  expect(await peer.rest()).toEqual([{ event: "event", data: 1 }]);
});

test("the bound applies to waiting messages, so that one sent at once may be larger", async () => {
  const { client, peer } = await openClient({ queue: { maxBytes: 0 } });
  client.emit("event", "x".repeat(1_000));
  expect(await peer.rest()).toHaveLength(1);
});

test("a message sent while the server closes waits for the next connection, and goes out once", async () => {
  const { server, client, peer } = await openClient();
  const waiting = reached(client, "waiting");
  peer.close(1001);
  client.on("hub:state", ({ state }) => {
    if (state === "waiting") client.emit("after", 1);
  });
  await waiting;
  const next = await server.admit();
  expect(await next.rest()).toEqual([{ event: "after", data: 1 }]);
});

test("values that would be lost, and callbacks that would never be called, are refused", async () => {
  const { client, peer } = await openClient();
  const emit = client.emit.bind(client) as (...args: readonly unknown[]) => void;
  const request = client.request.bind(client) as (...args: readonly unknown[]) => Promise<unknown>;
  expect(thrown(() => emit("event", 1, 2))).toMatchObject({ code: "ERR_CLIENT_ARGUMENT" });
  expect(thrown(() => emit("event", 1, () => {}))).toMatchObject({ code: "ERR_CLIENT_ARGUMENT" });
  for (const args of [
    ["ask", 1, () => {}],
    ["ask", 1, 2],
    ["ask", 1, {}, () => {}],
    ["ask", 1, null],
    ["ask", 1, { signal: {} }],
    ["ask", 1, { timeout: 0 }],
  ]) {
    expect(await rejection(request(...args))).toMatchObject({ code: "ERR_CLIENT_ARGUMENT" });
  }
  expect(await peer.rest()).toEqual([]);
});
