import { describe, expect, test, vi } from "vitest";
import { Inbox } from "../../../src/testing/inbox.ts";
import type { HubFixture } from "../../../src/testing/suite/hub-fixture.ts";
import { openHubFixture, openHubFixtureInTime, SUBJECTS } from "../../support/hub-fixture.ts";

const TOO_MANY = {
  code: "too-many-requests",
  message: "Too many of your messages are being handled. Wait for replies.",
};

/** A call of the handler "work", which goes on until it is told to end. */
interface Work {
  readonly signal: AbortSignal;
  readonly resolve: (value?: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Handles "work" asynchronously and "fence" at once. */
function handleWork(fixture: HubFixture): Inbox<Work> {
  const begun = new Inbox<Work>();
  fixture.hub.handle("work", (_data, _socket, { signal }) => {
    return new Promise((resolve, reject) => begun.push({ signal, resolve, reject }));
  });
  fixture.hub.handle("fence", () => "fence");
  return begun;
}

/** Waits until so many messages of all clients have come. */
async function arrived(fixture: HubFixture, count: number): Promise<void> {
  await vi.waitFor(() => expect(fixture.hub.stats().messagesIn).toBe(count), { interval: 5, timeout: 10_000 });
}

describe.each(SUBJECTS)("On $name the pending messages of a client", (subject) => {
  const one = { limits: { pendingRequests: 1 } };
  const two = { limits: { pendingRequests: 2 } };

  test("are limited: further ones wait, and are handled in order as others finish", async () => {
    const fixture = await openHubFixture(subject, two);
    const begun = handleWork(fixture);
    const peer = await fixture.connect();
    for (const id of [1, 2, 3]) peer.say({ event: "work", id });
    peer.say({ event: "fence", id: 4 });
    await arrived(fixture, 4);
    expect(fixture.hub.stats().handling).toBe(2);
    const [first, second] = begun.take();
    second?.resolve("second");
    expect(await peer.packet()).toStrictEqual({ reply: 2, data: "second" });
    const third = await begun.next();
    expect(await peer.heard()).toStrictEqual([]);
    first?.reject(new Error("broken"));
    expect(await peer.packet()).toMatchObject({ reply: 1, error: { code: "handler-failed" } });
    expect(await peer.packet()).toStrictEqual({ reply: 4, data: "fence" });
    third?.resolve("third");
    expect(await peer.packet()).toStrictEqual({ reply: 3, data: "third" });
    expect(fixture.hub.stats()).toMatchObject({ handling: 0, handlingBytes: 0, waitingBytes: 0 });
  });

  test.each([
    ["a reply", { id: 2 }, { reply: 2, error: TOO_MANY }],
    ["`hub:error`", {}, { event: "hub:error", data: TOO_MANY }],
  ])("are refused after ten seconds while too many bytes wait, by %s", async (_, id, answer) => {
    // One message fits, with its record of 256 bytes, and two are too much.
    const { fixture, clock } = await openHubFixtureInTime(subject, {
      limits: { pendingRequests: 1, waitingBytes: 400 },
    });
    const begun = handleWork(fixture);
    const peer = await fixture.connect();
    peer.say({ event: "work", id: 1 });
    peer.say({ event: "work", ...id });
    peer.say({ event: "work", id: 3 });
    await arrived(fixture, 3);
    await clock.advance(9_000);
    expect(await peer.heard()).toStrictEqual([]);
    await clock.advance(2_000);
    expect(await peer.packet()).toStrictEqual(answer);
    expect(fixture.hub.stats()).toMatchObject({ violations: 0, handling: 1 });
    // What fits waits on.
    await clock.advance(60_000);
    expect(await peer.heard()).toStrictEqual([]);
    (await begun.next())?.resolve("first");
    expect(await peer.packet()).toStrictEqual({ reply: 1, data: "first" });
    (await begun.next())?.resolve("third");
    expect(await peer.packet()).toStrictEqual({ reply: 3, data: "third" });
    expect(fixture.hub.stats()).toMatchObject({ handling: 0, waitingBytes: 0 });
  });

  test("make room where the reply cannot be sent", async () => {
    const fixture = await openHubFixture(subject, one);
    const begun = handleWork(fixture);
    const peer = await fixture.connect();
    for (const id of [1, 2]) {
      peer.say({ event: "work", id });
      (await begun.next())?.resolve(1n);
      expect(await peer.packet()).toMatchObject({ reply: id, error: { code: "handler-failed" } });
    }
  });

  test("do not include any number of those with synchronous handlers", async () => {
    const fixture = await openHubFixture(subject, one);
    handleWork(fixture);
    const peer = await fixture.connect();
    for (let id = 1; id <= 20; id++) peer.say({ event: "fence", id });
    for (let reply = 1; reply <= 20; reply++) expect(await peer.packet()).toStrictEqual({ reply, data: "fence" });
  });

  test("do not hold up replies, for which a handler may be waiting", async () => {
    const fixture = await openHubFixture(subject, one);
    fixture.hub.handle("ask me", (_data, socket) => socket.request("why"));
    const peer = await fixture.connect();
    peer.say({ event: "ask me", id: 1 });
    const { id } = (await peer.packet()) as { readonly id: number };
    peer.say({ event: "ask me", id: 2 });
    peer.say({ reply: id, data: "because" });
    expect(await peer.packet()).toStrictEqual({ reply: 1, data: "because" });
    expect(await peer.packet()).toMatchObject({ event: "why" });
  });

  test("end with their handlers although the socket was closed, and count for each client", async () => {
    const fixture = await openHubFixture(subject, one);
    const begun = handleWork(fixture);
    const [gone, other] = await fixture.pair();
    gone.say({ event: "work", id: 1 });
    const work = await begun.next();
    expect(work?.signal.aborted).toBe(false);
    gone.client.close();
    await fixture.departures.next();
    expect(work?.signal.aborted).toBe(true);
    expect(fixture.hub.stats().handling).toBe(1);
    other.say({ event: "work", id: 1 });
    const otherWork = await begun.next();
    work?.reject(new Error("too late"));
    expect(await fixture.failures.next()).toMatchObject({ context: { source: "handler", event: "work" } });
    otherWork?.resolve("done");
    expect(await other.packet()).toStrictEqual({ reply: 1, data: "done" });
    expect(await other.ask("fence")).toStrictEqual({ reply: 1, data: "fence" });
    expect(fixture.hub.stats().handling).toBe(0);
  });

  test("include joins that an asynchronous guard decides on", async () => {
    const guards = new Inbox<(verdict: boolean) => void>();
    const fixture = await openHubFixture(subject, {
      limits: { pendingRequests: 1 },
      joinable: () => new Promise<boolean>((resolve) => guards.push(resolve)),
    });
    const peer = await fixture.connect();
    peer.say({ event: "hub:join", id: 1, data: { room: "a" } });
    peer.say({ event: "hub:join", id: 2, data: { room: "b" } });
    await arrived(fixture, 2);
    (await guards.next())?.(true);
    expect(await peer.packet()).toStrictEqual({ reply: 1 });
    (await guards.next())?.(true);
    expect(await peer.packet()).toStrictEqual({ reply: 2 });
    expect([...peer.socket.rooms]).toStrictEqual(["a", "b"]);
  });
});

describe.each(SUBJECTS)("On $name the memory that handlers are at work on", (subject) => {
  /** About 100 KB of memory once it is decoded. */
  const data = "x".repeat(50_000);

  test("is limited for one socket, but a single message may take more", async () => {
    const fixture = await openHubFixture(subject, { limits: { pendingBytes: 150_000 } });
    const begun = handleWork(fixture);
    const peer = await fixture.connect();
    for (const id of [1, 2, 3]) peer.say({ event: "work", id, data });
    await arrived(fixture, 3);
    expect(fixture.hub.stats().handling).toBe(1);
    for (const id of [1, 2, 3]) {
      (await begun.next())?.resolve(id);
      expect(await peer.packet()).toStrictEqual({ reply: id, data: id });
    }
    expect(fixture.hub.stats().peakHandlingBytes).toBeLessThan(150_000);
    peer.say({ event: "work", id: 4, data: data.repeat(4) });
    (await begun.next())?.resolve("done");
    expect(await peer.packet()).toStrictEqual({ reply: 4, data: "done" });
  });

  test("is limited for the hub, with sockets that have ended, and outlives a reconnection", async () => {
    const { fixture, clock } = await openHubFixtureInTime(subject, { maxPendingBytes: 1_000_000 });
    const begun = handleWork(fixture);
    for (let connection = 0; connection < 10; connection++) {
      const peer = await fixture.connect();
      for (let n = 0; n < 3; n++) peer.say({ event: "work", data });
      await arrived(fixture, 3 * (connection + 1));
      peer.client.close();
      await peer.client.closed;
      // What waits for handlers is given time, and not for ever.
      await clock.advance(10_000);
      await fixture.departures.next();
    }
    const { handling, handlingBytes, waitingBytes } = fixture.hub.stats();
    // The one address may use a third.
    expect(handlingBytes).toBeLessThan(400_000);
    expect(handling).toBe(begun.take().length);
    expect(waitingBytes).toBe(0);
  });

  test("is not taken away from others by one user", async () => {
    const fixture = await openHubFixture(subject, {
      maxPendingBytes: 1_000_000,
      authenticate: ({ headers }) => ({ id: headers["x-user"] ?? "" }),
    });
    const begun = handleWork(fixture);
    const greedy = await fixture.connect({ headers: { "x-user": "greedy" } });
    const modest = await fixture.connect({ headers: { "x-user": "modest" } });
    for (let n = 0; n < 8; n++) greedy.say({ event: "work", data });
    await arrived(fixture, 8);
    const before = begun.take().length;
    expect(before).toBeLessThan(8);
    modest.say({ event: "work", id: 1, data });
    (await begun.next())?.resolve("done");
    expect(await modest.packet()).toStrictEqual({ reply: 1, data: "done" });
  });
});

describe.each(SUBJECTS)("On $name the signal", (subject) => {
  test("of a call is that of its socket, and is aborted when the socket ends", async () => {
    const fixture = await openHubFixture(subject);
    const signals: AbortSignal[] = [];
    fixture.hub.use((call, next) => {
      signals.push(call.signal);
      return next();
    });
    fixture.hub.handle("look", (_data, _socket, { signal }) => void signals.push(signal));
    const peer = await fixture.connect();
    await peer.ask("look");
    expect(signals).toHaveLength(2);
    expect(signals[0]).toBe(signals[1]);
    expect(signals[0]?.aborted).toBe(false);
    peer.socket.close();
    expect(signals[0]?.aborted).toBe(true);
  });
});
