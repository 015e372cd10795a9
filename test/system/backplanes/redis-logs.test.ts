import { Buffer } from "node:buffer";
import type { Backplane } from "roomcast";
import { redis } from "roomcast/backplanes/redis";
import { createClient, createCluster } from "redis";
import { describe, expect, test, vi, type TestContext } from "vitest";
import type { Appended, LogPosition } from "../../../src/backplanes/backplane.ts";
import type { RedisClient } from "../../../src/backplanes/redis/copies.ts";
import { RedisLog } from "../../../src/backplanes/redis/log.ts";
import { LogFixture, LogNode, textsOf } from "../../../src/testing/suite/cluster/log-fixture.ts";
import { RedisCluster, RedisServer } from "../engines/redis.ts";
import { Proxy } from "../network/proxy.ts";
import { node as localNode, together, until, type LocalNode } from "./local-node.ts";

const CHANNEL = "room:x";
const KEY = `roomcast:${CHANNEL}`;
const LIMITS = { size: 100, age: 60_000 };
const NOWHERE: LogPosition = { epoch: "", at: 0 };

async function serverFor(t: TestContext, args: readonly string[] = []): Promise<RedisServer> {
  const server = await RedisServer.start(args);
  t.onTestFinished(() => server.stop());
  return server;
}

async function nodes(t: TestContext, create: () => Backplane, channel: string = CHANNEL): Promise<[LogNode, LogNode]> {
  const fixture = await LogFixture.open(create, channel, 2);
  t.onTestFinished(() => fixture.close());
  return [fixture.node(0), fixture.node(1)];
}

/** Appends one entry for each text. */
function append(node: LogNode, ...texts: readonly string[]): Promise<readonly Appended[]> {
  return node.log.append(
    CHANNEL,
    texts.map((text) => node.entry(text)),
    LIMITS,
  );
}

/** Expects that no position was handed over, or answered, for two different entries. */
function expectOnce(node: LogNode, ...answers: readonly Appended[]): void {
  const names = [...node.heard, ...answers].filter((place) => typeof place === "object").map(nameOf);
  expect(names).toEqual([...new Set(names)]);
}

function nameOf({ epoch, at }: LogPosition): string {
  return `${epoch} ${at}`;
}

function positionOf(place: Appended | undefined): LogPosition {
  if (typeof place !== "object") throw new Error(`The entry is ${place}.`);
  return place;
}

async function untilExists(server: RedisServer, count: 0 | 1): Promise<void> {
  await vi.waitFor(async () => expect(await server.command("EXISTS", KEY)).toBe(count), { timeout: 20_000 });
}

/** Waits until nodes have had so many outages, and are connected again. */
async function reconnected(all: readonly LogNode[], outages: number = 1): Promise<void> {
  await until(() => all.every((node) => node.isUp && node.outages === outages));
}

