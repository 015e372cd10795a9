import { Hub, type HubOptions } from "roomcast";
import { connect, type Client } from "roomcast/client";
import { memory, MemoryEngine, VirtualClock, type MemoryTransport } from "roomcast/testing";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createDeferred, type Deferred } from "../../../src/deferred.ts";
import { until } from "../../../src/testing/suite/cluster/cluster-fixture.ts";
import { settle } from "../../../src/testing/settle.ts";
import type { MemoryWebSocket } from "../../../src/transports/memory/web-socket.ts";
import { jsonCodec } from "../../../src/protocol/codec.ts";
import { BreakableBackplane } from "../../support/breakable-backplane.ts";
import { readText } from "../../support/markdown.ts";

/** The longest time for what happens at once, in milliseconds. */
const AT_ONCE = { timeout: 20_000, interval: 1 };

interface Node {
  readonly hub: Hub;
  readonly transport: MemoryTransport;
  /** How often "pay" was handled here. */
  paid: number;
}

let engine: MemoryEngine;
let clock: VirtualClock;
/** What the handlers of "pay" wait for. */
let bank: Deferred<string>;
let guests: number;
let nodes: Node[];

beforeEach(async () => {
  engine = new MemoryEngine();
  clock = new VirtualClock();
  bank = createDeferred();
  guests = 0;
  nodes = [];
});

/** Starts a node that does not know yet which others there are. */
function startNode(options: HubOptions = {}): void {
  const transport = memory();
  const hub = new Hub({
    transport,
    clock,
    backplane: engine.backplane(),
    // As in the documents: a guest is another one on every connection.
    authenticate: () => ({ id: `guest ${++guests}` }),
    heartbeat: false,
    ...options,
  });
  const node: Node = { hub, transport, paid: 0 };
  hub.handle("pay", () => {
    node.paid++;
    return bank.promise;
  });
  nodes.push(node);
  onTestFinished(() => hub.close());
}

async function openNodes(count: number, options: HubOptions = {}): Promise<readonly Node[]> {
  for (let index = 0; index < count; index++) startNode(options);
  // All nodes have announced themselves, and know that there are no others.
  await clock.advance(1_000);
  return nodes;
}

/** A client whose connections go to the nodes that the balancer chooses. */
class Traveller {
  readonly client: Client;
  /** The node to which the next connection goes. */
  #next: number;
  #current: MemoryWebSocket | undefined;

  constructor(first: number) {
    this.#next = first;
    const choose = (url: string | URL, protocols?: string | readonly string[]): MemoryWebSocket => {
      const { transport } = nodes[this.#next] as Node;
      const offered = typeof protocols === "string" ? [protocols] : (protocols ?? []);
      this.#current = transport.connect(new URL(url).pathname, { protocols: offered });
      return this.#current;
    };
    const WebSocket = function (url: string | URL, protocols?: string | readonly string[]) {
      return choose(url, protocols);
    } as unknown as new (url: string | URL, protocols?: string | readonly string[]) => MemoryWebSocket;
    this.client = connect("ws://test/", { WebSocket, reconnect: { minDelay: 1, maxDelay: 1 } } as never);
    onTestFinished(() => this.client.close());
  }

  async opened(): Promise<this> {
    await until("the client is connected", () => this.client.id !== undefined);
    return this;
  }

  /** Lets the next connection go to this node. */
  turnTo(next: number): void {
    this.#next = next;
  }

  /** Breaks the connection; the next one goes to this node. */
  cut(next: number): void {
    this.turnTo(next);
    this.#current?.terminate();
  }

  /** Breaks the connection, and waits for the next one, to this node. */
  async moveTo(node: number): Promise<void> {
    const { id } = this.client;
    this.cut(node);
    await until("the client is connected again", () => this.client.id !== undefined && this.client.id !== id);
    await settle();
  }

  async pay(): Promise<unknown> {
    return this.client.request("pay", 5, { idempotent: true, timeout: 60_000 });
  }
}

function counts(): readonly number[] {
  return nodes.map(({ paid }) => paid);
}

/** Lets time pass in steps in which the nodes hear each other. */
async function pass(milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 100) {
    // oxlint-disable-next-line no-await-in-loop
    await clock.advance(100);
    // oxlint-disable-next-line no-await-in-loop
    await settle();
  }
}

