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
