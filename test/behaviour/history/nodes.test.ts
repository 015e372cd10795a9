import { Hub, type HubError, type HubOptions, type Socket } from "roomcast";
import { memory, MemoryEngine, VirtualClock, type MemoryTransport } from "roomcast/testing";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import type { Position, RecordNotice } from "../../../src/protocol/packet.ts";
import { settle } from "../../../src/testing/settle.ts";
import { hubError } from "../../support/hub-error.ts";
import { recording, type SeenPacket } from "./peer.ts";

let engine: MemoryEngine;
let clock: VirtualClock;

beforeEach(() => {
  engine = new MemoryEngine();
  clock = new VirtualClock();
});

/** A node, and the errors that it has reported. */
class Node {
  readonly hub: Hub;
  readonly errors: string[] = [];
  readonly sockets: Socket[] = [];
  readonly #transport: MemoryTransport = memory();

  constructor(options: HubOptions = recording()) {
    const common = { transport: this.#transport, clock, backplane: engine.backplane() };
    this.hub = new Hub({ heartbeat: false, welcome: false, ...options, ...common });
    onTestFinished(() => this.hub.close({ within: 0 }));
    this.hub.on("error", (error) => this.errors.push((error as Error).message));
    this.hub.on("connection", (socket) => this.sockets.push(socket));
  }

  async connect(): Promise<Client> {
    const client = new Client(this.#transport);
    await settle();
    return client;
  }
}

/** A client that notes what it hears. */
class Client {
  readonly heard: SeenPacket[] = [];
  readonly #socket: ReturnType<MemoryTransport["connect"]>;

  constructor(transport: MemoryTransport) {
    this.#socket = transport.connect("/");
    this.#socket.addEventListener("message", (message) => {
      this.heard.push(JSON.parse((message as MessageEvent).data as string) as SeenPacket);
    });
  }

  async join(room: string, since?: Position): Promise<void> {
    this.#socket.send(JSON.stringify({ event: "hub:join", id: 1, data: { room, since } }));
    await settle();
  }

  close(): void {
    this.#socket.close();
  }

  /** Takes what was heard, in short. */
  take(): readonly unknown[] {
    return this.heard.splice(0).map(({ event, data, reply }) => {
      if (event === "hub:record") return (data as RecordNotice).gap ?? "position";
      if (event === "hub:left") return "left";
      return reply === undefined ? data : "joined";
    });
  }

  /** The position that it was told last. */
  position(): Position {
    const notice = this.heard.findLast(({ event }) => event === "hub:record");
    const { stream = "", at = 0 } = (notice?.data ?? {}) as Partial<Position>;
    const last = this.heard.findLast((packet) => packet.at !== undefined)?.at ?? 0;
    return { stream, at: Math.max(at, last) };
  }
}

const codeOf = (error: unknown): unknown => (error as HubError).code;

async function passed(time: number): Promise<void> {
  await clock.advance(time);
  await settle();
}

test("what is sent in an outage is late, in order, and nobody is told of a gap", async () => {
  const [one, two] = [new Node(), new Node()];
  const [a, b] = [await one.connect(), await two.connect()];
  for (const client of [a, b]) await client.join("chat");
  await one.hub.to("chat").record("said", 0);
  await settle();
  expect([a.take(), b.take()]).toStrictEqual([
    ["position", "joined", "position", 0],
    ["position", "joined", "position", 0],
  ]);
  engine.stop();
  one.hub.to("chat").emit("said", 1);
  const second = one.hub.to("chat").record("said", 2);
  two.hub.to("chat").emit("said", 3);
  await settle();
  expect([a.take(), b.take()]).toStrictEqual([[], []]);
  engine.start();
  await settle();
  await passed(1_000);
  expect(await second).toStrictEqual({ at: expect.any(Number) });
  const heard = a.take();
  expect(heard).toSatisfy((items: unknown[]) => items.length === 3 && items.indexOf(1) < items.indexOf(2));
  expect(b.take()).toStrictEqual(heard);
});

test('with outage: "local" the members of the node hear it at once, and all of a gap afterwards', async () => {
  const options = recording({ outage: "local" });
  const [one, two] = [new Node(options), new Node(options)];
  const [a, b] = [await one.connect(), await two.connect()];
  for (const client of [a, b]) await client.join("chat");
  await one.hub.to("chat").record("said", "before");
  engine.stop();
  for (let index = 0; index < 1_500; index++) one.hub.to("chat").emit("said", index);
  const lost = one.hub.to("chat").record("said", "last").catch(codeOf);
  await settle();
  expect(a.take().slice(-2)).toStrictEqual([1_499, "last"]);
  engine.start();
  await settle();
  await passed(1_000);
  expect(await lost).toBe("ERR_HUB_BACKPLANE");
  one.hub.to("chat").emit("said", "after");
  await settle();
  expect(a.take()).toStrictEqual(["hole", "after"]);
  expect(b.take()).toStrictEqual(["position", "joined", "position", "before", "hole", "after"]);
});

