import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { jsonCodec, type Codec, type EventPacket, type Hub, type Socket } from "roomcast";
import { connect } from "roomcast/client";
import { createTestHub, inMemory, type VirtualClock } from "roomcast/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import type { HubFixture } from "../../../src/testing/suite/hub-fixture.ts";
import { settle } from "../../../src/testing/settle.ts";
import { hubError } from "../../support/hub-error.ts";
import { openHubFixture, openHubFixtureInTime } from "../../support/hub-fixture.ts";
import { dataOf, join, joined, positionAt, recording, type SeenPacket } from "./peer.ts";

const HOUR = 3_600_000;

function openInTime(
  rule: Parameters<typeof recording>[0] = {},
  options: Parameters<typeof recording>[1] = {},
): Promise<{ readonly fixture: HubFixture; readonly clock: VirtualClock }> {
  return openHubFixtureInTime(inMemory(), recording(rule, options));
}

/** Sends events with these data to the room. */
function say(hub: Hub, room: string, ...data: readonly unknown[]): void {
  for (const value of data) hub.to(room).emit("said", value);
}

async function kept(hub: Hub, room: string): Promise<readonly unknown[]> {
  return (await hub.history(room)).events.map(({ data }) => data);
}

describe("recorded is", () => {
  test("what is sent to one room, and nothing else", async () => {
    const { hub, ...fixture } = await openFixture();
    const peer = await fixture.connect();
    peer.socket.join("chat", "chat 2", "other");
    expect([await peer.packet(), await peer.packet()]).toMatchObject([
      { event: "hub:record" },
      { event: "hub:record" },
    ]);
    hub.to("chat").emit("said", 1);
    hub.to("chat").latest("key").emit("said", 2);
    await hub.to("chat").record("said", 3);
    hub.to("chat", "chat 2").emit("said", "to a union");
    hub.to("chat").toSocket("somebody").emit("said", "to a socket, too");
    hub.to("chat").volatile.emit("said", "volatile");
    hub.to("chat").local.emit("said", "here only");
    hub.emit("said", "to everybody");
    hub.to("other").emit("said", "to another room");
    void hub.to("chat").request("said", "a request");
    hub.to("chat").send(JSON.stringify({ event: "said", data: "as it is" }));
    const heard = (await peer.heard()).map((text) => JSON.parse(String(text)) as SeenPacket);
    expect(heard.map(({ at }) => at)).toStrictEqual([1, 2, 3, ...Array.from({ length: 8 }, () => undefined)]);
    expect(dataOf(heard).slice(3)).toHaveLength(8);
    expect(await kept(hub, "chat")).toStrictEqual([1, 2, 3]);
    expect(await kept(hub, "chat 2")).toStrictEqual([]);
    expect(hub.stats().history).toMatchObject({ recorded: 3, rooms: 2, entries: 3 });
  });

  test("what nobody hears, too", async () => {
    const { hub, ...fixture } = await openFixture();
    const { stream, at } = await hub.history("chat");
    say(hub, "chat", "unheard");
    const peer = await fixture.connect();
    expect(dataOf((await join(peer, "chat", { stream, at })).missed)).toStrictEqual(["unheard"]);
  });

  test("nothing that cannot be encoded or is too large, and its place is not used", async () => {
    const { hub } = await openFixture({}, { maxBufferedBytes: 1_024 });
    expect(() => hub.to("chat").emit("said", 1n)).toThrow(hubError("ERR_HUB_UNSERIALISABLE"));
    await expect(hub.to("chat").record("said", "x".repeat(2_000))).rejects.toThrow(
      hubError("ERR_HUB_MESSAGE_TOO_LARGE"),
    );
    expect(await hub.to("chat").record("said", "good")).toStrictEqual({ at: 1 });
  });
});

