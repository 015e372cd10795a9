import { VirtualClock } from "roomcast/testing";
import { beforeEach, expect, test } from "vitest";
import type { Control } from "../../../src/cluster/envelope.ts";
import { Nodes } from "../../../src/cluster/nodes.ts";

const LEASE = 9_000;
const OTHER = "other-id";
const ALIVE: Control = { type: "alive", name: "other", asks: false };
const ASKS: Control = { type: "alive", name: "other", asks: true };

let clock: VirtualClock;
let told: Control[];
let reports: string[];
let heard: (readonly string[])[];
let nodes: Nodes;

beforeEach(() => {
  clock = new VirtualClock();
  told = [];
  reports = [];
  heard = [];
  nodes = new Nodes({
    clock,
    self: { id: "self-id", name: "self" },
    isNode: true,
    rules: undefined,
    presence: undefined,
    leaving: () => undefined,
    lease: LEASE,
    tell: (_channel, control) => told.push(control),
    report: {
      came: ({ name }) => reports.push(`${name} came`),
      went: ({ name }, hasClosed) => reports.push(`${name} ${hasClosed ? "closed" : "died"}`),
      differs: () => {},
      acquainted: () => {},
    },
    heard: (others) => heard.push([...others]),
  });
  nodes.arrive();
  nodes.heard(OTHER, ALIVE);
});

test("a node that says so has closed, and one that is silent for a lease has died", async () => {
  nodes.heard(OTHER, { type: "bye" });
  nodes.heard("third-id", { ...ALIVE, name: "third" });
  await clock.advance(2 * LEASE);
  expect(reports).toEqual(["other came", "other closed", "third came", "third died"]);
});

test("what a node sent before it closed does not bring it back", async () => {
  nodes.heard(OTHER, { type: "bye" });
  await clock.advance(LEASE / 2);
  nodes.heard(OTHER, ALIVE);
  expect([reports, nodes.list]).toEqual([["other came", "other closed"], []]);
});

test("a node that has left answers nobody", () => {
  nodes.leave();
  const before = told.length;
  nodes.heard("third-id", ASKS);
  nodes.heard("third-id", { type: "who" });
  expect([told.length - before, told.at(-1)]).toEqual([0, { type: "bye" }]);
});

test("the nodes that have given a sign of life are told several times in a lease, once for each time", async () => {
  await clock.advance(LEASE / 3);
  await clock.advance(LEASE / 3);
  nodes.heard(OTHER);
  await clock.advance(LEASE / 3);
  expect(heard).toEqual([[OTHER], [], [OTHER]]);
});

test("after an outage it takes a while until all other nodes are known again", async () => {
  await clock.advance(LEASE / 2);
  expect(nodes.isAcquainted).toBe(true);
  await clock.advance(LEASE);
  nodes.arrive();
  expect([nodes.list, nodes.isAcquainted]).toEqual([[], false]);
  await clock.advance(LEASE / 2);
  expect(nodes.isAcquainted).toBe(true);
});
