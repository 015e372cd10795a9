import { VirtualClock } from "roomcast/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { Queries, type Findings } from "../../../src/cluster/queries.ts";
import { HubError } from "../../../src/errors.ts";

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

function askAgain(node: string): void {
  askedAgain.push(node);
}

/** Asks the known nodes a question with the id 1; an open one waits for unknown nodes as well. */
function ask(nodes: readonly (typeof ONE)[], isOpen: boolean): Promise<Findings> {
  return queries.track({ id: 1, nodes, isOpen, timeout: TIMEOUT, read, askAgain });
}

function reason(who: string): HubError {
  return new HubError("ERR_HUB_BACKPLANE", who);
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

test("the sockets that a node has named fail if the rest of its answer is lost", async () => {
  const asked = ask([ONE], false);
  queries.answered(ONE.id, { type: "answer", id: 1, asked: ["one-socket"] });
  queries.answered(ONE.id, { type: "answer", id: 1, failed: true });
  const { failures, silent } = await asked;
  expect([failures.get("one-socket")?.code, failures.size, silent]).toEqual(["ERR_HUB_BACKPLANE", 1, ["one"]]);
});

/** Asks the known nodes, and one that is presumed to be there. */
function askNodes(nodes: readonly (typeof ONE)[], isOpen: boolean, presumed?: string): Promise<Findings> {
  return queries.track({ id: 1, nodes, isOpen, isOfNodes: true, timeout: TIMEOUT, read, askAgain, presumed });
}

/** Answers as a node that was asked itself. */
function reply(from: string, whose = from): void {
  queries.answered(from, { type: "answer", id: 1, replies: [[whose, "", ""]], complete: true });
}

describe("a question to the nodes themselves", () => {
  test("has a reply or a failure of each, and names those that did not answer", async () => {
    const three = { id: "three-id", name: "three" };
    const asked = askNodes([ONE, TWO, three], false);
    reply(ONE.id);
    queries.went(TWO, true);
    queries.went(three, false);
    const { replies, failures, silent } = await asked;
    expect([...replies]).toEqual([["one-id", "reply"]]);
    expect(Array.from(failures, ([id, { code, message }]) => [id, code, message])).toEqual([
      ["two-id", "ERR_HUB_DISCONNECTED", "The node two is gone."],
      ["three-id", "ERR_HUB_DISCONNECTED", "The node three is gone."],
    ]);
    expect([silent, clock.timers]).toEqual([["three"], 0]);
  });

  test("takes from a node no reply of another one", async () => {
    const asked = askNodes([ONE, TWO], false);
    reply(ONE.id, TWO.id);
    await clock.advance(TIMEOUT);
    const { replies, failures } = await asked;
    expect([replies.size, [...failures.keys()]]).toEqual([0, ["one-id", "two-id"]]);
  });

  test("waits for a node that is presumed to be there, which has been asked already, and for no other", async () => {
    const asked = askNodes([], false, TWO.id);
    queries.came(ONE);
    queries.came(TWO);
    queries.came(TWO);
    queries.acquainted();
    reply(TWO.id);
    expect([[...(await asked).replies.keys()], askedAgain]).toEqual([["two-id"], []]);
  });

  test("fails for a node that is not there when all are known", async () => {
    const asked = askNodes([], false, TWO.id);
    queries.acquainted();
    const { failures } = await asked;
    expect([failures.get(TWO.id)?.code, askedAgain, clock.timers]).toEqual(["ERR_HUB_DISCONNECTED", [], 0]);
  });
});

test("a question that has ended before all nodes were known says why, and one that has ended afterwards does not", async () => {
  const cut = ask([], true);
  queries.giveUp(reason);
  const unfinished = { code: "ERR_HUB_BACKPLANE", message: "nodes that this one does not know yet" };
  expect(await cut).toMatchObject({ silent: [], unfinished });
  const late = ask([ONE], true);
  complete(ONE.id);
  await clock.advance(TIMEOUT);
  expect(await late).toMatchObject({ silent: [], unfinished: { code: "ERR_HUB_TIMEOUT" } });
  // The failure of a node that is known says it already.
  const told = ask([ONE], true);
  queries.giveUp(reason);
  expect(await told).toMatchObject({ silent: ["one"], unfinished: undefined });
  const known = ask([ONE], true);
  queries.acquainted();
  queries.giveUp(reason);
  expect(await known).toMatchObject({ silent: ["one"], unfinished: undefined });
});

test("the questions of the application are settled alone, and not those of the hub itself", async () => {
  const parts = { isOpen: false, timeout: TIMEOUT, read, nodes: [ONE] };
  const ours = queries.track({ ...parts, id: 2, isInternal: true });
  const theirs = queries.track({ ...parts, id: 3 });
  queries.settle(() => new HubError("ERR_HUB_CLOSED", "closed"));
  expect((await theirs).silent).toEqual(["one"]);
  queries.answered(ONE.id, { type: "answer", id: 2, complete: true });
  expect((await ours).silent).toEqual([]);
});

test("of a request of which a copy was lost, the nodes are silent that no other copy has reached, and nobody else", async () => {
  const three = { id: "three-id", name: "three" };
  const four = { id: "four-id", name: "four" };
  const asked = ask([ONE, TWO, three, four], false);
  const named = (from: string, sockets: readonly string[]): void => {
    queries.answered(from, { type: "answer", id: 1, asked: sockets });
  };
  named(ONE.id, ["one-socket"]);
  complete(TWO.id);
  queries.missed(1);
  complete(ONE.id);
  named(three.id, []);
  complete(three.id);
  complete(four.id);
  queries.answered(ONE.id, { type: "answer", id: 1, replies: [["one-socket", "", "reply"]] });
  const { replies, failures, silent } = await asked;
  expect([[...replies.keys()], failures.size, silent]).toEqual([["one-socket"], 0, ["two", "four"]]);
});

test("a socket that was asked, of whose node the rest is not awaited, is not said to have missed the request", async () => {
  const asked = ask([ONE], false);
  queries.answered(ONE.id, { type: "answer", id: 1, asked: ["one-socket"] });
  queries.lost(1);
  const { failures, silent } = await asked;
  expect([failures.get("one-socket")?.message, silent]).toEqual([
    "The reply of the socket one-socket is not awaited: the engine did not take the question about its node.",
    ["one"],
  ]);
});
