import { setImmediate as turn } from "node:timers/promises";
import { createEmitter, Hub, ReplyError, type Backplane, type HubOptions, type Replies } from "roomcast";
import { memory, MemoryEngine, VirtualClock } from "roomcast/testing";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { encodeBundle, encodeControl, encodeValue, type Control } from "../../../src/cluster/envelope.ts";
import { hubError } from "../../support/hub-error.ts";
import { limited } from "../../support/limited-backplane.ts";

let clock: VirtualClock;
let engine: MemoryEngine;

beforeEach(() => {
  clock = new VirtualClock();
  engine = new MemoryEngine();
});

/** Starts a node that does not know yet which others there are. */
function startNode(name: string, { cluster, ...options }: HubOptions = {}): Hub {
  const backplane = engine.backplane();
  const hub = new Hub({
    transport: memory(),
    clock,
    backplane,
    heartbeat: false,
    cluster: { ...cluster, name },
    ...options,
  });
  onTestFinished(() => hub.close());
  return hub;
}

/** Starts nodes that know each other. */
async function openNodes(...options: readonly HubOptions[]): Promise<[Hub, Hub, Hub]> {
  const nodes = ["one", "two", "three"].map((name, index) => startNode(name, options[index])) as [Hub, Hub, Hub];
  await clock.advance(1_000);
  expect(nodes.map((hub) => hub.nodes.length)).toEqual([2, 2, 2]);
  return nodes;
}

function idOf({ node }: Hub): string {
  return node?.id ?? "?";
}

function codesOf({ failures }: Replies<unknown>): Record<string, string> {
  return Object.fromEntries(Array.from(failures, ([id, { code }]) => [id, code]));
}

/** The errors that a hub reports from now on. */
function errorsOf(hub: Hub): (readonly [source: string, event: string | undefined, error: unknown])[] {
  const errors: [string, string | undefined, unknown][] = [];
  hub.on("error", (error, { source, event }) => errors.push([source, event, error]));
  return errors;
}

/** Collects the rejections that nobody handles. */
function unhandledRejections(): unknown[] {
  const rejections: unknown[] = [];
  const listener = (error: unknown): void => void rejections.push(error);
  process.on("unhandledRejection", listener);
  onTestFinished(() => void process.off("unhandledRejection", listener));
  return rejections;
}

const NOBODY: Replies<unknown> = { replies: new Map(), failures: new Map(), silent: [] };

describe("without a backplane", () => {
  test("a request to all nodes has no replies, one to a node fails, and handlers are held to the same rules", async () => {
    const hub = new Hub({ transport: memory(), limits: { listeners: 2 } });
    onTestFinished(() => hub.close());
    expect(await hub.requestNodes("q", 1)).toEqual(NOBODY);
    hub.toNode("0123456789").emit("q", 1);
    await expect(hub.toNode("0123456789").request("q")).rejects.toThrow(hubError("ERR_HUB_DISCONNECTED"));
    const remove = hub.handleNode("q", () => 1);
    expect(() => hub.handleNode("q", () => 2)).toThrow(hubError("ERR_HUB_HANDLED", '"q"'));
    remove();
    hub.handleNode("q", () => 3);
    // The remover of one handler never removes another.
    remove();
    expect(() => hub.handleNode("q", () => 4)).toThrow(hubError("ERR_HUB_HANDLED"));
    hub.onNode("q", () => {});
    expect(() => hub.onNode("q", () => {})).toThrow(hubError("ERR_HUB_LIMIT"));
  });
});