async function say(client: MemoryWebSocket, packets: readonly object[]): Promise<void> {
  for (const packet of packets) client.send(JSON.stringify(packet));
  await settle();
}

async function paidSomewhere(count: number): Promise<void> {
  await expect.poll(() => counts().reduce((sum, paid) => sum + paid), AT_ONCE).toBe(count);
  await settle();
}

test("a request that is being handled is not handled again on another node, and is answered there", async () => {
  await openNodes(3);
  const traveller = new Traveller(0);
  const receipt = traveller.pay();
  await paidSomewhere(1);
  await traveller.moveTo(1);
  await traveller.moveTo(2);
  bank.resolve("paid");
  expect(await receipt).toBe("paid");
  expect(counts()).toEqual([1, 0, 0]);
});

test("a request whose reply was lost gets the reply from the node that has handled it", async () => {
  await openNodes(2);
  const traveller = new Traveller(0);
  const receipt = traveller.pay();
  await paidSomewhere(1);
  traveller.cut(1);
  bank.resolve("paid");
  expect(await receipt).toBe("paid");
  expect(counts()).toEqual([1, 0]);
});

test("the payment of the guide is made once, though its client comes back to another node", async () => {
  await openNodes(2);
  const traveller = new Traveller(0);
  expect(readText("docs/guide/requests.md")).toContain('client.request("pay", { amount: 5 }, { idempotent: true })');
  const receipt = traveller.client.request("pay", { amount: 5 }, { idempotent: true });
  await paidSomewhere(1);
  traveller.cut(1);
  bank.resolve("paid");
  expect(await receipt).toBe("paid");
  expect(counts()).toEqual([1, 0]);
});

test("a request that never arrived is handled where it is repeated, and not once more on a third node", async () => {
  await openNodes(3);
  const traveller = await new Traveller(0).opened();
  const receipt = traveller.pay();
  traveller.cut(1);
  await paidSomewhere(1);
  await traveller.moveTo(2);
  bank.resolve("paid");
  expect(await receipt).toBe("paid");
  expect(counts()).toEqual([0, 1, 0]);
});

test("a reply that is too large to come from another node is refused, and the request not handled again", async () => {
  await openNodes(3, { cluster: { maxPendingBytes: 4_000 } });
  const losses: unknown[] = [];
  for (const { hub } of nodes) hub.on("error", (error) => losses.push(error));
  const [here, elsewhere] = [await new Traveller(0).opened(), await new Traveller(0).opened()];
  // One request is handled where its client was first, and the other one where it is repeated.
  const receipts = [here.pay()];
  await paidSomewhere(1);
  receipts.push(elsewhere.pay());
  elsewhere.cut(1);
  await paidSomewhere(2);
  const outcomes = Promise.allSettled(receipts);
  await here.moveTo(2);
  await elsewhere.moveTo(2);
  bank.resolve("x".repeat(5_000));
  const refused = { status: "rejected", reason: { reason: "reply-gone" } };
  expect(await outcomes).toMatchObject([refused, refused]);
  expect(losses).toMatchObject(losses.map(() => ({ code: "ERR_HUB_BACKPLANE" })));
  expect(counts()).toEqual([1, 1, 0]);
});

test("what a client sends behind a repeated request is handled behind it", async () => {
  await openNodes(2);
  const order: string[] = [];
  nodes[1]?.hub.use((call, next) => {
    order.push(call.event);
    return next();
  });
  nodes[1]?.hub.handle("later", () => {});
  bank.resolve("paid");
  const traveller = await new Traveller(0).opened();
  const receiver = traveller.client.id;
  const receipt = traveller.pay();
  traveller.cut(1);
  await expect.poll(() => traveller.client.id !== receiver, AT_ONCE).toBe(true);
  traveller.client.emit("later");
  expect(await receipt).toBe("paid");
  await expect.poll(() => order, AT_ONCE).toEqual(["pay", "later"]);
});

