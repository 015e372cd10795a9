import { Hub, type Backplane } from "roomcast";
import { memory, MemoryEngine, type MemoryTransport } from "roomcast/testing";
import { expect, test, vi, type TestContext } from "vitest";
import { BreakableBackplane } from "../../support/breakable-backplane.ts";

interface Node {
  readonly hub: Hub;
  connect(user: string): Promise<void>;
}

function start(t: TestContext, backplane?: Backplane): Node {
  const transport: MemoryTransport = memory();
  const hub = new Hub({
    transport,
    backplane,
    cluster: { lease: 300, grace: 0 },
    authenticate: ({ query }) => ({ id: query.get("user") ?? "" }),
  });
  hub.on("error", () => {});
  t.onTestFinished(() => hub.close());
  return {
    hub,
    connect: async (user) => {
      const connected = new Promise((resolve) => {
        hub.once("connection", resolve);
      });
      transport.connect(`/?user=${user}`);
      await connected;
    },
  };
}

/** Waits until nodes know each other, and hear everything that they want to hear. */
async function together(hubs: readonly Hub[]): Promise<void> {
  await vi.waitFor(() => expect(hubs.map(({ nodes }) => nodes.length)).toEqual(hubs.map(() => hubs.length - 1)));
  await Promise.all(hubs.map((hub) => hub.synced()));
}

test("without a backplane, the users of this node are online", async (t) => {
  const one = start(t);
  await one.connect("ann");
  expect(await one.hub.online(["bob", "ann"])).toEqual(new Set(["ann"]));
});

test("a backplane that cannot tell asks all nodes", async (t) => {
  const engine = new MemoryEngine();
  // It has no function `interested`.
  const backplanes = [1, 2, 3].map(() => new BreakableBackplane(engine.backplane()));
  const nodes = backplanes.map((backplane) => start(t, backplane));
  const [one, two, three] = nodes as [Node, Node, Node];
  await two.connect("user 1500");
  await three.connect("user 2");
  await one.connect("user 700");
  await together(nodes.map(({ hub }) => hub));
  const ids = Array.from({ length: 2_500 }, (_, index) => `user ${index}`);
  expect(await one.hub.online(ids)).toEqual(new Set(["user 2", "user 700", "user 1500"]));

  // One that does not answer may have any of them.
  backplanes[2]?.kill();
  const asked = one.hub.online(["user 2"]);
  await expect(asked).rejects.toMatchObject({ code: "ERR_HUB_BACKPLANE" });
  await expect(asked).rejects.toThrow(/^Nobody can say which users are online\. These nodes have not answered: /);
  await vi.waitFor(() => expect(one.hub.nodes).toHaveLength(1));
  expect(await one.hub.online(["user 2", "user 1500"])).toEqual(new Set(["user 1500"]));
});

test("waits for the first connection to the engine, and is told of the end of the hub", async (t) => {
  const engine = new MemoryEngine();
  const [one, two] = [start(t, engine.backplane()), start(t, engine.backplane())];
  await two.connect("ann");
  const asked = one.hub.online(["ann"]);
  expect(await asked).toEqual(new Set(["ann"]));

  const third = start(t, new NeverConnected());
  const unanswered = third.hub.online(["ann"]);
  await Promise.all([third.hub.close(), expect(unanswered).rejects.toMatchObject({ code: "ERR_HUB_CLOSED" })]);
});

test("an engine that fails is the cause of the error", async (t) => {
  const inner = new MemoryEngine().backplane();
  const cause = new Error("The engine is confused.");
  const one = start(t, Object.assign(new BreakableBackplane(inner), { interested: () => Promise.reject(cause) }));
  await expect(one.hub.online(["ann"])).rejects.toMatchObject({ code: "ERR_HUB_BACKPLANE", cause });
});

/** A backplane whose engine neither answers nor refuses. */
class NeverConnected implements Backplane {
  readonly ordered = true;
  start = (): void => {};
  publish = (): Promise<never> => Promise.reject(new Error("The engine is not connected."));
  subscribe = (): Promise<never> => new Promise(() => {});
  unsubscribe = (): void => {};
  close = (): Promise<void> => Promise.resolve();
}