describe("a client is told of a gap", () => {
  test("trimmed, where it has missed more than is kept", async () => {
    const { hub, ...fixture } = await openFixture({ size: 3 });
    const [first, second] = await fixture.pair();
    const before = await join(first, "chat");
    say(hub, "chat", 1, 2, 3, 4);
    expect(await join(second, "chat", positionAt(before, 1))).toMatchObject({
      notice: { at: 1 },
      missed: [2, 3, 4].map((data) => ({ data })),
    });
    const third = await fixture.connect();
    expect(await join(third, "chat", positionAt(before))).toMatchObject({
      notice: { at: 4, gap: "trimmed" },
      missed: [],
    });
    expect(hub.stats().history).toMatchObject({
      recoveries: 1,
      replayed: 3,
      gaps: { trimmed: 1, epoch: 0, overrun: 0 },
    });
  });

  test("epoch, where the record was deleted, at once and when it comes back", async () => {
    const { hub, ...fixture } = await openFixture();
    const gaps: unknown[] = [];
    const listener = (message: unknown): void => void gaps.push(message);
    subscribe("roomcast:gap", listener);
    onTestFinished(() => void unsubscribe("roomcast:gap", listener));
    const [first, second] = await fixture.pair();
    const before = await join(first, "chat");
    say(hub, "chat", 1);
    await first.packet();
    await hub.forget("chat");
    const notice = (await first.packet()) as SeenPacket;
    expect(notice).toMatchObject({ event: "hub:record", data: { room: "chat", at: 0, gap: "epoch" } });
    expect(await join(second, "chat", positionAt(before, 1))).toMatchObject({ notice: { at: 0, gap: "epoch" } });
    say(hub, "chat", "anew");
    expect(await first.packet()).toMatchObject({ at: 1, data: "anew" });
    expect(gaps).toStrictEqual([first, second].map(({ socket }) => ({ hub, socket, room: "chat", reason: "epoch" })));
  });

  test("overrun, where more is sent than is kept while it gets what it missed", async () => {
    const { hub, ...fixture } = await openFixture({ size: 10 }, { maxBufferedBytes: 1_024 });
    const [first, second] = await fixture.pair();
    const before = await join(first, "chat");
    say(hub, "chat", ...Array.from({ length: 10 }, (_, index) => String(index).padEnd(500)));
    second.client.pause();
    second.say({ event: "hub:join", id: 1, data: { room: "chat", since: positionAt(before) } });
    await expect.poll(() => hub.stats().history?.waiting).toBe(1);
    say(hub, "chat", ...Array.from({ length: 10 }, () => "more"));
    second.client.resume();
    const { notice, missed, reply } = await joined(second);
    expect(notice.at).toBe(0);
    expect(missed.at(-1)).toMatchObject({ event: "hub:record", data: { room: "chat", at: 20, gap: "overrun" } });
    expect(missed.slice(0, -1).map(({ at }) => at)).toStrictEqual(missed.slice(0, -1).map((_, index) => index + 1));
    expect(reply).toStrictEqual({ reply: 1 });
    say(hub, "chat", "live");
    expect(await second.packet()).toMatchObject({ at: 21, data: "live" });
  });

  test("overrun, where it tells an earlier position when it is in the room already", async () => {
    const { hub, ...fixture } = await openFixture();
    const [first, second] = await fixture.pair();
    const before = await join(first, "chat");
    say(hub, "chat", 1);
    second.socket.join("chat");
    expect(await second.packet()).toMatchObject({ data: { at: 1 } });
    const { notice } = await join(second, "chat", positionAt(before));
    expect(notice).toMatchObject({ at: 1, gap: "overrun" });
    // Its own position on this connection is no earlier one.
    say(hub, "chat", 2);
    second.say({
      event: "hub:join",
      id: 2,
      data: { room: "chat", since: positionAt({ notice, missed: [], reply: {} }) },
    });
    expect([await second.packet(), await second.packet()]).toMatchObject([{ at: 2 }, { reply: 2 }]);
  });
});

