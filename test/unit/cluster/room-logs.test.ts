import { jsonCodec, type Codec } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import { MemoryEngine, VirtualClock } from "roomcast/testing";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Backplane, BackplaneLog } from "../../../src/backplanes/backplane.ts";
import { roomChannel } from "../../../src/cluster/channels.ts";
import { Interest } from "../../../src/cluster/interest.ts";
import { NODE_ID_LENGTH } from "../../../src/cluster/node-id.ts";
import { RoomLogs } from "../../../src/cluster/room-logs.ts";
import { Codecs } from "../../../src/delivery/codecs.ts";
import { EVERYBODY, type Audience } from "../../../src/members/audience.ts";
import type { LoggedEvent } from "../../../src/members/room-feed.ts";

const LIMITS = { size: 10, age: 60_000 };
const ROOM: Audience = { ...EVERYBODY, everybody: false, rooms: ["x"] };

let engine: MemoryEngine;

beforeEach(() => {
  engine = new MemoryEngine();
});

/** A node without clients, and what it has heard of logs. */
class Node {
  readonly codecs: Codecs;
  readonly backplane: Backplane = engine.backplane();
  readonly interest: Interest;
  readonly logs: RoomLogs;
  readonly begun: string[] = [];
  readonly heard: LoggedEvent[] = [];
  readonly failures: unknown[] = [];

  constructor(self: string, codecs: readonly Codec[] = []) {
    const clock = new VirtualClock();
    this.codecs = new Codecs({ codec: jsonCodec, codecs, maxBufferedBytes: 1_000_000, maxMessageBytes: 100_000 });
    this.interest = new Interest(this.backplane, clock, 1_000);
    this.logs = new RoomLogs({
      self: self.padEnd(NODE_ID_LENGTH, "-"),
      log: this.backplane.log as BackplaneLog,
      clock,
      codecs: this.codecs,
      interest: this.interest,
      maxPendingBytes: 1_000_000,
      overload: { policy: "close" },
      flush: () => {},
      listener: {
        lost: () => {},
        begun: (room, tail, gap) => {
          this.begun.push(`${room} ${tail?.floor}..${tail?.head} ${gap}`);
          this.heard.push(...(tail?.events ?? []));
        },
        recorded: (_room, event) => this.heard.push(event),
      },
      report: { failed: (error) => this.failures.push(error) },
    });
    this.backplane.start({
      message: () => {},
      recorded: (channel, record) => this.logs.take(channel, record),
      up: () => this.logs.connected(),
      refused: () => {},
      down: () => this.logs.disconnected(),
    });
    onTestFinished(async () => {
      this.logs.stop();
      this.interest.stop();
      await this.backplane.close();
    });
  }

  emit(data: unknown, audience: Audience = ROOM): Promise<{ readonly at: number }> {
    const encoding = this.codecs.encodeForAll({ event: "e", data, room: "x" }, true, audience.overload);
    return this.logs.append("x", audience, encoding, LIMITS);
  }

  /** The packets that were heard, in one codec. */
  packets(codec: Codec): readonly unknown[] {
    const index = this.codecs.all.indexOf(codec);
    return this.heard.map(({ frames }) => {
      const frame = frames?.[index];
      return frame && codec.decode(frame.binary ? frame.payload : frame.payload.toString());
    });
  }
}

test("an event is heard in every codec, with its place, its time and what it leaves out, also by who follows later", async () => {
  const [one, two] = [new Node("one", [msgpackCodec]), new Node("two", [msgpackCodec])];
  one.logs.follow("x", LIMITS.size);
  await vi.waitFor(() => expect(one.begun).toStrictEqual(["x undefined..undefined undefined"]));
  const overload = { policy: "drop", key: "k" } as const;
  const { at } = await two.emit(
    { n: 1 },
    { ...ROOM, exceptSockets: ["a"], exceptRooms: ["r"], uncompressed: true, overload },
  );
  expect(at).toBe(1);
  two.logs.follow("x", LIMITS.size);
  await vi.waitFor(() => expect([one.heard.length, two.heard.length]).toStrictEqual([1, 1]));
  for (const node of [one, two]) {
    const [event] = node.heard;
    expect(event).toMatchObject({ at: 1, exceptSockets: ["a"], exceptRooms: ["r"], uncompressed: true, overload });
    expect(event?.time).toBe(new VirtualClock().wall());
    expect(event?.frames?.[0]?.overload).toStrictEqual(overload);
    for (const codec of [jsonCodec, msgpackCodec]) {
      expect(node.packets(codec)).toStrictEqual([{ at: 1, event: "e", room: "x", data: { n: 1 } }]);
    }
  }
  expect(two.begun).toStrictEqual(["x 0..1 undefined"]);
});

test("a codec that the sender does not have is served, and one that only the sender has is passed over", async () => {
  const [one, two] = [new Node("one", [msgpackCodec]), new Node("two")];
  for (const node of [one, two]) node.logs.follow("x", LIMITS.size);
  await vi.waitFor(() => expect([one.begun.length, two.begun.length]).toStrictEqual([1, 1]));
  await two.emit("from two");
  await one.emit("from one");
  const packets = [1, 2].map((at) => ({ at, event: "e", room: "x", data: at === 1 ? "from two" : "from one" }));
  await vi.waitFor(() => expect(two.heard).toHaveLength(2));
  expect(one.packets(msgpackCodec)).toStrictEqual(packets);
  expect(two.packets(jsonCodec)).toStrictEqual(packets);
});

test("what cannot be read is reported, and told as a hole", async () => {
  const one = new Node("one");
  one.logs.follow("x", LIMITS.size);
  await vi.waitFor(() => expect(one.begun).toHaveLength(1));
  const entry = { origin: "later", number: 1, envelope: Uint8Array.of(250, 1, 2) };
  await one.backplane.log?.append(roomChannel("x"), [entry], LIMITS);
  expect(one.heard).toMatchObject([{ at: 1, frames: undefined }]);
  expect(one.failures).toMatchObject([{ code: "ERR_HUB_BACKPLANE" }]);
});

test("in an outage events wait, and are heard in order when it is over", async () => {
  const one = new Node("one");
  one.logs.follow("x", LIMITS.size);
  await vi.waitFor(() => expect(one.begun).toHaveLength(1));
  await one.emit(1);
  engine.stop();
  const places = [one.emit(2), one.emit(3)];
  engine.start();
  expect((await Promise.all(places)).map(({ at }) => at)).toStrictEqual([2, 3]);
  expect(one.packets(jsonCodec)).toMatchObject([1, 2, 3].map((data) => ({ at: data, data })));
  expect(one.begun).toStrictEqual(["x undefined..undefined undefined", "x 0..0 undefined"]);
});

test("a room that is followed no longer is not heard any more", async () => {
  const one = new Node("one");
  one.logs.follow("x", LIMITS.size);
  one.logs.follow("x", LIMITS.size);
  await vi.waitFor(() => expect(one.begun).toHaveLength(1));
  one.logs.unfollow("x");
  one.logs.unfollow("x");
  await one.emit(1);
  expect(one.heard).toStrictEqual([]);
});
