import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import { setImmediate as turn } from "node:timers/promises";
import type { Hub, HubOptions } from "roomcast";
import { describe, expect, onTestFinished, test } from "vitest";
import { publish } from "../../src/hub/diagnostics.ts";
import { Inbox } from "../../src/testing/inbox.ts";
import type { HubFixture } from "../../src/testing/suite/hub-fixture.ts";
import { openHubFixture, SUBJECTS } from "../support/hub-fixture.ts";

const NAMES = ["connection", "disconnection", "refusal", "error", "drop"] as const;
type Name = (typeof NAMES)[number];
type Message = Readonly<Record<string, unknown>> & { readonly hub: Hub };

/** Listens to a channel until the test ends. */
function listen(name: Name, listener: (message: Message) => void): void {
  const received = (message: unknown): void => listener(message as Message);
  subscribe(`roomcast:${name}`, received);
  onTestFinished(() => void unsubscribe(`roomcast:${name}`, received));
}

function collect(name: Name): Inbox<Message> {
  const messages = new Inbox<Message>();
  listen(name, (message) => messages.push(message));
  return messages;
}

const [memory] = SUBJECTS;
if (memory === undefined) throw new Error("There is always a transport.");
const open = (options?: HubOptions): Promise<HubFixture> => openHubFixture(memory, options);

describe.each(SUBJECTS)("On $name the channel", (subject) => {
  test("roomcast:connection tells of a socket after the hub's own listeners were told", async () => {
    const messages = collect("connection");
    const fixture = await openHubFixture(subject);
    const order: string[] = [];
    fixture.hub.on("connection", () => order.push("listener"));
    listen("connection", () => order.push("channel"));
    const { socket } = await fixture.connect();
    expect(await messages.next()).toStrictEqual({ hub: fixture.hub, socket });
    expect(order).toStrictEqual(["listener", "channel"]);
    expect(messages.take()).toStrictEqual([]);
  });

  test("roomcast:disconnection tells how it ended", async () => {
    const messages = collect("disconnection");
    const fixture = await openHubFixture(subject);
    const { client, socket } = await fixture.connect();
    client.close(4321, "enough");
    expect(await messages.next()).toStrictEqual({ hub: fixture.hub, socket, code: 4321, reason: "enough" });
    expect(messages.take()).toStrictEqual([]);
  });

  test("roomcast:refusal tells which handshake was refused and why", async () => {
    const messages = collect("refusal");
    const fixture = await openHubFixture(subject, { origins: ["https://good.example"] });
    await expect(fixture.dial({ url: "/here", headers: { origin: "https://bad.example" } }).opened).rejects.toThrow(
      "403",
    );
    const [message, ...more] = messages.take();
    expect(message).toStrictEqual({
      hub: fixture.hub,
      status: 403,
      reason: "origin",
      handshake: expect.objectContaining({ url: "/here" }) as unknown,
      host: expect.any(String) as unknown,
      advice: expect.stringContaining('"origins"') as unknown,
    });
    expect(more).toStrictEqual([]);
  });

  test("roomcast:error tells what the event `error` tells", async () => {
    const messages = collect("error");
    const fixture = await openHubFixture(subject);
    const error = new Error("broken");
    fixture.hub.handle("work", () => Promise.reject(error));
    const peer = await fixture.connect();
    await peer.ask("work");
    const { socket } = peer;
    expect(messages.take()).toStrictEqual([{ hub: fixture.hub, error, source: "handler", event: "work", socket }]);
    expect(fixture.failures.take()).toStrictEqual([{ error, context: { source: "handler", event: "work", socket } }]);
  });

  test("roomcast:error leaves out what there is not", async () => {
    const messages = collect("error");
    const error = new Error("broken");
    const fixture = await openHubFixture(subject, { authenticate: () => Promise.reject(error) });
    await expect(fixture.dial().opened).rejects.toThrow("401");
    expect(messages.take()).toStrictEqual([{ hub: fixture.hub, error, source: "authenticate" }]);
  });

  test("roomcast:drop tells of every message that somebody does not get, and why", async () => {
    const messages = collect("drop");
    const fixture = await openHubFixture(subject, { maxBufferedBytes: 1024 * 1024, overload: "drop" });
    const { hub } = fixture;
    const slow = await fixture.connect();
    const { socket } = slow;
    slow.client.pause();
    const chunk = "x".repeat(60_000);
    while (socket.bufferedAmount <= 64 * 1024) {
      socket.send(chunk);
      await turn();
    }
    socket.volatile.send("position");
    socket.latest("price").send("1");
    socket.latest("price").send("2");
    expect(messages.take()).toStrictEqual([
      { hub, socket, reason: "volatile" },
      { hub, socket, reason: "superseded" },
    ]);
    while (hub.stats().drops.overload < 3) socket.send(chunk);
    const dropped = { hub, socket, reason: "overload" };
    expect(messages.take()).toStrictEqual([dropped, dropped, dropped]);
  });
});

