import { Hub, type Socket } from "roomcast";
import { memory, MemoryEngine, VirtualClock } from "roomcast/testing";
import { expect, onTestFinished, test } from "vitest";
import { settle } from "../../../src/testing/settle.ts";
import { BreakableBackplane } from "../../support/breakable-backplane.ts";

/** A node whose clients are in the room "x", and answer every request but those of the event "mute". */
interface Node {
  readonly hub: Hub;
  readonly backplane: BreakableBackplane;
}

/** Opens two nodes with the default options, the second of which has a client, and lets them know each other. */
async function openTwo(clock: VirtualClock): Promise<readonly [Node, Node]> {
  const engine = new MemoryEngine();
  const open = async (name: string, clients: number): Promise<Node> => {
    const transport = memory();
    const backplane = new BreakableBackplane(engine.backplane());
    const hub = new Hub({ transport, clock, backplane, cluster: { name }, heartbeat: false, welcome: false });
    onTestFinished(() => hub.close({ within: 0 }));
    hub.on("error", () => {});
    hub.on("connection", (socket: Socket) => socket.join("x"));
    for (let index = 0; index < clients; index++) {
      const client = transport.connect("/");
      client.addEventListener("message", (message) => {
        const { id, event } = JSON.parse((message as MessageEvent).data as string) as { id?: number; event: string };
        if (id !== undefined && event !== "mute") client.send(`{"reply":${id},"data":"here"}`);
      });
    }
    await settle();
    return { hub, backplane };
  };
  const nodes = [await open("one", 0), await open("two", 1)] as const;
  await clock.advance(1_000);
  await settle();
  return nodes;
}

/** Lets time pass in steps in which the nodes hear each other, until the promise is settled. Resolves with the time. */
async function timeUntil(clock: VirtualClock, promise: Promise<unknown>): Promise<number> {
  const settled: unknown[] = [];
  const note = (): number => settled.push(promise);
  void promise.then(note, note);
  await settle();
  let passed = 0;
  for (; settled.length === 0 && passed < 600_000; passed += 100) {
    // oxlint-disable-next-line no-await-in-loop
    await clock.advance(100);
    // oxlint-disable-next-line no-await-in-loop
    await settle();
  }
  return passed;
}

test("questions right after an outage that was longer than a lease wait until all nodes are known again", async () => {
  const clock = new VirtualClock();
  const [one] = await openTwo(clock);
  one.backplane.break();
  await clock.advance(15_000);
  expect(one.hub.nodes).toEqual([]);
  one.backplane.mend();
  const sockets = one.hub.to("x").sockets({ timeout: 60_000 });
  const replies = one.hub.to("x").request("q", 1, { timeout: 60_000 });
  expect(await timeUntil(clock, Promise.all([sockets, replies]))).toBeLessThan(1_000);
  const [found, answered] = [await sockets, await replies];
  expect([found.length, found.silent, answered.replies.size, answered.silent]).toEqual([1, [], 1, []]);
});

test("in an outage that is longer than a lease, the state tells that there may be other nodes", async () => {
  const clock = new VirtualClock();
  const [one] = await openTwo(clock);
  one.backplane.break();
  const asked = async (): Promise<readonly (readonly string[])[]> => {
    const questions = [one.hub.to("x").sockets(), one.hub.to("x").request("q", 1)];
    return (await Promise.all(questions)).map(({ silent }) => silent);
  };
  expect([await asked(), one.hub.backplaneState]).toEqual([[["two"], ["two"]], "disconnected"]);
  await clock.advance(15_000);
  expect([await asked(), one.hub.backplaneState]).toEqual([[[], []], "disconnected"]);
});

test("a node that was killed is gone after the lease, and is waited for no longer than that", async () => {
  const clock = new VirtualClock();
  const [one, two] = await openTwo(clock);
  const [id = ""] = two.hub.sockets.keys();
  two.backplane.kill();
  one.hub.toSocket(id).join("a");
  const first = one.hub.synced("a");
  const sockets = one.hub.to("x").sockets({ timeout: 60_000 });
  await clock.advance(1_000);
  // This is asked behind the question that is under way.
  one.hub.toSocket(id).join("b");
  const second = one.hub.synced("b");
  expect(await timeUntil(clock, first)).toBeLessThanOrEqual(9_000);
  expect(await timeUntil(clock, second)).toBeLessThanOrEqual(4_000);
  expect([(await sockets).length, (await sockets).silent]).toEqual([0, ["two"]]);
  expect(one.hub.nodes).toEqual([]);
});

test("a node that stands still delays a confirmation by its lease", async () => {
  const clock = new VirtualClock();
  const [one, two] = await openTwo(clock);
  const [id = ""] = two.hub.sockets.keys();
  // The node is heard, and does not hear the question.
  two.backplane.deafen();
  one.hub.toSocket(id).join("a");
  const time = await timeUntil(clock, one.hub.synced("a"));
  expect([time, one.hub.nodes.map(({ name }) => name)]).toEqual([10_000, ["two"]]);
});

test("a node that closes is in no `silent`, also of the questions that are under way", async () => {
  const clock = new VirtualClock();
  const [one, two] = await openTwo(clock);
  const replies = one.hub.to("x").request("mute", 1, { timeout: 60_000 });
  await settle();
  const closing = two.hub.close({ within: 0 });
  const sockets = one.hub.to("x").sockets({ timeout: 60_000 });
  await closing;
  expect(await timeUntil(clock, Promise.all([replies, sockets]))).toBe(0);
  const { failures, silent } = await replies;
  expect([failures.size, silent]).toEqual([1, []]);
  expect([(await sockets).silent, (await one.hub.to("x").sockets()).silent, one.hub.nodes]).toEqual([[], [], []]);
});

test("a node hears a room for two seconds after its last member has left", async () => {
  const clock = new VirtualClock();
  const [one, two] = await openTwo(clock);
  const [socket] = two.hub.sockets.values();
  socket?.leave("x");
  const unneeded = async (after: number): Promise<number | undefined> => {
    await clock.advance(after);
    one.hub.to("x").emit("news");
    await settle();
    return two.hub.stats().cluster?.unneeded;
  };
  expect([await unneeded(1_900), await unneeded(200)]).toEqual([1, 1]);
});
