import { setImmediate as turn } from "node:timers/promises";
import { defineContract, Hub, type HubOptions, type Replies, type Socket } from "roomcast";
import { memory, MemoryEngine, type MemoryTransport } from "roomcast/testing";
import { expect, onTestFinished, test } from "vitest";

/** A node, its client that is in the room "x", and what the error events of the node told. */
interface Node {
  readonly hub: Hub;
  readonly client: ReturnType<MemoryTransport["connect"]>;
  readonly id: string;
  readonly errors: unknown[];
}

/** Three nodes on an engine in memory. */
async function trio(options: HubOptions = {}): Promise<[Node, Node, Node]> {
  const engine = new MemoryEngine();
  const create = async (): Promise<Node> => {
    const transport = memory();
    const errors: unknown[] = [];
    const hub = new Hub({ maxMessageBytes: 4e6, ...options, transport, backplane: engine.backplane(), welcome: false });
    onTestFinished(() => hub.close());
    hub.on("error", (error) => errors.push(error));
    const connected = new Promise<Socket>((resolve) => {
      hub.once("connection", resolve);
    });
    const client = transport.connect("/");
    const socket = await connected;
    socket.join("x");
    return { hub, client, id: socket.id, errors };
  };
  const nodes: [Node, Node, Node] = [await create(), await create(), await create()];
  await Promise.all(nodes.map(({ hub }) => hub.synced()));
  await expect
    .poll(() => nodes.every(({ hub }) => hub.nodes.length === 2), { timeout: 20_000, interval: 1 })
    .toBe(true);
  return nodes;
}

/** Answers each request to a client with the data that is given as JSON. */
function answer({ client }: Node, json: string): void {
  client.addEventListener("message", (event) => {
    const { id } = JSON.parse((event as MessageEvent).data as string) as { readonly id?: number };
    if (id !== undefined) client.send(`{"reply":${id},"data":${json}}`);
  });
}

/** Asks all sockets from the first node. */
async function ask([one]: readonly Node[], event = "q"): Promise<Replies<unknown>> {
  return one?.hub.to("x").request(event, undefined, { timeout: 2_000 }) as Promise<Replies<unknown>>;
}

function depthOf(value: unknown): number {
  let depth = 0;
  for (let inner = value; Array.isArray(inner); inner = inner[0] as unknown) depth++;
  return depth;
}

const SHAPES: readonly (readonly [what: string, json: string])[] = [
  ["nothing", "null"],
  ["many small objects", `[${Array.from({ length: 20_000 }, () => '{"a":0}').join()}]`],
  ["a name that is special", '{"__proto__":{"a":1},"constructor":1}'],
  ["text of all planes", JSON.stringify("\u0000é漢😀\uD800")],
];

test.each(SHAPES)("a reply that is %s comes from another node as from this one", async (_what, json) => {
  const nodes = await trio();
  for (const node of nodes) answer(node, json);
  const { replies, failures } = await ask(nodes);
  expect(failures.size).toBe(0);
  const [own, ...others] = nodes.map(({ id }) => JSON.stringify(replies.get(id)));
  expect(own).toBe(JSON.stringify(JSON.parse(json)));
  for (const other of others) expect(other === own).toBe(true);
});

test("a reply that is nested 4,000 deep harms neither its node nor the other replies", async () => {
  const nodes = await trio();
  const [one, two, three] = nodes;
  answer(one, "1");
  answer(two, "[".repeat(4_000) + "]".repeat(4_000));
  // Where so deep a message is not taken at all, nothing else would settle the request to this socket before its time.
  two.client.addEventListener("message", () => two.client.close());
  answer(three, "3");
  const { replies, failures } = await ask(nodes);
  expect([replies.get(one.id), replies.get(three.id)]).toEqual([1, 3]);
  expect([0, 4_000]).toContain(depthOf(replies.get(two.id)));
  expect(replies.size + failures.size).toBe(3);
  expect(two.errors).toEqual([]);
});

/** A schema that returns what `make` does. */
function schema(make: (value: unknown) => unknown) {
  return {
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate: (value: unknown) => {
        return value === "bad" ? { issues: [{ message: "is bad" }] } : { value: make(value) };
      },
    },
  };
}

const MADE: readonly (readonly [what: string, make: (value: unknown) => unknown])[] = [
  ["a function", (value) => () => value],
  ["a symbol", (value) => Symbol.for(String(value))],
  ["a number without bounds", (value) => BigInt(value as number)],
  ["an object with a function", (value) => ({ value, get: () => value })],
];

