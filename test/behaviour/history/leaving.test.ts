import { createEmitter, type Backplane, type BackplaneLog } from "roomcast";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { settle } from "../../../src/testing/settle.ts";
import { MemoryCluster } from "./memory-cluster.ts";
import { recording } from "./peer.ts";

let cluster: MemoryCluster;

beforeEach(() => {
  cluster = new MemoryCluster();
});

/** A promise that a test resolves. */
class Gate {
  open!: () => void;
  readonly promise: Promise<void> = new Promise((resolve) => (this.open = resolve));
}

const authenticate = (): { readonly id: string } => ({ id: "ann" });

/** A backplane whose log is read late. */
function readLater(backplane: Backplane, until: Promise<void>): Backplane {
  const log = backplane.log as BackplaneLog;
  const slow: BackplaneLog = {
    append: (...args) => log.append(...args),
    heads: (channels) => log.heads(channels),
    forget: (channel) => log.forget(channel),
    read: async (...args) => {
      await until;
      return log.read(...args);
    },
  };
  return {
    ordered: true,
    log: slow,
    start: (handlers) => backplane.start(handlers),
    publish: (channel, envelope) => backplane.publish(channel, envelope),
    subscribe: (channel) => backplane.subscribe(channel),
    unsubscribe: (channel) => backplane.unsubscribe(channel),
    close: () => backplane.close(),
  };
}

