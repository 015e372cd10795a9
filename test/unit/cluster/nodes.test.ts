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
let nodes: Nodes;

beforeEach(() => {
  clock = new VirtualClock();
  told = [];
  reports = [];
  nodes = new Nodes({
    clock,
    self: { id: "self-id", name: "self" },
    isNode: true,
    lease: LEASE,
    tell: (_channel, control) => told.push(control),
    report: {
      came: ({ name }) => reports.push(`${name} came`),
      went: ({ name }, hasClosed) => reports.push(`${name} ${hasClosed ? "closed" : "died"}`),
      acquainted: () => {},
    },
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