describe("an outage", () => {
  test.concurrent("a server that becomes a replica is left, and used again when it is a master", async (t) => {
    const server = await serverFor(t);
    const [one] = await nodes(t, () => redis({ url: server.url }));
    await append(one, "a");
    await server.command("REPLICAOF", "127.0.0.1", "1");
    await expect(append(one, "b")).rejects.toThrow("READONLY");
    expect(one.isUp).toBe(false);
    await server.command("REPLICAOF", "NO", "ONE");
    await until(() => one.isUp);
    await append(one, "c");
    await until(() => one.heard.length === 2);
    expectOnce(one);
  });

  test.concurrent("a server that stands still is left, with what it was asked", async (t) => {
    const server = await serverFor(t);
    const [one] = await nodes(t, () => redis({ url: server.url }));
    const [before] = await append(one, "a");
    server.process.freeze();
    const entry = one.entry("b");
    const asked = [
      one.log.append(CHANNEL, [entry], LIMITS),
      one.log.read(CHANNEL, NOWHERE, 1),
      one.log.heads([CHANNEL]),
      one.log.forget("room:other"),
    ];
    const outcomes = await Promise.allSettled(asked);
    expect([outcomes.map(({ status }) => status), one.isUp]).toEqual([asked.map(() => "rejected"), false]);
    server.process.thaw();
    await until(() => one.isUp);
    // The server has read what it was sent before it stood still.
    await one.log.append(CHANNEL, [entry], LIMITS, positionOf(before));
    const tail = await one.log.read(CHANNEL, NOWHERE, 10);
    expect(textsOf(tail?.records ?? [])).toEqual(["a", "b"]);
  });

  test.concurrent("what was appended before the end is in the log", async (t) => {
    const server = await serverFor(t);
    const [one, two] = await nodes(t, () => redis({ url: server.url }));
    const appended = append(one, "a");
    await one.backplane.close();
    expect(await appended).toMatchObject([{ at: 1 }]);
    await until(() => two.heard.length === 1);
    await expect(append(one, "b")).rejects.toThrow("not connected");
  });

  test.concurrent("a server that has forgotten the scripts is taught them again", async (t) => {
    const server = await serverFor(t);
    const [one] = await nodes(t, () => redis({ url: server.url }));
    await append(one, "a");
    await server.command("SCRIPT", "FLUSH");
    await append(one, "b");
    await server.command("SCRIPT", "FLUSH");
    expect((await one.log.read(CHANNEL, NOWHERE, 10))?.head).toBe(2);
  });
});

/** What the client of a node has received: the data of events, and the reasons of gaps. */
function told({ received }: LocalNode): readonly unknown[] {
  return received
    .map((text) => JSON.parse(text) as { readonly event: string; readonly data: { readonly gap?: string } })
    .map(({ event, data }) => (event === "hub:record" ? data.gap : data))
    .filter((item) => item !== undefined);
}

test.concurrent("members of all nodes are told of a gap when Redis has restarted, and get nothing twice", async (t) => {
  const server = await serverFor(t);
  const history = { rooms: { x: LIMITS } };
  const all = ["one", "two"].map((name) => localNode(t, redis({ url: server.url }), { name }, { history }));
  await together(all);
  const [one, two] = all as [LocalNode, LocalNode];
  await one.hub.to("x").record("news", 1);
  await two.hub.to("x").record("news", 2);
  await until(() => all.every((each) => told(each).length === 2));
  await server.kill();
  await until(() => all.every(({ hub }) => hub.backplaneState === "disconnected"));
  one.hub.to("x").emit("news", "meanwhile");
  await server.restart();
  await together(all);
  await two.hub.to("x").record("news", 3);
  await until(() => all.every((each) => told(each).includes(3)));
  // What was sent meanwhile comes after the gap, before or after what the other node has sent, or the gap speaks for it.
  for (const each of all) {
    const items = told(each);
    const place = items.indexOf("meanwhile");
    expect(place === -1 || place > 2).toBe(true);
    expect(items.toSpliced(place, place === -1 ? 0 : 1)).toEqual([1, 2, "epoch", 3]);
  }
});

