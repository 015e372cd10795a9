import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Inbox } from "../inbox.ts";
import { collect, next, REFUSE } from "./asked.ts";
import { ACCEPT } from "./seam-stage.ts";
import type { Suite } from "./suite.ts";

/** Handshakes that take their time. */
export function undecidedCases(suite: Suite): void {
  suite.seam("a decision may come from a timer", async (stage) => {
    stage.upgrade = async ({ url }) => {
      await delay(15);
      return url === "/in" ? { accept: true, protocol: "", context: url } : REFUSE;
    };
    await assert.rejects(stage.dial({ url: "/out" }).opened, { status: 403, body: "No" });
    const client = stage.dial({ url: "/in" });
    await client.opened;
    const event = await stage.events.next();
    assert.ok(event?.type === "open" && event.context === "/in");
    client.send("hello");
    assert.deepEqual(await stage.events.next(), { type: "message", connection: event.connection, data: "hello" });
  });

  suite.seam("what the request said can still be read after the decision", async (stage) => {
    const asked = collect(stage);
    const client = stage.dial({ url: "/late?x=1", headers: { "X-Late": "yes" }, protocols: ["a"] });
    const { info, decide } = await next(asked);
    await delay(15);
    decide({ accept: true, protocol: "a", context: undefined });
    await client.opened;
    assert.deepEqual(
      [info.url, info.headers["x-late"], info.protocols, info.remoteAddress, info.signal.aborted],
      ["/late?x=1", "yes", ["a"], "127.0.0.1", false],
    );
    assert.equal(client.protocol, "a");
  });

  suite.seam("several are decided in any order", async (stage) => {
    const asked = collect(stage);
    const clients = ["/0", "/1", "/2"].map((url) => stage.dial({ url }));
    const all = [await next(asked), await next(asked), await next(asked)];
    const byUrl = new Map(all.map(({ info, decide }) => [info.url, decide]));
    byUrl.get("/2")?.({ accept: true, protocol: "", context: 2 });
    await clients[2]?.opened;
    byUrl.get("/0")?.(REFUSE);
    await assert.rejects(clients[0]?.opened ?? Promise.resolve(), { status: 403 });
    byUrl.get("/1")?.({ accept: true, protocol: "", context: 1 });
    await clients[1]?.opened;
    const contexts = stage.events.take().map((event) => event.type === "open" && event.context);
    assert.deepEqual(contexts, [2, 1]);
  });

  suite.seam("destroy ends what is undecided, and a later decision changes nothing", async (stage) => {
    const asked = collect(stage);
    const client = stage.dial();
    const { decide } = await next(asked);
    const destroyed = stage.transport.destroy();
    decide(ACCEPT);
    await destroyed;
    await assert.rejects(client.opened);
    assert.deepEqual(stage.events.take(), []);
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
    async (stage) => {
      await assert.rejects(stage.dial().opened, { status: 401 });
      const { client, socket } = await stage.connect({ url: "/?user=ann" });
      assert.deepEqual(socket.user, { id: "ann" });
      socket.send("in");
      assert.equal(await client.next(), "in");
      assert.equal(stage.connected.length, 1);
    },
  );

  const doors = new Inbox<() => void>();
  suite.test(
    "hub.close refuses those who are being authenticated",
    {
      authenticate: () =>
        new Promise((resolve) => {
          doors.push(() => resolve({ id: "ann" }));
        }),
    },
    async (stage) => {
      const client = stage.dial();
      const admit = await doors.next();
      const closing = stage.hub.close();
      admit?.();
      await assert.rejects(client.opened);
      await closing;
      assert.deepEqual(stage.connected, []);
    },
  );
}
