import assert from "node:assert/strict";
import { createDeferred } from "../../../deferred.ts";
import { jsonCodec } from "../../../protocol/codec.ts";
import { ControlEvent, PROTOCOL_VERSION } from "../../../protocol/packet.ts";
import type { SuiteClient } from "../../suite-client.ts";
import { nextPacket } from "../library-clients.ts";
import type { ClusterSuite } from "./cluster-suite.ts";
import { until, type ClusterFixture } from "./cluster-fixture.ts";

const REQUEST = JSON.stringify({ event: "pay", id: 7, key: "~0123456789abcdefghijkl", data: 5 });
const REPLY = { reply: 7, data: "paid" };

/** Requests that clients repeat on another node. Every connection is that of another guest. */
export function repeatCases(suite: ClusterSuite): void {
  let guests = 0;
  const options = { authenticate: () => ({ id: `guest ${++guests}` }) };

  suite.test(
    "a request that is repeated on other nodes is handled once, and answered there",
    options,
    async (fixture) => {
      let count = 0;
      const paid = createDeferred<string>();
      for (const hub of fixture.hubs) {
        hub.handle("pay", () => {
          count++;
          return paid.promise;
        });
      }
      const first = await connectAs(fixture, 0, undefined);
      first.client.send(REQUEST);
      await until("the request is handled", () => count === 1);
      first.client.vanish();
      const second = await connectAs(fixture, 1, first.home);
      await repeat(fixture, 1, second.client);
      second.client.vanish();
      const third = await connectAs(fixture, 2, second.home);
      await repeat(fixture, 2, third.client);
      paid.resolve("paid");
      assert.deepEqual(await nextPacket(third.client), REPLY);
      // From now on the reply is remembered.
      const fourth = await connectAs(fixture, 1, third.home);
      fourth.client.send(REQUEST);
      assert.deepEqual(await nextPacket(fourth.client), REPLY);
      assert.equal(count, 1);
    },
  );

  suite.test(
    "a request that was lost on its way is handled by the node where it is repeated, once",
    options,
    async (fixture) => {
      let count = 0;
      for (const hub of fixture.hubs) hub.handle("pay", () => `paid ${++count}`);
      const { client, home } = await connectAs(fixture, 0, undefined);
      client.vanish();
      for (const index of [1, 2, 0, 1]) {
        // oxlint-disable-next-line no-await-in-loop -- one connection after the other
        const next = await connectAs(fixture, index, home);
        assert.equal(next.home, home);
        next.client.send(REQUEST);
        // oxlint-disable-next-line no-await-in-loop
        assert.deepEqual(await nextPacket(next.client), { reply: 7, data: "paid 1" });
        // oxlint-disable-next-line no-await-in-loop -- the first node hears that the request was handled
        await fixture.settled();
      }
    },
  );
}

/** Sends the request, and waits until its node has it, and the other nodes have what this node has sent then. */
async function repeat(fixture: ClusterFixture, index: number, client: SuiteClient): Promise<void> {
  const hub = fixture.hub(index);
  const { messagesIn } = hub.stats();
  client.send(REQUEST);
  await until("the node has the request", () => hub.stats().messagesIn > messagesIn);
  await fixture.settled();
}

/**
 * Connects a library client in JSON that has the home of an earlier connection. Resolves with the client and with its home
 * from now on.
 */
async function connectAs(
  fixture: ClusterFixture,
  index: number,
  home: string | undefined,
): Promise<{ readonly client: SuiteClient; readonly home: string }> {
  const client = fixture.fixtures[index]?.dial({ protocols: [jsonCodec.protocol] });
  assert.ok(client !== undefined);
  await client.opened;
  client.send(JSON.stringify({ event: ControlEvent.hello, data: { protocol: PROTOCOL_VERSION, home } }));
  const welcome = await nextPacket(client);
  assert.equal(welcome?.["event"], ControlEvent.welcome);
  const data = welcome["data"] as { readonly id: string; readonly home?: string };
  return { client, home: data.home ?? data.id };
}
