import assert from "node:assert/strict";
import { HubError } from "../../../errors.ts";
import type { ClusterSuite } from "./cluster-suite.ts";
import { until, type ClusterStage } from "./cluster-stage.ts";

/** The engine is away for a while. */
export function outageCases(suite: ClusterSuite): void {
  suite.outage(
    "goes by: reported once, local traffic goes on, and then all is as before",
    {},
    async (stage, outage) => {
      const guests = await stage.guests(["x"], ["x"], ["x", "left"]);
      await outage.begin();
      await until("all have noticed", () => all(stage, "disconnected"));
      stage.hub(0).to("x").send("in the outage");
      assert.deepEqual(await Promise.all(guests.map((guest) => guest.heard())), [["in the outage"], [], []]);
      for (const index of stage.hubs.keys()) {
        const [error, ...others] = stage.failures(index);
        assert.ok(error instanceof HubError && error.code === "ERR_HUB_BACKPLANE" && error.cause !== undefined);
        assert.deepEqual(others, []);
      }
      // Whoever joins meanwhile is heard afterwards, and who leaves is not.
      guests[1]?.socket.join("meanwhile");
      guests[2]?.socket.leave("left");
      const synced = stage.hub(1).synced("meanwhile");
      await outage.end();
      await synced;
      await stage.assembled();
      stage.hub(0).to("x").send("1");
      stage.hub(0).to("meanwhile").send("2");
      stage.hub(1).to("x").send("3");
      stage.hub(0).to("left").send("4");
      const heard = (await stage.heard(guests)) as string[][];
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

  suite.outage("no question hangs", {}, async (stage, outage) => {
    const [guest] = await stage.guests(["x"], ["x"], ["x"]);
    assert.ok(guest !== undefined);
    const before = stage.hub(0).to("x").request("q", 1, { timeout: 60_000 });
    await guest.packet();
    await outage.begin();
    await until("all have noticed", () => all(stage, "disconnected"));
    guest.client.close();
    const { failures, replies, silent } = await before;
    // Of a node that has begun to tell there may be both: the sockets that it named, and itself, as there may be more.
    assert.ok(failures.size + replies.size + silent.length >= 3);
    const during = await stage.hub(1).to("x").sockets({ timeout: 60_000 });
    assert.equal(during.length, 1);
    await outage.end();
    await stage.assembled();
    assert.equal((await stage.hub(1).to("x").sockets()).length, 2);
  });

  suite.outage("nothing comes late or twice", {}, async (stage, outage) => {
    const guests = await stage.guests(["x"], ["x"], ["x"]);
    let sent = 0;
    const send = (): void => stage.hub(0).to("x").send(`${sent++}`);
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 50; index++) send();
      await outage.begin();
      for (let index = 0; index < 50; index++) send();
      await until("all have noticed", () => all(stage, "disconnected"));
      for (let index = 0; index < 50; index++) send();
      await outage.end();
      await stage.assembled();
    }
    send();
    for (const heard of (await stage.heard(guests)) as string[][]) {
      const numbers = heard.map(Number);
      assert.deepEqual(
        numbers,
        [...new Set(numbers)].toSorted((a, b) => a - b),
      );
      assert.equal(numbers.at(-1), sent - 1);
    }
    assert.ok((stage.hub(0).stats().cluster?.lost ?? 0) > 0);
  });
}

function all(stage: ClusterStage, state: string): boolean {
  return stage.hubs.every(({ backplaneState }) => backplaneState === state);
}
