import { describe, expect, test, vi } from "vitest";
import { Inbox } from "../../../src/testing/inbox.ts";
import type { HubFixture } from "../../../src/testing/suite/hub-fixture.ts";
import { openStage, openStageInTime, SUBJECTS } from "../../support/stages.ts";

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
function handleWork(stage: HubFixture): Inbox<Work> {
  const begun = new Inbox<Work>();
  stage.hub.handle("work", (_data, _socket, { signal }) => {
    return new Promise((resolve, reject) => begun.push({ signal, resolve, reject }));
  });
  stage.hub.handle("fence", () => "fence");
  return begun;
}

/** Waits until so many messages of all clients have come. */
async function arrived(stage: HubFixture, count: number): Promise<void> {
  await vi.waitFor(() => expect(stage.hub.stats().messagesIn).toBe(count), { interval: 5, timeout: 10_000 });
}

describe.each(SUBJECTS)("On $name the pending messages of a client", (subject) => {
  const one = { limits: { pendingRequests: 1 } };
  const two = { limits: { pendingRequests: 2 } };

  test("are limited: further ones wait, and are handled in order as others finish", async () => {
    const stage = await openStage(subject, two);
    const begun = handleWork(stage);
    const guest = await stage.connect();
    for (const id of [1, 2, 3]) guest.say({ event: "work", id });
    guest.say({ event: "fence", id: 4 });
    await arrived(stage, 4);
    expect(stage.hub.stats().handling).toBe(2);
    const [first, second] = begun.take();
    second?.resolve("second");
    expect(await guest.packet()).toStrictEqual({ reply: 2, data: "second" });
    const third = await begun.next();
    expect(await guest.heard()).toStrictEqual([]);
    first?.reject(new Error("broken"));
    expect(await guest.packet()).toMatchObject({ reply: 1, error: { code: "handler-failed" } });
    expect(await guest.packet()).toStrictEqual({ reply: 4, data: "fence" });
    third?.resolve("third");
    expect(await guest.packet()).toStrictEqual({ reply: 3, data: "third" });
    expect(stage.hub.stats()).toMatchObject({ handling: 0, handlingBytes: 0, waitingBytes: 0 });
  });

  test("are refused after ten seconds, by a reply where they ask for one", async () => {
    const { stage, clock } = await openStageInTime(subject, one);
    const begun = handleWork(stage);
    const guest = await stage.connect();
    guest.say({ event: "work", id: 1 });
    guest.say({ event: "work", id: 2 });
    guest.say({ event: "work" });
    await arrived(stage, 3);
    await clock.advance(9_000);
    expect(await guest.heard()).toStrictEqual([]);
    await clock.advance(2_000);
    expect(await guest.packet()).toStrictEqual({ reply: 2, error: TOO_MANY });
    expect(await guest.packet()).toStrictEqual({ event: "hub:error", data: TOO_MANY });
    expect(begun.take()).toHaveLength(1);
    expect(stage.hub.stats()).toMatchObject({ violations: 0, waitingBytes: 0 });
    expect(guest.socket.isOpen).toBe(true);
  });

  test("make room where the reply cannot be sent", async () => {
    const stage = await openStage(subject, one);
    const begun = handleWork(stage);
    const guest = await stage.connect();
    for (const id of [1, 2]) {
      guest.say({ event: "work", id });
      (await begun.next())?.resolve(1n);
      expect(await guest.packet()).toMatchObject({ reply: id, error: { code: "handler-failed" } });
    }
  });

  test("do not include any number of those with synchronous handlers", async () => {
    const stage = await openStage(subject, one);
    handleWork(stage);
    const guest = await stage.connect();
    for (let id = 1; id <= 20; id++) guest.say({ event: "fence", id });
    for (let reply = 1; reply <= 20; reply++) expect(await guest.packet()).toStrictEqual({ reply, data: "fence" });
  });

  test("do not hold up replies, for which a handler may be waiting", async () => {
    const stage = await openStage(subject, one);
    stage.hub.handle("ask me", (_data, socket) => socket.request("why"));
    const guest = await stage.connect();
    guest.say({ event: "ask me", id: 1 });
    const { id } = (await guest.packet()) as { readonly id: number };
    guest.say({ event: "ask me", id: 2 });
    guest.say({ reply: id, data: "because" });
    expect(await guest.packet()).toStrictEqual({ reply: 1, data: "because" });
    expect(await guest.packet()).toMatchObject({ event: "why" });
  });

  test("end with their handlers although the socket was closed, and count for each client", async () => {
    const stage = await openStage(subject, one);
    const begun = handleWork(stage);
    const [gone, other] = await stage.pair();
    gone.say({ event: "work", id: 1 });
    const work = await begun.next();
    expect(work?.signal.aborted).toBe(false);
    gone.client.close();
    await stage.departures.next();
    expect(work?.signal.aborted).toBe(true);
    expect(stage.hub.stats().handling).toBe(1);
    other.say({ event: "work", id: 1 });
    const otherWork = await begun.next();
    work?.reject(new Error("too late"));
    expect(await stage.failures.next()).toMatchObject({ context: { source: "handler", event: "work" } });
    otherWork?.resolve("done");
    expect(await other.packet()).toStrictEqual({ reply: 1, data: "done" });
    expect(await other.ask("fence")).toStrictEqual({ reply: 1, data: "fence" });
    expect(stage.hub.stats().handling).toBe(0);
  });

  test("include joins that an asynchronous guard decides on", async () => {
    const guards = new Inbox<(verdict: boolean) => void>();
    const stage = await openStage(subject, {
      limits: { pendingRequests: 1 },
      joinable: () => new Promise<boolean>((resolve) => guards.push(resolve)),
    });
    const guest = await stage.connect();
    guest.say({ event: "hub:join", id: 1, data: { room: "a" } });
    guest.say({ event: "hub:join", id: 2, data: { room: "b" } });
    await arrived(stage, 2);
    (await guards.next())?.(true);
    expect(await guest.packet()).toStrictEqual({ reply: 1 });
    (await guards.next())?.(true);
    expect(await guest.packet()).toStrictEqual({ reply: 2 });
    expect([...guest.socket.rooms]).toStrictEqual(["a", "b"]);
  });
});

