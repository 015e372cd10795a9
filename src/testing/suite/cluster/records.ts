import assert from "node:assert/strict";
import { createEmitter } from "../../../hub/emitter.ts";
import type { HubOptions } from "../../../hub/options.ts";
import type { EventPacket, Packet, Position, RecordNotice } from "../../../protocol/packet.ts";
import type { ClientFixture } from "../client-fixture.ts";
import type { ClusterFixture } from "./cluster-fixture.ts";
import type { ClusterSuite } from "./cluster-suite.ts";

const ROOM = "log:x";

const OPTIONS: HubOptions = {
  joinable: () => true,
  history: { rooms: { "log:last:*": { size: 100, age: 60_000, replay: 2 }, "log:*": { size: 100, age: 60_000 } } },
};

/** What a client hears on its way into a room. */
interface Way {
  readonly notice: RecordNotice;
  readonly missed: readonly unknown[];
}

/** The records of rooms, of which the engine keeps the logs. */
export function recordCases(suite: ClusterSuite): void {
  suite.recorded("members of all nodes hear one order, with places that grow", OPTIONS, async (fixture) => {
    const peers = await membersOf(fixture);
    for (let round = 0; round < 20; round++) {
      for (const [index, hub] of fixture.hubs.entries()) hub.to(ROOM).emit("said", `${index} ${round}`);
    }
    const heard = await Promise.all(peers.map((peer) => events(peer, 60)));
    const [first = []] = heard;
    for (const others of heard) assert.deepEqual(others, first);
    const places = first.map(({ at }) => at ?? 0);
    assert.ok(places.every((at, index) => index === 0 || at > (places[index - 1] as number)));
    for (const index of fixture.hubs.keys()) {
      const own = first.map((packet) => packet.data as string).filter((text) => text.startsWith(`${index} `));
      assert.deepEqual(
        own,
        Array.from({ length: 20 }, (_, round) => `${index} ${round}`),
      );
    }
  });

  suite.recorded("a client gets on another node what it has missed", OPTIONS, async (fixture) => {
    const [peer] = await membersOf(fixture);
    assert.ok(peer !== undefined);
    const stream = await streamAfter(peer, () => fixture.hub(2).to(ROOM).emit("said", "heard"));
    peer.client.vanish();
    await fixture.fixtures[0]?.departures.next();
    for (const [index, hub] of fixture.hubs.entries()) await hub.to(ROOM).record("said", index);
    const other = await fixture.connect(1);
    const { notice, missed } = await join(other, ROOM, stream);
    assert.equal(notice.gap, undefined);
    assert.deepEqual(missed, [0, 1, 2]);
    fixture.hub(0).to(ROOM).emit("said", "live");
    assert.deepEqual(await data(other, 1), ["live"]);
  });

  suite.recorded("a node that has not heard the room before serves positions in it", OPTIONS, async (fixture) => {
    const [one, two] = [await fixture.connect(0), await fixture.connect(1)];
    await join(one, ROOM);
    const { at } = await fixture.hub(0).to(ROOM).record("said", "first");
    const { stream } = await position(one);
    for (const text of ["second", "third"]) fixture.hub(0).to(ROOM).emit("said", text);
    assert.deepEqual(await data(one, 3), ["first", "second", "third"]);
    const { notice, missed } = await join(two, ROOM, { stream, at });
    assert.deepEqual([notice.gap, missed], [undefined, ["second", "third"]]);
  });

  suite.recorded(
    "record() resolves when the members of its node have been sent the event",
    OPTIONS,
    async (fixture) => {
      const [one, two] = await membersOf(fixture);
      assert.ok(one !== undefined && two !== undefined);
      await position(one, () => fixture.hub(0).to(ROOM).emit("said", 0));
      await Promise.all([data(one, 1), data(two, 1)]);
      for (let round = 1; round <= 20; round++) {
        const { at } = await fixture.hub(0).to(ROOM).record("said", round);
        one.socket.emit("behind", at);
      }
      const heard = await events(one, 40);
      for (const [index, packet] of heard.entries()) {
        if (packet.event === "behind") assert.equal(heard[index - 1]?.at, packet.data);
      }
    },
  );

  suite.recorded("what is emitted right after a join is for the new member, too", OPTIONS, async (fixture) => {
    const peer = await fixture.connect(0);
    peer.socket.join(ROOM);
    fixture.hub(0).to(ROOM).emit("said", "hello");
    await position(peer);
    assert.deepEqual(await data(peer, 1), ["hello"]);
  });

  suite.recorded(
    "what was emitted before a leave arrives first, and what follows does not",
    OPTIONS,
    async (fixture) => {
      const [one, two, three] = await membersOf(fixture);
      assert.ok(one !== undefined && two !== undefined && three !== undefined);
      await position(one, () => fixture.hub(0).to(ROOM).emit("said", 0));
      for (const peer of [one, two, three]) await data(peer, 1);
      fixture.hub(0).to(ROOM).emit("said", "before");
      one.socket.leave(ROOM);
      fixture.hub(0).to(ROOM).emit("said", "after");
      assert.deepEqual(await data(two, 2), ["before", "after"]);
      assert.deepEqual(await one.heard().then(decoded), [{ said: "before" }, { left: ROOM }]);
      fixture.hub(0).to(ROOM).emit("said", "last");
      fixture.hub(0).to(ROOM).close(4001);
      assert.deepEqual((await three.rest().then(decoded)).slice(-2), [{ said: "after" }, { said: "last" }]);
      assert.equal((await two.client.closed).code, 4001);
    },
  );

  suite.recorded("what leaves out a socket is not for its successor on another node", OPTIONS, async (fixture) => {
    const [one, two] = await membersOf(fixture);
    assert.ok(one !== undefined && two !== undefined);
    const since = await streamAfter(one, () => fixture.hub(0).to(ROOM).emit("said", 0));
    one.socket.to(ROOM).emit("said", "by one");
    assert.deepEqual(await data(two, 2), [0, "by one"]);
    one.client.vanish();
    await fixture.fixtures[0]?.departures.next();
    await fixture.hub(1).to(ROOM).record("said", "meanwhile");
    const next = await fixture.connect(2);
    const { missed } = await join(next, ROOM, since);
    assert.deepEqual(missed, ["meanwhile"]);
    await fixture.hub(0).to(ROOM).except(one.socket).record("said", "again without one");
    await fixture.hub(0).to(ROOM).record("said", "end");
    assert.deepEqual(await data(next, 1), ["end"]);
  });

  suite.recorded("an emitter records, too", OPTIONS, async (fixture) => {
    const peers = await membersOf(fixture);
    const emitter = createEmitter(fixture.createBackplane(), OPTIONS);
    const { at } = await emitter.to(ROOM).record("said", 1);
    emitter.to(ROOM).emit("said", 2);
    await emitter.close();
    for (const peer of peers) {
      const heard = await events(peer, 2);
      assert.deepEqual([heard.map((packet) => packet.data), heard[0]?.at], [[1, 2], at]);
    }
    await assert.rejects(emitter.to(ROOM).record("said", 3), { code: "ERR_HUB_CLOSED" });
  });

  suite.recorded("every node reads the record, and clients join from what it has read", OPTIONS, async (fixture) => {
    await fixture.hub(0).to(ROOM).record("said", 1);
    await fixture.hub(1).to(ROOM).record("said", 2);
    const { events: read, complete, ...since } = await fixture.hub(2).history(ROOM);
    assert.deepEqual([read.map((event) => event.data), complete], [[1, 2], true]);
    await fixture.hub(0).to(ROOM).record("said", 3);
    const peer = await fixture.connect(1);
    const { notice, missed } = await join(peer, ROOM, since);
    assert.deepEqual([notice.gap, missed], [undefined, [3]]);
  });

  suite.recorded("a record that is forgotten is gone on all nodes, and members are told", OPTIONS, async (fixture) => {
    const peers = await membersOf(fixture);
    await fixture.hub(0).to(ROOM).record("said", "secret");
    for (const peer of peers) await data(peer, 1);
    await fixture.hub(1).forget(ROOM);
    for (const peer of peers) assert.equal((await position(peer)).gap, "epoch");
    for (const hub of fixture.hubs) assert.deepEqual((await hub.history(ROOM)).events, []);
    fixture.hub(2).to(ROOM).emit("said", "new");
    for (const peer of peers) assert.deepEqual(await data(peer, 1), ["new"]);
  });

  suite.recorded("a new member gets the last events if the rule says so", OPTIONS, async (fixture) => {
    const room = "log:last:x";
    for (const text of ["a", "b", "c"]) await fixture.hub(0).to(room).record("said", text);
    const peer = await fixture.connect(1);
    assert.deepEqual((await join(peer, room)).missed, ["b", "c"]);
  });

  suite.recorded("clients of a node that is drained go on without a gap on another", OPTIONS, async (fixture) => {
    const [one] = await membersOf(fixture);
    assert.ok(one !== undefined);
    const since = await streamAfter(one, () => fixture.hub(1).to(ROOM).emit("said", 0));
    fixture.hub(0).to(ROOM).emit("said", "on its way");
    const drained = fixture.hub(0).drain({ within: 1_000 });
    fixture.hub(1).to(ROOM).emit("said", "in between");
    const packets = (await one.rest()).map((message) => JSON.parse(message as string) as EventPacket);
    const last = packets.filter(({ event }) => event === "said");
    const texts = last.map((packet) => packet.data);
    await drained;
    await fixture.hub(1).to(ROOM).record("said", "later");
    const next = await fixture.connect(1);
    const { notice, missed } = await join(next, ROOM, { ...since, at: last.at(-1)?.at ?? since.at });
    assert.equal(notice.gap, undefined);
    assert.deepEqual(new Set([...texts, ...missed]), new Set(["in between", "later", "on its way"]));
    assert.equal(texts.length + missed.length, 3);
  });
}

