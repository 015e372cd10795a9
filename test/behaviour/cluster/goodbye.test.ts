import type { Backplane } from "roomcast";
import { expect, test } from "vitest";
import { settle } from "../../../src/testing/settle.ts";
import { MemoryCluster } from "../history/memory-cluster.ts";

/** The time by which the messages to single nodes are late, in milliseconds. */
const LATE = 300;

/** An engine that keeps no order of all channels: what is meant for one node comes behind what all are told. */
function unordered(inner: Backplane, { clock }: MemoryCluster): Backplane {
  return {
    ordered: false,
    start: (handlers) => {
      inner.start({
        ...handlers,
        message: (channel, envelope) => {
          const hand = (): void => handlers.message(channel, envelope);
          if (channel.startsWith("node:")) clock.setTimeout(hand, LATE);
          else hand();
        },
      });
    },
    publish: (channel, envelope) => inner.publish(channel, envelope),
    subscribe: (channel) => inner.subscribe(channel),
    unsubscribe: (channel) => inner.unsubscribe(channel),
    close: () => inner.close(),
  };
}

test("the last reply of a node arrives although its goodbye overtakes it", async () => {
  const cluster = new MemoryCluster();
  const [one, two] = [0, 1].map(() => cluster.node({}, (inner) => unordered(inner, cluster)));
  await cluster.passed(LATE);
  await cluster.passed(LATE);
  const called = new Promise<() => void>((resolve) => {
    two?.hub.handleNode("q", () => new Promise((finish) => resolve(() => finish("done"))));
  });
  const asked = one?.hub.toNode(two?.hub.node?.id ?? "").request("q", 1, { timeout: 10_000 });
  await cluster.passed(LATE);
  const finish = await called;
  const drained = two?.hub.drain({ within: 5_000 });
  finish();
  await settle();
  await drained;
  // It is gone already, and its reply is on its way.
  expect(one?.hub.nodes).toStrictEqual([]);
  await cluster.passed(LATE);
  await expect(asked).resolves.toBe("done");
});

test("a node that has gone without a reply is not waited for any longer than its last words take", async () => {
  const cluster = new MemoryCluster();
  const [one, two] = [0, 1].map(() => cluster.node({}, (inner) => unordered(inner, cluster)));
  await cluster.passed(LATE);
  await cluster.passed(LATE);
  two?.hub.handleNode("q", () => new Promise(() => {}));
  const asked = one?.hub
    .toNode(two?.hub.node?.id ?? "")
    .request("q", 1, { timeout: 10_000 })
    .catch((error: unknown) => (error as { readonly code: string }).code);
  await cluster.passed(LATE);
  await two?.hub.close({ within: 0 });
  await cluster.passed(600);
  await expect(asked).resolves.toBe("ERR_HUB_DISCONNECTED");
});
