import type { Client } from "roomcast/client";
import { expect, onTestFinished, test, vi } from "vitest";
import type { EventPacket } from "../../../src/protocol/packet.ts";
import { openClient, reached, rejection, startClient, startServer } from "../../support/clients.ts";
import type { Peer, ScriptedServer } from "../../support/scripted-server.ts";

/** The position of a room: `at` in the record `stream`. */
const positionOf = (stream: string, at: number): object => ({ stream, at });

/** Tells the client where it is in a room. */
function tell(peer: Peer, room: string, at: number, gap?: "trimmed"): void {
  peer.send({ event: "hub:record", data: { room, stream: `s${at}`, at, gap } });
}

/** Sends a recorded event whose data is its place. */
function say(peer: Peer, room: string, at: number): void {
  peer.send({ event: "said", data: at, room, at });
}

/** Has the client ask for a room, whatever becomes of it. */
function want(client: Client, room: string): void {
  client.join(room).catch(() => {});
}

/** What the client asks for next, without what is the same in all requests. */
async function asked(peer: Peer): Promise<{ readonly id: number; readonly data: unknown }> {
  const { event, id, data } = await peer.asked();
  expect(event).toBe("hub:join");
  return { id, data };
}

/** The next connection, with what the client's hello says of its positions. */
async function greeted(server: ScriptedServer): Promise<{ readonly peer: Peer; readonly since: unknown }> {
  const peer = await server.accept();
  const hello = (await peer.next()) as EventPacket;
  peer.welcome();
  return { peer, since: (hello.data as { readonly since?: unknown }).since };
}

/** Opens a client that is in the rooms, at these places. */
async function openIn(
  places: Readonly<Record<string, number>>,
): Promise<{ readonly server: ScriptedServer; readonly client: Client; readonly peer: Peer }> {
  const opened = await openClient();
  for (const [room, at] of Object.entries(places)) {
    const joined = opened.client.join(room);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { id } = await asked(opened.peer);
    tell(opened.peer, room, at);
    opened.peer.send({ reply: id });
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await joined;
  }
  return opened;
}

test("a client without positions says nothing of them", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  const { peer, since } = await greeted(server);
  expect(since).toBeUndefined();
  want(client, "chat");
  expect((await asked(peer)).data).toEqual({ rooms: ["chat"] });
  expect(client.positions.size).toBe(0);
});

test("a join after a lost connection has the position of the last event, and the hello has it not", async () => {
  const { server, client, peer } = await openIn({ chat: 4, other: 8 });
  const plain = client.join("plain");
  const { id } = await asked(peer);
  peer.send({ reply: id });
  await plain;
  say(peer, "chat", 5);
  say(peer, "chat", 7);
  await expect.poll(() => client.positions.get("chat")).toMatchObject(positionOf("s4", 7));
  peer.cut();
  const next = await greeted(server);
  expect(next.since).toBeUndefined();
  expect((await asked(next.peer)).data).toEqual({
    rooms: ["chat", "other", "plain"],
    since: { chat: expect.objectContaining(positionOf("s4", 7)), other: expect.objectContaining(positionOf("s8", 8)) },
  });
});

test("the hello has the positions in the rooms that the client does not ask for", async () => {
  const { server, peer } = await openIn({ chat: 4 });
  tell(peer, "mine", 2);
  say(peer, "mine", 3);
  expect(await peer.rest()).toEqual([]);
  peer.cut();
  const next = await greeted(server);
  expect(next.since).toEqual({ mine: expect.objectContaining(positionOf("s2", 3)) });
  expect((await asked(next.peer)).data).toMatchObject({ since: { chat: {} } });
});

test("the hello has the hundred latest positions, so that it stays small", async () => {
  const { server, peer } = await openClient();
  for (let n = 0; n < 150; n++) tell(peer, `room ${n}`, n);
  expect(await peer.rest()).toEqual([]);
  peer.cut();
  const { since } = await greeted(server);
  expect(Object.keys(since as object)).toEqual(Array.from({ length: 100 }, (_, n) => `room ${n + 50}`));
});

test("a request that failed for a while is repeated with the position of that time", async () => {
  const { server, client, peer } = await openIn({ chat: 4 });
  client.on("hub:error", () => {});
  peer.cut();
  const next = await server.admit();
  const { id } = await asked(next);
  say(next, "chat", 5);
  next.send({ reply: id, error: { code: "too-fast", message: "Later" } });
  expect((await asked(next)).data).toMatchObject({ since: { chat: positionOf("s4", 5) } });
});

