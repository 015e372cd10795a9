import { expect, onTestFinished, test, vi } from "vitest";
import { nextError, openClient, reached, rejection, startClient, startServer, thrown } from "../../support/clients.ts";
import type { Peer } from "../../support/scripted-server.ts";

const REFUSAL = { code: "not-joinable", message: "This room cannot be joined." };

/** Lets the client into, or out of, whatever it asks for next. */
async function allow(peer: Peer): Promise<void> {
  peer.send({ reply: (await peer.asked()).id });
}

test("join resolves when the server has allowed it, and rejects with its reason", async () => {
  const { client, peer } = await openClient();
  const tea = client.join("tea");
  const first = await peer.asked();
  expect(first).toEqual({ event: "hub:join", id: expect.any(Number), data: { rooms: ["tea"] } });
  const secret = client.join("secret");
  peer.send({ reply: (await peer.asked()).id, error: REFUSAL });
  expect(await rejection(secret)).toMatchObject({ code: "ERR_CLIENT_REMOTE", reason: "not-joinable" });
  peer.send({ reply: first.id });
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
  const again = await second.asked();
  expect(again).toMatchObject({ event: "hub:join", data: { rooms: ["a", "b"] } });
  second.send({ reply: again.id });
  expect(await second.rest()).toEqual([]);
  const leaving = client.leave("a");
  const left = await second.asked();
  expect(left).toMatchObject({ event: "hub:leave", data: { room: "a" } });
  second.send({ reply: left.id });
  await leaving;
  second.cut();
  const third = await server.admit();
  expect(await third.rest()).toMatchObject([{ event: "hub:join", data: { rooms: ["b"] } }]);
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

test("a pending join is repeated when the connection is lost, and settles then", async () => {
  const { server, client, peer } = await openClient();
  const allowed = client.join("tea");
  const refused = rejection(client.join("secret"));
  expect(await peer.rest()).toHaveLength(2);
  peer.cut();
  const next = await server.admit();
  const asked = await next.asked();
  expect(asked.data).toEqual({ rooms: ["tea", "secret"] });
  next.send({ reply: asked.id, data: { refused: [{ room: "secret", ...REFUSAL }] } });
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
  const asked = await peer.asked();
  expect(asked.data).toEqual({ rooms });
  peer.send({ reply: asked.id });
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
  // Rooms end with their connection, so that there is nothing to leave.
  expect(await next.rest()).toMatchObject(isIn ? [{ event: "hub:join", data: { rooms: ["tea"] } }] : []);
});

test("a closed client leaves its rooms, which it does not join again", async () => {
  const { server, client, peer } = await openClient();
  const joined = client.join("tea");
  await allow(peer);
  await joined;
  await client.close();
  expect(await client.leave("tea")).toBeUndefined();
  client.open();
  expect(await (await server.admit()).rest()).toEqual([]);
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
  expect(join).toMatchObject({ event: "hub:join", data: { rooms: ["tea"] } });
  peer.send({ reply: join.id });
  expect(await joined).toBeUndefined();
  const left = room.leave();
  const leave = await peer.asked();
  expect(leave).toMatchObject({ event: "hub:leave", data: { room: "tea" } });
  peer.send({ reply: leave.id });
  expect(await left).toBeUndefined();
});

test("several rooms are asked for in one message, and each is decided about", async () => {
  const { server, client, peer } = await openClient();
  const joined = rejection(client.join("a", "secret", "b"));
  const asked = await peer.asked();
  expect(asked.data).toEqual({ rooms: ["a", "secret", "b"] });
  peer.send({ reply: asked.id, data: { refused: [{ room: "secret", ...REFUSAL }] } });
  expect(await joined).toMatchObject({ code: "ERR_CLIENT_REMOTE", reason: "not-joinable" });
  peer.cut();
  const next = await server.admit();
  expect(await next.rest()).toMatchObject([{ event: "hub:join", data: { rooms: ["a", "b"] } }]);
});

test("rooms are asked for sixteen at a time, however small the messages that the server takes", async () => {
  const { server, client, peer } = await openClient();
  const rooms = Array.from({ length: 40 }, (_, index) => `room ${index}`);
  const joined = client.join(...rooms);
  const asked = [await peer.asked(), await peer.asked(), await peer.asked()];
  const named = asked.map(({ data }) => (data as { readonly rooms: readonly string[] }).rooms);
  expect(named.map(({ length }) => length)).toEqual([16, 16, 8]);
  expect(named.flat()).toEqual(rooms);
  for (const { id } of asked) peer.send({ reply: id });
  await joined;
  peer.cut();
  expect(await (await server.admit()).rest()).toHaveLength(3);
});

test("a room whose joining again is not answered stays wanted, however often the connection is lost", async () => {
  const { server, client, peer } = await openClient();
  const joined = client.join("tea");
  await allow(peer);
  await joined;
  peer.cut();
  for (let connection = 0; connection < 5; connection++) {
    const next = await server.admit();
    expect(await next.asked()).toMatchObject({ event: "hub:join", data: { rooms: ["tea"] } });
    next.cut();
  }
  const last = await server.admit();
  await allow(last);
  expect(await last.rest()).toEqual([]);
});

test("the client has no timeout for joining again", async () => {
  const { server, client, peer } = await openClient({ connectTimeout: 5_000 });
  const joined = client.join("tea");
  await allow(peer);
  await joined;
  peer.cut();
  const timers = vi.spyOn(globalThis, "setTimeout");
  const next = await server.admit();
  expect(await next.asked()).toMatchObject({ event: "hub:join", data: { rooms: ["tea"] } });
  expect(timers.mock.calls.map(([, delay]) => delay)).not.toContain(10_000);
  timers.mockRestore();
});

test.each(["handler-failed", "too-many-requests", "too-fast"])(
  "after %s, which is no refusal, the client asks again, on this connection and the next",
  async (code) => {
    const { server, client, peer } = await openClient();
    const error = { code, message: "Not now." };
    const joined = client.join("tea", "coffee");
    const first = await peer.asked();
    const reported = nextError(client);
    peer.send({ reply: first.id, data: { refused: [{ room: "tea", ...error }] } });
    expect(await reported).toMatchObject({ code: "ERR_CLIENT_REMOTE", reason: code });
    const second = await peer.asked();
    expect(second).toMatchObject({ event: "hub:join", data: { rooms: ["tea"] } });
    peer.send({ reply: second.id, error });
    expect(await peer.asked()).toMatchObject({ event: "hub:join", data: { rooms: ["tea"] } });
    peer.cut();
    const next = await server.admit();
    const again = await next.asked();
    expect(again).toMatchObject({ event: "hub:join", data: { rooms: ["tea", "coffee"] } });
    next.send({ reply: again.id });
    await joined;
  },
);

test("requests for rooms that fail together are one failure, so that the wait after it is the shortest", async () => {
  const { client, peer } = await openClient({ reconnect: { minDelay: 1, maxDelay: 2 ** 31 - 1, stableAfter: 0 } });
  const rooms = Array.from({ length: 640 }, (_, index) => `room ${index}`);
  const joined = rejection(client.join(...rooms));
  const error = { code: "handler-failed", message: "Not now." };
  for (let asked = 0; asked < rooms.length;) {
    const { id, data } = await peer.asked();
    asked += (data as { readonly rooms: readonly string[] }).rooms.length;
    peer.send({ reply: id, error });
  }
  expect(await peer.asked()).toMatchObject({ event: "hub:join", data: { rooms: rooms.slice(0, 16) } });
  await client.close();
  expect(await joined).toMatchObject({ code: "ERR_CLIENT_CLOSED" });
});

test("a client that is closed does not go on asking", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { client, peer } = await openClient();
  const refused = rejection(client.join("tea"));
  const reported = nextError(client);
  peer.send({ reply: (await peer.asked()).id, error: { code: "handler-failed", message: "Not now." } });
  await reported;
  peer.cut();
  await reached(client, "waiting");
  await client.close();
  expect(await refused).toMatchObject({ code: "ERR_CLIENT_CLOSED" });
  expect(vi.getTimerCount()).toBe(0);
});

test("a join that is not answered in time rejects, and the room stays wanted until it is left", async () => {
  const { server, client, peer } = await openClient();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const joined = rejection(client.join("tea"));
  await vi.advanceTimersByTimeAsync(10_000);
  vi.useRealTimers();
  expect(await joined).toMatchObject({ code: "ERR_CLIENT_TIMEOUT" });
  peer.cut();
  const next = await server.admit();
  await allow(next);
  const left = client.leave("tea");
  await allow(next);
  await left;
  next.cut();
  expect(await (await server.admit()).rest()).toEqual([]);
});

test("a refusal of the latest request counts, not one of an earlier request", async () => {
  const { client, peer } = await openClient();
  const dropped = rejection(client.join("tea"));
  const first = await peer.asked();
  const left = client.leave("tea");
  await allow(peer);
  await left;
  expect(await dropped).toMatchObject({ code: "ERR_CLIENT_DROPPED" });
  const joined = client.join("tea");
  const second = await peer.asked();
  peer.send({ reply: first.id, error: REFUSAL });
  peer.send({ reply: second.id });
  expect(await joined).toBeUndefined();
});

test("two parts of a page that use the same room do not throw each other out", async () => {
  const { server, client, peer } = await openClient();
  const parts = [client.room("tea"), client.room("tea")] as const;
  // One request will do for all who want the room while it is under way.
  const joined = Promise.all(parts.map((part) => part.join()));
  await allow(peer);
  await joined;
  await parts[0].leave();
  // A second time is no more than once, and an object that has not joined does not leave for others.
  await parts[0].leave();
  await client.room("tea").leave();
  expect(await peer.rest()).toEqual([]);
  peer.cut();
  const next = await server.admit();
  await allow(next);
  const left = parts[1].leave();
  expect(await next.asked()).toMatchObject({ event: "hub:leave", data: { room: "tea" } });
  next.cut();
  // A room ends with its connection.
  expect(await left).toBeUndefined();
  expect(await (await server.admit()).rest()).toEqual([]);
});

test("client.leave leaves a room for all parts of the page, also for one that nobody has kept", async () => {
  const { server, client, peer } = await openClient();
  const joined = [client.room("tea").join(), client.join("tea")];
  await allow(peer);
  await Promise.all(joined);
  const waiting = rejection(client.room("tea").join());
  const again = await peer.asked();
  const left = client.leave("tea");
  expect(await waiting).toMatchObject({ code: "ERR_CLIENT_DROPPED" });
  await allow(peer);
  await left;
  peer.send({ reply: again.id });
  peer.cut();
  expect(await (await server.admit()).rest()).toEqual([]);
});

test("joining a room that the client is in asks again, because the server may have taken it out", async () => {
  const { client, peer } = await openClient();
  const first = client.join("tea");
  await allow(peer);
  await first;
  const second = rejection(client.join("tea"));
  expect(await peer.asked()).toMatchObject({ event: "hub:join", data: { rooms: ["tea"] } });
  await client.close();
  expect(await second).toMatchObject({ code: "ERR_CLIENT_CLOSED" });
});

test("a refusal names the room, and is told to every part of the page that wants it", async () => {
  const { client, peer } = await openClient();
  const [first, second] = [client.room("tea"), client.room("tea")];
  const joined = first.join();
  await allow(peer);
  await joined;
  const heard = nextError(client);
  const refused = rejection(second.join());
  const { id } = await peer.asked();
  peer.send({ reply: id, data: { refused: [{ ...REFUSAL, room: "tea" }] } });
  expect(await refused).toMatchObject({ code: "ERR_CLIENT_REMOTE", reason: "not-joinable", room: "tea" });
  expect(await heard).toMatchObject({ code: "ERR_CLIENT_REMOTE", reason: "not-joinable", room: "tea" });
});

test("errors that pass are told once in a row, however many rooms they concern", async () => {
  const { client, peer } = await openClient();
  const errors: unknown[] = [];
  client.on("hub:error", (error) => errors.push(error.reason));
  const rooms = Array.from({ length: 40 }, (_, index) => `room ${index}`);
  const joined = client.join(...rooms);
  const serve = async (): Promise<void> => {
    for (let count = 0; ; count++) {
      // oxlint-disable-next-line no-await-in-loop -- one request after the other
      const asked = await peer.next();
      if (asked === undefined) return;
      const { id, data } = asked as { readonly id: number; readonly data: { readonly rooms: readonly string[] } };
      const refused = data.rooms.map((room) => ({ room, code: "handler-failed", message: "Failed." }));
      peer.send({ reply: id, data: count < 9 ? { refused } : {} });
    }
  };
  const served = serve();
  await joined;
  expect(errors).toEqual(["handler-failed"]);
  await client.close();
  await served;
});

test("a room that nobody has joined, such as one that the server put the client into, can be left", async () => {
  const { client, peer } = await openClient();
  const left = client.leave("lobby", "hall");
  for (const room of ["lobby", "hall"]) {
    const asked = await peer.asked();
    expect(asked).toMatchObject({ event: "hub:leave", data: { room } });
    peer.send({ reply: asked.id });
  }
  await left;
});

test("whoever wants a room and does not wait for it is told in hub:error that it was refused", async () => {
  const { server, client, peer } = await openClient();
  const joined = client.room("tea").join();
  await allow(peer);
  await joined;
  const reported = nextError(client);
  const second = rejection(client.join("tea"));
  peer.send({ reply: (await peer.asked()).id, error: REFUSAL });
  for (const error of [await second, await reported]) expect(error).toMatchObject({ reason: "not-joinable" });
  peer.cut();
  expect(await (await server.admit()).rest()).toEqual([]);
});

test.each([[""], ["\ud800"], [5], [undefined], [() => {}]])("%j is not the name of a room", async (room) => {
  const { client, peer } = await openClient();
  const name = room as string;
  for (const call of [() => client.join("a", name), () => client.leave(name)]) {
    expect(await rejection(call())).toMatchObject({ code: "ERR_CLIENT_ARGUMENT" });
  }
  expect(thrown(() => client.room(name))).toMatchObject({ code: "ERR_CLIENT_ARGUMENT" });
  expect(await peer.rest()).toEqual([]);
});
