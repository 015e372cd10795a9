import { connect, type NatsConnection } from "@nats-io/transport-node";
import { nats, type NatsOptions } from "roomcast/backplanes/nats";
import { Hub, type Appended, type LogPosition } from "roomcast";
import { memory } from "roomcast/testing";
import { expect, test, type TestContext } from "vitest";
import { LogNode, textsOf } from "../../../src/testing/suite/cluster/log-fixture.ts";
import { NatsServer } from "../engines/nats.ts";
import { until } from "./local-node.ts";

const CHANNEL = "room:x";
const LIMITS = { size: 100, age: 60_000 };
const NOWHERE: LogPosition = { epoch: "", at: 0 };

async function serverWith(t: TestContext, configuration = "", hasJetStream = true): Promise<NatsServer> {
  const server = await NatsServer.start(configuration, hasJetStream);
  t.onTestFinished(() => server.stop());
  return server;
}

/** Connects a node that has subscribed to the channel. */
async function nodeOf(t: TestContext, server: NatsServer, options: NatsOptions = {}, name = "one"): Promise<LogNode> {
  const node = new LogNode(nats({ servers: server.url, ...options }), name);
  t.onTestFinished(() => node.backplane.close());
  await until(() => node.isUp);
  await node.backplane.subscribe(CHANNEL);
  return node;
}

/** Connects an administrator. */
async function clientOf(t: TestContext, server: NatsServer): Promise<NatsConnection> {
  const client = await connect({ servers: server.url });
  t.onTestFinished(() => client.close());
  return client;
}

async function append(node: LogNode, ...texts: readonly string[]): Promise<LogPosition> {
  const places = await node.log.append(
    CHANNEL,
    texts.map((text) => node.entry(text)),
    LIMITS,
  );
  return positionOf(places.at(-1));
}

function positionOf(place: Appended | undefined): LogPosition {
  if (typeof place !== "object") throw new Error(`It was not appended: ${String(place)}.`);
  return place;
}

async function restart(node: LogNode, act: () => Promise<void>): Promise<void> {
  await act();
  await until(() => node.isUp);
}

test.concurrent("a server that is killed and restarted has lost nothing of its files", async (t) => {
  const server = await serverWith(t);
  const node = await nodeOf(t, server);
  const before = await append(node, "a", "b");
  await server.kill();
  await until(() => !node.isUp);
  await restart(node, () => server.restart());
  const after = await append(node, "c");
  expect(after.epoch).toBe(before.epoch);
  const tail = await node.log.read(CHANNEL, before, 10);
  expect([textsOf(tail?.records ?? []), tail?.records[0]?.previous]).toEqual([["c"], before.at]);
});

test.concurrent("a server with logs in memory begins new ones when it is restarted", async (t) => {
  const server = await serverWith(t);
  const node = await nodeOf(t, server, { records: { storage: "memory" } });
  const before = await append(node, "a", "b");
  await server.kill();
  await until(() => !node.isUp);
  await restart(node, () => server.restart());
  expect(await node.log.read(CHANNEL, before, 10)).toBeUndefined();
  const after = await append(node, "c");
  expect(after.epoch).not.toBe(before.epoch);
  expect(textsOf((await node.log.read(CHANNEL, before, 10))?.records ?? [])).toEqual(["c"]);
});

for (const [since, channel] of [
  ["nothing", undefined],
  ["as much", CHANNEL],
  ["as much of other rooms", "room:y"],
] as const) {
  test.concurrent(`logs whose end the server has lost have ended, where ${since} was appended since`, async (t) => {
    const server = await serverWith(t);
    const node = await nodeOf(t, server);
    await append(node, "a");
    await server.save();
    const lost = await append(node, "lost");
    await restart(node, () => server.goBack());
    // A node that knows nothing of what was lost takes its place.
    const other = await nodeOf(t, server, {}, "two");
    if (channel !== undefined)
      for (const text of ["b", "c"]) await other.log.append(channel, [other.entry(text)], LIMITS);
    expect(await node.log.read(CHANNEL, lost, 10)).toBeUndefined();
    expect((await append(other, "d")).epoch).not.toBe(lost.epoch);
    expect(textsOf((await node.log.read(CHANNEL, lost, 10))?.records ?? [])).toEqual(["d"]);
  });
}

test.concurrent("entries that arrive on an earlier connection after their retry are there once", async (t) => {
  const server = await serverWith(t);
  const [node, other] = await Promise.all([nodeOf(t, server), nodeOf(t, server, {}, "two")]);
  await append(other, "first");
  const entries = [node.entry("a"), node.entry("b")];
  const places = await node.log.append(CHANNEL, entries, LIMITS, NOWHERE);
  await append(other, "between");
  expect(await node.log.append(CHANNEL, entries, LIMITS)).toEqual(places);
  await append(other, "last");
  await until(() => textsOf(node.heard).includes("last"));
  expect(textsOf(node.heard)).toEqual(["first", "a", "b", "between", "last"]);
});