test.each(["in connection", "when it asks itself"])(
  "a library client tells its positions in its hello, and recovers where the server puts it into the room %s",
  async (when) => {
    const { hub, WebSocket: _, ...stage } = createTestHub(recording());
    onTestFinished(() => hub.close());
    say(hub, "chat", 1, 2, 3);
    const { stream } = await hub.history("chat");
    const since = { chat: { stream, at: 1 }, other: { stream, at: 1 }, "chat 2": "nonsense" };
    if (when === "in connection") hub.on("connection", (socket) => socket.join("chat", "chat 2"));
    const socket = stage.transport.connect("/", { headers: { host: "test" }, protocols: [jsonCodec.protocol] });
    const heard: SeenPacket[] = [];
    socket.addEventListener("message", (event) => {
      heard.push(JSON.parse(String((event as MessageEvent).data)) as SeenPacket);
    });
    await settle();
    socket.send(JSON.stringify({ event: "hub:hello", data: { protocol: 1, since } }));
    await settle();
    // It asks for its rooms, as after every loss of a connection.
    const rooms = ["chat", "chat 2"];
    socket.send(JSON.stringify({ event: "hub:join", id: 1, data: { rooms, since } }));
    await settle();
    say(hub, "chat", 4);
    await settle();
    expect(heard.slice(1)).toMatchObject([
      { event: "hub:record", data: { room: "chat", at: 1 } },
      { at: 2 },
      { at: 3 },
      { event: "hub:record", data: { room: "chat 2", at: 0, gap: "epoch" } },
      { reply: 1 },
      { at: 4 },
    ]);
    expect(hub.stats().history).toMatchObject({ recoveries: 1, gaps: { epoch: 1, overrun: 0 } });
    // What it has left begins anew.
    socket.send(JSON.stringify({ event: "hub:leave", id: 2, data: { room: "chat" } }));
    socket.send(JSON.stringify({ event: "hub:join", id: 3, data: { room: "chat" } }));
    await settle();
    expect(heard.slice(-3)).toMatchObject([{ reply: 2 }, { data: { room: "chat", at: 4 } }, { reply: 3 }]);
  },
);

