import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { joinRooms, TARGETS } from "../rooms.ts";
import type { ClusterSuite } from "./cluster-suite.ts";

/** Names of rooms and users that contain syntax of engines, which must have no effect. */
const WILD_NAMES = ["a b", "a.b.*.>", "{tag}:x", "ä€😀", "\r\nPUBLISH x", "%25", "'\"\\", "r".repeat(128)];

/** The number of unions whose rooms sockets join when they hear them. */
const UNIONS = 20;

const usersByQuery = { authenticate: ({ query }: { readonly query: URLSearchParams }) => userOf(query) };

/** The sockets on other nodes that a target reaches. */
export function reachCases(suite: ClusterSuite): void {
  for (const [name, send, expected] of TARGETS) {
    suite.test(name, async (fixture) => {
      const [a, b, c] = await fixture.connectAll();
      assert.ok(a !== undefined && b !== undefined && c !== undefined);
      joinRooms([a, b, c]);
      await fixture.synced();
      send(fixture.hub(0), [a, b, c]);
      assert.deepEqual(await fixture.heard([a, b, c]), name.startsWith("hub.local") ? [["m"], [], []] : expected);
    });
  }

  suite.test("messages reach their target from every node", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x", "y"], ["y"]);
    for (const [index, hub] of fixture.hubs.entries()) hub.to("x").except("y").send(`${index}`);
    const [a = [], b, c] = (await fixture.heard(peers)) as string[][];
    assert.deepEqual([a.toSorted(), b, c], [["0", "1", "2"], [], []]);
  });

  suite.test(
    "a union reaches each socket once, however many of the rooms its node is subscribed to",
    async (fixture) => {
      const peers = await fixture.connectAll(["x", "y", "z"], ["y", "z"], ["z"]);
      for (let index = 0; index < 10; index++)
        fixture
          .hub(index % 3)
          .to("x", "y", "z", "nobody")
          .send("m");
      const ten = Array.from({ length: 10 }, () => "m");
      assert.deepEqual(await fixture.heard(peers), [ten, ten, ten]);
    },
  );

  suite.test("a socket that joins another room of a union when it hears it gets it once", async (fixture) => {
    const [, ...peers] = await fixture.connectAll([], ["one"], ["one"]);
    const hub = fixture.hub(0);
    const requests: Promise<unknown>[] = [];
    for (let number = 0; number < UNIONS; number++) {
      const target = hub.to("one", `two ${number}`);
      if (number % 2 === 0) target.emit("event", number);
      else requests.push(target.request("request", number));
      // oxlint-disable-next-line no-await-in-loop -- one union after the other
      const heard = await Promise.all(
        peers.map(async (peer) => {
          const packet = await peer.packet();
          peer.socket.join(`two ${number}`);
          return (packet as { readonly data: unknown }).data;
        }),
      );
      assert.deepEqual(heard, [number, number]);
    }
    assert.deepEqual(await fixture.heard(peers), [[], []]);
    for (const { client } of peers) client.vanish();
    await Promise.all(requests);
  });

  suite.test("a user is reached on all nodes", usersByQuery, async (fixture) => {
    const peers = await Promise.all([
      fixture.connect(0, { url: "/?user=ann" }),
      fixture.connect(1, { url: "/?user=ann" }),
      fixture.connect(2, { url: "/?user=bob" }),
    ]);
    await fixture.synced();
    fixture.hub(2).toUser("ann").send("1");
    fixture.hub(1).toUser("ann").toUser("bob").send("2");
    fixture.hub(0).toUser("eve").send("3");
    const [a = [], b = [], c] = (await fixture.heard(peers)) as string[][];
    assert.deepEqual([a.toSorted(), b.toSorted(), c], [["1", "2"], ["1", "2"], ["2"]]);
  });

  suite.test("rooms and users are reached, whatever characters their names have", usersByQuery, async (fixture) => {
    const name = encodeURIComponent("ä b.*");
    const peers = await Promise.all([fixture.connect(0), fixture.connect(1, { url: `/?user=${name}` })]);
    for (const peer of peers) peer.socket.join(WILD_NAMES);
    await fixture.synced();
    for (const room of WILD_NAMES) fixture.hub(2).to(room).send(room);
    fixture.hub(2).toUser("ä b.*").send("user");
    const [a = [], b = []] = (await fixture.heard(peers)) as string[][];
    assert.deepEqual([a.toSorted(), b.toSorted()], [WILD_NAMES.toSorted(), [...WILD_NAMES, "user"].toSorted()]);
  });

  suite.test("messages of all kinds and sizes arrive unchanged", async (fixture) => {
    const [, peer] = await fixture.connectAll(["x"], ["x"], []);
    assert.ok(peer !== undefined);
    const room = fixture.hub(2).to("x");
    const long = "ä€😀".repeat(20_000);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    room.send("");
    room.send(long);
    room.send(bytes);
    room.send(new Uint8Array(0));
    room.emit("event", { text: long, list: [1, null, true], nothing: undefined });
    bytes.fill(0);
    const [heard] = (await fixture.heard([peer])) as [unknown[]];
    const packet = { event: "event", data: { text: long, list: [1, null, true], nothing: undefined }, room: "x" };
    const wire = fixture.fixtures[0]?.wire;
    assert.deepEqual(heard, ["", long, [...Buffer.from(heard[2] as number[])], [], wire?.heard(packet)]);
    assert.deepEqual(
      heard[2],
      Array.from({ length: 256 }, (_, index) => index),
    );
  });

  suite.test("messages that may be dropped arrive at clients that are not behind", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x"]);
    fixture.hub(0).to("x").volatile.send("1");
    fixture.hub(0).to("x").overload("drop").send("2");
    fixture.hub(0).to("x").latest("key").send("3");
    const all = ["1", "2", "3"];
    assert.deepEqual(await fixture.heard(peers), [all, all, all]);
  });
}

function userOf(query: URLSearchParams): { readonly id: string } {
  return { id: query.get("user") ?? "nobody" };
}
