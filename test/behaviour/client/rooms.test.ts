import { expect, onTestFinished, test, vi } from "vitest";
import { nextError, openClient, reached, rejection, startClient, startServer } from "../../support/clients.ts";
import type { Peer } from "../../support/scripted-server.ts";

const REFUSAL = { code: "not-joinable", message: "This room cannot be joined." };

/** Lets the client into, or out of, whatever it asks for next. */
async function allow(peer: Peer): Promise<void> {
  peer.send({ reply: (await peer.asked()).id });
}

test("join resolves when the server has allowed it, and rejects with its reason", async () => {
  const { client, peer } = await openClient();
  const tea = client.join("tea");
  expect(await peer.asked()).toEqual({ event: "hub:join", id: expect.any(Number), data: { room: "tea" } });
  const secret = client.join("secret");
  const { id } = await peer.asked();
  peer.send({ reply: id, error: REFUSAL });
  expect(await rejection(secret)).toMatchObject({ code: "ERR_CLIENT_REMOTE", reason: "not-joinable" });
  peer.send({ reply: id - 1 });
  expect(await tea).toBeUndefined();
});

test("a joined room is joined again after each lost connection until it is left, and a refused one is not", async () => {
  const { server, client, peer } = await openClient();
  const joining = [client.join("a"), client.join("b"), rejection(client.join("c"))];
  await allow(peer);
  await allow(peer);
  peer.send({ reply: (await peer.asked()).id, error: REFUSAL });
  await Promise.all(joining);
  peer.cut();
  const second = await server.admit();
  for (const room of ["a", "b"]) {
    const asked = await second.asked();
    expect(asked.data).toEqual({ room });
    second.send({ reply: asked.id });
  }
  expect(await second.rest()).toEqual([]);
  const leaving = client.leave("a");
  const left = await second.asked();
  expect(left).toMatchObject({ event: "hub:leave", data: { room: "a" } });
  second.send({ reply: left.id });
  await leaving;
  second.cut();
  const third = await server.admit();
  expect(await third.rest()).toMatchObject([{ event: "hub:join", data: { room: "b" } }]);
});

test("a room that cannot be joined again is reported, and not tried once more", async () => {
  const { server, client, peer } = await openClient();
  const joined = client.join("tea");
  await allow(peer);
  await joined;
  peer.cut();
  const reported = nextError(client);
  const second = await server.admit();
  second.send({ reply: (await second.asked()).id, error: REFUSAL });
  expect(await reported).toMatchObject({ code: "ERR_CLIENT_REMOTE", reason: "not-joinable" });
  second.cut();
  const third = await server.admit();
  expect(await third.rest()).toEqual([]);
});

test.each(["handler-failed", "too-many-requests"])(
  "a room that cannot be joined again because of %s is reported, and asked for on the next connection",
  async (code) => {
    const { server, client, peer } = await openClient();
    const joined = client.join("tea");
    await allow(peer);
    await joined;
    peer.cut();
    const reported = nextError(client);
    const second = await server.admit();
    second.send({ reply: (await second.asked()).id, error: { code, message: "Not now." } });
    expect(await reported).toMatchObject({ code: "ERR_CLIENT_REMOTE", reason: code });
    expect(await second.rest()).toEqual([]);
    second.cut();
    const third = await server.admit();
    expect(await third.asked()).toMatchObject({ event: "hub:join", data: { room: "tea" } });
  },
);

test("a room that is not joined again in time is asked for on the next connection", async () => {
  const { server, client, peer } = await openClient();
  const joined = client.join("tea");
  await allow(peer);
  await joined;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  peer.cut();
  await reached(client, "waiting");
  await vi.advanceTimersByTimeAsync(1_000);
  const second = await server.admit();
  await second.asked();
  const reported = nextError(client);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await reported).toMatchObject({ code: "ERR_CLIENT_TIMEOUT" });
  second.cut();
  await reached(client, "waiting");
  await vi.advanceTimersByTimeAsync(1_000);
  const third = await server.admit();
  expect(await third.asked()).toMatchObject({ event: "hub:join", data: { room: "tea" } });
});