describe("a client that leaves", () => {
  test("by itself is not told, and one that is taken out is", async () => {
    const { hub, ...fixture } = await openFixture();
    const peer = await fixture.connect();
    await join(peer, "chat");
    peer.socket.join("other");
    say(hub, "chat", "first");
    peer.socket.leave("chat", "other");
    expect([await peer.packet(), await peer.packet()]).toMatchObject([
      { data: "first" },
      { event: "hub:left", data: { room: "chat" } },
    ]);
    await join(peer, "chat");
    hub.to("chat").leave("chat", "chat 2");
    expect(await peer.packet()).toMatchObject({ event: "hub:left", data: { room: "chat" } });
    await join(peer, "chat");
    expect(await peer.ask("hub:leave", { room: "chat" })).toStrictEqual({ reply: 1 });
    expect(hub.rooms.size).toBe(0);
  });

  test("is refused the room that it was on its way into", async () => {
    const { hub, ...fixture } = await openFixture({ size: 10 }, { maxBufferedBytes: 1_024 });
    const [first, second] = await fixture.pair();
    const before = await join(first, "chat");
    say(hub, "chat", ...Array.from({ length: 10 }, (_, index) => String(index).padEnd(500)));
    second.client.pause();
    second.say({ event: "hub:join", id: 1, data: { room: "chat", since: positionAt(before) } });
    await expect.poll(() => hub.stats().history?.waiting).toBe(1);
    expect([...second.socket.rooms]).toStrictEqual([]);
    second.socket.leave("chat");
    second.client.resume();
    const { missed, reply } = await joined(second);
    expect(missed.at(-1)).toStrictEqual({ event: "hub:left", data: { room: "chat" } });
    expect(reply).toMatchObject({ reply: 1, error: { code: "not-joinable" } });
    expect(hub.stats().history).toMatchObject({ waiting: 0 });
    expect(hub.rooms.get("chat")?.size).toBe(1);
  });

  test("for good while it gets what it missed leaves nothing behind", async () => {
    const { hub, ...fixture } = await openFixture({ size: 10 }, { maxBufferedBytes: 1_024 });
    const [first, second] = await fixture.pair();
    const before = await join(first, "chat");
    say(hub, "chat", ...Array.from({ length: 10 }, (_, index) => String(index).padEnd(500)));
    second.client.pause();
    second.say({ event: "hub:join", id: 1, data: { rooms: ["chat", "chat 2"], since: { chat: positionAt(before) } } });
    await expect.poll(() => hub.stats().history?.waiting).toBe(1);
    second.client.vanish();
    await fixture.departures.next();
    expect(hub.stats().history).toMatchObject({ waiting: 0 });
    expect([...hub.rooms.keys()]).toStrictEqual(["chat"]);
  });

  test("the limit of rooms counts those that it is on its way into", async () => {
    const limits = { rooms: 2 };
    const { hub, ...fixture } = await openFixture({ size: 10 }, { maxBufferedBytes: 1_024, limits });
    const [first, second] = await fixture.pair();
    const before = await join(first, "chat");
    say(hub, "chat", ...Array.from({ length: 10 }, (_, index) => String(index).padEnd(500)));
    second.client.pause();
    second.socket.join("chat", { since: positionAt(before) });
    expect(hub.stats().history).toMatchObject({ waiting: 1 });
    expect(() => second.socket.join("a", "b")).toThrow(hubError("ERR_HUB_LIMIT"));
    expect(() => second.socket.join("chat 2", { since: "b" })).not.toThrow();
    expect(() => second.socket.join("chat 3", { since: "b" })).toThrow(hubError("ERR_HUB_LIMIT"));
  });
});

describe("a client that reads too slowly", () => {
  const LINES = Array.from({ length: 40 }, (_, index) => String(index).padEnd(500));

  test("goes on from where its page was broken off", async () => {
    const { hub, ...fixture } = await openFixture({}, { maxBufferedBytes: 16_384 });
    const [first, second] = await fixture.pair();
    const before = await join(first, "chat");
    say(hub, "chat", ...LINES);
    second.client.pause();
    // What is sent before makes the page longer than what is written at once.
    second.socket.send("x".repeat(6_000));
    second.socket.join("chat", { since: positionAt(before) });
    expect(hub.stats().history).toMatchObject({ waiting: 1 });
    second.client.resume();
    await expect.poll(() => hub.stats().history).toMatchObject({ waiting: 0 });
    const [, notice, ...missed] = await second.heard();
    expect(JSON.parse(String(notice))).toMatchObject({ event: "hub:record", data: { at: 0 } });
    expect(dataOf(missed.map((text) => JSON.parse(String(text)) as SeenPacket))).toStrictEqual(LINES);
  });

  test.each([
    ["its position", (socket: Socket) => socket.join("chat", "other")],
    ["its position, after it was away", (socket: Socket) => socket.join("chat", { since: "unknown" })],
    ["that it has left", (socket: Socket) => socket.leave("chat 2", "chat 3")],
  ])("is nowhere and waits for nothing once it is closed because it was told %s", async (_, act) => {
    const { hub, ...fixture } = await openFixture({}, { maxBufferedBytes: 1_024 });
    const peer = await fixture.connect();
    peer.socket.join("chat 2", "chat 3");
    await peer.heard();
    say(hub, "chat", 1);
    peer.client.pause();
    peer.socket.send("x".repeat(1_000));
    act(peer.socket);
    expect((await fixture.departures.next())?.code).toBe(4101);
    expect(hub.stats().history).toMatchObject({ waiting: 0 });
    expect([...hub.rooms.keys()]).toStrictEqual([]);
  });
});