describe("what Redis has lost begins a new epoch, and no position is given twice", () => {
  test.concurrent("a server that is flushed", async (t) => {
    const server = await serverFor(t);
    const [one, two] = await nodes(t, () => redis({ url: server.url }));
    await append(one, "a", "b");
    await append(two, "c");
    await server.command("FLUSHALL");
    await append(one, "d");
    await append(two, "e");
    await until(() => one.heard.length === 5);
    expect(one.heard.map(({ at, previous }) => [at, previous])).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
      [1, 0],
      [2, 1],
    ]);
    expectOnce(one);
  });

  test.concurrent("a server that evicts the log", async (t) => {
    const server = await serverFor(t, ["--maxmemory-policy", "allkeys-random"]);
    const [one] = await nodes(t, () => redis({ url: server.url }));
    await append(one, "a", "b");
    await server.command("CONFIG", "SET", "maxmemory", "1");
    // Redis evicts in steps.
    await untilExists(server, 0);
    await server.command("CONFIG", "SET", "maxmemory", "0");
    expect(await one.log.heads([CHANNEL])).toEqual([undefined]);
    await append(one, "c");
    await until(() => one.heard.length === 3);
    expect(one.heard[2]).toMatchObject({ at: 1, previous: 0 });
    expectOnce(one);
  });

  test.concurrent("a server that restarts empty, or with less than it had", async (t) => {
    const server = await serverFor(t);
    const [one, two] = await nodes(t, () => redis({ url: server.url }));
    const [first] = await append(one, "a");
    await server.kill();
    await until(() => !one.isUp && !two.isUp);
    await expect(append(one, "lost")).rejects.toThrow("not connected");
    await server.restart();
    await reconnected([one, two]);
    expect(await one.log.read(CHANNEL, positionOf(first), 10)).toBe(undefined);
    await append(one, "b", "c");
    await server.command("SAVE");
    const [last] = await append(two, "d");
    await until(() => one.heard.length === 4);
    await server.kill();
    await server.restart();
    await reconnected([one, two], 2);
    // What is left has another epoch before anything new comes, so that nobody goes on from "d".
    const tail = await one.log.read(CHANNEL, positionOf(last), 10);
    expect([textsOf(tail?.records ?? []), tail?.head, tail?.floor]).toEqual([["b", "c"], 2, 0]);
    expect(tail?.epoch).not.toBe(positionOf(last).epoch);
    await append(two, "e");
    await until(() => one.heard.length === 5);
    expect(one.heard[4]).toMatchObject({ epoch: tail?.epoch, at: 3, previous: 2 });
    expectOnce(one);
  });

  test.concurrent("a failover to a replica that is behind", async (t) => {
    const master = await serverFor(t);
    const replica = await serverFor(t, ["--replicaof", "127.0.0.1", `${master.port}`]);
    const proxy = await Proxy.to(master.port);
    t.onTestFinished(() => proxy.close());
    const [one, two] = await nodes(t, () => redis({ url: `redis://127.0.0.1:${proxy.port}` }));
    const [a, b] = [one.entry("a"), one.entry("b")];
    const [place] = await one.log.append(CHANNEL, [a], LIMITS);
    await untilExists(replica, 1);
    await replica.command("REPLICAOF", "NO", "ONE");
    // The replica has it, and these it has not.
    const [lost] = await one.log.append(CHANNEL, [b], LIMITS);
    await append(two, "c");
    await until(() => one.heard.length === 3);
    proxy.target = replica.port;
    proxy.cut();
    await reconnected([one, two]);
    expect(await one.log.heads([CHANNEL])).toMatchObject([{ at: 1 }]);
    await append(two, "d");
    // Both are tried again, as if they had not been answered. One of them is there.
    const again = await one.log.append(CHANNEL, [a, b], LIMITS, NOWHERE);
    await until(() => one.heard.length === 5);
    expect(textsOf(one.heard)).toEqual(["a", "b", "c", "d", "b"]);
    expect(again.map((each) => positionOf(each).at)).toEqual([1, 3]);
    expect(positionOf(again[1]).epoch).not.toBe(positionOf(lost).epoch);
    expect(positionOf(place).epoch).toBe(positionOf(lost).epoch);
    expectOnce(one);
  });

  test.concurrent("a server that was a replica for a while, on connections that stayed", async (t) => {
    const server = await serverFor(t);
    const client = createClient({ url: server.url });
    await client.connect();
    t.onTestFinished(() => client.destroy());
    const log = new RedisLog(client as unknown as RedisClient, "roomcast:", (error) =>
      expect.unreachable(String(error)),
    );
    const entry = { origin: "o", number: 1, envelope: Buffer.from("e") };
    const [before] = await log.append(CHANNEL, [entry], LIMITS);
    await server.command("REPLICAOF", "127.0.0.1", "1");
    await server.command("REPLICAOF", "NO", "ONE");
    log.refresh();
    const [after] = await log.append(CHANNEL, [{ ...entry, number: 2 }], LIMITS);
    expect(positionOf(after).epoch).not.toBe(positionOf(before).epoch);
  });

  test.concurrent("a clock that was set back", async (t) => {
    const server = await serverFor(t);
    const [one, two] = await nodes(t, () => redis({ url: server.url }));
    const [before] = await append(one, "a");
    // Somebody has begun a new log, at an earlier time.
    await server.command("DEL", KEY);
    await server.command("XADD", KEY, "5-1", "m", "1 1 other\nz");
    await append(one, "b", "c");
    await append(two, "d");
    await until(() => two.heard.length === 4);
    expect(two.heard.map(({ at, previous }) => [at, previous])).toEqual([
      [1, 0],
      [1, 0],
      [2, 1],
      [3, 2],
    ]);
    expect(Number(two.heard[1]?.epoch.split("-")[0])).toBeGreaterThan(Number(positionOf(before).epoch.split("-")[0]));
    expectOnce(one);
  });
});