test("a position is forgotten with the leave, also if the server tells it before it knows", async () => {
  const { server, client, peer } = await openIn({ chat: 4 });
  const left = client.leave("chat");
  expect(client.positions.size).toBe(0);
  const { id } = await peer.asked();
  tell(peer, "chat", 5);
  say(peer, "chat", 6);
  peer.send({ reply: id });
  await left;
  expect(client.positions.size).toBe(0);
  want(client, "chat");
  expect((await asked(peer)).data).toEqual({ rooms: ["chat"] });
  peer.cut();
  expect((await greeted(server)).since).toBeUndefined();
});

test("a position is forgotten with a leave that the connection does not survive", async () => {
  const { server, client, peer } = await openIn({ chat: 4 });
  client.on("hub:state", ({ state }) => {
    // The next hello is on its way before anything else.
    if (state === "waiting") client.reconnect();
  });
  void client.leave("chat");
  await peer.asked();
  tell(peer, "chat", 5);
  await expect.poll(() => client.positions.size).toBe(1);
  peer.cut();
  expect((await greeted(server)).since).toBeUndefined();
});

test("a position is forgotten with a refusal", async () => {
  const { server, client, peer } = await openIn({ chat: 4 });
  client.on("hub:error", () => {});
  peer.cut();
  const next = await server.admit();
  const { id } = await asked(next);
  next.send({ reply: id, data: { refused: [{ room: "chat", code: "not-joinable", message: "No" }] } });
  await expect.poll(() => client.positions.size).toBe(0);
  next.cut();
  expect((await greeted(server)).since).toBeUndefined();
});

test("a room that the server has taken the client out of is not asked for again, and this is told", async () => {
  const { server, client, peer } = await openIn({ chat: 4, other: 8 });
  const heard = vi.fn<(data: unknown, context: unknown) => void>();
  client.on("hub:left", heard);
  client.room("chat").on("hub:left", heard);
  client.room("other").on("hub:left", heard);
  peer.send({ event: "hub:left", data: { room: "chat" } });
  await expect.poll(() => heard.mock.calls).toHaveLength(2);
  expect(heard).toHaveBeenCalledWith({ room: "chat" }, { event: "hub:left", past: false, room: "chat" });
  peer.cut();
  const next = await greeted(server);
  expect(next.since).toBeUndefined();
  expect((await asked(next.peer)).data).toMatchObject({ rooms: ["other"], since: { other: {} } });
});

test("a room that the client asks for again while the server takes it out stays wanted", async () => {
  const { client, peer } = await openIn({ chat: 4 });
  const joined = client.join("chat");
  const { id } = await asked(peer);
  peer.send({ event: "hub:left", data: { room: "chat" } });
  tell(peer, "chat", 6);
  peer.send({ reply: id });
  await joined;
  expect(client.positions.get("chat")).toMatchObject(positionOf("s6", 6));
});

test("what comes between the position and the answer is past, for listeners and streams", async () => {
  const { server, client, peer } = await openIn({ chat: 4 });
  const heard: unknown[] = [];
  client.on("said", (data, { past }) => heard.push([data, past]));
  const events = client.events();
  say(peer, "chat", 5);
  peer.cut();
  const next = await server.admit();
  const { id } = await asked(next);
  tell(next, "chat", 5);
  say(next, "chat", 6);
  // What is not recorded is of now, and so is what the server has put the client into.
  next.send({ event: "said", data: "now", room: "chat" });
  tell(next, "mine", 1);
  say(next, "mine", 2);
  next.send({ reply: id });
  say(next, "chat", 7);
  await expect.poll(() => heard).toHaveLength(5);
  const expected = [
    [5, false],
    [6, true],
    ["now", false],
    [2, false],
    [7, false],
  ];
  expect(heard).toEqual(expected);
  for (const [data, past] of expected) {
    // oxlint-disable-next-line no-await-in-loop -- in their order
    expect((await events.next()).value).toMatchObject({ event: "said", data, past });
  }
});

test("what comes while a room is asked for again is not past", async () => {
  const { client, peer } = await openIn({ chat: 4 });
  const heard = vi.fn<(data: unknown, context: unknown) => void>();
  client.on("said", heard);
  want(client, "chat");
  await asked(peer);
  say(peer, "chat", 5);
  await expect.poll(() => heard.mock.calls).toEqual([[5, { event: "said", past: false, room: "chat" }]]);
});

