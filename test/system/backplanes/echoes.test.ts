import { cluster } from "roomcast/backplanes/cluster";
import { nats } from "roomcast/backplanes/nats";
import { redis } from "roomcast/backplanes/redis";
import type { Backplane } from "roomcast";
import { expect, test, type TestContext } from "vitest";
import { NatsServer } from "../engines/nats.ts";
import { RedisServer } from "../engines/redis.ts";
import { pair, until } from "./local-node.ts";

const ENGINES = {
  cluster: async () => () => cluster({ prefix: "echoes" }),
  nats: async (t: TestContext): Promise<() => Backplane> => {
    const server = await NatsServer.start();
    t.onTestFinished(() => server.stop());
    return () => nats({ servers: server.url });
  },
  redis: async (t: TestContext): Promise<() => Backplane> => {
    const server = await RedisServer.start();
    t.onTestFinished(() => server.stop());
    return () => redis({ url: server.url });
  },
} as const;

test.for([
  ["cluster", "nothing"],
  ["nats", "nothing"],
  ["redis", "its own messages"],
] as const)("%s sends a node %s back", async ([kind, echo], t) => {
  const [one, two] = await pair(t, await ENGINES[kind](t));
  one.say("sent");
  await until(() => two.received.includes("sent"));
  two.say("answer");
  await until(() => one.received.includes("answer"));
  // By then everything that the node has sent before has come back, if it does.
  const { echoed = NaN, echoedBytes = NaN } = one.hub.stats().cluster ?? {};
  expect([echoed > 0, echoedBytes > 0]).toEqual(echo === "nothing" ? [false, false] : [true, true]);
  expect(one.received).toEqual(["sent", "answer"]);
});