describe("mistakes", () => {
  test("in names, ids, options and data are told to the caller", async () => {
    const [hub] = await openNodes();
    const target = hub.toNode(idOf(hub).split("").toReversed().join(""));
    for (const id of ["one", "", "0123456789a", "012345678 ", 7, undefined, null]) {
      expect(() => hub.toNode(id as string)).toThrow(hubError("ERR_HUB_ARGUMENT", "hub.nodes"));
    }
    expect(() => hub.toNode(idOf(hub))).toThrow(hubError("ERR_HUB_ARGUMENT", "this node itself"));
    expect(() => target.emit("hub:q")).toThrow(hubError("ERR_HUB_EVENT_NAME"));
    expect(() => target.emit("q", () => {})).toThrow(hubError("ERR_HUB_UNSERIALISABLE"));
    expect(() => target.emit("q", ...([1, 2] as unknown as [number]))).toThrow(hubError("ERR_HUB_ARGUMENT"));
    expect(() => hub.handleNode("", () => {})).toThrow(hubError("ERR_HUB_EVENT_NAME"));
    expect(() => hub.handleNode("q", 1 as never)).toThrow(hubError("ERR_HUB_ARGUMENT"));
    for (const ask of [hub.requestNodes.bind(hub), target.request.bind(target)]) {
      await expect(ask("hub:q")).rejects.toThrow(hubError("ERR_HUB_EVENT_NAME"));
      await expect(ask("q", Symbol("no"))).rejects.toThrow(hubError("ERR_HUB_UNSERIALISABLE", '"q"'));
      await expect(ask("q", 1, { timeout: 0 })).rejects.toThrow(hubError("ERR_HUB_ARGUMENT"));
      for (const second of [5, { more: 1 }, { timeout: 5, more: 1 }]) {
        await expect(ask("q", 1, second as never)).rejects.toThrow(hubError("ERR_HUB_ARGUMENT", "into an object"));
      }
    }
    await hub.close();
    expect(() => target.emit("q")).toThrow(hubError("ERR_HUB_CLOSED"));
    await expect(target.request("q")).rejects.toThrow(hubError("ERR_HUB_CLOSED"));
    await expect(hub.requestNodes("q")).rejects.toThrow(hubError("ERR_HUB_CLOSED"));
  });
});