test.each(MADE)("a contract may make %s of a reply, whichever node it comes from", async (_what, make) => {
  let made = 0;
  const reply = schema((value) => {
    made++;
    return make(value);
  });
  const contract = defineContract({ serverRequests: { q: { reply } } });
  const nodes = await trio({ contract: contract as unknown as NonNullable<HubOptions["contract"]> });
  for (const node of nodes) answer(node, "7");
  const { replies, failures } = await ask(nodes);
  expect([replies.size, failures.size, made]).toEqual([3, 0, 3]);
  for (const { id } of nodes) {
    const value = replies.get(id);
    expect(typeof value).toBe(typeof make(7));
    expect(String(value)).toBe(String(make(7)));
  }
});

test("a reply that does not fit the contract fails alike on every node", async () => {
  const contract = defineContract({ serverRequests: { q: { reply: schema((value) => value) } } });
  const nodes = await trio({ contract: contract as unknown as NonNullable<HubOptions["contract"]> });
  for (const node of nodes) answer(node, '"bad"');
  const { failures } = await ask(nodes);
  expect(nodes.map(({ id }) => failures.get(id)?.code)).toEqual(Array.from({ length: 3 }, () => "ERR_HUB_CONTRACT"));
  expect(nodes.map(({ id }) => failures.get(id)?.message.replace(id, ""))).toEqual(
    Array.from({ length: 3 }, () => failures.get(nodes[0].id)?.message.replace(nodes[0].id, "")),
  );
});

test("a reply that the engine does not take is told apart from one that never came", async () => {
  const nodes = await trio({ cluster: { maxPendingBytes: 20_000 } });
  const [one, two, three] = nodes;
  answer(one, "1");
  answer(two, JSON.stringify("x".repeat(30_000)));
  answer(three, "3");
  const { replies, failures } = await ask(nodes);
  expect([replies.get(one.id), replies.get(three.id)]).toEqual([1, 3]);
  expect([...failures].map(([id, { code }]) => [id, code])).toEqual([[two.id, "ERR_HUB_BACKPLANE"]]);
});

test("a request that nobody looks at never ends the process when its client goes away", async () => {
  const rejections: unknown[] = [];
  const listener = (error: unknown): void => void rejections.push(error);
  process.on("unhandledRejection", listener);
  onTestFinished(() => void process.off("unhandledRejection", listener));
  const nodes = await trio();
  const [one, two] = nodes;
  const socket = [...one.hub.sockets.values()][0] as Socket;
  const unseen = [
    () => socket.request("q"),
    () => one.hub.request("q"),
    () => one.hub.to("x").request("q"),
    () => one.hub.toSocket(two.id).request("q"),
    () => one.hub.synced("x"),
  ];
  for (const request of unseen) void request();
  const seen = socket.request("q");
  await turn();
  one.client.terminate();
  two.client.terminate();
  await expect(seen).rejects.toMatchObject({ code: "ERR_HUB_DISCONNECTED" });
  void socket.request("q");
  await turn();
  await turn();
  expect(rejections).toEqual([]);
});

test("waiting for a room whose last member goes before the engine has confirmed it ends well", async () => {
  const backplane = new MemoryEngine().backplane();
  const confirmations = new Map<string, (error: Error) => void>();
  const transport = memory();
  const hub = new Hub({
    transport,
    welcome: false,
    cluster: { grace: 0 },
    backplane: {
      ordered: true,
      start: (handlers) => backplane.start(handlers),
      publish: (channel, envelope) => backplane.publish(channel, envelope),
      subscribe: (channel) => {
        if (!channel.includes("slow")) return backplane.subscribe(channel);
        return new Promise((_, reject) => {
          confirmations.set(channel, reject);
        });
      },
      unsubscribe: (channel) => confirmations.get(channel)?.(new Error("unsubscribed")),
      close: () => backplane.close(),
    },
  });
  onTestFinished(() => hub.close());
  const connected = new Promise<Socket>((resolve) => {
    hub.once("connection", resolve);
  });
  const client = transport.connect("/");
  (await connected).join("slow");
  const synced = [hub.synced("slow"), hub.synced()];
  await turn();
  client.terminate();
  expect(await Promise.all(synced)).toEqual([undefined, undefined]);
});
