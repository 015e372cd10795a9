import { connect } from "roomcast/client";
import { VirtualClock } from "roomcast/testing";
import type { HubOptions, Socket, User } from "roomcast";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { reached, QUICK } from "../../support/clients.ts";
import { hubError } from "../../support/hub-error.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { ALL_TRANSPORTS, HandshakeFixture } from "./handshake-fixture.ts";

const START = new VirtualClock().wall();
const MINUTE = 60_000;
const NEWCOMER = { protocols: ["roomcast.v1.json"] };
const HELLO = JSON.stringify({ event: "hub:hello", data: { protocol: 1 } });

describe.each(ALL_TRANSPORTS)("credentials, on %s", (transport) => {
  const open = (user: User, options?: HubOptions): Promise<HandshakeFixture> =>
    HandshakeFixture.open(transport, { authenticate: () => user, ...options });

  it("end the connection when their time is over, and not earlier", async () => {
    const fixture = await open({ id: "ann", expiresAt: START + MINUTE });
    const { client, socket } = await fixture.accepted();
    expect(socket.expiresAt).toBe(START + MINUTE);
    await fixture.clock.advance(MINUTE - 1);
    expect(socket.isOpen).toBe(true);
    await fixture.clock.advance(1);
    expect(socket.isOpen).toBe(false);
    expect(await client.closed).toBe(4103);
    expect(await fixture.departures.next()).toBe(4103);
    expect(fixture.clock.timers).toBe(0);
  });

  it("end the connection of a library client, too", async () => {
    const fixture = await open({ id: "ann", expiresAt: START + MINUTE });
    const client = fixture.connect(NEWCOMER);
    await client.answer;
    client.send(HELLO);
    await fixture.connected.next();
    await fixture.clock.advance(MINUTE);
    expect(await client.closed).toBe(4103);
  });

  it("that never end set no timer", async () => {
    const fixture = await open({ id: "ann" });
    const { socket } = await fixture.accepted();
    expect(socket.expiresAt).toBeUndefined();
    await fixture.clock.advance(1_000 * MINUTE);
    expect(socket.isOpen).toBe(true);
  });

  it("may be valid for longer than a timer can wait", async () => {
    const days = 60 * 24 * 60 * MINUTE;
    const fixture = await open({ id: "ann", expiresAt: START + days });
    const { client, socket } = await fixture.accepted();
    await fixture.clock.advance(60 * MINUTE);
    expect(socket.isOpen).toBe(true);
    fixture.clock.setWall(START + days - MINUTE);
    await fixture.clock.advance(MINUTE - 1);
    expect(socket.isOpen).toBe(true);
    await fixture.clock.advance(1);
    expect(await client.closed).toBe(4103);
  });

  it("of many clients end at their times, at most a second late", async () => {
    const lives = [5, 1, 3, 1.01, 2, 1.02];
    const fixture = await HandshakeFixture.open(transport, {
      authenticate: ({ headers }) => ({ id: "ann", expiresAt: START + Number(headers["x-life"]) * 1_000 }),
    });
    const sockets: Socket[] = [];
    for (const life of lives) sockets.push((await fixture.accepted({ headers: { "x-life": String(life) } })).socket);
    const ends = sockets.map(() => 0);
    for (let time = 0; time <= 6_000; time += 10) {
      for (const [index, { isOpen }] of sockets.entries()) if (isOpen) ends[index] = time + 10;
      await fixture.clock.advance(10);
    }
    for (const [index, life] of lives.entries()) {
      const late = (ends[index] ?? 0) - life * 1_000;
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThanOrEqual(1_000);
    }
    expect(fixture.hub.sockets.size).toBe(0);
    expect(fixture.clock.timers).toBe(0);
  });

  it("leave no timer when the client has gone before", async () => {
    const fixture = await open({ id: "ann", expiresAt: START + MINUTE });
    const { client } = await fixture.accepted();
    client.close();
    await fixture.departures.next();
    await fixture.clock.advance(MINUTE);
    expect(fixture.clock.timers).toBe(0);
    expect(fixture.departures.take()).toEqual([]);
  });

  it.each([0, -1, -MINUTE])("that ended %d ms ago, perhaps on their way, are refused as expired", async (left) => {
    const fixture = await open({ id: "ann", expiresAt: START + left });
    expect(await fixture.status()).toBe(401);
    expect(await fixture.refusals.next()).toMatchObject({ status: 401, reason: "expired" });
    expect(fixture.failures.take()).toEqual([]);
    const client = fixture.connect(NEWCOMER);
    await client.answer;
    client.send(HELLO);
    // A library client has a way to get new ones.
    expect(await client.closed).toBe(4103);
    expect(await fixture.refusals.next()).toMatchObject({ status: 4103, reason: "expired" });
    expect(fixture.connected.take()).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["in seconds", START / 1_000],
    ["as a date", new Date(START + MINUTE)],
    ["as text", String(START + MINUTE)],
    ["as null", null],
    ["as NaN", Number.NaN],
  ])("with an end given %s are refused, which is reported", async (_name, expiresAt) => {
    const fixture = await open({ id: "ann", expiresAt: expiresAt as number });
    expect(await fixture.status()).toBe(401);
    const error = hubError("ERR_HUB_AUTHENTICATE", "milliseconds");
    expect(await fixture.failures.next()).toEqual({ error, source: "authenticate" });
  });

  it("can be refreshed", async () => {
    const fixture = await open({ id: "ann", expiresAt: START + MINUTE });
    const { client, socket } = await fixture.accepted();
    const fresh = { id: "ann", name: "Ann", expiresAt: START + 3 * MINUTE };
    socket.refresh(fresh);
    expect(socket.user).toEqual(fresh);
    expect(socket.expiresAt).toBe(START + 3 * MINUTE);
    await fixture.clock.advance(3 * MINUTE - 1);
    expect(socket.isOpen).toBe(true);
    await fixture.clock.advance(1);
    expect(await client.closed).toBe(4103);
  });

  it("can be refreshed to end earlier, never, or at all", async () => {
    const fixture = await open({ id: "ann", expiresAt: START + 2 * MINUTE });
    const earlier = await fixture.accepted();
    const never = await fixture.accepted();
    earlier.socket.refresh({ id: "ann", expiresAt: START + MINUTE });
    never.socket.refresh({ id: "ann" });
    expect(never.socket.expiresAt).toBeUndefined();
    await fixture.clock.advance(MINUTE);
    expect(await earlier.client.closed).toBe(4103);
    await fixture.clock.advance(9 * MINUTE);
    expect(never.socket.isOpen).toBe(true);
    never.socket.refresh({ id: "ann", expiresAt: START + 11 * MINUTE });
    await fixture.clock.advance(MINUTE);
    expect(await never.client.closed).toBe(4103);
  });

  it("of another user refresh nothing", async () => {
    const fixture = await open({ id: "ann", expiresAt: START + MINUTE });
    const { client, socket } = await fixture.accepted();
    const later = START + 9 * MINUTE;
    expect(() => socket.refresh({ id: "ben", expiresAt: later })).toThrow(hubError("ERR_HUB_ARGUMENT"));
    expect(() => socket.refresh({ id: "ann", expiresAt: later / 1_000 })).toThrow(/milliseconds/);
    expect(socket.user).toEqual({ id: "ann", expiresAt: START + MINUTE });
    await fixture.clock.advance(MINUTE);
    expect(await client.closed).toBe(4103);
  });

  it("cannot be refreshed where there are none", async () => {
    const fixture = await HandshakeFixture.open(transport);
    const { socket } = await fixture.accepted();
    expect(() => socket.refresh({ id: "ann" })).toThrow(hubError("ERR_HUB_ARGUMENT"));
    expect(socket.user).toBeUndefined();
  });
});

describe.each(TRANSPORTS)("a client of the library, on %s", (transport) => {
  it("reconnects with fresh credentials when its credentials have expired", async () => {
    const tokens: unknown[] = [];
    const fixture = await HandshakeFixture.open(transport, {
      authenticate: ({ auth }) => {
        tokens.push(auth);
        return { id: "ann", expiresAt: START + Number(auth) * MINUTE };
      },
    });
    let asked = 0;
    const client = connect(`ws://127.0.0.1:${fixture.port}/`, { WebSocket, reconnect: QUICK, auth: () => ++asked });
    onTestFinished(() => client.close());
    await reached(client, "open");
    const first = await fixture.connected.next();
    expect(first?.expiresAt).toBe(START + MINUTE);
    const back = reached(client, "open");
    await fixture.clock.advance(MINUTE);
    expect(await fixture.departures.next()).toBe(4103);
    const second = await fixture.connected.next();
    await back;
    expect(second?.expiresAt).toBe(START + 2 * MINUTE);
    expect(tokens).toEqual([1, 2]);
    expect(client.state).toBe("open");
  });
});
