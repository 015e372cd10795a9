import assert from "node:assert/strict";
import { HubError } from "../../../errors.ts";
import type { NodeDescription } from "../../../cluster/nodes.ts";
import { ALL_NODES } from "../../../cluster/channels.ts";
import type { ClusterSuite } from "./cluster-suite.ts";
import { until } from "./cluster-fixture.ts";
import { startForeign } from "./silent-node.ts";

/** Adds the cases about the nodes that a node knows, and about messages between their programs. */
export function nodeCases(suite: ClusterSuite): void {
  suite.test(
    "each node knows the others by name, and the ids of its sockets begin with its own id",
    async (fixture) => {
      const peers = await fixture.connectAll();
      const [one, two, three] = fixture.hubs.map(({ node }) => node as NodeDescription);
      assert.ok(one !== undefined && two !== undefined && three !== undefined);
      assert.deepEqual([one.name, two.name, three.name], ["one", "two", "three"]);
      const names = fixture.hub(0).nodes.map(({ name }) => name);
      assert.deepEqual(names.toSorted(), ["three", "two"]);
      assert.ok(peers.every(({ socket }, index) => socket.id.startsWith(fixture.hub(index).node?.id ?? "?")));
    },
  );

  suite.test("a hub that closes leaves the cluster at once", { cluster: { lease: 60_000 } }, async (fixture) => {
    await fixture.hub(2).close();
    await until("two are left", () => fixture.hub(0).nodes.length === 1 && fixture.hub(1).nodes.length === 1);
    assert.deepEqual((await fixture.hub(0).except([]).sockets({ timeout: 60_000 })).silent, []);
  });

  suite.test(
    "messages between nodes reach each other node once, with all that structured cloning keeps",
    async (fixture) => {
      const heard: unknown[] = [];
      for (const [index, hub] of fixture.hubs.entries()) {
        hub.onNode("news", (data, node) => heard.push([index, data, node.name]));
      }
      const data = {
        when: new Date(7),
        map: new Map([["a", new Uint8Array([1, 2])]]),
        text: "ä€😀",
        nothing: undefined,
      };
      fixture.hub(1).emitToNodes("news", data);
      fixture.hub(1).emitToNodes("other", 1);
      await fixture.settled();
      const byIndex = heard.toSorted((a, b) => Number((a as number[])[0]) - Number((b as number[])[0]));
      assert.deepEqual(byIndex, [
        [0, data, "two"],
        [2, data, "two"],
      ]);
    },
  );

  suite.test("a failing handler of node messages is reported, and the other handlers are called", async (fixture) => {
    const heard: unknown[] = [];
    fixture.hub(0).onNode("news", () => {
      throw new Error("thrown");
    });
    fixture.hub(0).onNode("news", () => Promise.reject(new Error("rejected")));
    const remove = fixture.hub(0).onNode("news", (data) => heard.push(data));
    fixture.hub(1).emitToNodes("news", 1);
    await fixture.settled();
    remove();
    fixture.hub(1).emitToNodes("news", 2);
    await fixture.settled();
    assert.deepEqual(heard, [1]);
    const messages = fixture.failures(0).map((error) => (error as Error).message);
    assert.deepEqual(messages, ["thrown", "rejected", "thrown", "rejected"]);
  });

  suite.test("data that cannot be copied, and reserved names, throw at the call", async (fixture) => {
    const codes: unknown[] = [];
    const note = (act: () => unknown): void => {
      assert.throws(act, (error) => codes.push((error as HubError).code) > 0);
    };
    note(() => fixture.hub(0).emitToNodes("news", () => {}));
    note(() => fixture.hub(0).emitToNodes("hub:news"));
    note(() => fixture.hub(0).onNode("", () => {}));
    note(() => fixture.hub(0).onNode("news", 1 as never));
    assert.deepEqual(codes, ["ERR_HUB_UNSERIALISABLE", "ERR_HUB_EVENT_NAME", "ERR_HUB_EVENT_NAME", "ERR_HUB_ARGUMENT"]);
  });

  suite.test("envelopes that no node has written are reported and otherwise ignored", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x"]);
    const backplane = await startForeign(fixture);
    const foreign = [[0], [1], [9, 9, 9]];
    const broken = [[2], [2, ...Array.from({ length: 10 }, () => 65), 200, 1, 1, 255, 255]];
    for (const bytes of [...foreign, ...broken]) {
      await backplane.publish(ALL_NODES, Uint8Array.from(bytes));
      await backplane.publish("room:x", Uint8Array.from(bytes));
    }
    await backplane.close();
    fixture.hub(0).to("x").send("m");
    assert.deepEqual(await fixture.heard(peers), [["m"], ["m"], ["m"]]);
    const failures = fixture.failures(0);
    // Each is reported once, because it may come with every message of a node of another release.
    assert.equal(failures.length, foreign.length + broken.length);
    assert.ok(failures.every((error) => error instanceof HubError && error.code === "ERR_HUB_BACKPLANE"));
  });
}
