import { type HubError } from "roomcast";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Position } from "../../../src/protocol/packet.ts";
import { settle } from "../../../src/testing/settle.ts";
import { hubError } from "../../support/hub-error.ts";
import { MemoryCluster, type Node } from "./memory-cluster.ts";
import { recording } from "./peer.ts";

let cluster: MemoryCluster;

beforeEach(() => {
  cluster = new MemoryCluster();
});

/** Returns how often a node has reported that another one has other rules. */
const others = (node: Node): number => node.errors.filter((error) => error.includes("other rules")).length;

const codeOf = (error: unknown): unknown => (error as HubError).code;

test("what is sent in an outage is late, in order, and nobody is told of a gap", async () => {
  const [one, two] = [cluster.node(), cluster.node()];
  const [a, b] = [await one.connect(), await two.connect()];
  for (const client of [a, b]) await client.join("chat");
  await one.hub.to("chat").record("said", 0);
  await settle();
  expect([a.take(), b.take()]).toStrictEqual([
    ["position", "joined", "position", 0],
    ["position", "joined", "position", 0],
  ]);
  cluster.engine.stop();
  one.hub.to("chat").emit("said", 1);
  const second = one.hub.to("chat").record("said", 2);
  two.hub.to("chat").emit("said", 3);
  await settle();
  expect([a.take(), b.take()]).toStrictEqual([[], []]);
  cluster.engine.start();
  await settle();
  await cluster.passed(1_000);
  expect(await second).toStrictEqual({ at: expect.any(Number) });
  const heard = a.take();
  expect(heard).toSatisfy((items: unknown[]) => items.length === 3 && items.indexOf(1) < items.indexOf(2));
  expect(b.take()).toStrictEqual(heard);
});

test('with outage: "local" the members of the node hear it at once, and all of a gap afterwards', async () => {
  const options = recording({ outage: "local" });
  const [one, two] = [cluster.node(options), cluster.node(options)];
  const [a, b] = [await one.connect(), await two.connect()];
  for (const client of [a, b]) await client.join("chat");
  await one.hub.to("chat").record("said", "before");
  cluster.engine.stop();
  for (let index = 0; index < 1_500; index++) one.hub.to("chat").emit("said", index);
  const lost = one.hub.to("chat").record("said", "last").catch(codeOf);
  await settle();
  expect(a.take().slice(-2)).toStrictEqual([1_499, "last"]);
  cluster.engine.start();
  await settle();
  await cluster.passed(1_000);
  expect(await lost).toBe("ERR_HUB_BACKPLANE");
  one.hub.to("chat").emit("said", "after");
  await settle();
  expect(a.take()).toStrictEqual(["hole", "after"]);
  expect(b.take()).toStrictEqual(["position", "joined", "position", "before", "hole", "after"]);
});

test("what the outbox cannot hold is one hole, in its place", async () => {
  const [one, two] = [
    cluster.node({ ...recording({ size: 5_000 }), cluster: { maxPendingBytes: 10_000 } }),
    cluster.node(),
  ];
  const [a, b] = [await one.connect(), await two.connect()];
  for (const client of [a, b]) await client.join("chat");
  await one.hub.to("chat").record("said", "before");
  cluster.engine.stop();
  const places = Promise.allSettled(
    Array.from({ length: 50 }, () => one.hub.to("chat").record("said", "x".repeat(1_000))),
  );
  cluster.engine.start();
  await settle();
  await cluster.passed(1_000);
  const rejected = (await places).filter(({ status }) => status === "rejected");
  expect(rejected.length).toBeGreaterThan(30);
  const heard = a.take();
  expect(heard.filter((item) => item === "hole")).toHaveLength(1);
  expect(heard.length).toBe(4 + 1 + 50 - rejected.length);
  expect(b.take()).toStrictEqual(heard);
  expect(one.hub.stats().history?.gaps.hole).toBe(1);
});

