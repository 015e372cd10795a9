import { describe, expect, test } from "vitest";
import { Inbox } from "../../../src/testing/inbox.ts";
import type { HubFixture } from "../../../src/testing/suite/hub-fixture.ts";
import { openStage, SUBJECTS } from "../../support/stages.ts";

const TOO_MANY = {
  code: "too-many-requests",
  message: "Too many of your messages are being handled. Wait for replies.",
};

/** A call of the handler "work", which goes on until it is told to end. */
interface Work {
  readonly resolve: (value?: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Handles "work" asynchronously and "fence" at once. */
function handleWork(stage: HubFixture): Inbox<Work> {
  const begun = new Inbox<Work>();
  stage.hub.handle("work", () => new Promise((resolve, reject) => begun.push({ resolve, reject })));
  stage.hub.handle("fence", () => "fence");
  return begun;
}

describe.each(SUBJECTS)("On $name the pending messages of a client", (subject) => {
  const two = { limits: { pendingRequests: 2 } };

  test("are limited, and one more is refused, by a reply where it asks for one", async () => {
    const stage = await openStage(subject, two);
    const begun = handleWork(stage);
    const guest = await stage.connect();
    for (const id of [1, 2, 3]) guest.say({ event: "work", id });
    expect(await guest.packet()).toStrictEqual({ reply: 3, error: TOO_MANY });
    guest.say({ event: "work" });
    expect(await guest.packet()).toStrictEqual({ event: "hub:error", data: TOO_MANY });
    expect(begun.take()).toHaveLength(2);
    expect(stage.failures.take()).toStrictEqual([]);
  });

  test("count whether or not they ask for a reply", async () => {
    const stage = await openStage(subject, two);
    const begun = handleWork(stage);
    const guest = await stage.connect();
    for (let n = 0; n < 3; n++) guest.say({ event: "work" });
    expect(await guest.packet()).toStrictEqual({ event: "hub:error", data: TOO_MANY });
    expect(begun.take()).toHaveLength(2);
  });

  test("make room when they succeed or fail", async () => {
    const stage = await openStage(subject, two);
    const begun = handleWork(stage);
    const guest = await stage.connect();
    for (const id of [1, 2]) guest.say({ event: "work", id });
    const first = await begun.next();
    const second = await begun.next();
    first?.resolve("done");
    expect(await guest.packet()).toStrictEqual({ reply: 1, data: "done" });
    second?.reject(new Error("broken"));
    expect(await guest.packet()).toMatchObject({ reply: 2, error: { code: "handler-failed" } });
    for (const id of [3, 4, 5]) guest.say({ event: "work", id });
    expect(await guest.packet()).toStrictEqual({ reply: 5, error: TOO_MANY });
    expect(begun.take()).toHaveLength(2);
  });

  test("make room where the reply cannot be sent", async () => {
    const stage = await openStage(subject, { limits: { pendingRequests: 1 } });
    const begun = handleWork(stage);
    const guest = await stage.connect();
    for (const id of [1, 2]) {
      guest.say({ event: "work", id });
      (await begun.next())?.resolve(1n);
      expect(await guest.packet()).toMatchObject({ reply: id, error: { code: "handler-failed" } });
    }
  });

  test("do not include any number of those with synchronous handlers", async () => {
    const stage = await openStage(subject, { limits: { pendingRequests: 1 } });
    const begun = handleWork(stage);
    const guest = await stage.connect();
    for (let id = 1; id <= 20; id++) guest.say({ event: "fence", id });
    for (let reply = 1; reply <= 20; reply++) expect(await guest.packet()).toStrictEqual({ reply, data: "fence" });
    guest.say({ event: "work", id: 21 });
    await begun.next();
    // Yet they are refused like others while too many are at work: what a handler will do is not known before.
    expect(await guest.ask("fence")).toStrictEqual({ reply: 1, error: TOO_MANY });
  });

  test("end with their handlers although the socket was closed, and count for each client", async () => {
    const stage = await openStage(subject, { limits: { pendingRequests: 1 } });
    const begun = handleWork(stage);
    const [gone, other] = await stage.pair();
    gone.say({ event: "work", id: 1 });
    const work = await begun.next();
    gone.client.close();
    await stage.departures.next();
    other.say({ event: "work", id: 1 });
    const otherWork = await begun.next();
    work?.reject(new Error("too late"));
    expect(await stage.failures.next()).toMatchObject({ context: { source: "handler", event: "work" } });
    otherWork?.resolve("done");
    expect(await other.packet()).toStrictEqual({ reply: 1, data: "done" });
    expect(await other.ask("fence")).toStrictEqual({ reply: 1, data: "fence" });
  });

  test("include joins that an asynchronous guard decides on", async () => {
    const guards = new Inbox<(verdict: boolean) => void>();
    const stage = await openStage(subject, {
      limits: { pendingRequests: 1 },
      joinable: () => new Promise<boolean>((resolve) => guards.push(resolve)),
    });
    const guest = await stage.connect();
    guest.say({ event: "hub:join", id: 1, data: { room: "a" } });
    expect(await guest.ask("hub:join", { room: "b" })).toStrictEqual({ reply: 1, error: TOO_MANY });
    (await guards.next())?.(true);
    expect(await guest.packet()).toStrictEqual({ reply: 1 });
    expect([...guest.socket.rooms]).toStrictEqual(["a"]);
  });
});