test("what the outbox cannot hold is one hole, in its place", async () => {
  const [one, two] = [new Node({ ...recording({ size: 5_000 }), cluster: { maxPendingBytes: 10_000 } }), new Node()];
  const [a, b] = [await one.connect(), await two.connect()];
  for (const client of [a, b]) await client.join("chat");
  await one.hub.to("chat").record("said", "before");
  engine.stop();
  const places = Promise.allSettled(
    Array.from({ length: 50 }, () => one.hub.to("chat").record("said", "x".repeat(1_000))),
  );
  engine.start();
  await settle();
  await passed(1_000);
  const rejected = (await places).filter(({ status }) => status === "rejected");
  expect(rejected.length).toBeGreaterThan(30);
  const heard = a.take();
  expect(heard.filter((item) => item === "hole")).toHaveLength(1);
  expect(heard.length).toBe(4 + 1 + 50 - rejected.length);
  expect(b.take()).toStrictEqual(heard);
  expect(one.hub.stats().history?.gaps.hole).toBe(1);
});

test("a client that comes without a position is told of a hole that is recorded while it gets the last events", async () => {
  const options = recording({ outage: "local", replay: 2 }, { limits: { replay: { perSecond: 100, burst: 100 } } });
  const node = new Node(options);
  const a = await node.connect();
  await a.join("chat");
  await a.join("chat of before");
  await node.hub.to("chat of before").record("said", "x".repeat(400));
  for (const data of [1, 2]) await node.hub.to("chat").record("said", data);
  const b = await node.connect();
  // It has got so much by now that it has to wait for more.
  await b.join("chat of before");
  await b.join("chat");
  engine.stop();
  node.hub.to("chat").emit("said", "lost");
  engine.start();
  await settle();
  await passed(20_000);
  expect(b.take().slice(3)).toStrictEqual(["position", 1, 2, "hole", "joined"]);
});

test("a client that missed a hole is told of it in its place", async () => {
  const [one, two] = [new Node(recording({ outage: "local" })), new Node(recording({ outage: "local" }))];
  const [a, b] = [await one.connect(), await two.connect()];
  for (const client of [a, b]) await client.join("chat");
  await one.hub.to("chat").record("said", 1);
  await settle();
  const since = a.position();
  a.close();
  await settle();
  await one.hub.to("chat").record("said", 2);
  engine.stop();
  one.hub.to("chat").emit("said", "lost");
  engine.start();
  await settle();
  await passed(1_000);
  await one.hub.to("chat").record("said", 3);
  const c = await two.connect();
  await c.join("chat", since);
  expect(c.take()).toStrictEqual(["position", 2, "hole", 3, "joined"]);
  // Who comes without a position has missed nothing.
  const { events, complete } = await two.hub.history("chat");
  expect([events.map(({ data }) => data), complete]).toStrictEqual([[1, 2, 3], false]);
});

test("a room that the node knows is joined in an outage, and another one after five seconds, with a gap", async () => {
  const [one, two] = [new Node(), new Node()];
  const [a, b] = [await one.connect(), await two.connect()];
  await a.join("chat");
  await one.hub.to("chat").record("said", 1);
  await settle();
  const since = a.position();
  await one.hub.to("chat").record("said", 2);
  a.close();
  await settle();
  engine.stop();
  const c = await one.connect();
  await c.join("chat", since);
  expect(c.take()).toStrictEqual(["position", 2, "joined"]);
  await b.join("chat", since);
  two.sockets[0]?.join("chat-too");
  await passed(4_999);
  expect(b.take()).toStrictEqual([]);
  await passed(1);
  expect(b.take()).toStrictEqual(["unavailable", "joined", "position"]);
  expect([...(two.sockets[0]?.rooms ?? [])]).toStrictEqual(["chat", "chat-too"]);
  one.hub.to("chat").emit("said", 3);
  engine.start();
  await settle();
  await passed(1_000);
  // What was recorded before the node knew the room is in the gap.
  expect(b.take().filter((item) => item !== 3)).toStrictEqual(["unavailable", "unavailable"]);
  one.hub.to("chat").emit("said", 4);
  await settle();
  expect(b.take()).toStrictEqual([4]);
  expect(two.hub.stats().history?.gaps.unavailable).toBe(3);
});

test("a join that waits for the engine can be taken back, and counts for the limit of rooms", async () => {
  const node = new Node({ ...recording(), limits: { rooms: 2 } });
  const client = await node.connect();
  engine.stop();
  const [socket] = node.sockets;
  socket?.join("chat-1", "chat-2");
  expect(() => socket?.join("chat-3")).toThrow(hubError("ERR_HUB_LIMIT", ""));
  expect(node.hub.stats().history?.waiting).toBe(2);
  socket?.leave("chat-1");
  socket?.join("chat-3");
  await passed(5_000);
  expect([...(socket?.rooms ?? [])]).toStrictEqual(["chat-2", "chat-3"]);
  expect(client.take()).toStrictEqual(["left", "position", "position"]);
  socket?.leave("chat-2");
  socket?.join("chat-1");
  client.close();
  await settle();
  expect(node.hub.stats().history?.waiting).toBe(0);
});