describe("who is taken out of a recorded room", () => {
  test("gets what was sent before, and nothing of what follows, on whatever node, however busy", async () => {
    const [one, two] = [cluster.node(), cluster.node()];
    const [a] = await one.members("chat", 1);
    const [b] = await two.members("chat", 1);
    await one.hub.to("chat").record("said", 0);
    await settle();
    for (const client of [a, b]) client?.take();
    one.hub.to("chat").emit("said", "before");
    // What is published in the same turn keeps the courier busy.
    for (let index = 0; index < 10; index++) one.hub.to("other").emit("said", index);
    one.hub.to("chat").leave("chat");
    one.hub.to("chat").emit("said", "after");
    one.hub.to("chat").volatile.emit("said", "after");
    one.hub.to("chat").local.emit("said", "after");
    one.hub.to("chat", "other").emit("said", "after");
    expect(one.hub.rooms.has("chat")).toBe(false);
    await cluster.passed(2_000);
    expect([a?.take(), b?.take()]).toStrictEqual([
      ["before", "left"],
      ["before", "left"],
    ]);
  });

  test("by a union is out of all rooms at once, and by a room that it leaves, too", async () => {
    const node = cluster.node();
    const [a] = await node.members("chat-1", 1);
    await a?.join("chat-2");
    await node.hub.to("chat-2").record("said", 0);
    await settle();
    a?.take();
    node.hub.to("chat-2").emit("said", 1);
    node.sockets[0]?.leave("chat-1", "chat-2");
    node.hub.to("chat-1").emit("said", "after");
    await settle();
    expect(a?.take()).toStrictEqual(["left", 1, "left"]);
    node.sockets[0]?.join("chat-1", "chat-2");
    await settle();
    a?.take();
    node.hub.to("chat-2").emit("said", 2);
    node.hub.to("chat-1").leave("chat-2");
    node.hub.to("chat-1").leave("chat-1");
    node.hub.to("chat-2").emit("said", "after");
    await settle();
    expect(a?.take()).toStrictEqual(["left", 2, "left"]);
  });

  test("at the limit of rooms can join another one at once", async () => {
    const node = cluster.node({ ...recording(), limits: { rooms: 1 } });
    await node.members("chat-1", 1);
    node.hub.to("chat-1").emit("said", 1);
    node.sockets[0]?.leave("chat-1");
    node.sockets[0]?.join("chat-2");
    await settle();
    expect([...(node.sockets[0]?.rooms ?? [])]).toStrictEqual(["chat-2"]);
  });

  test("and closed gets what was sent before, and a client that comes meanwhile stays", async () => {
    const [one, two] = [cluster.node({ ...recording(), authenticate }), cluster.node({ ...recording(), authenticate })];
    const [a] = await one.members("chat", 1);
    const [b] = await two.members("chat", 1);
    await one.hub.to("chat").record("said", 0);
    await settle();
    for (const client of [a, b]) client?.take();
    one.hub.to("chat").emit("said", "before");
    one.hub.toUser("ann").close(4001);
    one.hub.to("chat").emit("said", "after");
    const late = await one.connect();
    await cluster.passed(2_000);
    expect([a?.take(), b?.take()]).toStrictEqual([["before"], ["before"]]);
    expect([a?.closed, b?.closed, late.closed]).toStrictEqual([4001, 4001, undefined]);
  });

  test("gets what was sent before also where that is the first event of the room", async () => {
    const [one, two] = [cluster.node(), cluster.node()];
    const [a] = await one.members("chat", 1);
    const [b] = await two.members("chat", 1);
    one.hub.to("chat").emit("said", "first");
    one.hub.to("chat").leave("chat");
    await cluster.passed(2_000);
    for (const client of [a, b]) expect(client?.take()).toStrictEqual(["position", "first", "left"]);
  });

  test("and then closed waits for what was sent before, in all its rooms and on every node", async () => {
    const [one, two] = [cluster.node(), cluster.node()];
    const [a] = await one.members("chat-1", 1);
    const [b] = await two.members("chat-1", 1);
    for (const client of [a, b]) await client?.join("chat-2");
    for (const room of ["chat-1", "chat-2"]) await one.hub.to(room).record("said", 0);
    await settle();
    for (const client of [a, b]) client?.take();
    one.hub.to("chat-1").emit("said", 1);
    one.hub.to("chat-2").emit("said", 2);
    one.hub.to("chat-1").leave("chat-1");
    one.hub.to("chat-2").close(4001);
    await cluster.passed(2_000);
    for (const client of [a, b]) expect([client?.events(), client?.closed]).toStrictEqual([[1, 2], 4001]);
  });

  test("gets what other nodes had sent before as well, so that its position skips nothing", async () => {
    const [one, two] = [cluster.node(), cluster.node()];
    const [a] = await one.members("chat", 1);
    await two.members("chat", 1);
    await one.hub.to("chat").record("said", 0);
    await settle();
    a?.take();
    two.hub.to("chat").emit("said", "of two");
    one.hub.to("chat").emit("said", "of one");
    one.sockets[0]?.leave("chat");
    await cluster.passed(2_000);
    expect(a?.take()).toStrictEqual(["of two", "of one", "left"]);
  });

  test("of a room that is left out does not get what it was left out of", async () => {
    const one = cluster.node();
    const [a] = await one.members("chat", 1);
    await a?.join("chat-guests");
    await one.hub.to("chat").record("said", 0);
    await settle();
    a?.take();
    one.hub.to("chat").except("chat-guests").emit("said", "secret");
    one.hub.to("chat-guests").emit("said", "for guests");
    one.hub.to("chat").close(4001);
    await cluster.passed(2_000);
    expect(a?.events()).toStrictEqual(["for guests"]);
  });

  test("by a node that has heard its own event, while that of the member reads, gets it", async () => {
    const slow = new Gate();
    let isDeaf = false;
    const one = cluster.node();
    const two = cluster.node(recording(), (backplane) => {
      const later = readLater(backplane, slow.promise);
      return {
        ...later,
        start: (handlers) => {
          later.start({
            ...handlers,
            recorded: (channel, record) => {
              if (!isDeaf) handlers.recorded?.(channel, record);
            },
          });
        },
      };
    });
    slow.open();
    const [b] = await two.members("chat", 1);
    await one.hub.to("chat").record("said", 0);
    await settle();
    b?.take();
    isDeaf = true;
    await one.hub.to("chat").record("said", "awaited");
    isDeaf = false;
    one.hub.to("chat").leave("chat");
    await settle();
    await one.hub.to("chat").record("said", "after");
    await cluster.passed(2_000);
    expect(b?.take()).toStrictEqual(["awaited", "left"]);
  });

  test("in an outage with local delivery hears nothing more", async () => {
    const node = cluster.node(recording({ outage: "local" }));
    const [a] = await node.members("chat", 1);
    cluster.engine.stop();
    node.hub.to("chat").emit("said", 1);
    node.sockets[0]?.leave("chat");
    node.hub.to("chat").emit("said", "after");
    await cluster.passed(1_000);
    expect(a?.take()).toStrictEqual([1, "left"]);
  });
});