/** Opens a home that does not answer, and a node on which a client of that home sends these packets. */
async function openBeside(
  packets: readonly object[],
  options: HubOptions = {},
): Promise<{ home: BreakableBackplane; told: string[]; client: MemoryWebSocket }> {
  const home = new BreakableBackplane(engine.backplane());
  await openNodes(1, { backplane: home, ...options });
  await openNodes(1, options);
  const { id } = (await new Traveller(0).opened()).client;
  const told: string[] = [];
  const { hub, transport } = nodes[1] as Node;
  for (const event of ["first", "second", "third"]) {
    hub.handle(event, () => {
      told.push(event);
    });
  }
  hub.on("disconnection", () => told.push("disconnection"));
  const client = transport.connect("/", { protocols: [jsonCodec.protocol] });
  await settle();
  client.send(JSON.stringify({ event: "hub:hello", data: { protocol: 1, home: id } }));
  await pass(100);
  home.kill();
  await say(client, packets);
  return { home, told, client };
}

describe("while the home does not answer", () => {
  const FIRST = { event: "first", id: 1, key: "~0123456789abcdefghij1" };
  const SECOND = { event: "second", id: 2, key: "~0123456789abcdefghij2" };

  test.each([
    ["another request with a key", [SECOND, { event: "third" }], ["first", "second", "third"]],
    ["an event", [{ event: "third" }, SECOND], ["first", "third", "second"]],
  ])("%s waits behind a request with a key", async (_, packets, order) => {
    const { home, told, client } = await openBeside([FIRST]);
    // The first question is lost, and asked again.
    home.revive();
    await say(client, packets);
    expect(told).toEqual([]);
    await pass(5_000);
    expect(told).toEqual(order);
  });

  test.each([
    ["with nothing behind it", [FIRST], ["first", "disconnection"]],
    ["with more behind it", [FIRST, { event: "third" }], ["first", "third", "disconnection"]],
  ])("a request %s is handled before the end of its client is told", async (_, packets, order) => {
    const { home, told, client } = await openBeside(packets);
    client.close(1000, "");
    await pass(5_000);
    expect(told).toEqual([]);
    home.revive();
    await pass(5_000);
    expect(told).toEqual(order);
  });

  test("the end of a client waits for ten seconds at most", async () => {
    const { told, client } = await openBeside([FIRST], { cluster: { lease: 60_000 } });
    client.close(1000, "");
    await pass(9_900);
    expect(told).toEqual([]);
    await pass(100);
    expect(told).toEqual(["disconnection"]);
    // It was received, and the client may repeat it to get the reply.
    await pass(60_000);
    expect(told).toEqual(["disconnection", "first"]);
  });
});

test("a request is not handled again while another node handles it, however long that takes", async () => {
  await openNodes(3);
  const traveller = await new Traveller(0).opened();
  const receipt = traveller.pay();
  traveller.cut(1);
  await paidSomewhere(1);
  for (let minutes = 0; minutes < 10; minutes++) {
    // oxlint-disable-next-line no-await-in-loop -- the nodes hear each other
    await clock.advance(60_000);
  }
  await traveller.moveTo(2);
  bank.resolve("paid");
  expect(await receipt).toBe("paid");
  expect(counts()).toEqual([0, 1, 0]);
});

test("when the node that handles it is gone, whoever has repeated it handles it", async () => {
  await openNodes(3);
  const traveller = await new Traveller(0).opened();
  const receipt = traveller.pay();
  traveller.cut(1);
  await paidSomewhere(1);
  await traveller.moveTo(2);
  await nodes[1]?.hub.close();
  await paidSomewhere(2);
  bank.resolve("paid");
  expect(await receipt).toBe("paid");
  expect(counts()).toEqual([0, 1, 1]);
});

