import { Hub, type Backplane, type BackplaneHandlers, type ClusterOptions, type Socket } from "roomcast";
import { memory, MemoryEngine } from "roomcast/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { limited } from "../../support/limited-backplane.ts";

/** So long that a test fails which waits for it. */
const LONG = 600_000;

/** A node whose clients are in the room "x" and answer every request with a text. */
interface Node {
  readonly hub: Hub;
  readonly errors: unknown[];
}

async function createNode(
  backplane: Backplane,
  cluster: Partial<ClusterOptions>,
  clients: number,
  reply = "",
): Promise<Node> {
  const transport = memory();
  const hub = new Hub({ transport, backplane, cluster, welcome: false });
  onTestFinished(() => hub.close());
  const errors: unknown[] = [];
  hub.on("error", (error) => errors.push(error));
  hub.on("connection", (socket: Socket) => socket.join("x"));
  for (let index = 0; index < clients; index++) {
    const client = transport.connect("/");
    client.addEventListener("message", (event) => {
      const { id } = JSON.parse((event as MessageEvent).data as string) as { readonly id?: number };
      if (id !== undefined) client.send(`{"reply":${id},"data":"${reply}"}`);
    });
  }
  await expect.poll(() => hub.sockets.size, { timeout: 10_000 }).toBe(clients);
  await hub.synced();
  return { hub, errors };
}

/** A backplane of an engine that refuses a channel. */
function refusing(engine: MemoryEngine, refused: string): Backplane {
  const backplane = engine.backplane();
  let handlers: BackplaneHandlers | undefined;
  return {
    ordered: backplane.ordered,
    start: (given) => backplane.start((handlers = given)),
    publish: (channel, envelope) => backplane.publish(channel, envelope),
    subscribe: async (channel) => {
      if (channel !== refused) return backplane.subscribe(channel);
      const error = new Error("refused");
      handlers?.refused(channel, error);
      throw error;
    },
    unsubscribe: (channel) => backplane.unsubscribe(channel),
    close: () => backplane.close(),
  };
}

/** A backplane of an engine that does not take what is published to some channels. */
function muted(engine: MemoryEngine, channels: ReadonlySet<string>): Backplane {
  const backplane = engine.backplane();
  return {
    ordered: backplane.ordered,
    start: (handlers) => backplane.start(handlers),
    publish: async (channel, envelope) => {
      if (channels.has(channel)) throw new Error("not allowed");
      await backplane.publish(channel, envelope);
    },
    subscribe: (channel) => backplane.subscribe(channel),
    unsubscribe: (channel) => backplane.unsubscribe(channel),
    close: () => backplane.close(),
  };
}

async function acquainted(...nodes: readonly Node[]): Promise<void> {
  await expect
    .poll(() => nodes.every(({ hub }) => hub.nodes.length === nodes.length - 1), { timeout: 10_000 })
    .toBe(true);
}

test("answers of many sockets come whole, however little the engine takes at once", async () => {
  const engine = new MemoryEngine();
  const one = await createNode(limited(engine, 2_000), { name: "one" }, 0);
  const two = await createNode(limited(engine, 2_000), { name: "two" }, 300, "x".repeat(100));
  await acquainted(one, two);
  const sockets = await one.hub.to("x").sockets({ timeout: LONG });
  expect([sockets.length, sockets.silent]).toEqual([300, []]);
  const { replies, failures, silent } = await one.hub.to("x").request("q", 1, { timeout: LONG });
  expect([replies.size, failures.size, silent]).toEqual([300, 0, []]);
  expect([...one.errors, ...two.errors]).toEqual([]);
});

test("a reply that is larger than the engine takes fails alone", async () => {
  const engine = new MemoryEngine();
  const one = await createNode(limited(engine, 2_000), { name: "one" }, 0);
  const two = await createNode(limited(engine, 2_000), { name: "two" }, 1, "x".repeat(3_000));
  const three = await createNode(limited(engine, 2_000), { name: "three" }, 1, "x");
  await acquainted(one, two, three);
  const { replies, failures, silent } = await one.hub.to("x").request("q", 1, { timeout: LONG });
  expect([[...replies.values()], [...failures.values()].map(({ code }) => code), silent]).toEqual([
    ["x"],
    ["ERR_HUB_BACKPLANE"],
    [],
  ]);
});

test("a node whose answer exceeds its limit is named at once", async () => {
  const engine = new MemoryEngine();
  const one = await createNode(engine.backplane(), { name: "one" }, 0);
  const two = await createNode(engine.backplane(), { name: "two", maxPendingBytes: 500 }, 100);
  const three = await createNode(engine.backplane(), { name: "three" }, 1);
  await acquainted(one, two, three);
  const { replies, failures, silent } = await one.hub.to("x").request("q", 1, { timeout: LONG });
  expect([replies.size, failures.size, silent]).toEqual([1, 0, ["two"]]);
  const sockets = await one.hub.to("x").sockets({ timeout: LONG });
  expect([sockets.length, sockets.silent]).toEqual([1, ["two"]]);
  expect(two.errors[0]).toMatchObject({ code: "ERR_HUB_BACKPLANE" });
});