test.concurrent("what is under way when the server ends rejects after the hub was told of the outage", async (t) => {
  const server = await serverWith(t);
  const node = await nodeOf(t, server);
  const place = await append(node, "a");
  server.process.freeze();
  const pending = [append(node, "b"), node.log.read(CHANNEL, NOWHERE, 1), node.log.heads([CHANNEL])];
  const wasUp = pending.map((promise) => promise.then(String, () => node.isUp));
  await server.kill();
  expect(await Promise.all(wasUp)).toEqual([false, false, false]);
  await restart(node, () => server.restart());
  // Nobody has heard it, so that it is appended by the retry.
  expect((await append(node, "c")).epoch).toBe(place.epoch);
});

test.concurrent("a log of many messages among others is read whole, and from each position", async (t) => {
  const server = await serverWith(t);
  const node = await nodeOf(t, server);
  const limits = { size: 60, age: 60_000 };
  const places: LogPosition[] = [];
  for (let round = 0; round < 100; round++) {
    const entries = Array.from({ length: 1 + (round % 3) }, (_, index) => node.entry(`${round} ${index}`));
    places.push(...(await node.log.append(CHANNEL, entries, limits)).map(positionOf));
    for (let index = 0; index < round % 5; index++) await node.log.append("room:y", [node.entry("y")], limits);
  }
  await until(() => node.heard.length === places.length);
  const tail = await node.log.read(CHANNEL, NOWHERE, 1_000);
  const kept = tail?.records ?? [];
  expect(kept.length).toBeGreaterThanOrEqual(limits.size);
  const plain = (records: typeof kept): unknown => records.map(({ at, previous }) => [at, previous]);
  expect(plain(kept)).toEqual(plain(node.heard.slice(-kept.length)));
  expect(textsOf(kept)).toEqual(textsOf(node.heard.slice(-kept.length)));
  for (const { epoch, at } of kept) {
    const rest = await node.log.read(CHANNEL, { epoch, at }, 7);
    expect(plain(rest?.records ?? [])).toEqual(plain(kept.filter((record) => record.at > at).slice(0, 7)));
    expect(rest?.floor).toBeLessThanOrEqual(at);
  }
  // What is before the oldest that is kept cannot be gone on from.
  const trimmed = await node.log.read(CHANNEL, places[0] as LogPosition, 7);
  expect([trimmed?.floor, trimmed && plain(trimmed.records)]).toEqual([tail?.floor, plain(kept.slice(-7))]);
});

test.concurrent("nodes that append at the same time all succeed, and begin one log", async (t) => {
  const server = await serverWith(t);
  const nodes = await Promise.all(Array.from({ length: 6 }, (_, index) => nodeOf(t, server, {}, `origin ${index}`)));
  const rounds = 30;
  await Promise.all(
    nodes.map(async (node) => {
      for (let round = 0; round < rounds; round++) await append(node, `${round}`);
    }),
  );
  for (const { heard } of nodes) {
    await until(() => heard.length === nodes.length * rounds);
    expect(new Set(heard.map(({ epoch }) => epoch)).size).toBe(1);
    // The server hands over two at once in either order now and then, which a node takes for something missing, and reads.
    const ordered = heard.toSorted((a, b) => a.at - b.at);
    expect(ordered.map(({ previous }) => previous)).toEqual([0, ...ordered.slice(0, -1).map(({ at }) => at)]);
  }
});

test.concurrent("entries are divided into what the server takes, and a refusal stops those behind it", async (t) => {
  const server = await serverWith(t, "max_payload: 4096");
  const node = await nodeOf(t, server);
  const texts = Array.from({ length: 40 }, (_, index) => `${index} ${"m".repeat(500)}`);
  const before = await append(node, ...texts);
  await until(() => node.heard.length === texts.length);
  expect(textsOf(node.heard)).toEqual(texts);
  const entries = ["a", "m".repeat(5_000), "c"].map((text) => node.entry(text));
  const [first, ...others] = await node.log.append(CHANNEL, entries, LIMITS);
  expect(others).toEqual(["refused", "refused"]);
  const tail = await node.log.read(CHANNEL, before, 10);
  expect([textsOf(tail?.records ?? []), tail?.head]).toEqual([["a"], positionOf(first).at]);
});

