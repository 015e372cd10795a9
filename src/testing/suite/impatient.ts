import assert from "node:assert/strict";
import { Inbox } from "../inbox.ts";
import { rawRequest, UPGRADE_HEADERS } from "../raw-client.ts";
import { Opcode, rawFrame } from "../raw-frame.ts";
import { aborted, collect, messageOf, next, nothingElseHappened, REFUSE } from "./pending-handshakes.ts";
import { ACCEPT } from "./transport-fixture.ts";
import type { Suite } from "./suite.ts";

const REQUEST = rawRequest("/", UPGRADE_HEADERS);

/** Clients that do not wait for the answer to their handshake, at every stage of it. */
export function impatientCases(suite: Suite): void {
  for (const [name, decision] of [
    ["accepted", ACCEPT],
    ["refused", REFUSE],
  ] as const) {
    suite.seam(`a client that vanishes meanwhile aborts the signal; then it is ${name}`, async (fixture) => {
      const asked = collect(fixture);
      const client = fixture.dial();
      const { info, decide } = await next(asked);
      client.vanish();
      await aborted(info.signal);
      decide(decision);
      await nothingElseHappened(fixture, asked);
    });

    suite.rawSeam(`a client that half-closes meanwhile aborts the signal; then it is ${name}`, async (fixture) => {
      const asked = collect(fixture);
      const raw = await fixture.dialRaw();
      raw.write(REQUEST);
      const { info, decide } = await next(asked);
      raw.end();
      await aborted(info.signal);
      decide(decision);
      assert.equal(await raw.response(), undefined);
      await nothingElseHappened(fixture, asked);
    });
  }

  for (const [name, leave] of [
    ["a reset", "vanish"],
    ["a half-close", "end"],
  ] as const) {
    suite.rawSeam(`${name} before the request is complete asks nobody`, async (fixture) => {
      const asked = collect(fixture);
      const silent = await fixture.dialRaw();
      const partial = await fixture.dialRaw();
      partial.write(REQUEST.subarray(0, REQUEST.length - 2));
      silent[leave]();
      partial[leave]();
      await nothingElseHappened(fixture, asked);
    });
  }

  suite.seam("a client that vanishes as it is accepted is opened and closed", async (fixture) => {
    const client = fixture.dial();
    const event = await fixture.events.next();
    assert.ok(event?.type === "open");
    client.vanish();
    assert.deepEqual(await fixture.events.next(), {
      type: "close",
      connection: event.connection,
      code: 1006,
      reason: "",
    });
  });

  suite.rawSeam("a request that comes in pieces is one request", async (fixture) => {
    const asked = collect(fixture);
    const raw = await fixture.dialRaw();
    raw.write(REQUEST.subarray(0, 20));
    const other = fixture.dial({ url: "/other" });
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
      async (fixture) => {
        const asked = new Inbox<() => void>();
        if (name === "later") {
          fixture.upgrade = () =>
            new Promise((resolve) => {
              asked.push(() => resolve(ACCEPT));
            });
        }
        const raw = await fixture.dialRaw();
        raw.write(REQUEST, rawFrame(Opcode.text, "one"), rawFrame(Opcode.text, "two"));
        if (name === "later") (await asked.next())?.();
        assert.equal((await raw.response())?.status, 101);
        raw.write(rawFrame(Opcode.text, "three"));
        const opened = await fixture.events.next();
        assert.ok(opened?.type === "open");
        const { connection } = opened;
        assert.deepEqual(
          [await fixture.events.next(), await fixture.events.next(), await fixture.events.next()],
          ["one", "two", "three"].map((data) => ({ type: "message", connection, data })),
        );
      },
    );
  }

  for (const name of ["at once", "later"] as const) {
    suite.rawSeam(`a client that sends frames before it is accepted ${name} harms no other`, async (fixture) => {
      const asked = new Inbox<() => void>();
      fixture.upgrade = ({ url }) => {
        if (name === "at once" || url === "/fence") return ACCEPT;
        return new Promise((resolve) => {
          asked.push(() => resolve(ACCEPT));
        });
      };
      const raw = await fixture.dialRaw();
      raw.write(REQUEST, rawFrame(Opcode.text, "early"));
      if (name === "later") (await asked.next())?.();
      await raw.response();
      raw.vanish();
      const fence = fixture.dial({ url: "/fence" });
      await fence.opened;
      fence.send("fence");
      await messageOf(fixture, "fence");
    });
  }
}
