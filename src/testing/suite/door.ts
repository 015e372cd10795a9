import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Refusal } from "../../door/refusal.ts";
import type { User } from "../../event-types.ts";
import { Inbox } from "../inbox.ts";
import { rawRequest, UPGRADE_HEADERS } from "../raw-client.ts";
import type { SuiteConnectOptions } from "../suite-client.ts";
import type { HubFixture } from "./hub-fixture.ts";
import type { Suite } from "./suite.ts";

/** The admission of clients. A client frees its place when its descriptor is free. */
export function doorCases(suite: Suite): void {
  suite.test("pages of the same host may connect, and pages of other hosts may not", async (fixture) => {
    await fixture.connect(fromPage("https://chat.example"));
    await assert.rejects(fixture.dial(fromPage("https://evil.example")).opened, { status: 403 });
    await assert.rejects(fixture.dial(fromPage("https://chat.example:8443")).opened, { status: 403 });
    assert.equal(fixture.connected.length, 1);
  });

  suite.test("the refusal event tells the reason", { origins: [] }, async (fixture) => {
    const refusals: Refusal[] = [];
    fixture.hub.on("refusal", (refusal) => refusals.push(refusal));
    await assert.rejects(fixture.dial({ url: "/x", headers: { Origin: "https://evil.example" } }).opened);
    assert.deepEqual(
      refusals.map(({ status, reason, handshake }) => [status, reason, handshake.url]),
      [[403, "origin", "/x"]],
    );
  });

  suite.raw(
    "the answer to a refused client says when to retry",
    { admit: () => ({ retryAfter: 1_500 }) },
    async (fixture) => {
      const raw = await fixture.dialRaw();
      raw.write(rawRequest("/", UPGRADE_HEADERS));
      const answer = await raw.response();
      assert.equal(answer?.status, 503);
      assert.equal(answer.headers.get("retry-after"), "2");
      assert.notEqual(answer.body, "");
    },
  );

  suite.test(
    "behind a proxy the client's address is the one that the proxy tells",
    { trustProxy: 1 },
    async (fixture) => {
      const headers = { "X-Forwarded-For": "203.0.113.1, 198.51.100.7", "X-Forwarded-Proto": "https" };
      const { handshake } = (await fixture.connect({ headers })).socket;
      assert.deepEqual([handshake.remoteAddress, handshake.secure], ["198.51.100.7", true]);
    },
  );

  suite.test(
    "maxConnectionsPerAddress limits the connections of each address",
    { trustProxy: 1, maxConnectionsPerAddress: 1 },
    async (fixture) => {
      await fixture.connect(fromAddress("198.51.100.7"));
      await fixture.connect(fromAddress("198.51.100.8"));
      await assert.rejects(fixture.dial(fromAddress("198.51.100.7")).opened, { status: 429 });
    },
  );

  suite.test("a client that is terminated frees its place", { maxConnections: 1 }, async (fixture) => {
    const { socket } = await fixture.connect();
    await assert.rejects(fixture.dial().opened, { status: 503 });
    socket.terminate();
    await fixture.departures.next();
    await allGone(fixture);
    await fixture.connect();
  });

  suite.test("a client that is refused frees its place", { ...ONE_KNOWN, maxConnections: 1 }, async (fixture) => {
    await assert.rejects(fixture.dial().opened, { status: 401 });
    await assert.rejects(fixture.dial().opened, { status: 401 });
    await fixture.connect(KNOWN);
    await assert.rejects(fixture.dial(KNOWN).opened, { status: 503 });
  });

  for (const [name, headers] of [
    ["without a key", { ...UPGRADE_HEADERS, "Sec-WebSocket-Key": [] }],
    ["with a key of the wrong length", { ...UPGRADE_HEADERS, "Sec-WebSocket-Key": "c2hvcnQ=" }],
  ] as const) {
    suite.raw(`a request ${name} takes no place`, { maxConnections: 1 }, async (fixture) => {
      const raw = await fixture.dialRaw();
      raw.write(rawRequest("/", headers));
      await raw.response();
      await fixture.connect();
    });
  }

  const asked = new Inbox<(user: User) => void>();
  const authenticate = (): Promise<User> => new Promise((resolve) => asked.push(resolve));
  suite.test(
    "a client that disconnects during authentication frees its place when authentication ends",
    { authenticate, maxConnections: 1 },
    async (fixture) => {
      const impatient = fixture.dial();
      const decide = await asked.next();
      impatient.vanish();
      await impatient.closed;
      await assert.rejects(fixture.dial().opened, { status: 503 });
      decide?.({ id: "ann" });
      const arrival = fixture.connect();
      (await asked.next())?.({ id: "ben" });
      assert.deepEqual((await arrival).socket.user, { id: "ben" });
      assert.equal(fixture.connected.length, 1);
    },
  );

  suite.test(
    "a client waits no longer than handshakeTimeout",
    { authenticate: () => new Promise<never>(() => {}), handshakeTimeout: 20 },
    async (fixture) => {
      await assert.rejects(fixture.dial().opened, { status: 503 });
      assert.equal((await fixture.failures.next())?.context.source, "authenticate");
      assert.deepEqual(fixture.connected, []);
    },
  );

  suite.test("a client whose credentials have expired is closed with 4103", ONE_KNOWN, async (fixture) => {
    const { client, socket } = await fixture.connect(KNOWN);
    socket.refresh({ id: "ann", expiresAt: Date.now() + 20 });
    assert.equal((await client.closed).code, 4103);
    assert.equal((await fixture.departures.next())?.code, 4103);
  });
}

/** Options of a hub that lets in Ann only. */
const ONE_KNOWN = {
  authenticate: async ({ url }: { readonly url: string }): Promise<User | false> => url === "/ann" && { id: "ann" },
};

const KNOWN = { url: "/ann" };

function fromPage(origin: string): SuiteConnectOptions {
  return { headers: { Host: "chat.example", Origin: origin } };
}

function fromAddress(address: string): SuiteConnectOptions {
  return { headers: { "X-Forwarded-For": address } };
}

/** Waits until the descriptors of all connections that have ended are free. */
async function allGone({ hub }: HubFixture): Promise<void> {
  if (hub.stats().closing === 0) return;
  await nextTurn();
  await allGone({ hub } as HubFixture);
}