test.concurrent("a log goes on, or begins anew, when its stream is deleted or its limits change", async (t) => {
  const server = await serverWith(t);
  const node = await nodeOf(t, server);
  const [client, before] = await Promise.all([clientOf(t, server), append(node, "a")]);
  const [other] = await node.log.append(CHANNEL, [node.entry("b")], { ...LIMITS, size: 5 });
  expect(await node.log.heads([CHANNEL])).toEqual([other]);
  expect(textsOf((await node.log.read(CHANNEL, before, 10))?.records ?? [])).toEqual(["b"]);
  const streams = await client.request("$JS.API.STREAM.NAMES");
  expect(streams.json()).toMatchObject({ streams: ["roomcast-100-60000", "roomcast-5-60000"] });
  await client.request("$JS.API.STREAM.DELETE.roomcast-5-60000");
  expect(await node.log.read(CHANNEL, positionOf(other), 10)).toBeUndefined();
  const [last] = await node.log.append(CHANNEL, [node.entry("c")], { ...LIMITS, size: 5 });
  expect(await node.log.heads([CHANNEL])).toEqual([last]);
  expect(new Set([before, positionOf(other), positionOf(last)].map(({ epoch }) => epoch)).size).toBe(3);
});

test.concurrent("a message of others in the subject of a log is a hole, from which the log begins anew", async (t) => {
  const server = await serverWith(t);
  const node = await nodeOf(t, server);
  const before = await append(node, "a");
  const client = await clientOf(t, server);
  await client.request("roomcast.log.100-60000.room=003ax", "garbage");
  const after = await append(node, "b");
  await until(() => node.heard.length === 3);
  expect(textsOf(node.heard)).toEqual(["a", "hole", "b"]);
  const tail = await node.log.read(CHANNEL, before, 10);
  expect([textsOf(tail?.records ?? []), tail?.epoch]).toEqual([["hole", "b"], after.epoch]);
  await client.request("roomcast.log.100-60000.room=003ax", "garbage");
  await until(() => node.heard.length === 4);
  await server.kill();
  await until(() => !node.isUp);
  await restart(node, () => server.restart());
  expect(textsOf((await node.log.read(CHANNEL, NOWHERE, 10))?.records ?? [])).toEqual(["hole"]);
});

const DENIED = `authorization { users = [ { user: app, password: secret, permissions: {
  publish: "roomcast.*", subscribe: "roomcast.*" } } ] }`;
const CREDENTIALS = { options: { user: "app", pass: "secret" } };

for (const [what, why, configuration, hasJetStream, options] of [
  ["without JetStream", "NATS has no JetStream for this account", "", false, {}],
  ["that permits no records", "Permissions Violation", DENIED, true, CREDENTIALS],
] as const) {
  test.concurrent(`a server ${what} refuses logs and says why, and all else goes on`, async (t) => {
    const server = await serverWith(t, configuration, hasJetStream);
    const node = await nodeOf(t, server, options);
    expect(await node.log.append(CHANNEL, [node.entry("a"), node.entry("b")], LIMITS)).toEqual(["refused", "refused"]);
    await expect(node.log.read(CHANNEL, NOWHERE, 1)).rejects.toThrow(why);
    await expect(node.log.heads([CHANNEL])).rejects.toThrow(why);
    await expect(node.log.forget(CHANNEL)).rejects.toThrow(why);
    await node.backplane.publish(CHANNEL, new Uint8Array(1));
    expect(node.isUp).toBe(true);
  });
}

test.concurrent("a hub on a server without JetStream says so once, and everything that is not recorded goes on", async (t) => {
  const server = await serverWith(t, "", false);
  const errors: string[] = [];
  const received: string[] = [];
  const [one, two] = [1, 2].map(() => {
    const transport = memory();
    const history = { rooms: { "log:*": { size: 10, age: 60_000 } } };
    const hub = new Hub({ transport, backplane: nats({ servers: server.url }), history, welcome: false });
    t.onTestFinished(() => hub.close());
    hub.on("error", (error, { source }) => errors.push(`${source}: ${(error as Error).message}`));
    hub.on("connection", (socket) => socket.join(["log:x", "x"]));
    transport.connect().addEventListener("message", (event) => received.push((event as MessageEvent).data as string));
    return hub;
  }) as [Hub, Hub];
  await until(() => one.nodes.length === 1 && two.nodes.length === 1);
  await expect(one.to("log:y").record("said", "lost")).rejects.toMatchObject({ code: "ERR_HUB_BACKPLANE" });
  await until(() => errors.length === 3);
  expect(errors.filter((error) => /^backplane: .*has no JetStream for this account/.test(error))).toHaveLength(2);
  expect(errors.filter((error) => error.startsWith("backplane: An event was not recorded"))).toHaveLength(1);
  one.to("x").send("not recorded");
  await until(() => received.filter((text) => text === "not recorded").length === 2);
  expect(errors).toHaveLength(3);
});