describe.each([100, 1_300, 2_500])("%i ms after the nodes have begun", (begun) => {
  test.each([200, 1_100, 1_900, 2_800])(
    "a node that is killed %i ms after it has begun to handle a request lets whoever waits handle it",
    async (passed) => {
      const backplane = new BreakableBackplane(engine.backplane());
      await openNodes(1);
      await openNodes(1, { backplane });
      await openNodes(1);
      const traveller = await new Traveller(0).opened();
      await clock.advance(begun);
      const receipt = traveller.pay();
      traveller.cut(1);
      await paidSomewhere(1);
      await clock.advance(passed);
      await traveller.moveTo(2);
      backplane.kill();
      await pass(20_000);
      expect(counts()).toEqual([0, 1, 1]);
      bank.resolve("paid");
      expect(await receipt).toBe("paid");
    },
  );
});

test.each([
  ["the home", 0],
  ["the node that handles a request", 1],
])("a short outage of %s does not make the home take the request for handled", async (_, broken) => {
  const backplanes = [0, 1].map(() => new BreakableBackplane(engine.backplane()));
  for (const backplane of backplanes) await openNodes(1, { backplane });
  await openNodes(1);
  for (const { hub } of nodes) hub.on("error", () => {});
  const traveller = await new Traveller(0).opened();
  const receipt = traveller.pay();
  traveller.cut(1);
  await paidSomewhere(1);
  await traveller.moveTo(2);
  // The outage begins before the home is told again that the request is being handled, and is shorter than the lease.
  await pass(3_200);
  backplanes[broken]?.break();
  await pass(7_500);
  backplanes[broken]?.mend();
  await settle();
  await traveller.moveTo(2);
  await pass(60_000);
  bank.resolve("paid");
  expect(await receipt).toBe("paid");
  expect(counts()).toEqual([0, 1, 0]);
});

test("a client that comes back to its home is told that its request was handled although the report of that was lost", async () => {
  const backplane = new BreakableBackplane(engine.backplane());
  await openNodes(1);
  await openNodes(1, { backplane });
  nodes[1]?.hub.on("error", () => {});
  const traveller = await new Traveller(0).opened();
  const receipt = traveller.pay();
  traveller.cut(1);
  await paidSomewhere(1);
  await traveller.moveTo(0);
  const failure = receipt.catch((error: unknown) => error);
  backplane.break();
  bank.resolve("paid");
  await settle();
  backplane.mend();
  await pass(20_000);
  expect(await failure).toMatchObject({ reason: "reply-gone" });
  expect(counts()).toEqual([0, 1]);
});

test("the home of a client is known again at once after an outage that was longer than a lease", async () => {
  const backplane = new BreakableBackplane(engine.backplane());
  await openNodes(1);
  await openNodes(1, { backplane });
  nodes[1]?.hub.on("error", () => {});
  const traveller = await new Traveller(0).opened();
  const receipt = traveller.pay();
  await paidSomewhere(1);
  backplane.break();
  await pass(20_000);
  backplane.mend();
  await traveller.moveTo(1);
  bank.resolve("paid");
  expect(await receipt).toBe("paid");
  expect(counts()).toEqual([1, 0]);
});

test("when the node that knows of it is gone, it is handled once more, and from then on no more", async () => {
  await openNodes(3);
  const traveller = new Traveller(0);
  const receipt = traveller.pay();
  await paidSomewhere(1);
  traveller.cut(1);
  await nodes[0]?.hub.close({ within: 0 });
  await paidSomewhere(2);
  await traveller.moveTo(2);
  bank.resolve("paid");
  expect(await receipt).toBe("paid");
  expect(counts()).toEqual([1, 1, 0]);
});

test("of a client that is elsewhere when its home ends, that node alone knows, until the client has a new home", async () => {
  await openNodes(4);
  const traveller = await new Traveller(0).opened();
  await traveller.moveTo(1);
  await nodes[0]?.hub.close({ within: 0 });
  const receipt = traveller.pay();
  await paidSomewhere(1);
  await traveller.moveTo(2);
  expect(counts()).toEqual([0, 1, 1, 0]);
  await traveller.moveTo(3);
  bank.resolve("paid");
  expect(await receipt).toBe("paid");
  expect(counts()).toEqual([0, 1, 1, 0]);
});

