import assert from "node:assert/strict";
import { Inbox } from "../inbox.ts";
import { rawRequest, UPGRADE_HEADERS } from "../raw-client.ts";
import { Opcode, rawFrame } from "../raw-frame.ts";
import { aborted, collect, messageOf, next, nothingElseHappened, REFUSE } from "./asked.ts";
import { ACCEPT } from "./seam-stage.ts";
import type { Suite } from "./suite.ts";

const REQUEST = rawRequest("/", UPGRADE_HEADERS);

/** Clients that do not wait for the answer to their handshake, at every stage of it. */
export function impatientCases(suite: Suite): void {
  for (const [name, decision] of [
    ["accepted", ACCEPT],
    ["refused", REFUSE],
  ] as const) {
    suite.seam(`a client that vanishes meanwhile aborts the signal; then it is ${name}`, async (stage) => {
      const asked = collect(stage);
      const client = stage.dial();
      const { info, decide } = await next(asked);
      client.vanish();
      await aborted(info.signal);
      decide(decision);
      await nothingElseHappened(stage, asked);
    });

    suite.rawSeam(`a client that half-closes meanwhile aborts the signal; then it is ${name}`, async (stage) => {
      const asked = collect(stage);
      const raw = await stage.dialRaw();
      raw.write(REQUEST);
      const { info, decide } = await next(asked);
      raw.end();
      await aborted(info.signal);
      decide(decision);
      assert.equal(await raw.response(), undefined);
      await nothingElseHappened(stage, asked);
    });
  }

  for (const [name, leave] of [
    ["a reset", "vanish"],
    ["a half-close", "end"],
  ] as const) {
    suite.rawSeam(`${name} before the request is complete asks nobody`, async (stage) => {
      const asked = collect(stage);
      const silent = await stage.dialRaw();
      const partial = await stage.dialRaw();
      partial.write(REQUEST.subarray(0, REQUEST.length - 2));
      silent[leave]();
      partial[leave]();
      await nothingElseHappened(stage, asked);
    });
  }

  suite.seam("a client that vanishes as it is accepted is opened and closed", async (stage) => {
    const client = stage.dial();
    const event = await stage.events.next();
    assert.ok(event?.type === "open");
    client.vanish();
    assert.deepEqual(await stage.events.next(), {
      type: "close",
      connection: event.connection,
      code: 1006,
      reason: "",
    });
  });

  suite.rawSeam("a request that comes in pieces is one request", async (stage) => {
    const asked = collect(stage);
    const raw = await stage.dialRaw();
    raw.write(REQUEST.subarray(0, 20));
    const other = stage.dial({ url: "/other" });
    const first = await next(asked);
    assert.equal(first.info.url, "/other");
    first.decide(ACCEPT);
    await other.opened;
    raw.write(REQUEST.subarray(20));
    (await next(asked)).decide(ACCEPT);
    assert.equal((await raw.response())?.status, 101);
  });

  for (const name of ["at once", "later"] as const) {
    suite.earlyFrames(
      `frames sent together with the request are received when it is accepted ${name}`,
      async (stage) => {
        const asked = new Inbox<() => void>();
        if (name === "later") {
          stage.upgrade = () =>
            new Promise((resolve) => {
              asked.push(() => resolve(ACCEPT));
            });
        }
        const raw = await stage.dialRaw();
        raw.write(REQUEST, rawFrame(Opcode.text, "one"), rawFrame(Opcode.text, "two"));
        if (name === "later") (await asked.next())?.();
        assert.equal((await raw.response())?.status, 101);
        raw.write(rawFrame(Opcode.text, "three"));
        const opened = await stage.events.next();
        assert.ok(opened?.type === "open");
        const { connection } = opened;
        assert.deepEqual(
          [await stage.events.next(), await stage.events.next(), await stage.events.next()],
          ["one", "two", "three"].map((data) => ({ type: "message", connection, data })),
        );
      },
    );
  }

  for (const name of ["at once", "later"] as const) {
    suite.rawSeam(`a client that sends frames before it is accepted ${name} harms no other`, async (stage) => {
      const asked = new Inbox<() => void>();
      stage.upgrade = ({ url }) => {
        if (name === "at once" || url === "/fence") return ACCEPT;
        return new Promise((resolve) => {
          asked.push(() => resolve(ACCEPT));
        });
      };
      const raw = await stage.dialRaw();
      raw.write(REQUEST, rawFrame(Opcode.text, "early"));
      if (name === "later") (await asked.next())?.();
      await raw.response();
      raw.vanish();
      const fence = stage.dial({ url: "/fence" });
      await fence.opened;
      fence.send("fence");
      await messageOf(stage, "fence");
    });
  }
}