describe.each(SUBJECTS)("On $name the memory that handlers are at work on", (subject) => {
  /** About 100 KB of memory once it is decoded. */
  const data = "x".repeat(50_000);

  test("is limited for one socket, but a single message may take more", async () => {
    const stage = await openStage(subject, { limits: { pendingBytes: 150_000 } });
    const begun = handleWork(stage);
    const guest = await stage.connect();
    for (const id of [1, 2, 3]) guest.say({ event: "work", id, data });
    await arrived(stage, 3);
    expect(stage.hub.stats().handling).toBe(1);
    for (const id of [1, 2, 3]) {
      (await begun.next())?.resolve(id);
      expect(await guest.packet()).toStrictEqual({ reply: id, data: id });
    }
    expect(stage.hub.stats().peakHandlingBytes).toBeLessThan(150_000);
    guest.say({ event: "work", id: 4, data: data.repeat(4) });
    (await begun.next())?.resolve("done");
    expect(await guest.packet()).toStrictEqual({ reply: 4, data: "done" });
  });

  test("is limited for the hub, with sockets that have ended, and outlives a reconnection", async () => {
    const stage = await openStage(subject, { maxPendingBytes: 1_000_000 });
    const begun = handleWork(stage);
    for (let connection = 0; connection < 10; connection++) {
      const guest = await stage.connect();
      for (let n = 0; n < 3; n++) guest.say({ event: "work", data });
      await arrived(stage, 3 * (connection + 1));
      guest.client.close();
      await stage.departures.next();
    }
    const { handling, handlingBytes, waitingBytes } = stage.hub.stats();
    // The one address may use a third.
    expect(handlingBytes).toBeLessThan(400_000);
    expect(handling).toBe(begun.take().length);
    expect(waitingBytes).toBe(0);
  });

  test("is not taken away from others by one user", async () => {
    const stage = await openStage(subject, {
      maxPendingBytes: 1_000_000,
      authenticate: ({ headers }) => ({ id: headers["x-user"] ?? "" }),
    });
    const begun = handleWork(stage);
    const greedy = await stage.connect({ headers: { "x-user": "greedy" } });
    const modest = await stage.connect({ headers: { "x-user": "modest" } });
    for (let n = 0; n < 20; n++) greedy.say({ event: "work", data });
    await arrived(stage, 20);
    const before = begun.take().length;
    expect(before).toBeLessThan(20);
    modest.say({ event: "work", id: 1, data });
    (await begun.next())?.resolve("done");
    expect(await modest.packet()).toStrictEqual({ reply: 1, data: "done" });
  });
});

describe.each(SUBJECTS)("On $name the signal", (subject) => {
  test("of a call is that of its socket, and is aborted when the socket ends", async () => {
    const stage = await openStage(subject);
    const signals: AbortSignal[] = [];
    stage.hub.use((call, next) => {
      signals.push(call.signal);
      return next();
    });
    stage.hub.handle("look", (_data, _socket, { signal }) => void signals.push(signal));
    const guest = await stage.connect();
    await guest.ask("look");
    expect(signals).toHaveLength(2);
    expect(signals[0]).toBe(signals[1]);
    expect(signals[0]?.aborted).toBe(false);
    guest.socket.close();
    expect(signals[0]?.aborted).toBe(true);
  });
});
