import { VirtualClock } from "roomcast/testing";
import { beforeEach, expect, test } from "vitest";
import { NodeLeases } from "../../../src/presence/node-leases.ts";

const LEASE = 1_000;

const NOBODY: ReadonlySet<string> = new Set();

let clock: VirtualClock;
let isCut: boolean;
let heard: string[];
let leases: NodeLeases;

beforeEach(() => {
  clock = new VirtualClock();
  isCut = false;
  heard = [];
  leases = new NodeLeases(clock, LEASE, () => isCut, {
    came: (node) => heard.push(`${node} came`),
    left: (node) => heard.push(`${node} left`),
    gone: (node) => heard.push(`${node} gone`),
  });
});

/** Lets time pass in steps of a third of a lease, after each of which the leases are looked at. */
async function pass(steps: number, nodes: ReadonlySet<string> = NOBODY): Promise<void> {
  for (let step = 0; step < steps; step++) {
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    await clock.advance(LEASE / 3);
    leases.look(nodes, true);
  }
}

test("P3: a node is gone when it has been silent for a lease, and not before", async () => {
  leases.heard("one");
  await pass(2);
  expect(heard).toStrictEqual(["one came"]);
  await pass(2);
  expect(heard).toStrictEqual(["one came", "one gone"]);
});

test("P6: no lease ends while nobody could be heard", async () => {
  leases.heard("one");
  await clock.advance(10 * LEASE);
  leases.look(NOBODY, false);
  await pass(2);
  expect(heard).toStrictEqual(["one came"]);
});

test("P5: a node that leaves is believed in for its time, and for longer while the engine is away", async () => {
  leases.heard("one");
  leases.leave("one", 500);
  expect(leases.mayTell("one")).toBe(true);
  isCut = true;
  await clock.advance(600);
  expect(heard).toStrictEqual(["one came", "one left"]);
  isCut = false;
  await clock.advance(LEASE);
  expect(heard).toStrictEqual(["one came", "one left", "one gone"]);
});

test("P7: a node that has left is not believed any more, nor what others tell of it", async () => {
  leases.heard("one");
  leases.leave("one", 500);
  await clock.advance(501);
  expect([leases.heard("one"), leases.mayTell("one")]).toStrictEqual([false, false]);
  expect(leases.believe({ node: "one", within: 500 })).toBe(false);
  expect(leases.believe({ node: "one", silentFor: 1 })).toBe(false);
  expect(heard).toStrictEqual(["one came", "one left", "one gone"]);
});

test("what others tell of a node that is gone lengthens nothing, until it speaks again itself", async () => {
  leases.heard("one");
  await pass(4);
  expect(leases.believe({ node: "one", silentFor: 0 })).toBe(false);
  expect([leases.heard("one"), leases.believe({ node: "one", silentFor: 0 })]).toStrictEqual([true, true]);
});

test("a node of which others tell has the rest of its lease", async () => {
  expect(leases.believe({ node: "one", silentFor: 0.9 * LEASE })).toBe(true);
  await pass(1);
  expect(heard).toStrictEqual(["one gone"]);
});

test("this node speaks for those that have left, and for those that fall silent while it can hear them", async () => {
  for (const node of ["left", "silent", "loud", "long dead"]) leases.heard(node);
  leases.renew();
  for (const node of ["left", "silent", "loud"]) leases.heard(node);
  leases.leave("left", 5_000);
  await pass(2, new Set(["loud"]));
  expect(["left", "silent", "loud", "long dead"].map((node) => leases.absenceOf(node))).toStrictEqual([
    { node: "left", within: expect.closeTo(5_000 - (2 * LEASE) / 3, 0) as number },
    { node: "silent", silentFor: expect.closeTo((2 * LEASE) / 3, 0) as number },
    undefined,
    undefined,
  ]);
});