/** Connects a client to each node, and puts it into the room. */
async function membersOf(fixture: ClusterFixture): Promise<readonly ClientFixture[]> {
  const peers = await fixture.connectAll([ROOM], [ROOM], [ROOM]);
  for (const peer of peers) await position(peer);
  return peers;
}

/** Waits for the next `hub:record`. */
async function position(peer: ClientFixture, act?: () => void): Promise<RecordNotice> {
  act?.();
  const packet = (await peer.packet()) as EventPacket;
  assert.equal(packet.event, "hub:record", JSON.stringify(packet));
  return packet.data as RecordNotice;
}

/** Waits for so many events, and passes over positions without a gap. */
async function events(peer: ClientFixture, count: number): Promise<EventPacket[]> {
  const found: EventPacket[] = [];
  while (found.length < count) {
    const packet = (await peer.packet()) as EventPacket;
    if (packet.event === "hub:record") assert.equal((packet.data as RecordNotice).gap, undefined);
    else found.push(packet);
  }
  return found;
}

async function data(peer: ClientFixture, count: number): Promise<unknown[]> {
  return (await events(peer, count)).map((packet) => packet.data);
}

/** Waits for the first event of a room, and returns the position behind it. */
async function streamAfter(peer: ClientFixture, act: () => void): Promise<Position> {
  const { stream } = await position(peer, act);
  const [packet] = await events(peer, 1);
  return { stream, at: packet?.at ?? 0 };
}

/** Joins as a client, and takes what it has missed. */
async function join(peer: ClientFixture, room: string, since?: Position): Promise<Way> {
  peer.say({ event: "hub:join", id: 1, data: { room, since } });
  const notice = await position(peer);
  const missed: unknown[] = [];
  for (;;) {
    const packet = (await peer.packet()) as Packet;
    if ("reply" in packet) {
      assert.deepEqual(packet, { reply: 1 });
      return { notice, missed };
    }
    missed.push(packet.data);
  }
}

/** What the messages say, without positions. */
function decoded(messages: readonly unknown[]): readonly { said?: unknown; left?: string }[] {
  return messages.flatMap((message): { said?: unknown; left?: string }[] => {
    const { event, data: value } = JSON.parse(message as string) as EventPacket;
    if (event === "said") return [{ said: value }];
    return event === "hub:left" ? [{ left: (value as { room: string }).room }] : [];
  });
}