describe("a handler of handleNode", () => {
  test("hears messages as well as requests, and a listener of onNode hears messages alone", async () => {
    const [one, two, three] = await openNodes();
    const calls: unknown[] = [];
    two.onNode("q", (data, node) => calls.push(["listener", data, node]));
    const remove = two.handleNode("q", (data, node) => calls.push(["handler", data, node]));
    const all = one.requestNodes("q", 1);
    one.emitToNodes("q", 2);
    one.toNode(idOf(two)).emit("q", 3);
    await clock.advance(0);
    expect([...(await all).replies]).toEqual([[idOf(two), 1]]);
    const expected = [
      ["handler", 1],
      ["listener", 2],
      ["handler", 2],
      ["listener", 3],
      ["handler", 3],
    ];
    expect(calls).toEqual(expected.map((call) => [...call, one.node]));
    remove();
    one.emitToNodes("q", 4);
    const none = await one
      .toNode(idOf(two))
      .request("q")
      .catch((error: unknown) => error);
    expect(none).toMatchObject({ name: "RemoteError", code: "ERR_HUB_REMOTE", reason: "unknown-event" });
    expect(calls.slice(expected.length)).toEqual([["listener", 4, one.node]]);
    expect(three.nodes).toHaveLength(2);
  });

  test("answers with what the error of another node said only if it says so itself", async () => {
    const [one, two, three] = await openNodes();
    const errors = errorsOf(two);
    three.handleNode("q", () => {
      throw new ReplyError("busy", "of the third");
    });
    two.handleNode("q", () => two.toNode(idOf(three)).request("q"));
    const failed = one.toNode(idOf(two)).request("q");
    await expect(failed).rejects.toMatchObject({
      reason: "handler-failed",
      message: "The node failed to handle this.",
    });
    expect(errors).toEqual([["node", "q", expect.objectContaining({ reason: "busy" })]]);
  });

  test("is not called for a request that names other nodes, or cannot be read", async () => {
    const [one, two, three] = await openNodes();
    const errors = errorsOf(two);
    // The other nodes hear what cannot be read as well.
    const heard = [errorsOf(one), errorsOf(three)];
    const calls: unknown[] = [];
    for (const hub of [one, two]) hub.handleNode("q", (data, node) => calls.push([hub.node?.name, data, node]));
    const from = "0123456789";
    const backplane = engine.backplane();
    backplane.start({ message: () => {}, up: () => {}, refused: () => {}, down: () => {} });
    const send = async (control: object): Promise<void> => {
      await backplane.publish("nodes", encodeBundle(from, [encodeControl(control as Control)]));
      await clock.advance(0);
    };
    const request = { type: "request", id: 1, event: "q", data: encodeValue("data"), nodes: [idOf(two)], timeout: 500 };
    await send({ ...request, nodes: ["other-node"] });
    await send(request);
    expect([calls, errors]).toEqual([[["two", "data", { id: from, name: from }]], []]);
    await send({ ...request, data: Buffer.from([0xff, 0xfe]) });
    await send({ ...request, nodes: undefined });
    await send({ ...request, data: undefined });
    expect(calls).toHaveLength(1);
    // Further ones of the same node are reported after an hour.
    expect(errors.map(([source]) => source)).toEqual(["node", "backplane"]);
    expect(heard.map((all) => all.map(([source]) => source))).toEqual([["backplane"], ["backplane"]]);
    await backplane.close();
  });

  test("refuses with data, and without what cannot be copied", async () => {
    const [one, two] = await openNodes();
    const errors = errorsOf(two);
    two.handleNode("q", (copyable) => {
      throw new ReplyError("full", "no room", { data: copyable === true ? new Set([1]) : (): void => {} });
    });
    const { failures } = await one.requestNodes("q", true);
    expect(failures.get(idOf(two))).toMatchObject({ reason: "full", message: "no room", data: new Set([1]) });
    expect(errors).toEqual([]);
    const bare = one.toNode(idOf(two)).request("q", false);
    await expect(bare).rejects.toMatchObject({ reason: "full", message: "no room", data: undefined });
    expect(errors).toEqual([["node", "q", hubError("ERR_HUB_UNSERIALISABLE", "The data of the refusal")]]);
  });

  test("whose data or reply cannot be copied fails that request alone", async () => {
    const [one, two] = await openNodes();
    const errors = errorsOf(two);
    two.handleNode("q", (data) => (data === 1 ? (): void => {} : data));
    const target = one.toNode(idOf(two));
    const asked = [target.request("q", 1), target.request("q", 2)];
    expect(await Promise.allSettled(asked)).toMatchObject([{ reason: { reason: "handler-failed" } }, { value: 2 }]);
    expect(errors).toEqual([["node", "q", hubError("ERR_HUB_UNSERIALISABLE", "The reply")]]);
  });

  test("is at work on no more than the node may be, and what is refused says so", async () => {
    const maxPendingBytes = 100_000;
    const [one, two, three] = await openNodes({}, { cluster: { maxPendingBytes } });
    const held: { readonly data: string; readonly finish: (value: string) => void }[] = [];
    two.handleNode("q", (data = "") => new Promise((finish) => held.push({ data, finish })));
    const weight = (): number => held.reduce((sum, { data }) => sum + data.length, 0);
    const ask = (hub: Hub, count: number, data?: string): Promise<unknown>[] => {
      return Array.from({ length: count }, () => hub.toNode(idOf(two)).request("q", data));
    };
    const data = "x".repeat(10_000);
    const asked = ask(one, 30, data);
    const refused = await Promise.race(asked.map((reply) => reply.catch((error: unknown) => error)));
    expect(refused).toMatchObject({ name: "RemoteError", reason: "too-many-requests" });
    await clock.advance(0);
    const ofOne = held.length;
    // What one node asks leaves room for another.
    asked.push(...ask(three, 30, data));
    await clock.advance(0);
    expect([ofOne > 0, held.length > ofOne, weight() <= maxPendingBytes]).toEqual([true, true, true]);
    // Requests without data count, too.
    asked.push(...ask(one, 200), ...ask(three, 200));
    await clock.advance(0);
    expect(held.length).toBeLessThan(maxPendingBytes / 1_024);
    for (const { finish } of held) finish("done");
    const settled = await Promise.allSettled(asked);
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(held.length);
    held.length = 0;
    const again = ask(one, ofOne, data);
    await clock.advance(0);
    for (const { finish } of held) finish("again");
    expect(await Promise.all(again)).toEqual(Array.from({ length: ofOne }, () => "again"));
  });

  test("is at work on one request of each node, however large and whatever the budget", async () => {
    const [one, two, three] = await openNodes({}, { cluster: { maxPendingBytes: 2_000 } });
    const finish: (() => void)[] = [];
    two.handleNode("q", ({ length }: Uint8Array) => new Promise((resolve) => finish.push(() => resolve(length))));
    const ask = (hub: Hub): Promise<unknown> => hub.toNode(idOf(two)).request("q", new Uint8Array(5_000));
    const asked = [ask(one), ask(three)];
    const second = ask(one);
    await expect(second).rejects.toMatchObject({ reason: "too-many-requests" });
    for (const end of finish) end();
    expect(await Promise.all(asked)).toEqual([5_000, 5_000]);
    const again = ask(one);
    await clock.advance(0);
    finish.at(-1)?.();
    expect(await again).toBe(5_000);
  });

  test("is told by a signal that nobody waits any more, and leaves its room to other requests", async () => {
    const [one, two, three] = await openNodes({}, { cluster: { maxPendingBytes: 100_000 } });
    let signals: AbortSignal[] = [];
    let finish: (() => void) | undefined;
    two.handleNode("q", (_data, _node, { signal }) => {
      signals.push(signal);
      return new Promise<void>((resolve) => (finish = resolve));
    });
    const ask = async (hub: Hub, timeout: number): Promise<number> => {
      signals = [];
      for (let count = 0; count < 200; count++) void hub.toNode(idOf(two)).request("q", undefined, { timeout });
      await clock.advance(0);
      expect(signals.every(({ aborted }) => !aborted)).toBe(true);
      return signals.length;
    };
    const most = await ask(one, 500);
    expect([most > 0, most < 200]).toEqual([true, true]);
    await clock.advance(500);
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    const { published } = two.stats().cluster ?? {};
    finish?.();
    await clock.advance(0);
    expect(two.stats().cluster?.published).toBe(published);
    expect(await ask(one, 60_000)).toBe(most);
    const ofOne = signals;
    await one.close();
    await clock.advance(0);
    expect(ofOne.every(({ aborted }) => aborted)).toBe(true);
    expect(await ask(three, 60_000)).toBe(most);
    const ofThree = signals;
    await two.close();
    expect(ofThree.every(({ aborted }) => aborted)).toBe(true);
  });

  test("hears a message with a signal that is aborted when its hub closes", async () => {
    const [one, two] = await openNodes();
    let heard: AbortSignal | undefined;
    two.handleNode("q", (_data, _node, { signal }) => void (heard = signal));
    one.emitToNodes("q");
    await clock.advance(60_000);
    expect(heard?.aborted).toBe(false);
    await two.close();
    expect(heard?.aborted).toBe(true);
  });

  test("is waited for by a drain, which ends at its time nevertheless", async () => {
    const [one, two] = await openNodes();
    two.handleNode("slow", () => {
      return new Promise((resolve) => {
        clock.setTimeout(() => resolve("done"), 500);
      });
    });
    two.handleNode("never", () => new Promise(() => {}));
    const target = one.toNode(idOf(two));
    const slow = target.request("slow");
    const never = target.request("never", undefined, { timeout: 60_000 });
    await clock.advance(0);
    const drained = two.drain({ within: 2_000 });
    await clock.advance(1_000);
    expect(await slow).toBe("done");
    expect(await target.request("none").catch(({ reason }) => reason)).toBe("unknown-event");
    await Promise.all([clock.advance(1_000), expect(never).rejects.toThrow(hubError("ERR_HUB_DISCONNECTED"))]);
    await drained;
  });

  test("lets a drain end as soon as it has finished, or nobody waits for it", async () => {
    const [one, two] = await openNodes();
    let calls = 0;
    let finish: ((value: string) => void) | undefined;
    two.handleNode("q", () => new Promise((resolve) => (calls++, (finish = resolve))));
    const target = one.toNode(idOf(two));
    const late = target.request("q", undefined, { timeout: 500 });
    const done = target.request("q", undefined, { timeout: 60_000 });
    await clock.advance(0);
    expect(calls).toBe(2);
    const drained = two.drain({ within: 600_000 });
    await Promise.all([clock.advance(500), expect(late).rejects.toThrow(hubError("ERR_HUB_TIMEOUT"))]);
    finish?.("done");
    await drained;
    expect(await done).toBe("done");
  });
});