test("a request that the engine does not take ends at once, and names the nodes that were to be asked", async () => {
  const engine = new MemoryEngine();
  const one = await createNode(engine.backplane(), { name: "one", maxPendingBytes: 500 }, 1);
  const two = await createNode(engine.backplane(), { name: "two" }, 1);
  await acquainted(one, two);
  const { replies, failures, silent } = await one.hub.to("x").request("q", "x".repeat(1_000), { timeout: LONG });
  expect([replies.size, failures.size, silent]).toEqual([1, 0, ["two"]]);
  expect(one.errors).toMatchObject([{ code: "ERR_HUB_BACKPLANE" }]);
});

test("a room that the engine refuses is reported and counted, and its promise rejects, also on another node", async () => {
  const engine = new MemoryEngine();
  const one = await createNode(engine.backplane(), { name: "one" }, 0);
  const two = await createNode(refusing(engine, "room:deaf"), { name: "two" }, 1);
  await acquainted(one, two);
  const [socket] = two.hub.sockets.values();
  one.hub.toSocket(socket?.id ?? "").join(["deaf", "fine"]);
  const there = await Promise.allSettled([one.hub.synced("deaf"), one.hub.synced("fine")]);
  const here = await Promise.allSettled([two.hub.synced("deaf"), two.hub.synced("fine")]);
  const refused = {
    status: "rejected",
    reason: { code: "ERR_HUB_BACKPLANE", message: expect.stringContaining("deaf") },
  };
  expect([there, here]).toMatchObject(Array.from({ length: 2 }, () => [refused, { status: "fulfilled" }]));
  expect(two.errors).toMatchObject([{ code: "ERR_HUB_BACKPLANE" }]);
  expect(two.hub.stats().cluster?.refused).toBe(1);
  // Once nothing that is refused is wanted, all is well.
  socket?.leave("deaf");
  await expect.poll(() => two.hub.synced().then(() => "synced", String), { timeout: 10_000 }).toBe("synced");
});

describe("when the engine takes a request to several rooms or sockets for some of them only", () => {
  test("the nodes that it reaches answer, and those that it may not have reached are named at once", async () => {
    const engine = new MemoryEngine();
    const one = await createNode(muted(engine, new Set(["room:mute"])), { name: "one" }, 0);
    const two = await createNode(engine.backplane(), { name: "two" }, 1, "of two");
    const three = await createNode(engine.backplane(), { name: "three" }, 1, "of three");
    await acquainted(one, two, three);
    for (const socket of three.hub.sockets.values()) {
      socket.leave("x");
      socket.join("mute");
    }
    await three.hub.synced();
    for (const rooms of [
      ["x", "mute"],
      ["mute", "x"],
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      const { replies, failures, silent } = await one.hub.to(...rooms).request("q", 1, { timeout: LONG });
      expect([[...replies.values()], failures.size, silent]).toEqual([["of two"], 0, ["three"]]);
    }
  });

  test("where it takes none of the copies, all nodes are named at once", async () => {
    const engine = new MemoryEngine();
    const one = await createNode(muted(engine, new Set(["room:mute", "room:deaf"])), { name: "one" }, 0);
    const two = await createNode(engine.backplane(), { name: "two" }, 1);
    await acquainted(one, two);
    const { replies, failures, silent } = await one.hub.to("mute", "deaf").request("q", 1, { timeout: LONG });
    expect([replies.size, failures.size, silent]).toEqual([0, 0, ["two"]]);
  });

  test("the nodes of other sockets answer", async () => {
    const engine = new MemoryEngine();
    const channels = new Set<string>();
    const one = await createNode(muted(engine, channels), { name: "one" }, 0);
    const two = await createNode(engine.backplane(), { name: "two" }, 1, "of two");
    const three = await createNode(engine.backplane(), { name: "three" }, 1, "of three");
    await acquainted(one, two, three);
    channels.add(`node:${one.hub.nodes.find(({ name }) => name === "three")?.id}`);
    const ids = [two, three].map(({ hub }) => [...hub.sockets.keys()].join());
    for (const [first = "", second = ""] of [ids, ids.toReversed()]) {
      const both = one.hub.toSocket(first).toSocket(second);
      // oxlint-disable-next-line no-await-in-loop
      const { replies, failures, silent } = await both.request("q", 1, { timeout: LONG });
      expect([[...replies.values()], failures.size, silent]).toEqual([["of two"], 0, ["three"]]);
      // oxlint-disable-next-line no-await-in-loop
      const sockets = await both.sockets({ timeout: LONG });
      expect([sockets.length, sockets.silent]).toEqual([1, ["three"]]);
    }
  });
});