test("a position from before the first event of a room goes on where the node has heard it all along", async () => {
  const [one, two] = [new Node(), new Node()];
  const [a] = [await one.connect(), await two.connect()];
  await a.join("chat");
  const since = a.position();
  a.close();
  await settle();
  await two.hub.to("chat").record("said", 1);
  await settle();
  const [c, d] = [await one.connect(), await two.connect()];
  await c.join("chat", since);
  expect(c.take()).toStrictEqual(["position", 1, "joined"]);
  await d.join("chat", since);
  expect(d.take()).toStrictEqual(["epoch", "joined"]);
});

test("in an outage a leave waits for what was sent before for a second, and no longer", async () => {
  const node = new Node();
  const client = await node.connect();
  await client.join("chat");
  engine.stop();
  node.hub.to("chat").emit("said", 1);
  node.sockets[0]?.leave("chat");
  await passed(999);
  expect(node.hub.rooms.has("chat")).toBe(true);
  await passed(1);
  expect([node.hub.rooms.has("chat"), client.take()]).toStrictEqual([false, ["position", "joined", "left"]]);
});

test("a socket that is taken out and put in again at once stays, and misses nothing", async () => {
  const node = new Node();
  const client = await node.connect();
  await client.join("chat");
  await node.hub.to("chat").record("said", 0);
  node.hub.to("chat").emit("said", 1);
  node.sockets[0]?.leave("chat");
  node.sockets[0]?.join("chat");
  node.hub.to("chat").emit("said", 2);
  await settle();
  expect(client.take()).toStrictEqual(["position", "joined", "position", 0, 1, "left", "position", 2]);
});

test("a node hears a room for a minute after its last member, and serves positions without the engine", async () => {
  const node = new Node({ ...recording({ age: 600_000 }), cluster: { grace: 0 } });
  const client = await node.connect();
  await client.join("chat");
  await node.hub.to("chat").record("said", 1);
  const since = client.position();
  client.close();
  await passed(59_000);
  await node.hub.to("chat").record("said", 2);
  const { reads } = node.hub.stats().history ?? {};
  const second = await node.connect();
  await second.join("chat", since);
  expect(second.take()).toStrictEqual(["position", 1, 2, "joined"].slice(since.at === 0 ? 0 : 1));
  expect(node.hub.stats().history?.reads).toBe(reads);
  second.close();
  await passed(120_000);
  expect(node.hub.stats().history).toMatchObject({ rooms: 0, bytes: 0 });
});

test("hub.close() delivers what was sent before", async () => {
  const node = new Node();
  const client = await node.connect();
  await client.join("chat");
  node.hub.to("chat").emit("said", "goodbye");
  const closed = node.hub.close();
  await settle();
  await closed;
  expect(client.take()).toStrictEqual(["position", "joined", "position", "goodbye"]);
});

test("the record of a room that cannot be read rejects, and that of another node is read once", async () => {
  const [one, two] = [new Node(), new Node()];
  await one.hub.to("chat").record("said", 1);
  const [first, second] = await Promise.all([two.hub.history("chat"), two.hub.history("chat", { last: 1 })]);
  expect([first.events.length, second.events.length]).toStrictEqual([1, 1]);
  expect(two.hub.stats().history).toMatchObject({ reads: 1, repairs: 0 });
  engine.stop();
  const read = one.hub.history("chat-2").catch(codeOf);
  await passed(5_000);
  expect(await read).toBe("ERR_HUB_BACKPLANE");
  await expect(one.hub.forget("chat")).rejects.toThrow(hubError("ERR_HUB_BACKPLANE", "not confirmed"));
});

test("positions that are made up do not have the engine read as often as their client likes", async () => {
  const node = new Node({ ...recording(), limits: { replay: { perSecond: 1, burst: 3 * 64 * 1024 } } });
  const watcher = await node.connect();
  await watcher.join("chat");
  await node.hub.to("chat").record("said", 1);
  await settle();
  const { stream } = watcher.position();
  const before = node.hub.stats().history?.reads ?? 0;
  const client = await node.connect();
  for (let index = 0; index < 20; index++) {
    await client.join("chat", { stream, at: 1_000_000 + index });
    node.sockets[1]?.leave("chat");
    await settle();
  }
  expect((node.hub.stats().history?.reads ?? 0) - before).toBeLessThanOrEqual(4);
  expect(client.take().filter((item) => item === "epoch")).toHaveLength(20);
});

test("nodes with other rules are reported once", async () => {
  const [one, two, three] = [new Node(), new Node(recording({ size: 7 })), new Node({})];
  await passed(20_000);
  const others = (node: Node): number =>
    node.errors.filter((error) => error.includes('rules of the option "history"')).length;
  expect([others(one), others(two), others(three)]).toStrictEqual([2, 2, 2]);
});