describe("while the engine is away", () => {
  test("for longer than the lease, requests do not look as if this node were alone, nor do they afterwards", async () => {
    const rejections = unhandledRejections();
    const [one, two, three] = await openNodes();
    for (const hub of [two, three]) hub.handleNode("q", () => "here");
    engine.stop();
    await clock.advance(30_000);
    expect([one.backplaneState, one.nodes]).toEqual(["disconnected", []]);
    void one.requestNodes("q");
    await expect(one.requestNodes("q")).rejects.toThrow(hubError("ERR_HUB_BACKPLANE", "nodes"));
    await expect(one.toNode(idOf(two)).request("q")).rejects.toThrow(hubError("ERR_HUB_BACKPLANE"));
    engine.start();
    const asked = [one.requestNodes("q"), one.toNode(idOf(two)).request("q")] as const;
    const none = one.toNode("0123456789").request("q");
    await Promise.all([clock.advance(1_000), expect(none).rejects.toThrow(hubError("ERR_HUB_DISCONNECTED"))]);
    const [{ replies, failures, silent }, reply] = await Promise.all(asked);
    expect([replies.size, failures.size, silent, reply]).toEqual([2, 0, [], "here"]);
    await turn();
    expect(rejections).toEqual([]);
  });

  test("and has never been there, requests fail", async () => {
    engine.stop();
    const hub = startNode("one");
    const early = [hub.requestNodes("q"), hub.toNode("0123456789").request("q")];
    for (const asked of early) await expect(asked).rejects.toThrow(hubError("ERR_HUB_BACKPLANE"));
    expect(hub.backplaneState).toBe("disconnected");
    await expect(hub.requestNodes("q")).rejects.toThrow(hubError("ERR_HUB_BACKPLANE"));
    await expect(hub.toNode("0123456789").request("q")).rejects.toThrow(hubError("ERR_HUB_BACKPLANE"));
  });
});