test("a client that missed a hole is told of it in its place", async () => {
  const [one, two] = [cluster.node(recording({ outage: "local" })), cluster.node(recording({ outage: "local" }))];
  const [a, b] = [await one.connect(), await two.connect()];
  for (const client of [a, b]) await client.join("chat");
  await one.hub.to("chat").record("said", 1);
  await settle();
  const since = a.position();
  a.close();
  await settle();
  await one.hub.to("chat").record("said", 2);
  cluster.engine.stop();
  one.hub.to("chat").emit("said", "lost");
  cluster.engine.start();
  await settle();
  await cluster.passed(1_000);
  await one.hub.to("chat").record("said", 3);
  const c = await two.connect();
  await c.join("chat", since);
  expect(c.take()).toStrictEqual(["position", 2, "hole", 3, "joined"]);
  // Who comes without a position has missed nothing.
  const { events, complete } = await two.hub.history("chat");
  expect([events.map(({ data }) => data), complete]).toStrictEqual([[1, 2, 3], false]);
});

test("a room that the node knows is joined in an outage, and another one after five seconds, with a gap", async () => {
  const [one, two] = [cluster.node(), cluster.node()];
  const [a, b] = [await one.connect(), await two.connect()];
  await a.join("chat");
  await one.hub.to("chat").record("said", 1);
  await settle();
  const since = a.position();
  await one.hub.to("chat").record("said", 2);
  a.close();
  await settle();
  cluster.engine.stop();
  const c = await one.connect();
  await c.join("chat", since);
  expect(c.take()).toStrictEqual(["position", 2, "joined"]);
  await b.join("chat", since);
  two.sockets[0]?.join("chat-too");
  await cluster.passed(4_999);
  expect(b.take()).toStrictEqual([]);
  await cluster.passed(1);
  expect(b.take()).toStrictEqual(["unavailable", "joined", "unavailable"]);
  expect([...(two.sockets[0]?.rooms ?? [])]).toStrictEqual(["chat", "chat-too"]);
  one.hub.to("chat").emit("said", 3);
  cluster.engine.start();
  await settle();
  await cluster.passed(1_000);
  // What was recorded before the node knew the room is in the gap.
  expect(b.take().filter((item) => item !== 3)).toStrictEqual(["unavailable", "unavailable"]);
  one.hub.to("chat").emit("said", 4);
  await settle();
  expect(b.take()).toStrictEqual([4]);
  expect(two.hub.stats().history?.gaps.unavailable).toBe(4);
});

test("a join that waits for the engine can be taken back, and counts for the limit of rooms", async () => {
  const node = cluster.node({ ...recording(), limits: { rooms: 2 } });
  const client = await node.connect();
  cluster.engine.stop();
  const [socket] = node.sockets;
  socket?.join("chat-1", "chat-2");
  expect(() => socket?.join("chat-3")).toThrow(hubError("ERR_HUB_LIMIT", ""));
  expect(node.hub.stats().history?.waiting).toBe(2);
  socket?.leave("chat-1");
  socket?.join("chat-3");
  await cluster.passed(5_000);
  expect([...(socket?.rooms ?? [])]).toStrictEqual(["chat-2", "chat-3"]);
  expect(client.take()).toStrictEqual(["left", "unavailable", "unavailable"]);
  socket?.leave("chat-2");
  socket?.join("chat-1");
  client.close();
  await settle();
  expect(node.hub.stats().history?.waiting).toBe(0);
});

