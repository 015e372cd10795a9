import { VirtualClock } from "roomcast/testing";
import { beforeEach, expect, test } from "vitest";
import { Queries, type Findings } from "../../../src/cluster/queries.ts";

const TIMEOUT = 10_000;
const ONE = { id: "one-id", name: "one" };
const TWO = { id: "two-id", name: "two" };

let clock: VirtualClock;
let queries: Queries;
let askedAgain: string[];

beforeEach(() => {
  clock = new VirtualClock();
  queries = new Queries(clock);
  askedAgain = [];
});

function read(): { reply: unknown } {
  return { reply: "reply" };
}

/** Asks the known nodes a question with the id 1; an open one waits for unknown nodes as well. */
function ask(nodes: readonly (typeof ONE)[], isOpen: boolean): Promise<Findings> {
  return queries.track(1, nodes, isOpen, TIMEOUT, read, (node) => askedAgain.push(node));
}

function complete(from: string, descriptions: readonly unknown[] = []): void {
  queries.answered(from, { type: "answer", id: 1, descriptions, complete: true });
}

test("a node that closes before it answers is not silent, and its sockets are gone", async () => {
  const asked = ask([ONE, TWO], false);
  queries.answered(ONE.id, { type: "answer", id: 1, asked: ["one-socket"] });
  queries.went(ONE, true);
  queries.went(TWO, true);
  const { failures, silent } = await asked;
  expect([[...failures.keys()], silent, clock.timers]).toEqual([["one-socket"], [], 0]);
});

test("a node that dies before it answers is silent", async () => {
  const asked = ask([ONE, TWO], false);
  queries.went(ONE, false);
  complete(TWO.id);
  expect((await asked).silent).toEqual(["one"]);
});

test("what a node that has closed sent before does not open the question again", async () => {
  const asked = ask([ONE], true);
  queries.went(ONE, true);
  queries.answered(ONE.id, { type: "answer", id: 1, descriptions: ["late"] });
  queries.acquainted();
  expect(await asked).toMatchObject({ descriptions: [], silent: [] });
});

test("a node that comes while a question is open is asked again, and answers once", async () => {
  const asked = ask([ONE], true);
  queries.came(TWO);
  expect(askedAgain).toEqual(["two-id"]);
  queries.acquainted();
  complete(ONE.id, ["of one"]);
  complete(TWO.id, ["of two"]);
  complete(TWO.id, ["of two"]);
  expect(await asked).toMatchObject({ descriptions: ["of one", "of two"], silent: [] });
});

test("a node that comes with its answer to an open question is not asked again", async () => {
  const asked = ask([], true);
  complete(TWO.id, ["of two"]);
  queries.came(TWO);
  queries.acquainted();
  expect([(await asked).descriptions, askedAgain]).toEqual([["of two"], []]);
});

test("a node that was asked again in vain is silent, and the others are waited for", async () => {
  const asked = ask([ONE], true);
  queries.came(TWO);
  queries.lost(1, TWO.id);
  queries.acquainted();
  complete(ONE.id, ["of one"]);
  expect(await asked).toMatchObject({ descriptions: ["of one"], silent: ["two"] });
});

test("a question that was lost has no answer of any node", async () => {
  const asked = ask([ONE, TWO], true);
  queries.lost(1);
  expect([(await asked).silent, clock.timers]).toEqual([["one", "two"], 0]);
});