describe("while the hub closes", () => {
  test("requests to nodes are settled at once, and not when the last client has gone", async () => {
    const transport = memory();
    const [one, two] = await openNodes({ transport });
    two.handleNode("q", () => new Promise(() => {}));
    const client = transport.connect("/");
    await clock.advance(10);
    client.pause();
    const [socket] = one.sockets.values();
    for (let count = 0; count < 2; count++) socket?.send("x".repeat(400_000));
    const options = { timeout: 600_000 };
    const asked = [one.requestNodes("q", 1, options), one.toNode(idOf(two)).request("q", 1, options)] as const;
    await clock.advance(10);
    let isClosed = false;
    const closing = one.close().then(() => (isClosed = true));
    await expect(asked[1]).rejects.toThrow(hubError("ERR_HUB_CLOSED"));
    expect(codesOf(await asked[0])).toMatchObject({ [idOf(two)]: "ERR_HUB_CLOSED" });
    await expect(one.requestNodes("q", 1, options)).rejects.toThrow(hubError("ERR_HUB_CLOSED"));
    await expect(one.toNode(idOf(two)).request("q", 1, options)).rejects.toThrow(hubError("ERR_HUB_CLOSED"));
    expect(isClosed).toBe(false);
    client.resume();
    await clock.advance(100_000);
    await closing;
  });

  test.each(["hub", "emitter"])("and the engine's connection of a %s ends slowly, no question hangs", async (what) => {
    const backplane = engine.backplane();
    let end: (() => void) | undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const slow: Backplane = {
      ordered: backplane.ordered,
      start: (handlers) => backplane.start(handlers),
      publish: (channel, envelope) => backplane.publish(channel, envelope),
      subscribe: (channel) => backplane.subscribe(channel),
      unsubscribe: (channel) => backplane.unsubscribe(channel),
      close: () => ended.then(() => backplane.close()),
    };
    const two = startNode("two");
    two.handleNode("q", () => new Promise(() => {}));
    const one = what === "hub" ? startNode("one", { backplane: slow }) : createEmitter(slow, { clock });
    await clock.advance(1_000);
    expect(one.nodes).toHaveLength(1);
    const closing = one.close();
    await turn();
    const options = { timeout: 600_000 };
    await expect(one.toNode(idOf(two)).request("q", 1, options)).rejects.toThrow(hubError("ERR_HUB_CLOSED"));
    await expect(one.requestNodes("q", 1, options)).rejects.toThrow(hubError("ERR_HUB_CLOSED"));
    expect((await one.request("q", 1, options)).silent).toEqual(["two"]);
    expect((await one.everybody.sockets(options)).silent).toEqual(["two"]);
    end?.();
    await closing;
  });
});