test("socket.join takes one room with a position, and nothing else", async () => {
  const { socket } = await (await openFixture()).connect();
  expect(() => socket.join("", { since: 1 })).toThrow(hubError("ERR_HUB_ROOM_NAME"));
  expect(() => socket.join(["a", "b"] as never, { since: 1 })).toThrow(hubError("ERR_HUB_ROOM_NAME"));
  expect(() => socket.join("chat", { since: 1, until: 2 } as never)).toThrow(hubError("ERR_HUB_ARGUMENT", "{ since }"));
  expect(() => socket.join("a", null as never)).toThrow(hubError("ERR_HUB_ROOM_NAME"));
  socket.join("chat", { since: undefined });
  socket.join("other", { since: { stream: "nothing", at: 1 } });
  expect([...socket.rooms]).toStrictEqual(["chat", "other"]);
});

test("a library client hears the events of a recorded room as of any other", async () => {
  const { hub, WebSocket, ...stage } = createTestHub(recording());
  onTestFinished(() => hub.close());
  const client = connect("ws://test/", { WebSocket });
  onTestFinished(() => client.close());
  const heard: unknown[] = [];
  client.on("said", (data, { room }) => heard.push([room, data]));
  await client.join("chat");
  say(hub, "chat", 1, 2);
  await expect
    .poll(() => heard)
    .toStrictEqual([
      ["chat", 1],
      ["chat", 2],
    ]);
  hub.to("chat").leave("chat");
  say(hub, "chat", 3);
  await client.join("chat 2");
  expect(heard).toHaveLength(2);
  expect(stage.errors).toStrictEqual([]);
});

describe("a rule with", () => {
  test("a number as replay sends the last events to who has no position, and to who has none any more", async () => {
    const { hub, ...fixture } = await openFixture({ size: 3, replay: 2 });
    const [first, second] = await fixture.pair();
    const before = await join(first, "chat");
    say(hub, "chat", 1, 2, 3, 4);
    expect(await join(second, "chat")).toMatchObject({ notice: { at: 2 }, missed: [{ at: 3 }, { at: 4 }] });
    const third = await fixture.connect();
    const { notice, missed } = await join(third, "chat", positionAt(before));
    expect(notice).toMatchObject({ at: 2, gap: "trimmed" });
    expect(dataOf(missed)).toStrictEqual([3, 4]);
    third.socket.leave("chat");
    third.socket.join("chat");
    expect([await third.packet(), await third.packet()]).toMatchObject([{ event: "hub:left" }, { data: { at: 2 } }]);
  });

  test('keep "latest" sends the newest event of each key again, with "latest" as replay to everybody', async () => {
    const { hub, ...fixture } = await openFixture({ keep: "latest", replay: "latest" });
    const [first, second] = await fixture.pair();
    const before = await join(first, "chat");
    for (const value of [1, 2, 3])
      for (const key of ["EUR", "USD"]) hub.to("chat").latest(key).emit("price", [key, value]);
    say(hub, "chat", "without a key");
    hub.to("chat").latest("EUR").emit("price", ["EUR", 4]);
    expect(await kept(hub, "chat")).toStrictEqual([["USD", 3], "without a key", ["EUR", 4]]);
    expect(dataOf((await join(second, "chat")).missed)).toStrictEqual([
      ["USD", 3],
      ["EUR", 4],
    ]);
    const third = await fixture.connect();
    const { notice, missed } = await join(third, "chat", positionAt(before, 2));
    expect(notice).not.toHaveProperty("gap");
    expect(dataOf(missed)).toStrictEqual([["USD", 3], "without a key", ["EUR", 4]]);
  });

  test('keep "all" and "latest" as replay keeps everything for who has a position', async () => {
    const { hub, ...fixture } = await openFixture({ replay: "latest" });
    const [first, second] = await fixture.pair();
    const before = await join(first, "chat");
    for (const value of [1, 2]) hub.to("chat").latest("EUR").emit("price", value);
    expect(dataOf((await join(second, "chat")).missed)).toStrictEqual([2]);
    const third = await fixture.connect();
    expect(dataOf((await join(third, "chat", positionAt(before))).missed)).toStrictEqual([1, 2]);
  });
});