describe("what Redis does not take is refused as a whole, and the connection stays", () => {
  const all = ["+@all", "allkeys", "allchannels"];
  const LESS = [
    [...all, "-evalsha"],
    [...all, "-pexpire"],
    [...all, "-info"],
    [...all, "resetkeys", "~other:*"],
    [...all, "resetchannels", "&roomcast:room:y"],
  ];

  test.concurrent("because the user may not", async (t) => {
    const server = await serverFor(t);
    await server.command("ACL", "SETUSER", "app", "on", ">secret", ...all);
    const node = new LogNode(redis({ url: server.url.replace("//", "//app:secret@") }), "origin");
    t.onTestFinished(() => node.backplane.close());
    await until(() => node.isUp);
    for (const rules of LESS) {
      await server.command("ACL", "SETUSER", "app", "reset", "on", ">secret", ...rules);
      expect(await append(node, "a", "b")).toEqual(["refused", "refused"]);
      expect(await node.log.append(CHANNEL, [node.entry("a")], LIMITS, NOWHERE)).toEqual(["refused"]);
      expect([await server.command("EXISTS", KEY), node.isUp]).toEqual([0, true]);
    }
    await server.command("ACL", "SETUSER", "app", "reset", "on", ">secret", ...all, "-evalsha", "-del");
    await expect(node.log.read(CHANNEL, NOWHERE, 1)).rejects.toThrow("NOPERM");
    await expect(node.log.heads([CHANNEL])).rejects.toThrow("NOPERM");
    await expect(node.log.forget(CHANNEL)).rejects.toThrow("NOPERM");
    await server.command("ACL", "SETUSER", "app", "reset", "on", ">secret", ...all);
    expect(await append(node, "c")).toMatchObject([{ at: 1 }]);
    expect(node.isUp).toBe(true);
  });

  test.concurrent("because its memory is full, or for want of replicas", async (t) => {
    const server = await serverFor(t, ["--maxmemory-policy", "noeviction"]);
    const [one, two] = await nodes(t, () => redis({ url: server.url }));
    const [first] = await append(one, "a");
    for (const setting of ["maxmemory", "min-replicas-to-write"]) {
      await server.command("CONFIG", "SET", setting, "1");
      // One knows the log, and the other has to look for it.
      expect(await append(one, "b", "c")).toEqual(["refused", "refused"]);
      expect(await append(two, "b")).toEqual(["refused"]);
      expect(await one.log.append(CHANNEL, [one.entry("b")], LIMITS, NOWHERE)).toEqual(["refused"]);
      // Reading goes on.
      expect(await one.log.heads([CHANNEL])).toEqual([first]);
      await server.command("CONFIG", "SET", setting, "0");
    }
    await append(two, "d");
    await until(() => one.heard.length === 2);
    expect([textsOf(one.heard), one.heard[1]?.previous]).toEqual([["a", "d"], 1]);
    expect([one.isUp, two.isUp]).toEqual([true, true]);
  });

  test.concurrent.for(["INFO", "XADD", "EVALSHA"])("because there is no %s on the server", async (command, t) => {
    const server = await serverFor(t, ["--rename-command", command, ""]);
    const [one] = await nodes(t, () => redis({ url: server.url }));
    expect([await append(one, "a"), one.isUp]).toEqual([["refused"], true]);
  });

  test.concurrent("because the key belongs to the application", async (t) => {
    const server = await serverFor(t);
    const [one] = await nodes(t, () => redis({ url: server.url }));
    await server.command("SET", KEY, "text");
    expect(await append(one, "a")).toEqual(["refused"]);
    await server.command("DEL", KEY);
    expect(await append(one, "a")).toMatchObject([{ at: 1 }]);
  });
});

