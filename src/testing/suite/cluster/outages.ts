import assert from "node:assert/strict";
import { HubError } from "../../../errors.ts";
import type { ClusterSuite } from "./cluster-suite.ts";
import { until, type ClusterFixture } from "./cluster-fixture.ts";

/** Outages of the engine. */
export function outageCases(suite: ClusterSuite): void {
  suite.outage(
    "an outage is reported once, local messages still arrive, and afterwards everything is as before",
    {},
    async (fixture, outage) => {
      const peers = await fixture.connectAll(["x"], ["x"], ["x", "left"]);
      await outage.begin();
      await until("all have noticed", () => all(fixture, "disconnected"));
      fixture.hub(0).to("x").send("in the outage");
      assert.deepEqual(await Promise.all(peers.map((peer) => peer.heard())), [["in the outage"], [], []]);
      for (const index of fixture.hubs.keys()) {
        const [error, ...others] = fixture.failures(index);
        assert.ok(error instanceof HubError && error.code === "ERR_HUB_BACKPLANE" && error.cause !== undefined);
        assert.deepEqual(others, []);
      }
      // After the outage, rooms joined during it get messages, and rooms left during it do not.
      peers[1]?.socket.join("meanwhile");
      peers[2]?.socket.leave("left");
      const synced = fixture.hub(1).synced("meanwhile");
      await outage.end();
      await synced;
      await fixture.assembled();
      fixture.hub(0).to("x").send("1");
      fixture.hub(0).to("meanwhile").send("2");
      fixture.hub(1).to("x").send("3");
      fixture.hub(0).to("left").send("4");
      const heard = (await fixture.heard(peers)) as string[][];
      assert.deepEqual(
        heard.map((messages) => messages.toSorted()),
        [
          ["1", "3"],
          ["1", "2", "3"],
          ["1", "3"],
        ],
      );
    },
  );

  suite.outage("no request hangs", {}, async (fixture, outage) => {
    const [peer] = await fixture.connectAll(["x"], ["x"], ["x"]);
    assert.ok(peer !== undefined);
    const before = fixture.hub(0).to("x").request("q", 1, { timeout: 60_000 });
    await peer.packet();
    await outage.begin();
    await until("all have noticed", () => all(fixture, "disconnected"));
    peer.client.close();
    const { failures, replies, silent } = await before;
    // A node that was answering when the outage began may count twice: with the sockets that it has named, and as a
    // silent node, because it may have more.
    assert.ok(failures.size + replies.size + silent.length >= 3);
    const during = await fixture.hub(1).to("x").sockets({ timeout: 60_000 });
    assert.equal(during.length, 1);
    await outage.end();
    await fixture.assembled();
    assert.equal((await fixture.hub(1).to("x").sockets()).length, 2);
  });

  suite.outage("no message arrives late or twice", {}, async (fixture, outage) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x"]);
    let sent = 0;
    const send = (): void => fixture.hub(0).to("x").send(`${sent++}`);
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 50; index++) send();
      await outage.begin();
      for (let index = 0; index < 50; index++) send();
      await until("all have noticed", () => all(fixture, "disconnected"));
      for (let index = 0; index < 50; index++) send();
      await outage.end();
      await fixture.assembled();
    }
    send();
    for (const heard of (await fixture.heard(peers)) as string[][]) {
      const numbers = heard.map(Number);
      assert.deepEqual(
        numbers,
        [...new Set(numbers)].toSorted((a, b) => a - b),
      );
      assert.equal(numbers.at(-1), sent - 1);
    }
    assert.ok((fixture.hub(0).stats().cluster?.lost ?? 0) > 0);
  });
}

function all(fixture: ClusterFixture, state: string): boolean {
  return fixture.hubs.every(({ backplaneState }) => backplaneState === state);
}
