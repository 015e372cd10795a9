import { beforeEach, describe, expect, test } from "vitest";
import { settle } from "../../../src/testing/settle.ts";
import { BreakableBackplane } from "../../support/breakable-backplane.ts";
import { MemoryCluster, type Node } from "../history/memory-cluster.ts";
import { named, usersOf } from "./lists.ts";

/** Longer than the grace, and what is added to it. */
const GONE = 5_600;

/** The length of a step of time. */
const STEP = 250;

/** Longer than the nodes collect changes for each other. */
const BUNDLE = 60;

/** The default of `cluster.lease`. */
const LEASE = 10_000;

let cluster: MemoryCluster;

beforeEach(() => {
  cluster = new MemoryCluster();
});

function nodes(count: number, options = named()): readonly Node[] {
  return Array.from({ length: count }, () => cluster.node(options));
}

/** Listens on one node after the other, so that the first has listened for the longest time. */
async function listenOn(all: readonly Node[]): Promise<readonly string[][]> {
  const heard: string[][] = [];
  for (const node of all) {
    heard.push(listen(node));
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await passed(1);
  }
  return heard;
}

/** Lets time pass in steps, so that signs of life arrive when they are sent. */
async function passed(time: number): Promise<void> {
  for (let left = time; left > 0; left -= STEP) {
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    await cluster.passed(Math.min(left, STEP));
  }
}

/** Returns a node, and its connection with the engine. */
function breakable(): readonly [Node, BreakableBackplane] {
  let line: BreakableBackplane | undefined;
  const node = cluster.node(named(), (backplane) => (line = new BreakableBackplane(backplane)));
  return [node, line as BreakableBackplane];
}

/** Notes what the listeners of a node learn. */
function listen({ hub }: Node, room = "chat"): string[] {
  const heard: string[] = [];
  for (const event of ["in", "out", "change"] as const) {
    hub.presence(room).on(event, (user, { mine }) => heard.push(`${event} ${user.id}${mine ? " mine" : ""}`));
  }
  return heard;
}

test("every node knows the users of all nodes, each once", async () => {
  const [one, two, three] = nodes(3) as [Node, Node, Node];
  const ann = [await one.connect("/?ann"), await one.connect("/?ann"), await two.connect("/?ann")];
  const bob = await two.connect("/?bob");
  for (const client of [...ann, bob]) await client.join("chat");
  await cluster.passed(BUNDLE);
  expect(usersOf(one)).toStrictEqual(["ann", "bob"]);
  expect(usersOf(two)).toStrictEqual(["ann", "bob"]);
  const synced = three.hub.presence("chat").synced();
  await passed(STEP);
  await synced;
  expect(usersOf(three)).toStrictEqual(["ann", "bob"]);
  expect(three.hub.presence("chat").size).toBe(2);
  expect(three.hub.presence("chat").has("bob")).toBe(true);
  // Two tabs of three are closed: nothing happens.
  ann[0]?.close();
  ann[2]?.close();
  await cluster.passed(GONE);
  for (const node of [one, two, three]) expect(usersOf(node)).toStrictEqual(["ann", "bob"]);
  ann[1]?.close();
  await cluster.passed(GONE);
  for (const node of [one, two, three]) expect(usersOf(node)).toStrictEqual(["bob"]);
});

test("who comes back within the grace, to whatever node, was never away", async () => {
  const [one, two] = nodes(2) as [Node, Node];
  const [first, second] = [listen(one), listen(two)];
  const ann = await one.connect("/?ann");
  await ann.join("chat");
  ann.close();
  await cluster.passed(4_900);
  const again = await two.connect("/?ann");
  await again.join("chat");
  await cluster.passed(60_000);
  expect(first).toStrictEqual(["in ann mine"]);
  expect(second).toStrictEqual(["in ann"]);
  expect(usersOf(one)).toStrictEqual(["ann"]);
});

