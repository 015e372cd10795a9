import assert from "node:assert/strict";
import { HubError } from "../../../errors.ts";
import type { ClusterSuite } from "./cluster-suite.ts";
import { until } from "./cluster-stage.ts";

/** What is done with sockets of other nodes. */
export function actCases(suite: ClusterSuite): void {
  suite.test("join, leave and close act on one socket of another node", async (stage) => {
    const [, guest, other] = await stage.guests([], ["x"], ["x"]);
    assert.ok(guest !== undefined && other !== undefined);
    const target = stage.hub(0).toSocket(guest.socket.id);
    target.join("y", "z");
    target.leave("x");
    target.close(4002, "you");
    assert.deepEqual(await guest.client.closed, { code: 4002, reason: "you" });
    await stage.settled();
    assert.deepEqual([...guest.socket.rooms], ["y", "z"]);
    assert.deepEqual([...other.socket.rooms], ["x"]);
    assert.equal(other.socket.isOpen, true);
  });

  suite.test("they act on unions less exceptions", async (stage) => {
    const guests = await stage.guests(["a", "c"], ["a", "b"], ["b"]);
    stage.hub(0).to("a", "b").except("c").join("new");
    await stage.settled();
    const isIn = guests.map(({ socket }) => socket.rooms.has("new"));
    assert.deepEqual(isIn, [false, true, true]);
    stage.hub(1).to("a", "b").except("c").close(4003);
    await until("they are closed", () => !guests[1]?.socket.isOpen && !guests[2]?.socket.isOpen);
    assert.equal(guests[0]?.socket.isOpen, true);
  });

  suite.test("local acts on no other node", async (stage) => {
    const guests = await stage.guests(["x"], ["x"], ["x"]);
    stage.hub(1).local.to("x").leave("x");
    stage.hub(1).local.close(4001);
    await stage.settled();
    assert.deepEqual(
      guests.map(({ socket }) => [socket.isOpen, socket.rooms.has("x")]),
      [
        [true, true],
        [false, false],
        [true, true],
      ],
    );
  });

  suite.test(
    "a join over the limit is reported where it fails, and changes nothing there",
    { limits: { rooms: 2 } },
    async (stage) => {
      const guests = await stage.guests(["x"], ["x", "y"], ["x"]);
      stage.hub(0).to("x").join("z");
      await stage.settled();
      assert.deepEqual(
        guests.map(({ socket }) => socket.rooms.has("z")),
        [true, false, true],
      );
      const [error] = stage.failures(1);
      assert.ok(error instanceof HubError);
      assert.equal(error.code, "ERR_HUB_LIMIT");
    },
  );
}