describe("a request to all nodes", () => {
  test("says that its time was over before the other nodes were known", async () => {
    const others = await openNodes();
    for (const hub of others) hub.handleNode("q", () => "here");
    const asked = startNode("new").requestNodes("q", 1, { timeout: 50 });
    await Promise.all([clock.advance(50), expect(asked).rejects.toThrow(hubError("ERR_HUB_TIMEOUT", "50 ms"))]);
  });

  test("of a node that has just started reaches each of the others once", async () => {
    const others = await openNodes();
    let calls = 0;
    // No reply comes before the newcomers know all nodes.
    const count = (): Promise<number> => {
      calls++;
      return new Promise((resolve) => {
        clock.setTimeout(() => resolve(calls), 500);
      });
    };
    for (const hub of others) hub.handleNode("q", count);
    const emitters = [createEmitter(engine.backplane(), { clock }), createEmitter(engine.backplane(), { clock })];
    onTestFinished(async () => {
      await Promise.all(emitters.map((emitter) => emitter.close()));
    });
    const newcomers = [startNode("new"), ...emitters];
    const asked = newcomers.map((newcomer) => newcomer.requestNodes("q"));
    await clock.advance(1_000);
    const sets = await Promise.all(asked);
    expect(sets.map(({ replies, failures, silent }) => [replies.size, failures.size, silent])).toEqual([
      // The node that has just started handles nothing, and is there for the emitters.
      [3, 0, []],
      [3, 1, []],
      [3, 1, []],
    ]);
    expect(calls).toBe(9);
    const one = startNode("newer");
    const reply = one.toNode(idOf(others[0])).request("q");
    const none = one.toNode("0123456789").request("q", 1, { timeout: 600_000 });
    await Promise.all([clock.advance(1_000), expect(none).rejects.toThrow(hubError("ERR_HUB_DISCONNECTED"))]);
    expect([await reply, calls]).toEqual([10, 10]);
  });

  test("of a node that has just started is asked as each is known, and everything else in the order of the calls", async () => {
    const two = startNode("two");
    await clock.advance(1_000);
    const heard: unknown[] = [];
    two.handleNode("q", (data) => heard.push(data));
    const one = startNode("one");
    const target = one.toNode(idOf(two));
    const asked: Promise<unknown>[] = [one.requestNodes("q", "all")];
    one.emitToNodes("q", 1);
    asked.push(target.request("q", 2));
    target.emit("q", 3);
    asked.push(target.request("q", 4));
    await clock.advance(1_000);
    await Promise.all(asked);
    expect([heard.filter((data) => data !== "all"), heard.length]).toEqual([[1, 2, 3, 4], 5]);
  });

  test("resolves at once where this node is alone", async () => {
    const hub = startNode("one");
    await clock.advance(1_000);
    expect(await hub.requestNodes("q", 1)).toEqual(NOBODY);
  });

  test("takes the data as it is at the call", async () => {
    const [one, two] = await openNodes();
    two.handleNode("q", (data) => data);
    const data = { list: [1] };
    const asked = [one.requestNodes("q", data), one.toNode(idOf(two)).request("q", data)] as const;
    data.list.push(2);
    const [{ replies }, reply] = await Promise.all(asked);
    expect([replies.get(idOf(two)), reply]).toEqual([{ list: [1] }, { list: [1] }]);
  });

  test("keeps the replies that there are when its time is over, and names the nodes without one", async () => {
    const [one, two, three] = await openNodes();
    two.handleNode("q", () => "here");
    let late: ((value: string) => void) | undefined;
    three.handleNode("q", () => new Promise((resolve) => (late = resolve)));
    const asked = one.requestNodes("q");
    const single = one.toNode(idOf(three)).request("q", undefined, { timeout: 500 });
    await Promise.all([clock.advance(9_999), expect(single).rejects.toThrow(hubError("ERR_HUB_TIMEOUT", "500 ms"))]);
    await clock.advance(1);
    const result = await asked;
    expect([...result.replies]).toEqual([[idOf(two), "here"]]);
    expect([codesOf(result), result.silent]).toEqual([{ [idOf(three)]: "ERR_HUB_TIMEOUT" }, ["three"]]);
    expect(result.failures.get(idOf(three))?.message).toBe("The node three did not reply within 10000 ms.");
    // What comes later is ignored.
    late?.("late");
    await clock.advance(0);
    expect(result.replies.size).toBe(1);
  });

  test("and one to a single node settle when the hub closes, and when nobody looks", async () => {
    const rejections = unhandledRejections();
    const [one, two] = await openNodes();
    two.handleNode("q", () => new Promise(() => {}));
    void one.toNode(idOf(two)).request("q");
    const [all, single] = [one.requestNodes("q"), one.toNode(idOf(two)).request("q")];
    await one.close();
    await expect(single).rejects.toThrow(hubError("ERR_HUB_CLOSED"));
    expect(codesOf(await all)).toMatchObject({ [idOf(two)]: "ERR_HUB_CLOSED" });
    void one.toNode(idOf(two)).request("q");
    void one.requestNodes("q");
    await turn();
    expect(rejections).toEqual([]);
  });
});

