import { connect, type Client } from "roomcast/client";
import { presence, type Presence, type PresenceChange } from "roomcast/client/presence";
import { expect, test } from "vitest";
import type { PresenceNotice } from "../../../src/protocol/packet.ts";
import { nextError, openClient, reached, thrown } from "../../support/clients.ts";
import type { Peer } from "../../support/scripted-server.ts";

/** Sends notices about the room "tea", and waits until the client has taken them. */
async function tell(client: Client, peer: Peer, ...notices: readonly Omit<PresenceNotice, "room">[]): Promise<void> {
  for (const notice of notices) peer.send({ event: "hub:presence", data: { room: "tea", ...notice } });
  const fence = new Promise((resolve) => void client.once("fence", resolve));
  peer.send({ event: "fence" });
  await fence;
}

/** Answers the next request, which is one to join, and returns what it asked for. */
async function letIn(peer: Peer): Promise<unknown> {
  const { event, id, data } = await peer.asked();
  expect(event).toBe("hub:join");
  peer.send({ reply: id });
  return data;
}

function contentOf(users: Presence): unknown {
  return [Object.fromEntries(users), users.count];
}

function changesOf(users: Presence): PresenceChange[] {
  const changes: PresenceChange[] = [];
  users.on("change", (change) => changes.push(change));
  return changes;
}

/** Opens a client that is in the room "tea", and follows who is there. */
async function openRoom() {
  const opened = await openClient();
  const users = presence(opened.client, "tea");
  const joined = opened.client.join("tea");
  expect(await letIn(opened.peer)).toStrictEqual({ rooms: ["tea"], presence: ["tea"] });
  await joined;
  return { ...opened, users };
}

test("the map is what the server tells, from the first reset on", async () => {
  const { client, peer, users } = await openRoom();
  const changes = changesOf(users);
  expect(contentOf(users)).toStrictEqual([{}, 0]);
  await tell(client, peer, {
    v: 7,
    reset: true,
    in: [
      ["ann", { name: "Ann" }],
      ["bob", null],
    ],
    count: 2,
  });
  expect(contentOf(users)).toStrictEqual([{ ann: { name: "Ann" }, bob: null }, 2]);
  await tell(client, peer, {
    v: 8,
    in: [
      ["cy", null],
      ["ann", { name: "Anna" }],
    ],
    out: ["bob"],
    count: 2,
  });
  expect(contentOf(users)).toStrictEqual([{ ann: { name: "Anna" }, cy: null }, 2]);
  await tell(client, peer, { v: 9, out: ["cy"], count: 1 });
  expect(contentOf(users)).toStrictEqual([{ ann: { name: "Anna" } }, 1]);
  await tell(client, peer, { v: 30, reset: true, in: [["dee", 1]], count: 1 });
  expect(contentOf(users)).toStrictEqual([{ dee: 1 }, 1]);
  expect(changes).toStrictEqual([
    { came: [], went: [] },
    { came: ["cy"], went: ["bob"] },
    { came: [], went: ["cy"] },
    { came: ["dee"], went: ["ann"] },
  ]);
  expect(await peer.rest()).toStrictEqual([]);
});

test("users who are too many to be named are a count, and come back with a reset", async () => {
  const { client, peer, users } = await openRoom();
  const changes = changesOf(users);
  await tell(client, peer, { v: 1, reset: true, in: [["ann", null]], count: 1 });
  await tell(client, peer, { v: 2, count: 500 });
  expect(contentOf(users)).toStrictEqual([{}, 500]);
  // The first notice of a client that joins then is a count, too, with whatever number.
  await tell(client, peer, { v: 9, count: 501 });
  expect(contentOf(users)).toStrictEqual([{}, 501]);
  await tell(client, peer, { v: 10, reset: true, in: [["bob", null]], count: 1 }, { v: 11, in: [["cy", 2]], count: 2 });
  expect(contentOf(users)).toStrictEqual([{ bob: null, cy: 2 }, 2]);
  expect(changes).toStrictEqual([
    { came: [], went: [] },
    { came: [], went: [] },
    { came: [], went: [] },
    { came: [], went: [] },
    { came: ["cy"], went: [] },
  ]);
  expect(await peer.rest()).toStrictEqual([]);
});

test.each<[string, Omit<PresenceNotice, "room">]>([
  ["is missing", { v: 3, in: [["cy", null]], count: 2 }],
  ["comes twice", { v: 1, in: [["cy", null]], count: 2 }],
])("a client asks once for everybody when a number %s, and applies nothing until it is told", async (_, notice) => {
  const { client, peer, users } = await openRoom();
  const changes = changesOf(users);
  await tell(client, peer, { v: 1, reset: true, in: [["ann", null]], count: 1 });
  await tell(client, peer, notice, { v: notice.v + 1, out: ["ann"], count: 1 });
  expect(contentOf(users)).toStrictEqual([{ ann: null }, 1]);
  expect(await letIn(peer)).toStrictEqual({ rooms: ["tea"], presence: ["tea"] });
  expect(await peer.rest()).toStrictEqual([]);
  await tell(client, peer, { v: 5, reset: true, in: [["bob", null]], count: 1 }, { v: 6, in: [["cy", 1]], count: 2 });
  expect(contentOf(users)).toStrictEqual([{ bob: null, cy: 1 }, 2]);
  expect(changes).toHaveLength(3);
});