test("a position from before the first event of a room goes on where the node has heard it all along", async () => {
  const [one, two] = [cluster.node(), cluster.node()];
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

test("in an outage who was taken out is told within a second, although something is on its way", async () => {
  const node = cluster.node();
  const client = await node.connect();
  await client.join("chat");
  cluster.engine.stop();
  node.hub.to("chat").emit("said", 1);
  node.sockets[0]?.leave("chat");
  expect(node.hub.rooms.has("chat")).toBe(false);
  await cluster.passed(999);
  expect(client.take()).toStrictEqual(["position", "joined"]);
  await cluster.passed(1);
  expect(client.take()).toStrictEqual(["left"]);
});

test("a socket that is taken out and put in again at once misses nothing", async () => {
  const node = cluster.node();
  const client = await node.connect();
  await client.join("chat");
  await node.hub.to("chat").record("said", 0);
  node.hub.to("chat").emit("said", 1);
  node.sockets[0]?.leave("chat");
  node.sockets[0]?.join("chat");
  node.hub.to("chat").emit("said", 2);
  await settle();
  expect(client.take()).toStrictEqual(["position", "joined", "position", 0, "left", "position", 1, 2]);
});

test("a node hears a room for a minute after its last member, and serves positions without the engine", async () => {
  const node = cluster.node({ ...recording({ age: 600_000 }), cluster: { grace: 0 } });
  const client = await node.connect();
  await client.join("chat");
  await node.hub.to("chat").record("said", 1);
  const since = client.position();
  client.close();
  await cluster.passed(59_000);
  await node.hub.to("chat").record("said", 2);
  const { reads } = node.hub.stats().history ?? {};
  const second = await node.connect();
  await second.join("chat", since);
  expect(second.take()).toStrictEqual(["position", 1, 2, "joined"].slice(since.at === 0 ? 0 : 1));
  expect(node.hub.stats().history?.reads).toBe(reads);
  second.close();
  await cluster.passed(120_000);
  expect(node.hub.stats().history).toMatchObject({ rooms: 0, bytes: 0 });
});

test("a room that was silent for its age begins anew, with a gap for its members before the next event", async () => {
  // The engine has a clock of its own.
  const time = vi.spyOn(performance, "now").mockReturnValue(0);
  onTestFinished(() => time.mockRestore());
  const node = cluster.node(recording({ age: 60_000 }));
  const client = await node.connect();
  await client.join("chat");
  await node.hub.to("chat").record("said", 1);
  await settle();
  expect(client.take()).toStrictEqual(["position", "joined", "position", 1]);
  time.mockReturnValue(60_001);
  await node.hub.to("chat").record("said", 2);
  await settle();
  expect(client.take()).toStrictEqual(["epoch", 2]);
  expect((await node.hub.history("chat")).events).toMatchObject([{ data: 2 }]);
});

test("hub.close() delivers what was sent before", async () => {
  const node = cluster.node();
  const client = await node.connect();
  await client.join("chat");
  node.hub.to("chat").emit("said", "goodbye");
  const closed = node.hub.close();
  await settle();
  await closed;
  expect(client.take()).toStrictEqual(["position", "joined", "position", "goodbye"]);
});

test("the record of a room that cannot be read rejects, and that of another node is read once", async () => {
  const [one, two] = [cluster.node(), cluster.node()];
  await one.hub.to("chat").record("said", 1);
  const [first, second] = await Promise.all([two.hub.history("chat"), two.hub.history("chat", { last: 1 })]);
  expect([first.events.length, second.events.length]).toStrictEqual([1, 1]);
  expect(two.hub.stats().history).toMatchObject({ reads: 1, repairs: 0 });
  cluster.engine.stop();
  const read = one.hub.history("chat-2").catch(codeOf);
  await cluster.passed(5_000);
  expect(await read).toBe("ERR_HUB_BACKPLANE");
  await expect(one.hub.forget("chat")).rejects.toThrow(hubError("ERR_HUB_BACKPLANE", "not confirmed"));
});

test("clients that come from another node cost one read for each room, however many they are", async () => {
  const [one, two] = [cluster.node(), cluster.node()];
  const rooms = ["chat-0", "chat-1", "chat-2"];
  for (const room of rooms) await one.hub.to(room).record("said", 0);
  const away: { readonly room: string; readonly since: Position }[] = [];
  for (let index = 0; index < 30; index++) {
    const room = rooms[index % rooms.length] as string;
    const client = await one.connect();
    await client.join(room);
    away.push({ room, since: client.position() });
    client.close();
  }
  for (const room of rooms) await one.hub.to(room).record("said", 1);
  const clients = await Promise.all(away.map(() => two.connect()));
  await Promise.all(clients.map((client, index) => client.join(away[index]?.room ?? "", away[index]?.since)));
  for (const client of clients) expect(client.take()).toStrictEqual(["position", 1, "joined"]);
  expect(two.hub.stats().history).toMatchObject({ recoveries: 30, reads: rooms.length, repairs: 0 });
});

test("positions that are made up do not have the engine read as often as their client likes", async () => {
  const node = cluster.node({ ...recording(), limits: { replay: { perSecond: 1, burst: 3 * 64 * 1024 } } });
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
  const [one, two, three] = [cluster.node(), cluster.node(recording({ size: 7 })), cluster.node({})];
  await cluster.passed(20_000);
  expect([others(one), others(two), others(three)]).toStrictEqual([2, 2, 2]);
});