describe("what the engine does not take", () => {
  test.each([
    ["is too large for it", (): HubOptions => ({ backplane: limited(engine, 20_000) })],
    ["is more than may wait for it", (): HubOptions => ({ cluster: { maxPendingBytes: 20_000 } })],
  ])("of replies, because one %s, is told apart from one that never came", async (_why, options) => {
    const [one, two, three] = await openNodes({}, options());
    const errors = errorsOf(two);
    two.handleNode("q", () => "x".repeat(30_000));
    three.handleNode("q", () => "here");
    const asked = [one.requestNodes("q"), one.toNode(idOf(two)).request("q")] as const;
    await expect(asked[1]).rejects.toThrow(hubError("ERR_HUB_BACKPLANE", "The reply was lost"));
    const result = await asked[0];
    expect([...result.replies]).toEqual([[idOf(three), "here"]]);
    expect([codesOf(result), result.silent]).toEqual([{ [idOf(two)]: "ERR_HUB_BACKPLANE" }, []]);
    expect(errors[0]).toMatchObject(["backplane", undefined, { code: "ERR_HUB_BACKPLANE" }]);
  });

  test("of requests fails them at once, and is reported", async () => {
    const [one, two, three] = await openNodes({ cluster: { maxPendingBytes: 20_000 } });
    const errors = errorsOf(one);
    const data = "x".repeat(30_000);
    const single = one.toNode(idOf(two)).request("q", data);
    await expect(single).rejects.toThrow(hubError("ERR_HUB_BACKPLANE", "The request to the node two was lost"));
    const result = await one.requestNodes("q", data);
    const lost = { [idOf(two)]: "ERR_HUB_BACKPLANE", [idOf(three)]: "ERR_HUB_BACKPLANE" };
    expect([result.replies.size, codesOf(result), result.silent.toSorted()]).toEqual([0, lost, ["three", "two"]]);
    expect(errors).toMatchObject([["backplane", undefined, { code: "ERR_HUB_BACKPLANE" }]]);
  });
});