test("a dead node's users are out after its lease, and one node acts", async () => {
  const [two, three] = nodes(2) as [Node, Node];
  const [one, line] = breakable();
  const heard = [listen(two), listen(three)];
  const client = await one.connect("/?ann");
  await client.join("chat");
  await settle();
  expect(heard).toStrictEqual([["in ann"], ["in ann"]]);
  line.kill();
  await passed(LEASE * 0.9);
  expect(heard).toStrictEqual([["in ann"], ["in ann"]]);
  await passed((LEASE * 4) / 3 - LEASE * 0.9 + STEP);
  const outs = heard.map((list) => list.slice(1));
  expect(outs.flat().toSorted((a, b) => a.length - b.length)).toStrictEqual(["out ann", "out ann mine"]);
});

describe("data", () => {
  test("what was set last counts on all nodes, and stays while the user does", async () => {
    const [one, two] = nodes(2) as [Node, Node];
    const heard = listen(two);
    const [here, there] = [await one.connect("/?ann"), await two.connect("/?ann")];
    await here.join("chat");
    await there.join("chat");
    await cluster.passed(BUNDLE);
    one.sockets[0]?.presence("chat").set({ name: "Ann" });
    await cluster.passed(BUNDLE);
    expect(two.hub.presence("chat").users.get("ann")).toStrictEqual({ name: "Ann" });
    two.sockets[0]?.presence("chat").set({ name: "Anna" });
    await cluster.passed(BUNDLE);
    expect(one.hub.presence("chat").users.get("ann")).toStrictEqual({ name: "Anna" });
    there.close();
    await cluster.passed(GONE);
    expect(one.hub.presence("chat").toJSON()).toStrictEqual({ ann: { name: "Anna" } });
    expect(two.hub.presence("chat").toJSON()).toStrictEqual({ ann: { name: "Anna" } });
    expect(heard).toStrictEqual(["in ann", "change ann mine", "change ann mine"]);
  });
});

test("an outage of the engine empties no list", async () => {
  const [one, two] = nodes(2) as [Node, Node];
  const heard = [listen(one), listen(two)];
  await (await one.connect("/?ann")).join("chat");
  await (await two.connect("/?bob")).join("chat");
  await passed(BUNDLE);
  cluster.engine.stop();
  await passed(4 * LEASE);
  expect([usersOf(one), usersOf(two)]).toStrictEqual([
    ["ann", "bob"],
    ["ann", "bob"],
  ]);
  await (await two.connect("/?cy")).join("chat");
  cluster.engine.start();
  await passed(LEASE);
  expect(usersOf(one)).toStrictEqual(["ann", "bob", "cy"]);
  expect(heard.flat().filter((what) => what.startsWith("out"))).toStrictEqual([]);
});

test("who awaits the other nodes in an outage waits for its end", async () => {
  const [one, two] = nodes(2) as [Node, Node];
  await (await one.connect("/?ann")).join("chat");
  expect(usersOf(two)).toStrictEqual([]);
  await passed(BUNDLE);
  cluster.engine.stop();
  await (await one.connect("/?bob")).join("chat");
  let known: readonly string[] | undefined;
  const synced = two.hub
    .presence("chat")
    .synced()
    .then(() => (known = usersOf(two)));
  await passed(LEASE);
  expect(known).toBeUndefined();
  cluster.engine.start();
  await passed(STEP);
  await synced;
  expect(known).toStrictEqual(["ann", "bob"]);
});

test("who awaits the other nodes when the hub is closed is told so", async () => {
  const [one] = nodes(2) as [Node];
  cluster.engine.stop();
  await settle();
  const room = one.hub.presence("chat");
  const outcome = room.synced().catch((error: unknown) => error);
  await one.hub.close();
  expect(await outcome).toMatchObject({ code: "ERR_HUB_CLOSED" });
});

