import type { Backplane } from "roomcast";
import { nats } from "roomcast/backplanes/nats";
import { redis } from "roomcast/backplanes/redis";
import { connect } from "@nats-io/transport-node";
import { createCluster } from "redis";
import { describe, expect, test, type TestContext } from "vitest";
import { NatsServer } from "../engines/nats.ts";
import { RedisCluster, RedisServer } from "../engines/redis.ts";
import { node, pair, together, until } from "./local-node.ts";

/** A server that lets nodes use everything but some of its channels. */
interface StrictServer {
  backplane(): Backplane;
  /** Lets nodes use these as well, and cuts their connections. */
  allow(): Promise<void>;
}

const USER = "app";
const PASSWORD = "secret";

async function strictNats(t: TestContext): Promise<NatsServer> {
  const server = await NatsServer.start(
    `authorization { users = [ { user: ${USER}, password: ${PASSWORD}, permissions: {
      publish: { allow: "roomcast.*", deny: "roomcast.room=003amute" }
      subscribe: { allow: "roomcast.*", deny: "roomcast.room=003adeaf" }
    } } ] }`,
  );
  t.onTestFinished(() => server.stop());
  return server;
}

async function allowNats(server: NatsServer): Promise<void> {
  await server.configure(`authorization { user: ${USER}, password: ${PASSWORD} }`);
  await server.kill();
  await server.restart();
}

const STRICT = {
  nats: async (t: TestContext): Promise<StrictServer> => {
    const server = await strictNats(t);
    return {
      backplane: () => nats({ servers: server.url, options: { user: USER, pass: PASSWORD } }),
      allow: () => allowNats(server),
    };
  },
  "nats, connections of the application": async (t: TestContext): Promise<StrictServer> => {
    const server = await strictNats(t);
    const options = { servers: server.url, user: USER, pass: PASSWORD, noEcho: true };
    const connections = await Promise.all(
      [1, 2].map(() => connect({ ...options, reconnectTimeWait: 100, maxReconnectAttempts: -1 })),
    );
    t.onTestFinished(async () => {
      await Promise.all(connections.map((connection) => connection.close()));
    });
    const unused = [...connections];
    return {
      backplane: () => nats({ connection: unused.pop() as (typeof connections)[0] }),
      allow: () => allowNats(server),
    };
  },
  redis: async (t: TestContext): Promise<StrictServer> => {
    const server = await RedisServer.start();
    t.onTestFinished(() => server.stop());
    const channels = ["nodes", "node:*", "all", "room:x", "room:fine*"].map((channel) => `&roomcast:${channel}`);
    await server.command("ACL", "SETUSER", USER, "on", `>${PASSWORD}`, "resetchannels", "+@all", ...channels);
    return {
      backplane: () => redis({ url: server.url.replace("//", `//${USER}:${PASSWORD}@`) }),
      allow: async () => {
        await server.command("ACL", "SETUSER", USER, "allchannels");
        await server.command("CLIENT", "KILL", "USER", USER);
      },
    };
  },
} as const;

describe.each(["nats", "nats, connections of the application", "redis"] as const)("%s", (kind) => {
  test("a room that a node may not hear is reported and counted, and its promise rejects, until it may", async (t) => {
    const server = await STRICT[kind](t);
    const [one, two] = await pair(t, () => server.backplane());
    await one.hub.synced();
    const socket = await one.socket;
    socket.join(["fine 1", "deaf", "fine 2"]);
    await expect(one.hub.synced("deaf")).rejects.toMatchObject({ code: "ERR_HUB_BACKPLANE" });
    await Promise.all([one.hub.synced("fine 1"), one.hub.synced("fine 2")]);
    await expect(one.hub.synced()).rejects.toMatchObject({ code: "ERR_HUB_BACKPLANE" });
    expect([one.errors, one.hub.stats().cluster?.refused]).toEqual([["ERR_HUB_BACKPLANE"], 1]);
    for (const room of ["fine 1", "fine 2"]) two.hub.to(room).send(room);
    await until(() => one.received.includes("fine 2"));
    expect(one.received).toEqual(["fine 1", "fine 2"]);
    await server.allow();
    await until(() => one.errors.length + two.errors.length === 3);
    await together([one, two]);
    await one.hub.synced();
    await one.hub.synced("deaf");
    two.hub.to("deaf").send("heard");
    await until(() => one.received.includes("heard"));
    expect(one.hub.stats().cluster?.refused).toBe(1);
  });

  test("a node that moves sockets of others into a room which they may not hear is told", async (t) => {
    const server = await STRICT[kind](t);
    const [one, two] = await pair(t, () => server.backplane());
    await Promise.all([one.hub.synced(), two.hub.synced()]);
    const { id } = await one.socket;
    two.hub.toSocket(id).join(["fine", "deaf"]);
    await expect(two.hub.synced("deaf")).rejects.toMatchObject({ code: "ERR_HUB_BACKPLANE" });
    await two.hub.synced("fine");
  });

  test("a message that a node may not send is counted and reported", async (t) => {
    const server = await STRICT[kind](t);
    const [one, two] = await pair(t, () => server.backplane());
    await one.hub.synced();
    two.hub.to("mute").send("lost");
    two.hub.to("x").send("heard");
    two.hub.to("mute").send("lost");
    await until(() => one.received.includes("heard") && two.hub.stats().cluster?.lost === 2);
    expect(one.received).toEqual(["heard"]);
    expect(two.errors).toEqual(["ERR_HUB_BACKPLANE"]);
    expect([one.hub.backplaneState, two.hub.backplaneState]).toEqual(["connected", "connected"]);
  });
});

