import { VirtualClock } from "roomcast/testing";
import { beforeEach, expect, test } from "vitest";
import { Claims } from "../../../src/cluster/claims.ts";
import type { Control } from "../../../src/cluster/envelope.ts";
import type { OtherNode } from "../../../src/cluster/nodes.ts";
import type { Receipt, RepeatKeeper } from "../../../src/members/repeats.ts";

const SELF = "self-node-";
const OTHER = "other-node";
const SOCKET_PART = "abcdefghijklmnopqrstu";
const REQUEST = { identity: "identity", owner: "owner" };
const NEW: Receipt = { isNew: true };

let clock: VirtualClock;
let told: Control[];
let others: Map<string, OtherNode>;
let isAcquainted: boolean;
let isCut: boolean;
let claims: Claims;

/** Creates the claims of a node that knows this of the requests of its clients. */
function createClaims(keeper?: RepeatKeeper): Claims {
  return new Claims({
    self: SELF,
    clock,
    lease: 1_000,
    keeper,
    nodes: {
      others,
      get isAcquainted() {
        return isAcquainted;
      },
    },
    isCut: () => isCut,
    tell: (_channel, control) => told.push(control),
  });
}

beforeEach(() => {
  clock = new VirtualClock();
  told = [];
  others = new Map([[OTHER, { id: OTHER, name: "other", answersClaims: true }]]);
  isAcquainted = true;
  isCut = false;
  claims = createClaims();
});

function idOf(control: Control | undefined): number {
  return (control as { readonly id: number }).id;
}

test("a request is new where its node does not answer within the lease, is gone, or cannot be asked", async () => {
  const slow = claims.claim(OTHER, REQUEST);
  await clock.advance(1_000);
  expect(await slow).toEqual(NEW);
  const gone = claims.claim(OTHER, REQUEST);
  claims.went(OTHER);
  expect(await gone).toEqual(NEW);
  const given = claims.claim(OTHER, REQUEST);
  claims.giveUp();
  expect(await given).toEqual(NEW);
  isCut = true;
  expect(await claims.claim(OTHER, REQUEST)).toEqual(NEW);
  // The first question was asked three times, and the node hears that the request is being handled here.
  expect([told.length, clock.timers]).toEqual([5, 1]);
  claims.handled(OTHER, REQUEST, undefined);
  expect(clock.timers).toBe(0);
});

test("a node that handles the request is waited for as long as it takes, and until it is gone", async () => {
  const first = claims.claim(OTHER, REQUEST);
  const second = claims.claim(OTHER, REQUEST);
  for (const control of told) claims.take(OTHER, { type: "claimed", id: idOf(control), receipt: undefined });
  const [one, two] = [(await first).later, (await second).later];
  await clock.advance(3_600_000);
  const reply: Receipt = { isNew: false, reply: "reply" };
  claims.take("elsewhere-", { type: "claimed", id: idOf(told[0]), receipt: NEW });
  claims.take(OTHER, { type: "claimed", id: idOf(told[0]), receipt: reply });
  claims.went(OTHER);
  expect([await one, await two]).toEqual([reply, NEW]);
});

test("a question is asked again until it is decided, also while the request is being handled", async () => {
  const answer = claims.claim(OTHER, REQUEST);
  await clock.advance(400);
  claims.take(OTHER, { type: "claimed", id: idOf(told[0]), receipt: undefined });
  const { later } = await answer;
  await clock.advance(1_000);
  expect(told).toEqual(Array.from({ length: 5 }, () => ({ type: "claim", id: idOf(told[0]), ...REQUEST })));
  claims.take(OTHER, { type: "claimed", id: idOf(told[0]), receipt: NEW });
  expect(await later).toEqual(NEW);
  // From now on that says that it is being handled here.
  await clock.advance(1_000);
  expect(told.length).toBe(8);
  claims.handled(OTHER, REQUEST, "reply");
  expect(clock.timers).toBe(0);
});