describe("the record of a room", () => {
  test("is read by the application, and is a position", async () => {
    const { fixture, clock } = await openInTime({ size: 4 });
    const { hub } = fixture;
    const start = clock.wall();
    say(hub, "chat", 1, 2);
    await clock.advance(1_000);
    hub.to("chat").except("staff").emit("said", { three: 3 });
    const all = await hub.history("chat");
    expect(all.events).toStrictEqual([
      { at: 1, time: start, event: "said", data: 1 },
      { at: 2, time: start, event: "said", data: 2 },
      { at: 3, time: start + 1_000, event: "said", data: { three: 3 } },
    ]);
    expect(all).toMatchObject({ at: 3, complete: true });
    say(hub, "chat", 4, 5);
    const ats = ({ events }: typeof all): readonly number[] => events.map(({ at }) => at);
    const last = await hub.history("chat", { last: 2 });
    expect([ats(last), last.at, last.complete]).toStrictEqual([[4, 5], 5, false]);
    const page = await hub.history("chat", { since: { stream: all.stream, at: 1 }, limit: 2 });
    expect([ats(page), page.at, page.complete]).toStrictEqual([[2, 3], 3, true]);
    const next = await hub.history("chat", { since: page, limit: 2 });
    expect([ats(next), next.at, next.complete]).toStrictEqual([[4, 5], 5, true]);
    const none = await hub.history("chat", { since: "nonsense" });
    expect([ats(none), none.complete]).toStrictEqual([[2, 3, 4, 5], false]);
    say(hub, "chat", 6);
    const peer = await fixture.connect();
    expect(dataOf((await join(peer, "chat", { stream: next.stream, at: next.at })).missed)).toStrictEqual([6]);
  });

  test("is refused for a room without a rule, and for bad arguments", async () => {
    const { hub } = await openFixture();
    await expect(hub.history("other")).rejects.toThrow(hubError("ERR_HUB_HISTORY", '"other"'));
    await expect(hub.forget("other")).rejects.toThrow(hubError("ERR_HUB_HISTORY", '"other"'));
    for (const target of [hub.to("other"), hub.to("chat", "chat 2"), hub.to("chat").volatile, hub.to("chat").local]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect(target.record("said", 1)).rejects.toThrow(hubError("ERR_HUB_HISTORY", "one room"));
    }
    await expect(hub.history("")).rejects.toThrow(hubError("ERR_HUB_ROOM_NAME"));
    for (const query of [null, 1, { last: 0 }, { limit: 1.5 }, { most: 1 }]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect(hub.history("chat", query as never)).rejects.toThrow(hubError("ERR_HUB_ARGUMENT", "since"));
    }
    const { hub: plain } = await openHubFixture(inMemory());
    await expect(plain.history("chat")).rejects.toThrow(hubError("ERR_HUB_HISTORY"));
    await plain.close();
    await expect(plain.history("chat")).rejects.toThrow(hubError("ERR_HUB_CLOSED"));
  });

  test("is empty once nobody has spoken for its age, and positions in it are good as long as there are members", async () => {
    const { fixture, clock } = await openInTime({ age: HOUR });
    const { hub } = fixture;
    const [first, second] = await fixture.pair();
    const before = await join(first, "chat");
    say(hub, "chat", 1);
    await first.packet();
    await clock.advance(HOUR - 1);
    say(hub, "chat", 2);
    await first.packet();
    await clock.advance(HOUR - 1);
    expect(hub.stats().history).toMatchObject({ rooms: 1, entries: 2 });
    await clock.advance(2);
    expect(hub.stats().history).toMatchObject({ rooms: 1, entries: 0, bytes: 0 });
    await clock.advance(10 * HOUR);
    expect(await join(second, "chat", positionAt(before, 2))).toMatchObject({ notice: { at: 2 }, missed: [] });
    const third = await fixture.connect();
    expect(await join(third, "chat", positionAt(before, 1))).toMatchObject({ notice: { at: 2, gap: "trimmed" } });
    hub.local.close();
    await clock.advance(HOUR / 2);
    expect(hub.stats().history).toMatchObject({ rooms: 1 });
    await clock.advance(3 * HOUR);
    expect(hub.stats().history).toMatchObject({ rooms: 0 });
    const fourth = await fixture.connect();
    expect(await join(fourth, "chat", positionAt(before, 2))).toMatchObject({ notice: { at: 0, gap: "epoch" } });
  });

  test("takes no more than all may, and the room that was silent longest loses its oldest events first", async () => {
    const { fixture, clock } = await openInTime({ size: 1_000 }, { history: { rooms: {}, maxBytes: 104 * 1024 } });
    const { hub } = fixture;
    const text = "x".repeat(1_000);
    for (let round = 0; round < 20; round++) for (const room of ["chat 1", "chat 2", "chat 3"]) say(hub, room, text);
    await clock.advance(10);
    for (let count = 0; count < 20; count++) say(hub, "chat 1", text);
    expect(hub.stats().history?.bytes).toBeLessThanOrEqual(104 * 1024);
    const counts = await Promise.all(
      ["chat 1", "chat 2", "chat 3"].map(async (room) => (await kept(hub, room)).length),
    );
    expect(counts[0]).toBe(40);
    expect(counts[1]).toBeLessThan(counts[2] ?? 0);
    expect((await hub.history("chat 2")).complete).toBe(false);
    // One event that is larger than everything may be is sent, and not kept.
    say(hub, "chat 4", "x".repeat(200_000));
    expect(hub.stats().history).toMatchObject({ entries: 0 });
  });
});