test("a pending join is repeated when the connection is lost, and settles then", async () => {
  const { server, client, peer } = await openClient();
  const allowed = client.join("tea");
  const refused = rejection(client.join("secret"));
  expect(await peer.rest()).toHaveLength(2);
  peer.cut();
  const next = await server.admit();
  await allow(next);
  next.send({ reply: (await next.asked()).id, error: REFUSAL });
  expect(await allowed).toBeUndefined();
  expect(await refused).toMatchObject({ reason: "not-joinable" });
});

test("a join whose reply was lost is not repeated when the room was left meanwhile", async () => {
  const { server, client, peer } = await openClient();
  const joined = Promise.allSettled([client.join("tea")]);
  await peer.asked();
  const left = client.leave("tea");
  // Replies may come in any order.
  peer.send({ reply: (await peer.asked()).id });
  await left;
  peer.cut();
  const next = await server.admit();
  expect(await next.rest()).toEqual([]);
  expect(await joined).toMatchObject([{ status: "rejected" }]);
});

test("joins without a connection take no room in the queue, and go out once each, before what was sent earlier", async () => {
  const server = await startServer();
  const client = startClient(server.url, { queue: { maxBytes: 200 } });
  client.emit("event", 1);
  const rooms = ["a", "b", "c", "d"];
  const joined = Promise.all(rooms.map((room) => client.join(room)));
  const peer = await server.admit();
  for (const room of rooms) {
    const asked = await peer.asked();
    expect(asked.data).toEqual({ room });
    peer.send({ reply: asked.id });
  }
  await joined;
  expect(await peer.rest()).toEqual([{ event: "event", data: 1 }]);
});

test.each([
  [["join", "leave"], false],
  [["join", "leave", "join"], true],
  [["leave", "join", "leave", "join", "leave"], false],
] as const)("the last call of %j counts, with a connection and without", async (calls, isIn) => {
  const { server, client, peer } = await openClient();
  const perform = (): Promise<unknown> => Promise.allSettled(calls.map((call) => client[call]("tea")));
  const performed = perform();
  for (const call of calls) {
    const asked = await peer.asked();
    expect(asked.event).toBe(`hub:${call}`);
    peer.send({ reply: asked.id });
  }
  await performed;
  const waiting = reached(client, "waiting");
  peer.cut();
  await waiting;
  void perform();
  const next = await server.admit();
  const asked = (await next.rest()) as { readonly event: string }[];
  expect(asked.map(({ event }) => event).findLast((event) => event !== undefined) === "hub:join").toBe(isIn);
});

test("listeners of a room hear only what was sent to the room", async () => {
  const { client, peer } = await openClient();
  const heard: unknown[] = [];
  const tea = client.room("tea");
  const hear = (data: unknown, { event, room }: { event: string; room: string | undefined }): void => {
    heard.push([data, event, room]);
  };
  expect(tea.name).toBe("tea");
  tea.on("said", hear).once("said", (data) => heard.push(["once", data]));
  client.room("tea").on("other", hear);
  const fence = new Promise((resolve) => void client.once("fence", resolve));
  peer.send({ event: "said", room: "tea", data: 1 });
  peer.send({ event: "said", room: "coffee", data: 2 });
  peer.send({ event: "said", data: 3 });
  peer.send({ event: "said", room: "tea", data: 4 });
  peer.send({ event: "fence" });
  await fence;
  expect(heard).toEqual([
    [1, "said", "tea"],
    ["once", 1],
    [4, "said", "tea"],
  ]);
  // Another object for the same room is as good.
  client.room("tea").off("said", hear);
  const second = new Promise((resolve) => void client.once("fence", resolve));
  peer.send({ event: "said", room: "tea", data: 5 });
  peer.send({ event: "fence" });
  await second;
  expect(heard).toHaveLength(3);
});

test("the object of a room joins and leaves it as well", async () => {
  const { client, peer } = await openClient();
  const room = client.room("tea");
  const joined = room.join();
  const join = await peer.asked();
  expect(join).toMatchObject({ event: "hub:join", data: { room: "tea" } });
  peer.send({ reply: join.id });
  expect(await joined).toBeUndefined();
  const left = room.leave();
  const leave = await peer.asked();
  expect(leave).toMatchObject({ event: "hub:leave", data: { room: "tea" } });
  peer.send({ reply: leave.id });
  expect(await left).toBeUndefined();
});
