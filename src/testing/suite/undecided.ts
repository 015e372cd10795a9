import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Inbox } from "../inbox.ts";
import { holdHandshakes, nextHandshake, REFUSE } from "./pending-handshakes.ts";
import { ACCEPT } from "./transport-fixture.ts";
import type { Suite } from "./suite.ts";

/** Handshakes on which the application does not decide at once. */
export function undecidedCases(suite: Suite): void {
  suite.seam("a decision may come from a timer", async (fixture) => {
    fixture.upgrade = async ({ url }) => {
      await delay(15);
      return url === "/in" ? { accept: true, protocol: "", context: url } : REFUSE;
    };
    await assert.rejects(fixture.dial({ url: "/out" }).opened, { status: 403, body: "No" });
    const client = fixture.dial({ url: "/in" });
    await client.opened;
    const event = await fixture.events.next();
    assert.ok(event?.type === "open" && event.context === "/in");
    client.send("hello");
    assert.deepEqual(await fixture.events.next(), { type: "message", connection: event.connection, data: "hello" });
  });

  suite.seam("the data of the request can still be read after the decision", async (fixture) => {
    const pending = holdHandshakes(fixture);
    const client = fixture.dial({ url: "/late?x=1", headers: { "X-Late": "yes" }, protocols: ["a"] });
    const { info, decide } = await nextHandshake(pending);
    await delay(15);
    decide({ accept: true, protocol: "a", context: undefined });
    await client.opened;
    assert.deepEqual(
      [info.url, info.headers["x-late"], info.protocols, info.remoteAddress, info.signal.aborted],
      ["/late?x=1", "yes", ["a"], "127.0.0.1", false],
    );
    assert.equal(client.protocol, "a");
  });

  suite.seam("several handshakes are decided in any order", async (fixture) => {
    const pending = holdHandshakes(fixture);
    const clients = ["/0", "/1", "/2"].map((url) => fixture.dial({ url }));
    const all = [await nextHandshake(pending), await nextHandshake(pending), await nextHandshake(pending)];
    const byUrl = new Map(all.map(({ info, decide }) => [info.url, decide]));
    byUrl.get("/2")?.({ accept: true, protocol: "", context: 2 });
    await clients[2]?.opened;
    byUrl.get("/0")?.(REFUSE);
    await assert.rejects(clients[0]?.opened ?? Promise.resolve(), { status: 403 });
    byUrl.get("/1")?.({ accept: true, protocol: "", context: 1 });
    await clients[1]?.opened;
    const contexts = fixture.events.take().map((event) => event.type === "open" && event.context);
    assert.deepEqual(contexts, [2, 1]);
  });

  suite.seam("destroy ends undecided handshakes, and a later decision changes nothing", async (fixture) => {
    const pending = holdHandshakes(fixture);
    const client = fixture.dial();
    const { decide } = await nextHandshake(pending);
    const destroyed = fixture.transport.destroy();
    decide(ACCEPT);
    await destroyed;
    await assert.rejects(client.opened);
    assert.deepEqual(fixture.events.take(), []);
  });

  suite.test(
    "authenticate may wait for a timer",
    {
      authenticate: async ({ query }) => {
        await delay(15);
        const id = query.get("user");
        return id === null ? undefined : { id };
      },
    },
    async (fixture) => {
      await assert.rejects(fixture.dial().opened, { status: 401 });
      const { client, socket } = await fixture.connect({ url: "/?user=ann" });
      assert.deepEqual(socket.user, { id: "ann" });
      socket.send("in");
      assert.equal(await client.next(), "in");
      assert.equal(fixture.connected.length, 1);
    },
  );

  const doors = new Inbox<() => void>();
  suite.test(
    "hub.close refuses clients that are being authenticated",
    {
      authenticate: () =>
        new Promise((resolve) => {
          doors.push(() => resolve({ id: "ann" }));
        }),
    },
    async (fixture) => {
      const client = fixture.dial();
      const admit = await doors.next();
      const closing = fixture.hub.close();
      admit?.();
      await assert.rejects(client.opened);
      await closing;
      assert.deepEqual(fixture.connected, []);
    },
  );
}