describe("what a client is sent again", () => {
  test("waits until its rate allows it, and a new connection renews nothing", async () => {
    const limits = { replay: { perSecond: 1_000, burst: 1_000 } };
    const { fixture, clock } = await openInTime({}, { limits, maxBufferedBytes: 4_096 });
    const { hub } = fixture;
    const first = await fixture.connect();
    const before = await join(first, "chat");
    say(hub, "chat", ...Array.from({ length: 40 }, (_, index) => String(index).padEnd(250)));
    const replayed = (): number => hub.stats().history?.replayed ?? 0;
    const second = await fixture.connect();
    second.say({ event: "hub:join", id: 1, data: { room: "chat", since: positionAt(before) } });
    await clock.advance(0);
    const atOnce = replayed();
    expect(atOnce).toBeGreaterThan(0);
    expect(atOnce).toBeLessThan(20);
    second.client.vanish();
    await clock.advance(0);
    const third = await fixture.connect();
    third.say({ event: "hub:join", id: 1, data: { room: "chat", since: positionAt(before) } });
    await clock.advance(100);
    expect(replayed()).toBe(atOnce);
    // What else is sent to it does not wait.
    third.socket.emit("hello");
    await clock.advance(60_000);
    const { missed, reply } = await joined(third);
    expect(reply).toStrictEqual({ reply: 1 });
    expect(missed[0]).toStrictEqual({ event: "hello" });
    expect(missed.slice(1).map(({ at }) => at)).toStrictEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  });

  test("is nothing for a position that is a megabyte long or names what is no room of a record", async () => {
    const { hub, ...fixture } = await openFixture();
    const peer = await fixture.connect();
    say(hub, "chat", 1);
    const long = "x".repeat(900_000);
    const bad = [
      { stream: long, at: 1 },
      { stream: "a", at: 1, more: long },
      [long],
      { stream: `a${".b".repeat(500)}`, at: 0 },
    ];
    for (const since of bad) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await join(peer, "chat", since)).toMatchObject({ notice: { at: 1, gap: "epoch" }, missed: [] });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await peer.ask("hub:leave", { room: "chat" });
    }
    const ofAnother = await join(peer, "chat 2");
    expect(await join(peer, "chat", positionAt(ofAnother, 0))).toMatchObject({ notice: { at: 1, gap: "epoch" } });
    expect(hub.stats().history).toMatchObject({ replayed: 0, recoveries: 0 });
    peer.say({ event: "hub:join", id: 3, data: { rooms: ["other", "chat 3"], since: "nothing" } });
    expect([await peer.packet(), await peer.packet()]).toMatchObject([
      { data: { room: "chat 3", at: 0 } },
      { reply: 3 },
    ]);
  });

  test("is as much for a client whose earlier socket another one claims as its own", async () => {
    const { hub, ...fixture } = await openFixture();
    const [first, thief] = await fixture.pair();
    const before = await join(first, "chat");
    first.client.vanish();
    await fixture.departures.next();
    const victim = await fixture.connect();
    const { notice } = await join(victim, "chat", positionAt(before));
    await join(thief, "chat", { stream: notice.stream, at: 0 });
    first.socket.to("chat").emit("said", "by the victim");
    victim.socket.to("chat").emit("said", "by the victim again");
    say(hub, "chat", "for all");
    expect(await victim.packet()).toMatchObject({ data: "for all" });
    expect(await thief.packet()).toMatchObject({ data: "for all" });
  });
});

