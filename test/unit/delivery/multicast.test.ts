import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { Backlog } from "../../../src/delivery/backlog.ts";
import { zeroCounters } from "../../../src/counters.ts";
import { Delivery } from "../../../src/delivery/delivery.ts";
import type { OutgoingFrame } from "../../../src/delivery/outgoing-frame.ts";
import { Multicast } from "../../../src/delivery/multicast.ts";
import type { Connection, FrameSequence, Topics } from "../../../src/transports/transport.ts";
import { createRecipient, frameOf, type SlowConnection, type SlowRecipient } from "./slow-connection.ts";
import { RAISING } from "../../support/raising.ts";

const LIMIT = 1024 * 1024;

/** Topics that write to slow connections at once. */
class SlowTopics implements Topics {
  readonly leastMembers: number = 2;
  readonly subscribers = new Map<string, Set<Connection>>();
  /** How many frames each publish carried. */
  readonly publishes: number[] = [];

  subscribe(connection: Connection, topic: string): void {
    this.subscribers.set(topic, (this.subscribers.get(topic) ?? new Set()).add(connection));
  }

  unsubscribe(connection: Connection, topic: string): void {
    this.subscribers.get(topic)?.delete(connection);
  }

  publish(topic: string, { frames }: FrameSequence, without?: readonly (Connection | undefined)[]): boolean {
    this.publishes.push(frames.length);
    for (const connection of this.subscribers.get(topic) ?? []) {
      const sequence = new Backlog();
      frames.forEach((frame, index) => without?.[index] === connection || sequence.push(frame as OutgoingFrame));
      if (sequence.count > 0) connection.write(sequence.take(Infinity));
    }
    return true;
  }
}

