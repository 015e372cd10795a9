import assert from "node:assert/strict";
import { ReplyError, type HubError, type RemoteError } from "../../../errors.ts";
import { createEmitter } from "../../../hub/emitter.ts";
import type { Hub } from "../../../hub/hub.ts";
import type { ClusterSuite } from "./cluster-suite.ts";
import { until, type ClusterFixture } from "./cluster-fixture.ts";
import { addSilentNode, SILENT_NODE } from "./silent-node.ts";

/** A time that no test waits for, in milliseconds. */
const LONG = 60_000;

/** Adds the cases about messages to one node, and about requests between the programs on the nodes. */
export function nodeRequestCases(suite: ClusterSuite): void {
  suite.test("a message to one node reaches the program there, once and in order", async (fixture) => {
    const heard: unknown[] = [];
    for (const [index, hub] of fixture.hubs.entries()) {
      hub.onNode("news", (data, node) => heard.push([index, data, node.name]));
    }
    const target = programOf(fixture, 0, 2);
    for (let count = 0; count < 20; count++) target.emit("news", count);
    await fixture.settled();
    await until("all messages have arrived", () => heard.length >= 20);
    assert.deepEqual(
      heard,
      Array.from({ length: 20 }, (_, count) => [2, count, "one"]),
    );
  });

  suite.test("a message to a node that is not there does nothing, and a request to it fails", async (fixture) => {
    const target = fixture.hub(0).toNode("nobody-has");
    target.emit("news");
    await assert.rejects(target.request("q", 1, { timeout: LONG }), { code: "ERR_HUB_DISCONNECTED" });
    const [gone] = fixture.hub(0).nodes;
    await fixture.hubs.find((hub) => hub.node?.id === gone?.id)?.close();
    await until("the node is gone", () => fixture.hub(0).nodes.length === 1);
    const late = fixture.hub(0).toNode(gone?.id ?? "");
    late.emit("news");
    await assert.rejects(late.request("q", 1, { timeout: LONG }), { code: "ERR_HUB_DISCONNECTED" });
    assert.deepEqual(fixture.failures(0), []);
  });

  suite.test("a request collects the replies of the programs on all other nodes", async (fixture) => {
    const asked: unknown[] = [];
    const data = { when: new Date(7), bytes: new Uint8Array([1, 2]), nothing: undefined };
    for (const [index, hub] of fixture.hubs.entries()) {
      hub.onNode("q", () => asked.push("not meant"));
      hub.handleNode("q", async (given, node) => {
        asked.push([given, node]);
        return new Map([[index, given]]);
      });
    }
    const { replies, failures, silent } = await fixture.hub(1).requestNodes("q", data, { timeout: LONG });
    assert.deepEqual(
      new Map(replies),
      new Map([0, 2].map((index) => [idOf(fixture.hub(index)), new Map([[index, data]])])),
    );
    assert.deepEqual([failures.size, silent], [0, []]);
    assert.deepEqual(
      asked,
      [0, 2].map(() => [data, fixture.hub(1).node]),
    );
  });

  suite.test("a request to one node resolves with its reply", async (fixture) => {
    for (const [index, hub] of fixture.hubs.entries()) hub.handleNode("q", (data) => [index, data]);
    assert.deepEqual(await programOf(fixture, 0, 1).request("q", "a"), [1, "a"]);
    const large = "ä".repeat(150_000);
    assert.deepEqual(await programOf(fixture, 2, 0).request("q", large), [0, large]);
    // A program that is asked may ask back.
    fixture.hub(1).handleNode("relay", (data, node) => fixture.hub(1).toNode(node.id).request("q", data));
    assert.deepEqual(await programOf(fixture, 2, 1).request("relay", "b"), [2, "b"]);
  });

  suite.test("what is sent to a program and asked of it arrives in the order of the calls", async (fixture) => {
    const heard: unknown[] = [];
    fixture.hub(1).handleNode("q", (data) => heard.push(data));
    const target = programOf(fixture, 0, 1);
    const expected = Array.from({ length: 30 }, (_, at) => at);
    const asked: Promise<unknown>[] = [];
    for (const at of expected) {
      if (at % 3 === 0) asked.push(target.request("q", at));
      else target.emit("q", at);
    }
    await Promise.all(asked);
    await until("all have arrived", () => heard.length >= expected.length);
    assert.deepEqual(heard, expected);
  });

  suite.test("the failures of programs tell their reasons", async (fixture) => {
    fixture.hub(1).handleNode("q", () => {
      throw new ReplyError("busy", "not now", { data: new Date(7) });
    });
    fixture.hub(2).handleNode("q", () => Promise.reject(new Error("a secret")));
    const { replies, failures, silent } = await fixture.hub(0).requestNodes("q");
    assert.deepEqual([replies.size, silent], [0, []]);
    assert.deepEqual(
      [1, 2].map((index) => reasonOf(failures.get(idOf(fixture.hub(index))))),
      [
        ["ERR_HUB_REMOTE", "busy", "not now", new Date(7)],
        ["ERR_HUB_REMOTE", "handler-failed", "The node failed to handle this.", undefined],
      ],
    );
    const reported = fixture.failures(2).map((error) => (error as Error).message);
    assert.deepEqual([fixture.failures(0), fixture.failures(1), reported], [[], [], ["a secret"]]);

    fixture.hub(1).handleNode("unsendable", () => () => {});
    const partial = await fixture.hub(0).requestNodes("unsendable");
    assert.deepEqual(
      [1, 2].map((index) => reasonOf(partial.failures.get(idOf(fixture.hub(index))))[1]),
      ["handler-failed", "unknown-event"],
    );
    assert.deepEqual(
      fixture.failures(1).map((error) => (error as HubError).code),
      ["ERR_HUB_UNSERIALISABLE"],
    );
    const one = programOf(fixture, 0, 1).request("q");
    await assert.rejects(one, { name: "RemoteError", reason: "busy", message: "not now" });
  });

  suite.test("a node that closes before it has replied fails, and the other replies are kept", async (fixture) => {
    fixture.hub(1).handleNode("q", () => "here");
    const called = new Promise<void>((resolve) => {
      fixture.hub(2).handleNode("q", () => {
        resolve();
        return new Promise(() => {});
      });
    });
    const asked = fixture.hub(0).requestNodes("q", 1, { timeout: LONG });
    const one = programOf(fixture, 0, 2).request("q", 1, { timeout: LONG });
    await called;
    await fixture.hub(2).close();
    const { replies, failures, silent } = await asked;
    assert.deepEqual([...replies], [[idOf(fixture.hub(1)), "here"]]);
    assert.deepEqual(codesOf(failures), [[idOf(fixture.hub(2)), "ERR_HUB_DISCONNECTED"]]);
    assert.deepEqual(silent, []);
    await assert.rejects(one, { code: "ERR_HUB_DISCONNECTED" });
  });

  suite.test("programs that do not reply in time are named", async (fixture) => {
    for (const hub of fixture.hubs) hub.handleNode("q", () => new Promise(() => {}));
    const leave = await addSilentNode(fixture);
    const { replies, failures, silent } = await fixture.hub(0).requestNodes("q", 1, { timeout: 100 });
    const ids = [idOf(fixture.hub(1)), idOf(fixture.hub(2)), SILENT_NODE];
    assert.deepEqual(new Map(codesOf(failures)), new Map(ids.map((id) => [id, "ERR_HUB_TIMEOUT"])));
    assert.deepEqual([replies.size, silent.toSorted()], [0, ["mute", "three", "two"]]);
    const one = fixture.hub(0).toNode(SILENT_NODE).request("q", 1, { timeout: 100 });
    await assert.rejects(one, { code: "ERR_HUB_TIMEOUT" });
    await leave();
  });

  suite.test("a handler is told when the node that asks does not wait any more", async (fixture) => {
    const signals: AbortSignal[] = [];
    fixture.hub(1).handleNode("q", (_data, _node, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    });
    const short = programOf(fixture, 0, 1).request("q", 1, { timeout: 100 });
    const long = programOf(fixture, 2, 1).request("q", 1, { timeout: LONG });
    await assert.rejects(short, { code: "ERR_HUB_TIMEOUT" });
    await until("both are handled, and one is told", () => signals.length === 2 && signals.some(isAborted));
    assert.equal(signals.every(isAborted), false);
    await Promise.all([fixture.hub(2).close(), assert.rejects(long, { code: "ERR_HUB_CLOSED" })]);
    await until("both are told", () => signals.every(isAborted));
  });

  suite.test("a drain waits for the handlers of other nodes' requests", async (fixture) => {
    const called = new Promise<() => void>((resolve) => {
      fixture.hub(1).handleNode("q", () => new Promise((finish) => resolve(() => finish("done"))));
    });
    const asked = programOf(fixture, 0, 1).request("q", 1, { timeout: LONG });
    const finish = await called;
    const drained = fixture.hub(1).drain({ within: LONG });
    assert.equal(
      await programOf(fixture, 2, 1)
        .request("none")
        .catch(({ reason }) => reason),
      "unknown-event",
    );
    finish();
    assert.equal(await asked, "done");
    await drained;
  });

  suite.test(
    "a request to programs waits for a dead node no longer than the lease",
    { cluster: { lease: 3_000 } },
    async (fixture) => {
      for (const hub of fixture.hubs) hub.handleNode("q", () => "here");
      const leave = await addSilentNode(fixture);
      const one = fixture.hub(0).toNode(SILENT_NODE).request("q", 1, { timeout: LONG });
      const asked = fixture.hub(0).requestNodes("q", 1, { timeout: LONG });
      await assert.rejects(one, { code: "ERR_HUB_DISCONNECTED" });
      const { replies, failures, silent } = await asked;
      assert.deepEqual(codesOf(failures), [[SILENT_NODE, "ERR_HUB_DISCONNECTED"]]);
      assert.deepEqual([replies.size, silent], [2, ["mute"]]);
      await leave();
    },
  );

  suite.test("an emitter asks the programs, and sends a message to one of them", async (fixture) => {
    const heard: unknown[] = [];
    for (const [index, hub] of fixture.hubs.entries()) {
      hub.handleNode("q", () => index);
      hub.onNode("news", (data) => heard.push([index, data]));
    }
    const emitter = createEmitter(fixture.createBackplane());
    const { replies, failures, silent } = await emitter.requestNodes("q");
    assert.deepEqual(new Map(replies), new Map(fixture.hubs.map((hub, index) => [idOf(hub), index])));
    assert.deepEqual([failures.size, silent], [0, []]);
    assert.equal(await emitter.toNode(idOf(fixture.hub(2))).request("q"), 2);
    emitter.toNode(idOf(fixture.hub(1))).emit("news", 7);
    await emitter.close();
    await until("the message has arrived", () => heard.length > 0);
    assert.deepEqual(heard, [[1, 7]]);
    await assert.rejects(emitter.requestNodes("q"), { code: "ERR_HUB_CLOSED" });
  });

  suite.outage("no request to a program hangs", {}, async (fixture, outage) => {
    const called = new Set<number>();
    for (const [index, hub] of fixture.hubs.entries()) {
      hub.handleNode("q", () => {
        called.add(index);
        return new Promise(() => {});
      });
    }
    const all = fixture.hub(0).requestNodes("q", 1, { timeout: LONG });
    const one = programOf(fixture, 0, 1).request("q", 1, { timeout: LONG });
    await until("both are asked", () => called.size === 2);
    await outage.begin();
    await lostWith(fixture, all, one);
    const during = programOf(fixture, 0, 1).request("q", 1, { timeout: LONG });
    await lostWith(fixture, fixture.hub(0).requestNodes("q", 1, { timeout: LONG }), during);
    await outage.end();
    await fixture.assembled();
    fixture.hub(1).handleNode("again", () => "here");
    fixture.hub(2).handleNode("again", () => "here");
    assert.deepEqual([...(await fixture.hub(0).requestNodes("again")).replies.values()], ["here", "here"]);
  });
}