describe("who is put into a recorded room", () => {
  test("by another node gets what that one sends afterwards, also before its own node knows the room", async () => {
    const slow = new Gate();
    const one = cluster.node();
    const two = cluster.node(recording(), (backplane) => readLater(backplane, slow.promise));
    await two.connect();
    const client = await two.connect();
    await one.hub.to("chat").record("said", "old");
    for (let index = 0; index < 10; index++) one.hub.to("other").emit("said", index);
    one.hub.toSocket(two.sockets[1]?.id ?? "").join("chat");
    one.hub.to("chat").emit("said", "new");
    await settle();
    slow.open();
    await settle();
    expect(client.take()).toStrictEqual(["position", "new"]);
  });

  test("is in it when the node that awaits it goes on", async () => {
    const slow = new Gate();
    const one = cluster.node();
    const two = cluster.node(recording(), (backplane) => readLater(backplane, slow.promise));
    const client = await two.connect();
    await cluster.passed(1_000);
    one.hub.toSocket(two.sockets[0]?.id ?? "").join("chat");
    let isSynced = false;
    const synced = one.hub.synced("chat").then(() => (isSynced = true));
    await settle();
    expect(isSynced).toBe(false);
    slow.open();
    await synced;
    await two.hub.to("chat").record("said", "new");
    await settle();
    expect(client.events()).toStrictEqual(["new"]);
  });

  test("in a room that is old gets what is sent afterwards, too", async () => {
    const slow = new Gate();
    const one = cluster.node();
    const two = cluster.node(recording({ age: 600_000 }), (backplane) => readLater(backplane, slow.promise));
    slow.open();
    await two.members("chat", 1);
    await one.hub.to("chat").record("said", 0);
    await cluster.passed(200_000);
    const client = await two.connect();
    one.hub.toSocket(two.sockets[1]?.id ?? "").join("chat");
    one.hub.to("chat").emit("said", "new");
    await settle();
    expect(client.events()).toStrictEqual(["new"]);
  });

  test("by the server while its client asks with a position gets what it missed", async () => {
    const slow = new Gate();
    const one = cluster.node();
    const two = cluster.node(recording(), (backplane) => readLater(backplane, slow.promise));
    const a = await one.connect();
    await a.join("chat");
    await one.hub.to("chat").record("said", 0);
    await settle();
    const since = a.position();
    await one.hub.to("chat").record("said", "missed");
    two.hub.on("connection", (socket) => socket.join("chat"));
    const b = await two.connect();
    await b.join("chat", since);
    slow.open();
    await settle();
    expect(b.take()).toStrictEqual(["position", "missed", "joined"]);
  });

  test("and goes away before its node knows the room leaves nothing behind", async () => {
    const node = cluster.node();
    cluster.engine.stop();
    for (let index = 0; index < 20; index++) {
      // oxlint-disable-next-line no-await-in-loop
      const client = await node.connect();
      // oxlint-disable-next-line no-await-in-loop
      await client.join("chat");
      client.close();
    }
    await settle();
    expect(node.hub.stats()).toMatchObject({ handling: 0, handlingBytes: 0, history: { waiting: 0 } });
  });

  test("without the engine is told that something may be missing, again and again until it is there", async () => {
    const node = cluster.node();
    const client = await node.connect();
    cluster.engine.stop();
    await client.join("chat");
    await cluster.passed(5_000);
    expect(client.take()).toStrictEqual(["unavailable", "joined"]);
    cluster.engine.start();
    await settle();
    expect(client.take()).toStrictEqual(["unavailable"]);
    node.hub.to("chat").emit("said", 1);
    await settle();
    expect(client.take()).toStrictEqual(["position", 1]);
  });
});

test("what was sent before forget() is forgotten, and what follows is kept", async () => {
  const node = cluster.node();
  await node.hub.to("chat").record("said", 0);
  node.hub.to("chat").emit("said", "a");
  node.hub.to("chat").emit("said", "secret");
  const forgotten = node.hub.forget("chat");
  node.hub.to("chat").emit("said", "new");
  await forgotten;
  await settle();
  expect((await node.hub.history("chat")).events).toMatchObject([{ data: "new" }]);
});

test("an emitter with local delivery in outages records what it sends before it is connected", async () => {
  const node = cluster.node(recording({ outage: "local" }));
  const [client] = await node.members("chat", 1);
  const emitter = createEmitter(cluster.engine.backplane(), { history: recording({ outage: "local" }).history });
  emitter.to("chat").emit("said", 1);
  await emitter.close();
  await settle();
  expect(client?.events()).toStrictEqual([1]);
});

test("what is recorded while the hub closes is rejected", async () => {
  const node = cluster.node();
  await node.members("chat", 1);
  const emitter = createEmitter(cluster.engine.backplane(), { history: recording().history });
  onTestFinished(() => emitter.close());
  await emitter.to("chat").record("said", 0);
  const closed = emitter.close();
  const recorded = emitter
    .to("chat")
    .record("said", 1)
    .then(
      () => "recorded",
      (error: Error & { code: string }) => error.code,
    );
  await closed;
  expect(["recorded", "ERR_HUB_CLOSED"]).toContain(await recorded);
});