describe("A message to a whole group", () => {
  let topics: SlowTopics;
  let multicast: Multicast<SlowRecipient>;
  let delivery: Delivery<SlowRecipient>;
  let overflows: SlowRecipient[];
  let group: Set<SlowRecipient>;

  beforeEach(() => {
    topics = new SlowTopics();
    multicast = new Multicast(topics, LIMIT);
    overflows = [];
    delivery = new Delivery<SlowRecipient>({
      maxBufferedBytes: LIMIT,
      multicast,
      counters: zeroCounters(),
      report: {
        ...RAISING,
        dropped: () => {},
        notice: () => undefined,
        overflow: (slow) => {
          overflows.push(slow);
          slow.open = false;
          delivery.discard(slow);
          group.delete(slow);
          multicast.left(group, slow);
        },
      },
    });
    group = new Set([createRecipient(), createRecipient(), createRecipient()]);
  });

  function sendAll(...names: readonly string[]): void {
    for (const name of names) delivery.sendToGroup(group, frameOf(name, 20));
  }

  function heard(): string[][][] {
    return Array.from(group, ({ connection }) => connection.writes.map((write) => write.map((name) => name.trim())));
  }

  test("is published once, at the end of the turn, without touching the members", async () => {
    sendAll("a", "b");
    expect(Array.from(group, ({ pending }) => pending)).toEqual([undefined, undefined, undefined]);
    await turn();
    expect(topics.publishes).toEqual([2]);
    expect(heard()).toEqual([[["a", "b"]], [["a", "b"]], [["a", "b"]]]);
  });

  test("is written to each member, in order, once something else is sent to one of them", async () => {
    const [first] = group;
    sendAll("a");
    delivery.send(first as SlowRecipient, frameOf("alone", 20));
    sendAll("b");
    await turn();
    expect(topics.publishes).toEqual([]);
    expect(heard()).toEqual([[["a", "alone", "b"]], [["a", "b"]], [["a", "b"]]]);
  });

  test("can leave out one member, a different one each time", async () => {
    const [first, second, third] = group;
    delivery.sendToGroup(group, frameOf("not 1", 20), first);
    delivery.sendToGroup(group, frameOf("not 2", 20), second);
    delivery.sendToGroup(group, frameOf("all", 20));
    delivery.sendToGroup(group, frameOf("not 1!", 20), first);
    expect(Array.from(group, ({ pending }) => pending)).toEqual([undefined, undefined, undefined]);
    await turn();
    expect(topics.publishes).toEqual([4]);
    const expected = [[["not 2", "all"]], [["not 1", "all", "not 1!"]], [["not 1", "not 2", "all", "not 1!"]]];
    expect(heard()).toEqual(expected);

    delivery.sendToGroup(group, frameOf("not 3", 20), third);
    delivery.send(first as SlowRecipient, frameOf("alone", 20));
    delivery.sendToGroup(group, frameOf("not 2", 20), second);
    await turn();
    expect(topics.publishes).toEqual([4]);
    expect(heard().map((writes) => writes[1])).toEqual([["not 3", "alone", "not 2"], ["not 3"], ["not 2"]]);
  });

  test("is not written to a member that every message left out", async () => {
    const [first] = group;
    delivery.sendToGroup(group, frameOf("others", 20), first);
    delivery.separate();
    expect(Array.from(group, ({ pending }) => pending?.byteLength)).toEqual([undefined, 20, 20]);
    await turn();
    expect(heard()).toEqual([[], [["others"]], [["others"]]]);
  });

  test("goes to the members at the time of the call", async () => {
    const [first, second] = group;
    const late = createRecipient();
    sendAll("a");
    delivery.separate();
    group.delete(first as typeof late);
    group.add(late);
    sendAll("b");
    await turn();
    expect(first?.connection.writes.flat().map((name) => name.trim())).toEqual(["a"]);
    expect(second?.connection.writes.flat().map((name) => name.trim())).toEqual(["a", "b"]);
    expect(late.connection.writes.flat().map((name) => name.trim())).toEqual(["b"]);
  });

  test("alternates between groups without losing the order", async () => {
    const other = new Set([...group].slice(1));
    sendAll("a");
    delivery.sendToGroup(other, frameOf("other", 20));
    sendAll("b");
    await turn();
    expect(heard()).toEqual([[["a", "b"]], [["a", "other", "b"]], [["a", "other", "b"]]]);
  });

  test("waits in the backlog of a member that turned out to be slow, and nothing is published meanwhile", async () => {
    const [slow] = group;
    (slow as SlowRecipient & { connection: SlowConnection }).connection.stalled = true;
    for (let count = 0; count < 5; count++) {
      delivery.sendToGroup(group, frameOf("large", 15_000));
      await turn();
    }
    expect(topics.publishes).toEqual([1, 1, 1, 1, 1]);
    // 75,000 bytes are more than a socket may have that is not congested: seen before still more is published.
    delivery.sendToGroup(group, frameOf("large", 15_000));
    await turn();
    expect(slow?.backlog?.byteLength).toBe(15_000);

    sendAll("c", "d");
    await turn();
    expect(topics.publishes.length).toBe(5);
    expect(slow?.backlog?.byteLength).toBe(15_040);
    expect(heard().slice(1)).toEqual([heard()[1], heard()[1]]);
    expect(heard()[1]?.at(-1)).toEqual(["c", "d"]);

    const { connection } = slow as SlowRecipient & { connection: SlowConnection };
    connection.stalled = false;
    connection.bufferedAmount = 0;
    delivery.drained(slow as SlowRecipient);
    expect(connection.writes.at(-1)?.map((name) => name.trim())).toEqual(["large", "c", "d"]);
    sendAll("e");
    await turn();
    expect(topics.publishes.length).toBe(6);
  });

  test("counts against the limit of a slow member", async () => {
    const [slow] = group;
    (slow as SlowRecipient & { connection: SlowConnection }).connection.stalled = true;
    const { connection } = slow as SlowRecipient & { connection: SlowConnection };
    for (let count = 0; count < 80; count++) {
      delivery.sendToGroup(group, frameOf("large", 15_000));
      await turn();
      expect(connection.bufferedAmount + (slow?.backlog?.byteLength ?? 0)).toBeLessThanOrEqual(LIMIT);
    }
    expect(overflows).toEqual([slow]);
    expect(heard().map((writes) => writes.length)).toEqual([80, 80]);
  });

  test("has no topic where the group is small or empty", async () => {
    const [only, ...others] = group;
    for (const other of others) group.delete(other);
    sendAll("a");
    await turn();
    expect([topics.publishes, topics.subscribers.size]).toEqual([[], 0]);

    for (const other of others) group.add(other);
    sendAll("b");
    await turn();
    expect(Array.from(topics.subscribers.values(), (subscribers) => subscribers.size)).toEqual([3]);
    const late = createRecipient();
    multicast.joined(group, late);
    expect(Array.from(topics.subscribers.values(), (subscribers) => subscribers.has(late.connection))).toEqual([true]);
    group.clear();
    expect(multicast.left(group, only as SlowRecipient)).toBe(20);
    expect(multicast.left(group, only as SlowRecipient)).toBeUndefined();
  });
});
