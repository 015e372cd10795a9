import assert from "node:assert/strict";
import { Inbox } from "../inbox.ts";
import { rawRequest, UPGRADE_HEADERS } from "../raw-client.ts";
import { Opcode, rawFrame } from "../raw-frame.ts";
import {
  untilAborted,
  holdHandshakes,
  waitForMessage,
  nextHandshake,
  assertNothingElseHappened,
  REFUSE,
} from "./pending-handshakes.ts";
import { ACCEPT } from "./transport-fixture.ts";
import type { Suite } from "./suite.ts";

const REQUEST = rawRequest("/", UPGRADE_HEADERS);

/** Clients that disconnect, or send frames, before their handshake is answered. */
export function impatientCases(suite: Suite): void {
  for (const [name, decision] of [
    ["accepted", ACCEPT],
    ["refused", REFUSE],
  ] as const) {
    suite.seam(
      `a client that disconnects before the decision aborts the signal, and is then ${name}`,
      async (fixture) => {
        const pending = holdHandshakes(fixture);
        const client = fixture.dial();
        const { info, decide } = await nextHandshake(pending);
        client.vanish();
        await untilAborted(info.signal);
        decide(decision);
        await assertNothingElseHappened(fixture, pending);
      },
    );

    suite.rawSeam(
      `a client that half-closes before the decision aborts the signal, and is then ${name}`,
      async (fixture) => {
        const pending = holdHandshakes(fixture);
        const raw = await fixture.dialRaw();
        raw.write(REQUEST);
        const { info, decide } = await nextHandshake(pending);
        raw.end();
        await untilAborted(info.signal);
        decide(decision);
        assert.equal(await raw.response(), undefined);
        await assertNothingElseHappened(fixture, pending);
      },
    );
  }

  for (const [name, leave] of [
    ["a reset", "vanish"],
    ["a half-close", "end"],
  ] as const) {
    suite.rawSeam(`${name} before the request is complete asks for no decision`, async (fixture) => {
      const pending = holdHandshakes(fixture);
      const silent = await fixture.dialRaw();
      const partial = await fixture.dialRaw();
      partial.write(REQUEST.subarray(0, REQUEST.length - 2));
      silent[leave]();
      partial[leave]();
      await assertNothingElseHappened(fixture, pending);
    });
  }

  suite.seam("a client that disconnects right after it was accepted is opened and closed", async (fixture) => {
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

  suite.rawSeam("a request that arrives in pieces is one request", async (fixture) => {
    const pending = holdHandshakes(fixture);
    const raw = await fixture.dialRaw();
    raw.write(REQUEST.subarray(0, 20));
    const other = fixture.dial({ url: "/other" });
    const first = await nextHandshake(pending);
    assert.equal(first.info.url, "/other");
    first.decide(ACCEPT);
    await other.opened;
    raw.write(REQUEST.subarray(20));
    (await nextHandshake(pending)).decide(ACCEPT);
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
    suite.rawSeam(`a client that sends frames before it is accepted ${name} harms no other client`, async (fixture) => {
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
      await waitForMessage(fixture, "fence");
    });
  }
}