test("a client asks again when the server has left out messages, because what it has asked for may be among them", async () => {
  const { client, peer, users } = await openRoom();
  await tell(client, peer, { v: 1, in: [["ann", null]], count: 1 });
  expect(await letIn(peer)).toStrictEqual({ rooms: ["tea"], presence: ["tea"] });
  peer.send({ event: "hub:dropped", data: { count: 1 } });
  expect(await letIn(peer)).toStrictEqual({ rooms: ["tea"], presence: ["tea"] });
  await tell(client, peer, { v: 2, reset: true, in: [["ann", null]], count: 1 });
  expect(contentOf(users)).toStrictEqual([{ ann: null }, 1]);
  expect(await peer.rest()).toStrictEqual([]);
});

test("a client that is in the room, or is about to be, asks at once", async () => {
  const { client, peer } = await openClient();
  const joined = client.join("tea", "milk");
  const first = await peer.asked();
  presence(client, "tea");
  const second = await peer.asked();
  expect([first.data, second.data]).toStrictEqual([{ rooms: ["tea", "milk"] }, { rooms: ["tea"], presence: ["tea"] }]);
  for (const { id } of [first, second]) peer.send({ reply: id });
  await joined;
  presence(client, "milk");
  expect(await letIn(peer)).toStrictEqual({ rooms: ["milk"], presence: ["milk"] });
  // It is in no such room, and does not join.
  presence(client, "juice");
  expect(await peer.rest()).toStrictEqual([]);
  // Who asks for the room again, asks for its users, too.
  const again = client.room("tea").join();
  expect(await letIn(peer)).toStrictEqual({ rooms: ["tea"], presence: ["tea"] });
  await again;
});

test("on a new connection the map stays until everybody is told, whatever the numbers there are", async () => {
  const { client, peer, server, users } = await openRoom();
  await tell(client, peer, {
    v: 1,
    reset: true,
    in: [
      ["ann", null],
      ["bob", null],
    ],
    count: 2,
  });
  const changes = changesOf(users);
  peer.cut();
  await reached(client, "waiting");
  expect(contentOf(users)).toStrictEqual([{ ann: null, bob: null }, 2]);
  const [next] = await Promise.all([server.admit({ id: "another" }), reached(client, "open")]);
  expect(await letIn(next)).toStrictEqual({ rooms: ["tea"], presence: ["tea"] });
  // The number would fit, but it is that of another server.
  await tell(client, next, { v: 2, out: ["ann"], count: 1 });
  expect(contentOf(users)).toStrictEqual([{ ann: null, bob: null }, 2]);
  expect(await letIn(next)).toStrictEqual({ rooms: ["tea"], presence: ["tea"] });
  await tell(client, next, {
    v: 4,
    reset: true,
    in: [
      ["bob", null],
      ["cy", null],
    ],
    count: 2,
  });
  expect(contentOf(users)).toStrictEqual([{ bob: null, cy: null }, 2]);
  expect(changes).toStrictEqual([{ came: ["cy"], went: ["ann"] }]);
});

test("a client that the server has put into the room follows it, and asks when a number is missing", async () => {
  const { client, peer } = await openClient();
  const users = presence(client, "tea");
  await tell(client, peer, { v: 1, reset: true, in: [["ann", null]], count: 1 });
  expect(contentOf(users)).toStrictEqual([{ ann: null }, 1]);
  await tell(client, peer, { v: 3, in: [["bob", null]], count: 3 });
  const { id, data } = await peer.asked();
  expect(data).toStrictEqual({ rooms: ["tea"], presence: ["tea"] });
  // A refusal is nothing that the application has to do with.
  const refused = { room: "tea", code: "not-joinable", message: "No." };
  peer.send({ reply: id, data: { refused: [refused] } });
  await tell(client, peer, { v: 4, reset: true, in: [["cy", null]], count: 1 });
  expect(contentOf(users)).toStrictEqual([{ cy: null }, 1]);
});

test("several views of a room are told alike, and one that is closed is not told any more", async () => {
  const { client, peer, users } = await openRoom();
  const other = presence(client, "tea");
  expect(await letIn(peer)).toStrictEqual({ rooms: ["tea"], presence: ["tea"] });
  await tell(client, peer, { v: 1, reset: true, in: [["ann", null]], count: 1 });
  expect([contentOf(users), contentOf(other)]).toStrictEqual([
    [{ ann: null }, 1],
    [{ ann: null }, 1],
  ]);
  other.close();
  other.close();
  await tell(client, peer, { v: 2, out: ["ann"], count: 0 });
  expect([contentOf(users), contentOf(other)]).toStrictEqual([
    [{}, 0],
    [{ ann: null }, 1],
  ]);
  const joined = client.join("tea");
  expect(await letIn(peer)).toStrictEqual({ rooms: ["tea"], presence: ["tea"] });
  await joined;
  users.close();
  const again = client.join("tea");
  expect(await letIn(peer)).toStrictEqual({ rooms: ["tea"], presence: [] });
  await again;
});

test("a listener that fails stops no other and is reported, and one that was removed is not called", async () => {
  const { client, peer, users } = await openRoom();
  const problem = new Error("of a listener");
  const heard: string[] = [];
  const removed = (): unknown => heard.push("removed");
  users.on("change", () => {
    throw problem;
  });
  users.on("change", () => heard.push("second"));
  users.on("change", removed);
  users.off("change", removed);
  const error = nextError(client);
  await tell(client, peer, { v: 1, reset: true, in: [], count: 0 });
  expect(await error).toMatchObject({ code: "ERR_CLIENT_LISTENER", cause: problem });
  expect(heard).toStrictEqual(["second"]);
});

test("a name that no room can have is refused", () => {
  const client = connect("ws://127.0.0.1", { WebSocket: Object as never, start: false });
  expect(thrown(() => presence(client, ""))).toMatchObject({ code: "ERR_CLIENT_ARGUMENT" });
});
