import type { Codec, EventPacket } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import { overSockets, type TransportSubject } from "roomcast/testing";
import { uws } from "roomcast/transports/uws";
import { describe, expect, test } from "vitest";
import { openHubFixture, SUBJECTS } from "../../support/hub-fixture.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { withTopicsForAll } from "../../support/with-topics-for-all.ts";
import { dataOf, join, joined, positionAt, recording, type SeenPacket } from "./peer.ts";

/** A codec of an application's, which puts the position behind everything else. */
const stampedCodec: Codec = {
  encode: (packet) => JSON.stringify([packet]),
  decode: (message) => {
    if (typeof message !== "string") return undefined;
    const [packet, at] = JSON.parse(message) as [EventPacket, number | undefined];
    return at === undefined ? packet : { ...packet, at };
  },
  stamp: (message, at) => `${String(message).slice(0, -1)},${at}]`,
};

const CODECS: readonly (readonly [name: string, codec?: Codec])[] = [
  ["JSON"],
  ["MessagePack", msgpackCodec],
  ["a codec of the application's", stampedCodec],
];

const TOPICS: readonly TransportSubject[] = TRANSPORTS.includes("uws")
  ? [overSockets("uws with topics", () => withTopicsForAll(uws()))]
  : [];

const CASES = [...SUBJECTS, ...TOPICS].flatMap((subject) =>
  CODECS.map(([name, codec]) => ({
    title: `${subject.name} in ${name}`,
    subject: codec === undefined ? subject : { ...subject, codec },
  })),
);

describe.each(CASES)("on $title", ({ subject }) => {
  test("a client that was away gets what it missed, and then what is sent", async () => {
    const { hub, ...fixture } = await openFixture(subject);
    const [first, other] = await fixture.pair();
    const before = await join(first, "chat");
    expect(before).toMatchObject({ notice: { room: "chat", at: 0 }, missed: [], reply: { reply: 1 } });
    expect(before.notice).not.toHaveProperty("gap");
    hub.to("chat").emit("said", "one");
    expect(await first.packet()).toStrictEqual({ at: 1, event: "said", room: "chat", data: "one" });
    first.client.vanish();
    await fixture.departures.next();
    hub.to("chat").emit("said", "two");
    await hub.to("chat").record("said", "three");
    const after = await join(other, "chat", positionAt(before, 1));
    expect(after.notice).toStrictEqual({ room: "chat", stream: after.notice.stream, at: 1 });
    expect(after.missed).toStrictEqual([
      { at: 2, event: "said", room: "chat", data: "two" },
      { at: 3, event: "said", room: "chat", data: "three" },
    ]);
    hub.to("chat").emit("said", "four");
    expect(await other.packet()).toStrictEqual({ at: 4, event: "said", room: "chat", data: "four" });
  });

  test("a client that asks with its position before it knows that it was taken out gets nothing twice", async () => {
    const { hub, ...fixture } = await openFixture(subject);
    const peer = await fixture.connect();
    const before = await join(peer, "chat");
    hub.to("chat").emit("said", "on its way");
    peer.socket.leave("chat");
    peer.say({ event: "hub:join", id: 2, data: { room: "chat", since: positionAt(before) } });
    expect(await peer.packet()).toMatchObject({ at: 1, data: "on its way" });
    expect(await peer.packet()).toStrictEqual({ event: "hub:left", data: { room: "chat" } });
    const after = await joined(peer);
    expect(after).toMatchObject({ notice: { at: 1 }, missed: [], reply: { reply: 2 } });
    expect(after.notice).not.toHaveProperty("gap");
  });

  test("what left a client out is not for its next socket either, and a room is looked up again", async () => {
    const { hub, ...fixture } = await openFixture(subject);
    const [first, other] = await fixture.pair();
    const before = await join(first, "chat");
    first.socket.to("chat").emit("said", "its own, while it is there");
    first.client.vanish();
    await fixture.departures.next();
    first.socket.to("chat").emit("said", "its own, while it is away");
    hub.to("chat").except("staff").emit("said", "not for staff");
    hub.to("chat").except(first.socket, "staff").emit("said", "for neither");
    hub.to("chat").emit("said", "for everybody");
    other.socket.join("staff");
    const after = await join(other, "chat", positionAt(before));
    // The position is behind what comes first and is not for it.
    expect(after.notice.at).toBe(4);
    expect(dataOf(after.missed)).toStrictEqual(["for everybody"]);
    first.socket.to("chat").emit("said", "its own, sent late");
    hub.to("chat").emit("said", "live");
    expect(await other.packet()).toMatchObject({ at: 7, data: "live" });
    const third = await fixture.connect();
    const again = await join(third, "chat", positionAt(after, 5));
    expect(again).toMatchObject({ notice: { at: 6 }, missed: [{ at: 7 }] });
  });

  test("a member is told its position, whoever has put it into the room", async () => {
    const { hub, ...fixture } = await openFixture(subject);
    const peer = await fixture.connect();
    peer.socket.join("chat 1", "other");
    hub.toSocket(peer.socket.id).join("chat 2");
    hub.to("chat 2").emit("said", "first");
    const notices = [await peer.packet(), await peer.packet()] as SeenPacket[];
    expect(notices).toMatchObject([
      { event: "hub:record", data: { room: "chat 1", at: 0 } },
      { event: "hub:record", data: { room: "chat 2", at: 0 } },
    ]);
    expect(await peer.packet()).toMatchObject({ at: 1, data: "first" });
    peer.socket.join("chat 1");
    hub.to("chat 1").emit("said", "again");
    expect(await peer.packet()).toMatchObject({ at: 1, data: "again" });
  });
});

describe.each(SUBJECTS)("on $name", (subject) => {
  test("what a client missed waits for the client to read, and not in its queue", async () => {
    const options = recording({ size: 202 }, { maxBufferedBytes: 256 * 1024 });
    const { hub, ...fixture } = await openFixture(subject, options);
    const [first, other] = await fixture.pair();
    const before = await join(first, "chat");
    first.client.vanish();
    await fixture.departures.next();
    const text = "x".repeat(64 * 1024);
    for (let count = 0; count < 200; count++) hub.to("chat").emit("said", { count, text });
    other.client.pause();
    other.say({ event: "hub:join", id: 1, data: { room: "chat", since: positionAt(before) } });
    await expect.poll(() => hub.stats().history).toMatchObject({ waiting: 1 });
    // More is sent while it waits.
    hub.to("chat").emit("said", { count: 200 });
    hub.to("chat").emit("said", { count: 201 });
    await expect.poll(() => hub.stats().pendingBytes).toBeGreaterThan(0);
    expect(hub.stats().pendingBytes).toBeLessThanOrEqual(256 * 1024);
    other.client.resume();
    const { notice, missed } = await joined(other);
    const counts = dataOf(missed).map((data) => (data as { readonly count: number }).count);
    expect(notice).not.toHaveProperty("gap");
    expect(counts).toStrictEqual(Array.from({ length: 202 }, (_, index) => index));
    expect(hub.stats().history).toMatchObject({ waiting: 0, recoveries: 1 });
  });
});

/** Opens a hub, with methods that need no `this`. */
async function openFixture(subject: TransportSubject, options = recording()) {
  const fixture = await openHubFixture(subject, options);
  return {
    hub: fixture.hub,
    departures: fixture.departures,
    connect: () => fixture.connect(),
    pair: () => fixture.pair(),
  };
}