test("in a codec that has no place for positions, they follow the events", async () => {
  const flat: Codec = {
    encode: (packet) =>
      JSON.stringify("event" in packet ? { type: packet.event, data: packet.data, id: packet.id } : packet),
    decode: (message) => {
      const { type, ...rest } = JSON.parse(String(message)) as { readonly type: string };
      return { event: type, ...rest };
    },
  };
  const { hub, ...fixture } = await openFixture({}, { codec: flat });
  const [first, second] = await fixture.pair();
  const texts = async (peer: typeof first, count: number): Promise<unknown[]> => {
    const seen: unknown[] = [];
    // oxlint-disable-next-line no-await-in-loop -- in their order
    for (let left = count; left > 0; left--) seen.push(JSON.parse(String(await peer.client.next())));
    return seen;
  };
  first.client.send(JSON.stringify({ type: "hub:join", id: 1, data: { room: "chat" } }));
  const [begun] = (await texts(first, 2)) as [{ readonly data: { readonly stream: string } }];
  const { stream } = begun.data;
  expect(begun).toMatchObject({ type: "hub:record", data: { at: 0 } });
  say(hub, "chat", "one");
  expect(await texts(first, 2)).toStrictEqual([
    { type: "said", data: "one" },
    { type: "hub:record", data: { room: "chat", stream, at: 1 } },
  ]);
  say(hub, "chat", "two", "three");
  const since = { stream, at: 1 };
  second.client.send(JSON.stringify({ type: "hub:join", id: 1, data: { room: "chat", since } }));
  expect(await texts(second, 5)).toMatchObject([
    { type: "hub:record", data: { at: 1 } },
    { type: "said", data: "two" },
    { type: "said", data: "three" },
    { type: "hub:record", data: { at: 3 } },
    { reply: 1 },
  ]);
  expect(
    (await hub.history("chat")).events.map(({ event, data }: Pick<EventPacket, "event" | "data">) => [event, data]),
  ).toStrictEqual(["one", "two", "three"].map((data) => ["said", data]));
});

/** Opens a hub in memory, with methods that need no `this`. */
async function openFixture(...args: Parameters<typeof recording>) {
  const fixture = await openHubFixture(inMemory(), recording(...args));
  return {
    hub: fixture.hub,
    departures: fixture.departures,
    connect: () => fixture.connect(),
    pair: () => fixture.pair(),
  };
}