test.concurrent("an entry is found again behind many others, and large ones arrive whole", async (t) => {
  const server = await serverFor(t);
  const [one, two] = await nodes(t, () => redis({ url: server.url }));
  const limits = { ...LIMITS, size: 1_000 };
  const [first] = await two.log.append(CHANNEL, [two.entry("first")], limits);
  const large = ["l", "m"].map((letter) => one.entry(letter.repeat(40_000)));
  const places = await one.log.append(CHANNEL, large, limits);
  for (let count = 0; count < 250; count += 50) {
    const some = Array.from({ length: 50 }, (_, index) => two.entry(`${count + index}`));
    await two.log.append(CHANNEL, some, limits);
  }
  expect(await one.log.append(CHANNEL, large, limits, positionOf(first))).toEqual(places);
  expect(await one.log.append(CHANNEL, large, limits, NOWHERE)).toEqual(places);
  await until(() => two.heard.length === 253);
  expect(textsOf(two.heard.slice(1, 3))).toEqual(["l".repeat(40_000), "m".repeat(40_000)]);
});

test.concurrent("the log of a channel is in database 0 under the channel's name, whatever the settings of a client", async (t) => {
  const server = await serverFor(t);
  const create = [
    () => redis({ client: createClient({ url: `${server.url}/3`, keyPrefix: "mine:" }) }),
    () => redis({ client: createClient({ url: server.url, database: 1 }) }),
  ];
  const [one, two] = await nodes(t, () => (create.shift() as () => Backplane)());
  await append(one, "a");
  await append(two, "b");
  await until(() => one.heard.length === 2 && two.heard.length === 2);
  expect(two.heard.map(({ at }) => at)).toEqual([1, 2]);
  expect(await server.command("XLEN", KEY)).toBe(2);
});

describe("in a Redis Cluster", () => {
  test.concurrent("a room with any name is in the slot of its channel", async (t) => {
    const cluster = await RedisCluster.start();
    t.onTestFinished(() => cluster.stop());
    const rootNodes = cluster.servers.map(({ url }) => ({ url }));
    const create = (): Backplane => redis({ client: createCluster({ rootNodes }) });
    const [one, two] = await nodes(t, create);
    const channels = ["{a}b", "a}b{c}", "{}", "}{", "{}{a}", "{{a}}", "%7B", "ä", "a".repeat(300)].map(
      (room) => `room:${room}`,
    );
    await Promise.all(channels.map((channel) => two.backplane.subscribe(channel)));
    for (const channel of channels) await one.log.append(channel, [one.entry(channel)], LIMITS);
    await until(() => two.heard.length === channels.length);
    // Each channel has an order of its own.
    expect(textsOf(two.heard).toSorted()).toEqual(channels.toSorted());
    expect((await one.log.heads(channels)).map((head) => head?.at)).toEqual(channels.map(() => 1));

    // A slot that is on its way takes no new log, until it has arrived.
    const fresh = "room:fresh";
    const begin = await cluster.migrate(`roomcast:${fresh}`);
    const entry = one.entry("late");
    await expect(one.log.append(fresh, [entry], LIMITS)).rejects.toThrow("redirections");
    expect(one.isUp).toBe(true);
    await begin();
    await expect(one.log.append(fresh, [entry], LIMITS, NOWHERE)).rejects.toThrow("redirections");
    await reconnected([one]);
    expect(await one.log.append(fresh, [entry], LIMITS, NOWHERE)).toMatchObject([{ at: 1 }]);
  });
});