/** Checks that requests to all nodes and to one have failed because of the engine. */
async function lostWith(
  fixture: ClusterFixture,
  all: ReturnType<Hub["requestNodes"]>,
  one: Promise<unknown>,
): Promise<void> {
  await assert.rejects(one, { code: "ERR_HUB_BACKPLANE" });
  const { replies, failures, silent } = await all;
  const others = [1, 2].map((index) => [idOf(fixture.hub(index)), "ERR_HUB_BACKPLANE"] as const);
  assert.deepEqual([replies.size, new Map(codesOf(failures))], [0, new Map(others)]);
  assert.deepEqual(silent.toSorted(), ["three", "two"]);
}

/** The program on one node, as another one reaches it. */
function programOf(fixture: ClusterFixture, from: number, to: number): ReturnType<Hub["toNode"]> {
  return fixture.hub(from).toNode(idOf(fixture.hub(to)));
}

function isAborted({ aborted }: AbortSignal): boolean {
  return aborted;
}

function idOf(hub: Hub): string {
  assert.ok(hub.node !== undefined);
  return hub.node.id;
}

function codesOf(failures: ReadonlyMap<string, HubError>): [string, string][] {
  return Array.from(failures, ([id, { code }]) => [id, code]);
}

function reasonOf(failure: HubError | undefined): unknown[] {
  const { code, data, message, reason } = (failure ?? {}) as Partial<RemoteError>;
  return [code, reason, message, data];
}
