import assert from "node:assert/strict";
import { encodeBundle, encodeControl, type Control } from "../../../cluster/envelope.ts";
import { ALL_NODES } from "../../../cluster/channels.ts";
import type { Replies } from "../../../members/requests.ts";
import type { Guest } from "../guest.ts";
import type { ClusterSuite } from "./cluster-suite.ts";
import { until, type ClusterStage } from "./cluster-stage.ts";

/** A node that says it is there, and never anything else. */
const GHOST = "ghostghost";

/** What is asked of sockets on other nodes. */
export function queryCases(suite: ClusterSuite): void {
  suite.test("a request collects the replies of all nodes", async (stage) => {
    const guests = await stage.guests(["x"], ["x"], ["x"]);
    const asked = stage.hub(1).to("x").request("sum", { a: 1 });
    for (const [index, guest] of guests.entries()) await answer(guest, { data: { index } });
    const { replies, failures, silent } = await asked;
    assert.deepEqual(
      guests.map(({ socket }) => replies.get(socket.id)),
      [{ index: 0 }, { index: 1 }, { index: 2 }],
    );
    assert.deepEqual([replies.size, failures.size, silent], [3, 0, []]);
  });

  suite.test("a union is asked once for each socket", async (stage) => {
    const guests = await stage.guests(["x", "y"], ["x", "y"], ["y"]);
    const asked = stage.hub(2).to("x", "y").request("q");
    for (const guest of guests) await answer(guest, { data: 1 });
    assert.equal((await asked).replies.size, 3);
    assert.deepEqual(await stage.heard(guests), [[], [], []]);
  });

  suite.test("one socket of another node is asked by its id", async (stage) => {
    const [, guest] = await stage.guests();
    assert.ok(guest !== undefined);
    const asked = stage.hub(0).toSocket(guest.socket.id).request("q");
    await answer(guest, { data: "yes" });
    assert.deepEqual([...(await asked).replies], [[guest.socket.id, "yes"]]);
  });

  suite.test("failures come with their reasons", async (stage) => {
    const [a, b, c] = await stage.guests(["x"], ["x"], ["x"]);
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    const asked = stage.hub(0).to("x").request("q", undefined, { timeout: 1_000 });
    await answer(b, { error: { code: "busy", message: "not now" } });
    await c.packet();
    c.client.vanish();
    const { replies, failures, silent } = await asked;
    assert.deepEqual([replies.size, silent], [0, []]);
    const codes = [a, b, c].map(({ socket }) => failures.get(socket.id)?.code);
    assert.deepEqual(codes, ["ERR_HUB_TIMEOUT", "ERR_HUB_REMOTE", "ERR_HUB_DISCONNECTED"]);
    assert.equal((failures.get(b.socket.id) as { readonly reason?: string }).reason, "busy");
  });

  suite.test("a request to nobody is answered by every node, and so at once", async (stage) => {
    await stage.guests();
    const nobody: Replies<unknown> = { replies: new Map(), failures: new Map(), silent: [] };
    assert.deepEqual(await stage.hub(0).to("none").request("q", 1, { timeout: 60_000 }), nobody);
    assert.deepEqual(await stage.hub(0).toUser("none").request("q", 1, { timeout: 60_000 }), nobody);
    assert.deepEqual(await stage.hub(0).toSocket("none").request("q", 1, { timeout: 60_000 }), nobody);
  });

  suite.test("sockets() describes those of all nodes", async (stage) => {
    const guests = await stage.guests(["x"], ["x", "y"], ["y"]);
    const when = new Date(7);
    for (const [index, { socket }] of guests.entries()) Object.assign(socket.data, { index, when, secret: 1 });
    const found = await stage
      .hub(0)
      .to("x")
      .sockets({ data: ["index", "when"] });
    const expected = guests.slice(0, 2).map(({ socket }, index) => {
      return { id: socket.id, user: undefined, rooms: [...socket.rooms], data: { index, when } };
    });
    assert.deepEqual(
      found.toSorted((one, other) => Number(one.data["index"]) - Number(other.data["index"])),
      expected,
    );
    assert.deepEqual(found.silent, []);
    assert.equal((await stage.hub(2).except("x").sockets()).length, 1);
    assert.equal((await stage.hub(2).local.sockets()).length, 1);
  });

  suite.test("many sockets are described in parts", async (stage) => {
    const count = 450;
    const guests = await Promise.all(Array.from({ length: count }, () => stage.connect(1)));
    const found = await stage.hub(0).except([]).sockets();
    assert.deepEqual(found.map(({ id }) => id).toSorted(), guests.map(({ socket }) => socket.id).toSorted());
  });

  suite.test("data that cannot be copied makes its node silent, and is reported there", async (stage) => {
    const guests = await stage.guests(["x"], ["x"], ["x"]);
    const [, b] = guests;
    assert.ok(b !== undefined);
    for (const { socket } of guests) socket.data["value"] = 1;
    b.socket.data["value"] = (): void => {};
    const found = await stage
      .hub(0)
      .to("x")
      .sockets({ data: ["value"], timeout: 60_000 });
    assert.deepEqual([found.length, found.silent], [2, ["two"]]);
    assert.equal(stage.failures(1).length, 1);
  });

  suite.test("a node that does not answer is named, within the timeout", async (stage) => {
    const guests = await stage.guests(["x"], ["x"], ["x"]);
    const leave = await haunt(stage);
    const described = stage.hub(0).to("x").sockets({ timeout: 300 });
    const asked = stage.hub(0).to("x").request("q", 1, { timeout: 300 });
    for (const guest of guests) await answer(guest, { data: "here" });
    assert.deepEqual([(await described).length, (await described).silent], [3, ["ghost"]]);
    assert.deepEqual([(await asked).replies.size, (await asked).silent], [3, ["ghost"]]);
    await leave();
  });

  suite.test("a dead node is waited for no longer than its lease", { cluster: { lease: 300 } }, async (stage) => {
    await stage.guests(["x"], ["x"], ["x"]);
    const leave = await haunt(stage);
    const found = await stage.hub(0).to("x").sockets({ timeout: 60_000 });
    assert.deepEqual([found.length, found.silent], [3, ["ghost"]]);
    await leave();
    await until("the ghost is gone", () => stage.hubs.every(({ nodes }) => nodes.length === 2));
  });
}

/** Gives the client's reply to the request that it was sent. */
async function answer(guest: Guest, reply: object): Promise<void> {
  const { id } = (await guest.packet()) as { readonly id: number };
  guest.say({ reply: id, ...reply });
}

/** Adds a node that is there and does not answer. */
async function haunt(stage: ClusterStage): Promise<() => Promise<void>> {
  const backplane = stage.createBackplane();
  await new Promise<void>((resolve, reject) => {
    backplane.start({ message: () => {}, up: resolve, down: reject });
  });
  const alive: Control = { type: "alive", name: "ghost", asks: false };
  await backplane.publish(ALL_NODES, encodeBundle(GHOST, [encodeControl(alive)]));
  await until("the ghost is seen", () => stage.hubs.every(({ nodes }) => nodes.some(({ id }) => id === GHOST)));
  return () => backplane.close();
}
