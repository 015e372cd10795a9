import { beforeEach, expect, test } from "vitest";
import { settle } from "../../../src/testing/settle.ts";
import { MemoryCluster, type Node } from "../history/memory-cluster.ts";
import { named, noticesOf, usersOf } from "./lists.ts";

let cluster: MemoryCluster;
beforeEach(() => {
  cluster = new MemoryCluster();
});

function listen({ hub }: Node, heard: string[]): void {
  hub.presence("chat").on("out", (user, { mine }) => heard.push(`out ${user.id}${mine ? " mine" : ""}`));
}

test("a node that starts while the users of one that has left are kept knows them, and somebody acts", async () => {
  const one = cluster.node(named());
  const two = cluster.node(named());
  const heard: string[] = [];
  listen(one, heard);
  listen(two, heard);
  const ann = await two.connect("/?ann");
  await ann.join("chat");
  await settle();
  ann.close();
  await settle();
  await two.hub.close();
  await cluster.passed(100);
  const fresh = Array.from({ length: 20 }, () => cluster.node(named()));
  for (const node of fresh) listen(node, heard);
  await cluster.passed(1_000);
  for (const node of fresh) await node.hub.presence("chat").synced();
  expect(fresh.map((node) => usersOf(node))).toEqual(fresh.map(() => ["ann"]));
  await cluster.passed(30_000);
  expect(heard.filter((text) => text === "out ann mine")).toHaveLength(1);
});

test("a client that comes to a node which does not know the room yet is told of everybody at once", async () => {
  const one = cluster.node(named());
  for (const user of ["ann", "bob", "cy"]) await (await one.connect(`/?${user}`)).join("chat");
  const two = cluster.node(named());
  await cluster.passed(1_000);
  const dan = await two.connect("/?dan");
  await dan.join("chat", undefined, true);
  await cluster.passed(1_000);
  const [first] = noticesOf(dan);
  expect(first?.in?.map(([id]) => id).toSorted()).toEqual(["ann", "bob", "cy", "dan"]);
});