test("a node that is gone, or a hub that closes, ends what is said of requests that are being handled", async () => {
  for (const end of [() => claims.went(OTHER), () => claims.stop()]) {
    const answer = claims.claim(OTHER, REQUEST);
    claims.take(OTHER, { type: "claimed", id: idOf(told.at(-1)), receipt: NEW });
    // oxlint-disable-next-line no-await-in-loop -- one question after the other
    expect([await answer, clock.timers]).toEqual([NEW, 1]);
    end();
    expect(clock.timers).toBe(0);
  }
});

test("a question that is asked again is taken for one, and is decided once more if it was decided", () => {
  const asked: ((receipt: Receipt) => void)[] = [];
  const keeper: RepeatKeeper = {
    ask: (_repeatable, _node, answer) => asked.push(answer),
    handled: () => {},
    heard: () => {},
    gone: () => {},
  };
  claims = createClaims(keeper);
  for (let count = 0; count < 3; count++) claims.take(OTHER, { type: "claim", id: 1, ...REQUEST });
  const handling = { type: "claimed", id: 1, receipt: undefined };
  expect([asked.length, told]).toEqual([1, [handling, handling, handling]]);
  asked[0]?.(NEW);
  claims.take(OTHER, { type: "claim", id: 1, ...REQUEST });
  claims.take(OTHER, { type: "claim", id: 2, ...REQUEST });
  claims.went(OTHER);
  claims.take(OTHER, { type: "claim", id: 2, ...REQUEST });
  expect(asked.length).toBe(4);
});

test("a node that is not known is taken for gone, as soon as all nodes are known", () => {
  const asked: string[] = [];
  const gone: string[] = [];
  claims = createClaims({
    ask: (_repeatable, node) => asked.push(node),
    handled: () => {},
    heard: () => {},
    gone: (node) => gone.push(node),
  });
  isAcquainted = false;
  others.clear();
  for (const node of [OTHER, "third-node"]) claims.take(node, { type: "claim", id: 1, ...REQUEST });
  others.set(OTHER, { id: OTHER, name: "other", answersClaims: true });
  isAcquainted = true;
  claims.acquainted();
  claims.acquainted();
  expect([asked, gone]).toEqual([[OTHER, "third-node"], ["third-node"]]);
  // Late questions of a node that was gone.
  for (const node of [OTHER, "third-node"]) claims.take(node, { type: "claim", id: 2, ...REQUEST });
  expect(asked).toEqual([OTHER, "third-node", OTHER]);
});

test("of a node that turns out to be gone, or to know no claims, nothing is awaited", async () => {
  others.clear();
  isAcquainted = false;
  const gone = claims.claim("gone-node-", REQUEST);
  const old = claims.claim(OTHER, REQUEST);
  others.set(OTHER, { id: OTHER, name: "other", answersClaims: false });
  isAcquainted = true;
  claims.acquainted();
  expect([await gone, await old, clock.timers]).toEqual([NEW, NEW, 0]);
  expect(claims.nodeOf(OTHER + SOCKET_PART)).toBeUndefined();
});

test("a hub that closes decides nothing any more", async () => {
  const decided: Receipt[] = [];
  void claims.claim(OTHER, REQUEST).then((receipt) => decided.push(receipt));
  claims.stop();
  await clock.advance(3_600_000);
  expect([decided, clock.timers]).toEqual([[], 0]);
});

test("the node of a socket is asked if it is another one, and not known to be gone", () => {
  expect(claims.nodeOf(OTHER + SOCKET_PART)).toBe(OTHER);
  expect(claims.nodeOf(SELF + SOCKET_PART)).toBeUndefined();
  expect(claims.nodeOf("no id")).toBeUndefined();
  const sockets = [SELF + SOCKET_PART, OTHER + SOCKET_PART, "no id"];
  expect(sockets.map((socket) => claims.isThere(socket))).toEqual([true, true, false]);
  others.clear();
  expect([claims.nodeOf(OTHER + SOCKET_PART), claims.isThere(OTHER + SOCKET_PART)]).toEqual([undefined, false]);
  isAcquainted = false;
  expect(claims.nodeOf(OTHER + SOCKET_PART)).toBe(OTHER);
});

test("a node that remembers nothing answers that the request is new", () => {
  claims.take(OTHER, { type: "claim", id: 1, ...REQUEST });
  expect(told).toEqual([{ type: "claimed", id: 1, receipt: NEW }]);
});
