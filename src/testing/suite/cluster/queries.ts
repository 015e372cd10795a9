import assert from "node:assert/strict";
import type { Replies } from "../../../members/requests.ts";
import type { ClientFixture } from "../client-fixture.ts";
import type { ClusterSuite } from "./cluster-suite.ts";
import { until } from "./cluster-fixture.ts";
import { addSilentNode } from "./silent-node.ts";

/** Requests to sockets of other nodes, and descriptions of them. */
export function queryCases(suite: ClusterSuite): void {
  suite.test("a request collects the replies of all nodes", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x"]);
    const asked = fixture.hub(1).to("x").request("sum", { a: 1 });
    for (const [index, peer] of peers.entries()) await answer(peer, { data: { index } });
    const { replies, failures, silent } = await asked;
    assert.deepEqual(
      peers.map(({ socket }) => replies.get(socket.id)),
      [{ index: 0 }, { index: 1 }, { index: 2 }],
    );
    assert.deepEqual([replies.size, failures.size, silent], [3, 0, []]);
  });

  suite.test("each socket of a union gets a request once", async (fixture) => {
    const peers = await fixture.connectAll(["x", "y"], ["x", "y"], ["y"]);
    const asked = fixture.hub(2).to("x", "y").request("q");
    for (const peer of peers) await answer(peer, { data: 1 });
    assert.equal((await asked).replies.size, 3);
    assert.deepEqual(await fixture.heard(peers), [[], [], []]);
  });

  suite.test("a request reaches one socket of another node by its id", async (fixture) => {
    const [, peer] = await fixture.connectAll();
    assert.ok(peer !== undefined);
    const asked = fixture.hub(0).toSocket(peer.socket.id).request("q");
    await answer(peer, { data: "yes" });
    assert.deepEqual([...(await asked).replies], [[peer.socket.id, "yes"]]);
  });

  suite.test("failures tell their reasons", async (fixture) => {
    const [a, b, c] = await fixture.connectAll(["x"], ["x"], ["x"]);
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    const asked = fixture.hub(0).to("x").request("q", undefined, { timeout: 1_000 });
    await answer(b, { error: { code: "busy", message: "not now" } });
    await c.packet();
    c.client.vanish();
    const { replies, failures, silent } = await asked;
    assert.deepEqual([replies.size, silent], [0, []]);
    const codes = [a, b, c].map(({ socket }) => failures.get(socket.id)?.code);
    assert.deepEqual(codes, ["ERR_HUB_TIMEOUT", "ERR_HUB_REMOTE", "ERR_HUB_DISCONNECTED"]);
    assert.equal((failures.get(b.socket.id) as { readonly reason?: string }).reason, "busy");
  });

  suite.test("a reply of any shape comes from another node as from the same one", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x"]);
    const shapes: readonly unknown[] = [null, { "": [] }, Array.from({ length: 20_000 }, () => ({ a: 0 })), "é漢😀"];
    for (const data of shapes) {
      const asked = fixture.hub(0).to("x").request("q");
      // oxlint-disable-next-line no-await-in-loop -- one shape after the other
      for (const peer of peers) await answer(peer, { data });
      // oxlint-disable-next-line no-await-in-loop
      const { replies } = await asked;
      assert.deepEqual(
        peers.map(({ socket }) => replies.get(socket.id)),
        peers.map(() => data),
      );
    }
  });

  suite.test("a reply that is nested deeply harms neither its node nor the other replies", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x"]);
    const asked = fixture.hub(0).to("x").request("q", undefined, { timeout: 2_000 });
    let deep: unknown = [];
    for (let depth = 1; depth < 4_000; depth++) deep = [deep];
    for (const [index, peer] of peers.entries()) await answer(peer, { data: index === 1 ? deep : index });
    const { replies, failures } = await asked;
    const [one, two, three] = peers.map(({ socket }) => socket.id);
    assert.deepEqual([replies.get(one ?? ""), replies.get(three ?? "")], [0, 2]);
    // Where so deep a message is not taken at all, the request to this socket fails.
    assert.equal(replies.has(two ?? "") || failures.has(two ?? ""), true);
    assert.deepEqual(fixture.failures(1), []);
  });

  suite.test("a request to nobody is answered by every node at once", async (fixture) => {
    await fixture.connectAll();
    const nobody: Replies<unknown> = { replies: new Map(), failures: new Map(), silent: [] };
    assert.deepEqual(await fixture.hub(0).to("none").request("q", 1, { timeout: 60_000 }), nobody);
    assert.deepEqual(await fixture.hub(0).toUser("none").request("q", 1, { timeout: 60_000 }), nobody);
    assert.deepEqual(await fixture.hub(0).toSocket("none").request("q", 1, { timeout: 60_000 }), nobody);
  });

  suite.test("sockets() describes the sockets of all nodes", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x", "y"], ["y"]);
    const when = new Date(7);
    for (const [index, { socket }] of peers.entries()) Object.assign(socket.data, { index, when, secret: 1 });
    const found = await fixture
      .hub(0)
      .to("x")
      .sockets({ data: ["index", "when"] });
    const expected = peers.slice(0, 2).map(({ socket }, index) => {
      return { id: socket.id, user: undefined, rooms: [...socket.rooms], data: { index, when } };
    });
    assert.deepEqual(
      found.toSorted((one, other) => Number(one.data["index"]) - Number(other.data["index"])),
      expected,
    );
    assert.deepEqual(found.silent, []);
    assert.equal((await fixture.hub(2).except("x").sockets()).length, 1);
    assert.equal((await fixture.hub(2).local.sockets()).length, 1);
  });

  suite.test("many sockets are described in parts", async (fixture) => {
    const count = 450;
    const peers = await Promise.all(Array.from({ length: count }, () => fixture.connect(1)));
    const found = await fixture.hub(0).except([]).sockets();
    assert.deepEqual(found.map(({ id }) => id).toSorted(), peers.map(({ socket }) => socket.id).toSorted());
  });

  suite.test("data that cannot be copied makes its node silent, and is reported there", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x"]);
    const [, b] = peers;
    assert.ok(b !== undefined);
    for (const { socket } of peers) socket.data["value"] = 1;
    b.socket.data["value"] = (): void => {};
    const found = await fixture
      .hub(0)
      .to("x")
      .sockets({ data: ["value"], timeout: 60_000 });
    assert.deepEqual([found.length, found.silent], [2, ["two"]]);
    assert.equal(fixture.failures(1).length, 1);
  });

  suite.test("a node that does not answer is named after the timeout", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x"]);
    const leave = await addSilentNode(fixture);
    const described = fixture.hub(0).to("x").sockets({ timeout: 300 });
    const asked = fixture.hub(0).to("x").request("q", 1, { timeout: 300 });
    for (const peer of peers) await answer(peer, { data: "here" });
    assert.deepEqual([(await described).length, (await described).silent], [3, ["mute"]]);
    assert.deepEqual([(await asked).replies.size, (await asked).silent], [3, ["mute"]]);
    await leave();
  });

  suite.test("a query waits for a dead node no longer than the lease", { cluster: { lease: 300 } }, async (fixture) => {
    await fixture.connectAll(["x"], ["x"], ["x"]);
    const leave = await addSilentNode(fixture);
    const found = await fixture.hub(0).to("x").sockets({ timeout: 60_000 });
    assert.deepEqual([found.length, found.silent], [3, ["mute"]]);
    await leave();
    await until("the silent node is forgotten", () => fixture.hubs.every(({ nodes }) => nodes.length === 2));
  });
}

/** Waits for a request to the client, and replies to it. */
async function answer(peer: ClientFixture, reply: object): Promise<void> {
  const { id } = (await peer.packet()) as { readonly id: number };
  peer.say({ reply: id, ...reply });
}