test("what comes is not past while the client waits to ask again, if the server has put it into the room", async () => {
  const { client, peer } = await openClient({ reconnect: { minDelay: 60_000, maxDelay: 60_000 } });
  const random = vi.spyOn(Math, "random").mockReturnValue(1);
  onTestFinished(() => random.mockRestore());
  const heard = vi.fn<(data: unknown, context: unknown) => void>();
  client.on("hub:error", () => {});
  client.on("said", heard);
  want(client, "chat");
  const { id } = await asked(peer);
  peer.send({ reply: id, error: { code: "too-fast", message: "Later" } });
  tell(peer, "chat", 5);
  say(peer, "chat", 6);
  await expect.poll(() => heard.mock.calls).toEqual([[6, { event: "said", past: false, room: "chat" }]]);
});

test("a gap is told to the listeners of the client and of the room, in its place", async () => {
  const { client, peer } = await openIn({ chat: 4 });
  const heard: unknown[] = [];
  client.on("said", (data, { past }) => heard.push(past ? "past" : data));
  client.on("hub:gap", (gap) => heard.push(gap));
  client.room("chat").on("hub:gap", ({ reason }, { room }) => heard.push([reason, room]));
  client.room("other").once("hub:gap", () => heard.push("wrong"));
  say(peer, "chat", 5);
  tell(peer, "chat", 9, "trimmed");
  say(peer, "chat", 10);
  await expect.poll(() => heard).toEqual([5, { room: "chat", reason: "trimmed" }, ["trimmed", "chat"], 10]);
  expect(client.positions.get("chat")).toMatchObject(positionOf("s9", 10));
});

test("a position that was stored is given with the join, or with the hello", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  client.positions.set("chat", { stream: "stored", at: 3 });
  client.positions.set("mine", { stream: "stored", at: 4 });
  want(client, "chat");
  const { peer, since } = await greeted(server);
  expect(since).toEqual({ mine: positionOf("stored", 4) });
  expect((await asked(peer)).data).toEqual({ rooms: ["chat"], since: { chat: positionOf("stored", 3) } });
});

test("a position is a snapshot, which later events do not change", async () => {
  const { client, peer } = await openIn({ chat: 4 });
  const before = client.positions.get("chat");
  say(peer, "chat", 5);
  await expect.poll(() => client.positions.get("chat")).toMatchObject({ at: 5 });
  expect(before).toMatchObject({ at: 4 });
});

test("events that do not fit, and listeners that fail, move the position like others", async () => {
  const { client, peer } = await openIn({ chat: 4 });
  client.on("hub:error", () => {});
  client.on("said", () => {
    throw new Error("no");
  });
  say(peer, "chat", 5);
  await expect.poll(() => client.positions.get("chat")).toMatchObject({ at: 5 });
});

test("a closed client that is opened again recovers", async () => {
  const { server, client } = await openIn({ chat: 4 });
  await client.close();
  client.open();
  const next = await server.admit();
  expect((await asked(next)).data).toMatchObject({ since: { chat: { at: 4 } } });
});

test("a room may have any name", async () => {
  const { server, peer } = await openIn({ ["__proto__"]: 2, constructor: 3 });
  peer.cut();
  const { data } = await asked(await server.admit());
  expect(Object.keys((data as { readonly since: object }).since)).toEqual(["__proto__", "constructor"]);
});

test.each([undefined, null, 7, "text", [], {}, { room: 3 }])("%j in a notice does no harm", async (data) => {
  const { client, peer } = await openIn({ chat: 4 });
  for (const event of ["hub:record", "hub:left", "hub:dropped"]) peer.send({ event, data });
  say(peer, "chat", 5);
  await expect.poll(() => client.positions.get("chat")).toMatchObject({ at: 5 });
  expect(client.state).toBe("open");
  const refused = rejection(client.request("ask", 1, { timeout: 1 }));
  expect(await refused).toMatchObject({ code: "ERR_CLIENT_TIMEOUT" });
});

test("what the server calls a gap itself is ignored", async () => {
  const { client, peer } = await openClient();
  const heard = vi.fn<() => void>();
  client.on("hub:gap", heard);
  peer.send({ event: "hub:gap", data: { room: "chat", reason: "trimmed" } });
  expect(await peer.rest()).toEqual([]);
  await Promise.all([reached(client, "closed"), client.close()]);
  expect(heard).not.toHaveBeenCalled();
});