test("of a plain client, which has no home, each node knows alone", async () => {
  await openNodes(2);
  bank.resolve("paid");
  const request = { event: "pay", id: 1, key: "~0123456789abcdefghij" };
  for (const { transport } of [...nodes, ...nodes]) {
    const client = transport.connect("/");
    // oxlint-disable-next-line no-await-in-loop -- one connection after the other
    await settle();
    // oxlint-disable-next-line no-await-in-loop
    await say(client, [request]);
  }
  expect(counts()).toEqual([1, 1]);
});

test("in an outage of the engine it is handled where it is repeated", async () => {
  await openNodes(2);
  for (const { hub } of nodes) hub.on("error", () => {});
  const traveller = new Traveller(0);
  const receipt = traveller.pay();
  await paidSomewhere(1);
  engine.stop();
  await traveller.moveTo(1);
  await paidSomewhere(2);
  bank.resolve("paid");
  expect(await receipt).toBe("paid");
  expect(counts()).toEqual([1, 1]);
});

test("a reply that is lost with the connection of the node that has it is asked for again", async () => {
  const backplane = new BreakableBackplane(engine.backplane());
  await openNodes(1, { backplane });
  await openNodes(1);
  nodes[0]?.hub.on("error", () => {});
  const traveller = new Traveller(0);
  const receipt = traveller.pay();
  await paidSomewhere(1);
  await traveller.moveTo(1);
  backplane.break();
  bank.resolve("paid");
  await settle();
  backplane.mend();
  await clock.advance(10_000);
  expect(await receipt).toBe("paid");
  expect(counts()).toEqual([1, 0]);
});

test("when the report is lost that it was handled, whoever waits for it is told that it was", async () => {
  const backplane = new BreakableBackplane(engine.backplane());
  await openNodes(1);
  await openNodes(1, { backplane });
  await openNodes(1);
  nodes[1]?.hub.on("error", () => {});
  const traveller = await new Traveller(0).opened();
  const receipt = traveller.pay();
  traveller.cut(1);
  await paidSomewhere(1);
  await traveller.moveTo(2);
  const failure = receipt.catch((error: unknown) => error);
  backplane.break();
  bank.resolve("paid");
  await settle();
  backplane.mend();
  await clock.advance(20_000);
  expect(await failure).toMatchObject({ reason: "reply-gone" });
  expect(counts()).toEqual([0, 1, 0]);
});

test("a node that has just started does not wait for one that is gone", async () => {
  await openNodes(1);
  const traveller = await new Traveller(0).opened();
  const receipt = traveller.pay();
  await paidSomewhere(1);
  await nodes[0]?.hub.close({ within: 0 });
  startNode();
  traveller.turnTo(1);
  await until("the client is connected again", () => nodes[1]?.hub.sockets.size === 1);
  await settle();
  await clock.advance(1_000);
  await paidSomewhere(2);
  bank.resolve("paid");
  expect(await receipt).toBe("paid");
});

test("a long reply does not fill the way to the engine, wherever the request is handled and whoever waits", async () => {
  await openNodes(3);
  const [there, here] = [await new Traveller(0).opened(), await new Traveller(0).opened()];
  await there.moveTo(1);
  const receipts = [there.pay(), here.pay()];
  await paidSomewhere(2);
  await here.moveTo(2);
  const outcomes = Promise.allSettled(receipts);
  bank.resolve("x".repeat(500_000));
  expect(await outcomes).toMatchObject([
    { status: "fulfilled" },
    { status: "rejected", reason: { reason: "reply-gone" } },
  ]);
  await settle();
  for (const { hub } of nodes) expect(hub.stats().cluster?.publishedBytes).toBeLessThan(10_000);
  expect(counts()).toEqual([1, 1, 0]);
});

test("where the node remembers nothing, the request is handled once more", async () => {
  await openNodes(1, { idempotency: false });
  await openNodes(1);
  const traveller = new Traveller(0);
  const receipt = traveller.pay();
  await paidSomewhere(1);
  await traveller.moveTo(1);
  await paidSomewhere(2);
  bank.resolve("paid");
  expect(await receipt).toBe("paid");
  expect(counts()).toEqual([1, 1]);
});
