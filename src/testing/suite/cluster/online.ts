import assert from "node:assert/strict";
import type { HubOptions } from "../../../hub/options.ts";
import type { ClusterSuite } from "./cluster-suite.ts";
import { until, type ClusterFixture } from "./cluster-fixture.ts";

const options: HubOptions = {
  authenticate: ({ query }) => ({ id: query.get("user") ?? "nobody" }),
};

/** More ids than any engine is asked for at once. */
const MANY = Array.from({ length: 10_000 }, (_, index) => `user ${index}`);

/** Which users are online on any node. */
export function onlineCases(suite: ClusterSuite): void {
  suite.test("after synced(), a user is online on all nodes, and nobody else is", options, async (fixture) => {
    for (let round = 0; round < 5; round++) {
      const id = `ann ${round}`;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await fixture.connect(round % 3, { url: `/?user=${id}` });
      // oxlint-disable-next-line no-await-in-loop
      await fixture.hub(round % 3).synced();
      // oxlint-disable-next-line no-await-in-loop
      assert.deepEqual(await onlineEverywhere(fixture, ["bob", id, id]), [[id], [id], [id]]);
    }
  });

  suite.test("a user is online until the last socket on any node has closed", options, async (fixture) => {
    const tabs = await Promise.all([0, 0, 1].map((index) => fixture.connect(index, { url: "/?user=ann" })));
    await fixture.synced();
    for (const [index, tab] of tabs.entries()) {
      assert.deepEqual(await onlineEverywhere(fixture, ["ann"]), [["ann"], ["ann"], ["ann"]], `${index} are closed`);
      tab.client.close();
      await tab.client.closed;
    }
    await untilOnline(fixture, ["ann"], []);
  });

  suite.test("many users are found, whatever characters their ids have", options, async (fixture) => {
    const here = [MANY[0], MANY[5_000], MANY[9_999], "ä b.*", "news.>", "漢😀"] as const;
    const peers = await Promise.all(
      here.map((id, index) => fixture.connect(index % 3, { url: `/?user=${encodeURIComponent(id ?? "")}` })),
    );
    await fixture.synced();
    const ids = ["news.x", ...MANY, "ä b", "ä b.*", "*", ">", "news.>", "漢", "漢😀", "nobody"];
    assert.deepEqual(await onlineEverywhere(fixture, ids), [here, here, here]);
    // Nobody hears of the question.
    for (const index of fixture.hubs.keys()) assert.deepEqual(fixture.failures(index), []);
    assert.deepEqual(
      await fixture.heard(peers),
      peers.map(() => []),
    );
  });

  suite.test("the hub checks what it is asked", options, async (fixture) => {
    const [hub] = fixture.hubs;
    assert.ok(hub !== undefined);
    assert.deepEqual(await hub.online([]), new Set());
    await assert.rejects(hub.online(["ann", ""]), { code: "ERR_HUB_ARGUMENT" });
    await assert.rejects(hub.online("ann" as never), { code: "ERR_HUB_ARGUMENT" });
    await hub.close();
    await assert.rejects(hub.online(["ann"]), { code: "ERR_HUB_CLOSED" });
  });

  suite.outage("while the engine is away nobody can say who is online", options, async (fixture, outage) => {
    await fixture.connect(0, { url: "/?user=ann" });
    await outage.begin();
    await until("all have noticed", () => fixture.hubs.every(({ backplaneState }) => backplaneState !== "connected"));
    assert.deepEqual(await fixture.hub(0).online(["ann"]), new Set(["ann"]));
    await assert.rejects(fixture.hub(0).online(["ann", "bob"]), { code: "ERR_HUB_BACKPLANE" });
    await assert.rejects(fixture.hub(1).online(["ann"]), { code: "ERR_HUB_BACKPLANE" });
    await outage.end();
    await fixture.assembled();
    await untilOnline(fixture, ["ann", "bob"], ["ann"]);
  });
}

/** Returns which of these users are online, as each node says. */
async function onlineEverywhere(fixture: ClusterFixture, ids: readonly string[]): Promise<string[][]> {
  const sets = await Promise.all(fixture.hubs.map((hub) => hub.online(ids)));
  return sets.map((set) => Array.from(set));
}

/** Waits until every node says that these of the users are online, and no others. */
async function untilOnline(
  fixture: ClusterFixture,
  ids: readonly string[],
  expected: readonly string[],
): Promise<void> {
  await until(`online are "${expected.join()}"`, async () => {
    const all = await onlineEverywhere(fixture, ids);
    return all.every((some) => some.join() === expected.join());
  });
}