describe("The channels", () => {
  test("tell of all hubs of the process", async () => {
    const messages = collect("connection");
    const [one, other] = [await open(), await open()];
    await one.connect();
    await other.connect();
    expect(messages.take().map(({ hub }) => hub)).toStrictEqual([one.hub, other.hub]);
  });

  test.each(NAMES)("%s: no message is made without a subscriber", (name) => {
    let made = 0;
    const message = (): object => ({ made: ++made });
    publish(name, message);
    expect(made).toBe(0);
    const messages = collect(name);
    publish(name, message);
    expect(messages.take()).toStrictEqual([{ made: 1 }]);
  });

  test("have these names, and there are no others", () => {
    for (const name of NAMES) expect(channel(`roomcast:${name}`).hasSubscribers).toBe(false);
    listen("drop", () => {});
    expect(NAMES.filter((name) => channel(`roomcast:${name}`).hasSubscribers)).toStrictEqual(["drop"]);
  });

  test.each(NAMES)("%s: a subscriber that throws does not break the hub, Node takes its error", async (name) => {
    // Node.js calls the other subscribers, too, and then raises the error as an uncaught exception, in a later tick: what
    // an application's monitoring throws ends the process unless that is handled, and the hub hears nothing of it.
    const uncaught = takeUncaught();
    const error = new Error(`${name} broken`);
    const seen: Name[] = [];
    listen(name, () => {
      throw error;
    });
    listen(name, () => seen.push(name));
    const fixture = await open({ authenticate: ({ headers }) => headers["bad"] === undefined && { id: "ann" } });
    fixture.hub.handle("fail", () => Promise.reject(new Error("of the handler")));
    const [peer, other] = await fixture.pair();
    await expect(fixture.dial({ headers: { bad: "1" } }).opened).rejects.toThrow("401");
    await peer.ask("fail");
    other.client.pause();
    other.socket.send("x".repeat(70_000));
    await turn();
    other.socket.volatile.send("dropped");
    other.client.vanish();
    await fixture.departures.next();
    expect(await peer.heard()).toStrictEqual([]);
    await fixture.hub.close();
    await turn();
    expect(seen.length).toBeGreaterThan(0);
    expect(uncaught).toStrictEqual(seen.map(() => error));
    expect(fixture.failures.take()).toMatchObject([{ error: { message: "of the handler" } }]);
  });
});

/** What is uncaught until the test ends, which would end this process as it does others. */
function takeUncaught(): readonly unknown[] {
  const errors: unknown[] = [];
  const theirs = process.listeners("uncaughtException");
  const ours = (error: unknown): void => void errors.push(error);
  process.removeAllListeners("uncaughtException").on("uncaughtException", ours);
  onTestFinished(() => {
    process.off("uncaughtException", ours);
    for (const listener of theirs) process.on("uncaughtException", listener);
  });
  return errors;
}