test("a node that stands still for longer than a lease has its users back when it goes on", async () => {
  const two = cluster.node(named());
  const [one, line] = breakable();
  await (await one.connect("/?ann")).join("chat");
  await (await two.connect("/?bob")).join("chat");
  await passed(BUNDLE);
  line.kill();
  await passed(2 * LEASE);
  expect(usersOf(two)).toStrictEqual(["bob"]);
  line.revive();
  await passed(LEASE);
  expect([usersOf(one), usersOf(two)]).toStrictEqual([
    ["ann", "bob"],
    ["ann", "bob"],
  ]);
});

test("a drain is no departure, as long as clients come back in its time", async () => {
  const [one, two] = nodes(2) as [Node, Node];
  const heard = listen(two);
  for (const user of ["ann", "bob"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await (await one.connect(`/?${user}`)).join("chat");
  }
  await passed(BUNDLE);
  const drained = one.hub.drain({ within: 1_000, spread: 20_000 });
  await passed(19_000);
  await drained;
  await (await two.connect("/?ann")).join("chat");
  expect(usersOf(two)).toStrictEqual(["ann", "bob"]);
  await passed(8_000);
  expect(usersOf(two)).toStrictEqual(["ann"]);
  expect(heard).toStrictEqual(["in ann", "in bob", "out bob mine"]);
});

describe("of the nodes with listeners", () => {
  test("the one acts that the user was on", async () => {
    const all = nodes(3);
    const heard = all.map((node) => listen(node));
    const client = await (all[1] as Node).connect("/?ann");
    await client.join("chat");
    client.close();
    await passed(6_000);
    expect(heard).toStrictEqual([
      ["in ann", "out ann"],
      ["in ann mine", "out ann mine"],
      ["in ann", "out ann"],
    ]);
  });

  test("one acts, whatever node the user was on, if others have none", async () => {
    const [one, two, three] = nodes(3) as [Node, Node, Node];
    const heard = await listenOn([two, three]);
    const client = await one.connect("/?ann");
    await client.join("chat");
    client.close();
    await passed(6_000);
    expect(heard).toStrictEqual([
      ["in ann", "out ann mine"],
      ["in ann", "out ann"],
    ]);
  });

  test("one acts on a user who has left two nodes in the same moment", async () => {
    const all = nodes(2);
    const heard = all.map((node) => listen(node));
    const clients = [await (all[0] as Node).connect("/?ann"), await (all[1] as Node).connect("/?ann")];
    for (const client of clients) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await client.join("chat");
    }
    await passed(BUNDLE);
    for (const client of clients) client.close();
    await passed(7_000);
    expect(
      heard
        .flat()
        .filter((what) => what.startsWith("out"))
        .toSorted(),
    ).toStrictEqual(["out ann", "out ann mine"]);
  });

  test("another one acts if the one that was to has died before it could", async () => {
    const [two, second] = breakable();
    const three = cluster.node(named());
    const [four, fourth] = breakable();
    const heard = await listenOn([two, three, four]);
    await (await four.connect("/?ann")).join("chat");
    await passed(BUNDLE);
    // The one with the oldest listeners dies a little later than the one with the user.
    fourth.kill();
    await passed(LEASE / 2);
    second.kill();
    await passed(3 * LEASE);
    expect(heard[1]).toStrictEqual(["in ann", "out ann", "out ann mine"]);
  });

  test("nobody acts a second time when the one that has acted leaves", async () => {
    const [one, line] = breakable();
    const [two, three] = nodes(2) as [Node, Node];
    const heard = await listenOn([two, three]);
    await (await one.connect("/?ann")).join("chat");
    await passed(BUNDLE);
    line.kill();
    await passed(2 * LEASE);
    expect(heard).toStrictEqual([
      ["in ann", "out ann mine"],
      ["in ann", "out ann"],
    ]);
    await two.hub.close();
    await passed(2 * LEASE);
    expect(heard[1]).toStrictEqual(["in ann", "out ann"]);
  });
});

test("nodes with other rules say so", async () => {
  const [one] = [cluster.node(named()), cluster.node(named({ grace: 1 }))];
  await passed(LEASE);
  expect(one.errors.filter((error) => error.includes("other rules"))).toHaveLength(1);
});