test("redis: of many rooms, a node hears those that it may, also on its next connection", async (t) => {
  const server = await RedisServer.start();
  t.onTestFinished(() => server.stop());
  const channels = ["nodes", "node:*", "all", "user:*", "room:x", "room:fine*"].map(
    (channel) => `&roomcast:${channel}`,
  );
  await server.command("ACL", "SETUSER", USER, "on", `>${PASSWORD}`, "resetchannels", "+@all", ...channels);
  const url = server.url.replace("//", `//${USER}:${PASSWORD}@`);
  const [one, two] = [node(t, redis({ url })), node(t, redis({ url: server.url }))];
  await together([one, two]);
  const rooms = Array.from({ length: 1_500 }, (_, index) => `${index % 3 === 0 ? "deaf" : "fine"} ${index}`);
  const fine = rooms.filter((room) => room.startsWith("fine"));
  (await one.socket).join(rooms);
  for (const round of [1, 2]) {
    const outcomes = await Promise.allSettled(rooms.map((room) => one.hub.synced(room)));
    expect(rooms.filter((_, index) => outcomes[index]?.status === "fulfilled")).toEqual(fine);
    expect(one.hub.stats().cluster?.refused).toBe(round * (rooms.length - fine.length));
    for (const room of [...rooms, "x"]) two.hub.to(room).send(`${round} ${room}`);
    await until(() => one.received.includes(`${round} x`));
    expect(one.received.splice(0)).toEqual([...fine, "x"].map((room) => `${round} ${room}`));
    if (round === 2) break;
    await server.command("CLIENT", "KILL", "USER", USER);
    // The refusal, the outage, and the refusal on the next connection.
    await until(() => one.errors.length === 3 && one.hub.backplaneState === "connected");
  }
});

describe("nats", () => {
  test("of more rooms than a connection may have, a node hears those whose promise resolves, and no others", async (t) => {
    const server = await NatsServer.start("max_subscriptions: 20");
    t.onTestFinished(() => server.stop());
    const [one, two] = await pair(t, () => nats({ servers: server.url }));
    const rooms = Array.from({ length: 1_500 }, (_, index) => `room ${index}`);
    (await one.socket).join(rooms);
    const outcomes = await Promise.allSettled(rooms.map((room) => one.hub.synced(room)));
    const heard = rooms.filter((_, index) => outcomes[index]?.status === "fulfilled");
    // Beside them the connection has the room "x", and three channels of the node.
    expect(heard).toEqual(rooms.slice(0, 16));
    for (const room of [...rooms, "x"]) two.hub.to(room).send(room);
    await until(() => one.received.includes("x"));
    expect(one.received).toEqual([...heard, "x"]);
    expect([one.errors, one.hub.stats().cluster?.refused]).toEqual([
      ["ERR_HUB_BACKPLANE"],
      rooms.length - heard.length,
    ]);
  });

  test("what a connection of the application is told of other commands is no refusal", async (t) => {
    const server = await NatsServer.start();
    t.onTestFinished(() => server.stop());
    const connection = await connect({ servers: server.url });
    t.onTestFinished(() => connection.close());
    const one = node(t, nats({ connection }));
    await together([one]);
    const errors: unknown[] = [];
    const listen = async (): Promise<void> => {
      for await (const status of connection.status()) if (status.type === "error") errors.push(status.error.message);
    };
    listen().catch(() => {});
    (await one.socket).join("fine");
    connection.subscribe("no..subject");
    await one.hub.synced("fine");
    expect([errors, one.errors]).toEqual([["Invalid Subject"], []]);
  });

  test("many small messages arrive where the server takes none that is large", async (t) => {
    const server = await NatsServer.start("max_payload: 4096");
    t.onTestFinished(() => server.stop());
    const one = node(t, nats({ servers: server.url }), { name: "one" });
    const early = Array.from({ length: 100 }, (_, index) => `${index} ${"m".repeat(100)}`);
    // What is sent before the first connection waits for it.
    for (const text of early) one.say(text);
    const two = node(t, nats({ servers: server.url }), { name: "two" });
    await together([one, two]);
    await two.hub.synced();
    const late = early.map((text) => `late ${text}`);
    for (const text of late) one.say(text);
    await until(() => two.received.includes(late.at(-1) as string));
    expect(two.received.filter((text) => text.startsWith("late"))).toEqual(late);
    expect([one.hub.stats().cluster?.lost, one.errors]).toEqual([0, []]);
    one.say("m".repeat(5_000));
    await until(() => one.hub.stats().cluster?.lost === 1);
    expect(one.errors).toEqual(["ERR_HUB_BACKPLANE"]);
  });
});

test("in a Redis Cluster, nodes report that a slot has moved, and what arrives is in order", async (t) => {
  const cluster = await RedisCluster.start();
  t.onTestFinished(() => cluster.stop());
  const rootNodes = cluster.servers.map(({ url }) => ({ url }));
  const [one, two] = await pair(t, () => redis({ client: createCluster({ rootNodes }) }));
  await two.hub.synced();
  let sent = 0;
  const timer = setInterval(() => one.say(`${sent++}`), 1);
  t.onTestFinished(() => clearInterval(timer));
  await until(() => two.received.length > 20);
  await cluster.move("roomcast:room:x");
  await until(() => one.errors.length > 0 && two.errors.length > 0);
  await together([one, two]);
  await two.hub.synced();
  const before = sent;
  await until(() => two.received.some((text) => Number(text) > before));
  clearInterval(timer);
  const numbers = two.received.map(Number);
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
  expect(new Set([...one.errors, ...two.errors])).toEqual(new Set(["ERR_HUB_BACKPLANE"]));
});
