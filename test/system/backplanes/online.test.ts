import { connect } from "@nats-io/transport-node";
import { Hub, type Backplane } from "roomcast";
import { nats } from "roomcast/backplanes/nats";
import { redis } from "roomcast/backplanes/redis";
import { memory } from "roomcast/testing";
import { createCluster } from "redis";
import { expect, test, vi, type TestContext } from "vitest";
import { NatsServer } from "../engines/nats.ts";
import { RedisCluster } from "../engines/redis.ts";

/** Creates a hub with a socket of the user. */
async function hubOf(t: TestContext, backplane: Backplane, user: string): Promise<Hub> {
  const transport = memory();
  const hub = new Hub({ transport, backplane, authenticate: () => ({ id: user }) });
  hub.on("error", () => {});
  t.onTestFinished(() => hub.close());
  transport.connect();
  await vi.waitFor(() => expect([hub.sockets.size, hub.backplaneState]).toEqual([1, "connected"]), 20_000);
  await hub.synced();
  return hub;
}

test("NATS: where everything has a subscriber the nodes are asked, and envelopes that ask are ignored", async (t) => {
  const server = await NatsServer.start();
  t.onTestFinished(() => server.stop());
  const connection = await connect({ servers: server.url });
  t.onTestFinished(() => connection.close());
  // Without `noEcho`, this one hears its own questions, too.
  const backplane = nats({ connection });
  const one = await hubOf(t, backplane, "ann");
  const two = await hubOf(t, nats({ servers: server.url }), "bob");
  const errors: unknown[] = [];
  for (const hub of [one, two]) hub.on("error", (error) => errors.push(error));
  await vi.waitFor(() => expect([one.nodes.length, two.nodes.length]).toEqual([1, 1]), 20_000);
  const online = async (): Promise<unknown> =>
    Promise.all([one, two].map(async (hub) => Array.from(await hub.online(["bob", "ann", "eve"]))));

  const interested = (): Promise<unknown> | undefined => backplane.interested?.(["user:ann", "user:bob", "user:eve"]);
  expect(await interested()).toEqual([true, true, false]);
  expect(await online()).toEqual([
    ["bob", "ann"],
    ["bob", "ann"],
  ]);
  const everything = connection.subscribe("roomcast.>", { callback: () => {} });
  await connection.flush();
  expect(await interested()).toBe(undefined);
  expect(await online()).toEqual([
    ["bob", "ann"],
    ["bob", "ann"],
  ]);
  everything.unsubscribe();
  await connection.flush();
  expect(await interested()).toEqual([true, true, false]);
  expect(errors).toEqual([]);
});

test("Redis Cluster: a user whose channel has moved to a new server is never taken for absent", async (t) => {
  const cluster = await RedisCluster.start();
  t.onTestFinished(() => cluster.stop());
  const rootNodes = cluster.servers.map(({ url }) => ({ url }));
  const create = (): Backplane => redis({ client: createCluster({ rootNodes }) });
  const one = await hubOf(t, create(), "ann");
  const two = await hubOf(t, create(), "bob");
  expect(await one.online(["bob"])).toEqual(new Set(["bob"]));

  const states: unknown[] = [];
  two.on("error", () => states.push(two.backplaneState));
  await cluster.grow("roomcast:user:bob");
  // The node of this user notices that the channel has moved, and subscribes again.
  await vi.waitFor(() => expect(states).not.toEqual([]), 20_000);
  await vi.waitFor(() => expect(two.backplaneState).toBe("connected"), 20_000);
  await two.synced();
  const answers: unknown[] = [];
  await vi.waitFor(async () => {
    answers.push(await one.online(["bob"]));
  }, 20_000);
  expect(answers).toEqual([new Set(["bob"])]);
});
