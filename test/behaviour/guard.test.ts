import { setImmediate as turn } from "node:timers/promises";
import { jsonCodec, type HubOptions } from "roomcast";
import type { VirtualClock } from "roomcast/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { Delivery } from "../../src/delivery/delivery.ts";
import { Multicast } from "../../src/delivery/multicast.ts";
import { Authenticator } from "../../src/door/authenticator.ts";
import { Door } from "../../src/door/door.ts";
import { Newcomer } from "../../src/door/newcomer.ts";
import { Connections } from "../../src/hub/connections.ts";
import { Reporter } from "../../src/hub/reporter.ts";
import { Receiver } from "../../src/inbound/receiver.ts";
import { ByteBudget } from "../../src/limits/byte-budget.ts";
import { Inbox } from "../../src/limits/inbox.ts";
import { RateLimits } from "../../src/limits/rate-limits.ts";
import { TokenBucket } from "../../src/limits/token-bucket.ts";
import { MemberLifecycle } from "../../src/members/lifecycle.ts";
import { Requests } from "../../src/members/requests.ts";
import { Opcode } from "../../src/testing/raw-frame.ts";
import type { ClientFixture } from "../../src/testing/suite/client-fixture.ts";
import type { HubFixture } from "../../src/testing/suite/hub-fixture.ts";
import { MemoryConnection } from "../../src/transports/memory/connection.ts";
import { MemoryWebSocket } from "../../src/transports/memory/web-socket.ts";
import type { TransportHandlers } from "../../src/transports/transport.ts";
import { UwsConnection } from "../../src/transports/uws/connection.ts";
import { WsConnection } from "../../src/transports/ws/connection.ts";
import { openHubFixtureInTime, SUBJECTS } from "../support/hub-fixture.ts";

/** The client of a hub at which something fails. */
interface Scene {
  readonly fixture: HubFixture;
  readonly clock: VirtualClock;
  readonly victim: ClientFixture;
  readonly honest: ClientFixture;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

interface Injection {
  /** Where it throws. */
  readonly name: string;
  /** The transports on which this can happen. Default: all. */
  readonly on?: readonly string[];
  readonly options?: HubOptions;
  /** What throws, the next time it is called. */
  readonly at: (transport: string) => readonly [owner: object, method: string];
  /** Makes ready for that, before the method throws. */
  readonly prepare?: (scene: Scene) => unknown;
  /** Makes it be called for the victim. */
  readonly provoke: (scene: Scene) => unknown;
  /** Whether the victim's connection ends. */
  readonly ends: boolean;
  readonly source?: "transport";
}

const LIBRARY = { protocols: [jsonCodec.protocol] };
const HELLO = jsonCodec.encode({ event: "hub:hello", data: { protocol: 1 } });
const INTERVAL = 1_000;
const MIB = 1024 * 1024;

/** Messages that wait. */
const QUEUE = Object.getPrototypeOf(new Inbox(new ByteBudget(1), "").unread) as object;

const CONNECTIONS: Readonly<Record<string, object>> = {
  memory: MemoryConnection.prototype,
  ws: WsConnection.prototype,
  uws: UwsConnection.prototype,
};
const connectionOf = (transport: string): object => CONNECTIONS[transport] ?? expect.unreachable();

/** Connects another client, which fails. */
async function fails({ fixture }: Scene, options = {}): Promise<void> {
  await fixture.dial(options).opened.catch(() => {});
}

async function hello({ fixture }: Scene): Promise<void> {
  const client = fixture.dial(LIBRARY);
  await client.opened;
  client.send(HELLO);
  await client.closed;
}

/** Says an event several times, and waits until the hub has that. */
async function says({ fixture }: Scene, client: ClientFixture, event: string, count = 1, data?: string): Promise<void> {
  const before = fixture.hub.stats().messagesIn;
  for (let said = 0; said < count; said++) client.say({ event, data });
  await expect.poll(() => fixture.hub.stats().messagesIn).toBe(before + count);
}

/** Adds a handler that takes 10 ms. */
function addSlow({ clock }: Scene, { socket }: ClientFixture): void {
  socket.on("wait", () => new Promise<void>((resolve) => void clock.setTimeout(resolve, 10)));
}

/** A handler of the hub throws as soon as the transport calls it. */
function atHandler(name: keyof TransportHandlers): Pick<Injection, "name" | "at"> {
  return { name: `the transport calls ${name}`, at: () => [handlersOf(), name] };
}

/** The handlers of the hub that is being tested, as they were handed over to be guarded. */
function handlersOf(): TransportHandlers {
  return vi.mocked(Connections.prototype).handlers.mock.results.at(-1)?.value as TransportHandlers;
}

const INJECTIONS: readonly Injection[] = [
  { ...atHandler("upgrade"), ends: false, provoke: (scene) => fails(scene) },
  { ...atHandler("open"), ends: false, provoke: (scene) => fails(scene) },
  { ...atHandler("message"), ends: true, provoke: ({ victim }) => victim.say({ event: "work" }) },
  {
    ...atHandler("ping"),
    on: ["ws", "uws"],
    ends: false,
    provoke: async ({ fixture }) => {
      const raw = await fixture.connectRaw();
      raw.frame(Opcode.ping);
      await raw.rest();
    },
  },
  {
    ...atHandler("ending"),
    on: ["ws"],
    ends: true,
    provoke: ({ victim }) => victim.client.close(1000),
  },
  { ...atHandler("gone"), ends: true, provoke: ({ victim }) => victim.socket.terminate() },
  { ...atHandler("close"), ends: true, provoke: ({ victim }) => victim.client.vanish() },
  {
    ...atHandler("pong"),
    ends: true,
    options: { heartbeat: { interval: INTERVAL, timeout: INTERVAL } },
    provoke: ({ clock }) => clock.advance(INTERVAL),
  },
  {
    ...atHandler("drain"),
    ends: true,
    options: { maxBufferedBytes: 64 * 1024 * 1024 },
    provoke: ({ victim }) => {
      victim.client.pause();
      for (let count = 0; count < 24; count++) victim.socket.send("x".repeat(1024 * 1024));
      setTimeout(() => victim.client.resume(), 50);
    },
  },
  {
    name: "a message is dispatched",
    at: () => [Receiver.prototype, "receive"],
    ends: true,
    provoke: ({ victim }) => victim.say({ event: "work" }),
  },
  {
    name: "a reply is taken",
    at: () => [Requests.prototype, "replied"],
    ends: true,
    provoke: async ({ victim }) => {
      void victim.socket.request("q");
      const { id } = (await victim.packet()) as { readonly id: number };
      victim.say({ reply: id });
    },
  },
  {
    name: "a handler has ended",
    at: () => [MemberLifecycle.prototype, "rested"],
    ends: true,
    provoke: async ({ victim }) => {
      victim.socket.on("wait", () => turn());
      victim.say({ event: "wait" });
      await victim.client.closed;
    },
  },
  {
    name: "the failure of a handler is told",
    at: () => [Reporter.prototype, "failed"],
    ends: true,
    provoke: async ({ victim }) => {
      victim.socket.on("boom", () => Promise.reject(new Error("boom")));
      victim.say({ event: "boom" });
      await victim.client.closed;
    },
  },
  {
    name: "a reply is written",
    at: () => [Delivery.prototype, "send"],
    ends: true,
    provoke: ({ victim }) => victim.say({ event: "work", id: 1 }),
  },
  {
    name: "a control frame is charged",
    at: () => [Receiver.prototype, "control"],
    options: { heartbeat: { interval: INTERVAL, timeout: INTERVAL } },
    ends: true,
    provoke: ({ clock }) => clock.advance(INTERVAL),
  },
  {
    name: "a message that waited for its rate is read",
    at: () => [QUEUE, "shift"],
    options: { limits: { messages: { perSecond: 1, burst: 1 } } },
    ends: true,
    prepare: (scene) => says(scene, scene.victim, "work", 2),
    provoke: ({ clock }) => clock.advance(2_000),
  },
  {
    name: "a message that waited for a handler of its client is handled",
    at: () => [QUEUE, "shift"],
    options: { limits: { pendingRequests: 1 } },
    ends: true,
    prepare: (scene) => {
      addSlow(scene, scene.victim);
      return says(scene, scene.victim, "wait", 2);
    },
    provoke: ({ clock }) => clock.advance(10),
  },
  {
    name: "a message that waited for a handler of another client is handled",
    at: () => [QUEUE, "shift"],
    options: { maxPendingBytes: MIB },
    ends: true,
    prepare: async (scene) => {
      const data = "x".repeat(200_000);
      addSlow(scene, scene.honest);
      await says(scene, scene.honest, "wait", 1, data);
      await says(scene, scene.victim, "work", 1, data);
    },
    provoke: ({ clock }) => clock.advance(10),
  },
  {
    name: "a message that waited too long is refused",
    at: () => [QUEUE, "shift"],
    options: { limits: { pendingRequests: 1, waitingBytes: 400 } },
    ends: true,
    prepare: (scene) => {
      scene.victim.socket.on("wait", () => new Promise(() => {}));
      return says(scene, scene.victim, "wait", 3);
    },
    provoke: ({ clock }) => clock.advance(12_000),
  },
  {
    name: "allowances are looked through",
    at: () => [TokenBucket.prototype, "isFull"],
    ends: false,
    prepare: async (scene) => {
      const { fixture } = scene;
      const other = await fixture.connect();
      await says(scene, other, "work");
      other.client.vanish();
      await expect.poll(() => fixture.hub.sockets.size).toBe(2);
    },
    provoke: ({ clock }) => clock.advance(1_000),
  },
  {
    name: "what is left of an allowance is kept",
    at: () => [RateLimits.prototype, "park"],
    ends: true,
    provoke: ({ victim }) => victim.client.vanish(),
  },
  {
    name: "a request is over",
    at: () => [MemberLifecycle.prototype, "rested"],
    ends: false,
    provoke: async ({ clock, victim }) => {
      const asked = victim.socket.request("q", undefined, { timeout: 10 });
      await clock.advance(10);
      await expect(asked).rejects.toMatchObject({ code: "ERR_HUB_TIMEOUT" });
      await victim.packet();
    },
  },
  { name: "the door decides", at: () => [Door.prototype, "decide"], ends: false, provoke: (scene) => fails(scene) },
  {
    name: "the door asks the application",
    at: () => [Authenticator.prototype, "decide"],
    options: { admit: () => true },
    ends: false,
    provoke: (scene) => fails(scene),
  },
  {
    name: "a connection is counted",
    at: () => [Door.prototype, "entered"],
    ends: false,
    provoke: (scene) => fails(scene),
  },
  {
    name: "a member is admitted",
    at: () => [MemberLifecycle.prototype, "admit"],
    ends: false,
    provoke: (scene) => fails(scene),
  },
  {
    name: "a member is announced",
    at: () => [Reporter.prototype, "connected"],
    ends: false,
    provoke: (scene) => fails(scene),
  },
  { name: "a hello is read", at: () => [Newcomer.prototype, "receive"], ends: false, provoke: hello },
  { name: "a newcomer is authenticated", at: () => [Door.prototype, "introduce"], ends: false, provoke: hello },
  { name: "a newcomer is let in", at: () => [Connections.prototype, "admit"], ends: false, provoke: hello },
  {
    name: "a newcomer is too late",
    at: () => [Door.prototype, "turnAway"],
    ends: false,
    provoke: async ({ fixture, clock }) => {
      const client = fixture.dial(LIBRARY);
      await client.opened;
      await turn();
      await clock.advance(20_000);
      await client.closed;
    },
  },
  {
    name: "a newcomer goes",
    at: () => [Newcomer.prototype, "left"],
    ends: false,
    provoke: async ({ fixture }) => {
      const client = fixture.dial(LIBRARY);
      await client.opened;
      client.vanish();
    },
  },
  {
    name: "what is left of a member is discarded",
    at: () => [Delivery.prototype, "discard"],
    ends: true,
    provoke: ({ victim }) => victim.client.vanish(),
  },
  {
    name: "a member is taken out of a topic",
    on: ["uws"],
    at: () => [Multicast.prototype, "left"],
    ends: true,
    provoke: ({ victim }) => victim.client.vanish(),
  },
  {
    name: "the requests to a member are given up",
    at: () => [Requests.prototype, "abandon"],
    ends: true,
    provoke: ({ victim }) => victim.client.vanish(),
  },
  {
    name: "an end is told",
    at: () => [Reporter.prototype, "departed"],
    ends: true,
    provoke: ({ victim }) => victim.client.vanish(),
  },
  {
    name: "a turn is written",
    at: (transport) => [connectionOf(transport), "write"],
    ends: true,
    provoke: async ({ fixture, honest }) => {
      fixture.hub.emit("news", 1);
      expect(await honest.packet()).toMatchObject({ event: "news", data: 1 });
    },
  },
  {
    name: "several sequences of a turn are written",
    at: (transport) => [connectionOf(transport), "write"],
    ends: true,
    provoke: async ({ fixture, victim, honest }) => {
      fixture.hub.emit("news", 1);
      victim.socket.emit("own");
      honest.socket.emit("own");
      expect(await honest.packet()).toMatchObject({ event: "news", data: 1 });
      expect(await honest.packet()).toMatchObject({ event: "own" });
    },
  },
  {
    name: "much is written at once",
    at: (transport) => [connectionOf(transport), "write"],
    ends: true,
    provoke: async ({ fixture, honest }) => {
      fixture.hub.except([]).emit("news", "x".repeat(100_000));
      expect(await honest.packet()).toMatchObject({ event: "news" });
    },
  },
  {
    name: "a member is asked for a sign of life",
    at: () => [Connections.prototype, "ping"],
    options: { heartbeat: { interval: 200, timeout: 200 } },
    ends: true,
    provoke: ({ clock }) => clock.advance(200),
  },
  {
    name: "a member is lost",
    at: () => [Connections.prototype, "lost"],
    options: { heartbeat: { interval: 200, timeout: 100 } },
    ends: true,
    provoke: async ({ clock, victim, honest }) => {
      victim.client.pause();
      await clock.advance(200);
      await honest.ask("work");
      await clock.advance(100);
      await turn();
    },
  },
  {
    name: "credentials expire",
    at: () => [MemberLifecycle.prototype, "close"],
    ends: true,
    provoke: ({ clock, victim }) => {
      victim.socket.refresh({ id: "victim", expiresAt: clock.wall() + 10 });
      return clock.advance(5_000);
    },
    options: { authenticate: () => ({ id: "victim" }) },
  },
  {
    name: "ws answers a handshake",
    on: ["ws"],
    at: () => [WebSocketServer.prototype, "handleUpgrade"],
    ends: false,
    source: "transport",
    provoke: (scene) => fails(scene),
  },
  {
    name: "the transport in memory answers a handshake",
    on: ["memory"],
    at: () => [MemoryWebSocket.prototype, "accepted"],
    ends: false,
    source: "transport",
    provoke: (scene) => fails(scene),
  },
];

const CASES = SUBJECTS.flatMap((subject) =>
  INJECTIONS.filter(({ on }) => on === undefined || on.includes(subject.name)).map(
    (injection) => [subject.name, injection.name, subject, injection] as const,
  ),
);

/** Makes a method throw the next time that it is called. */
function breakOnce(owner: object, method: string): { readonly error: Error; readonly calls: () => number } {
  const error = new Error("injected");
  const methods = owner as Record<string, Method>;
  const original = methods[method] as Method;
  let calls = 0;
  methods[method] = () => {
    methods[method] = original;
    calls++;
    throw error;
  };
  onTestFinished(() => {
    methods[method] = original;
  });
  return { error, calls: () => calls };
}

test.each(CASES)(
  "(%s) %s: what throws there is reported once and harms no other client",
  async (name, _where, subject, injection) => {
    const unguarded: unknown[] = [];
    const listener = (error: unknown): void => void unguarded.push(error);
    process.on("uncaughtException", listener).on("unhandledRejection", listener);
    onTestFinished(() => void process.off("uncaughtException", listener).off("unhandledRejection", listener));
    vi.spyOn(Connections.prototype, "handlers");
    const { fixture, clock } = await openHubFixtureInTime(subject, injection.options);
    fixture.hub.handle("work", () => "done");
    const victim = await fixture.connect();
    const honest = await fixture.connect();

    const scene = { fixture, clock, victim, honest };
    await injection.prepare?.(scene);
    const { error, calls } = breakOnce(...injection.at(name));
    await injection.provoke(scene);

    const failure = await fixture.failures.next();
    expect(failure?.error).toBe(error);
    expect(failure?.context.source).toBe(injection.source ?? "internal");
    expect(await honest.ask("work")).toStrictEqual({ reply: 1, data: "done" });
    await expect
      .poll(() => [victim.socket.isOpen, fixture.hub.sockets.size])
      .toEqual(injection.ends ? [false, 1] : [true, 2]);
    await turn();
    expect([calls(), fixture.failures.take(), unguarded]).toEqual([1, [], []]);
  },
);

const FAILURES: readonly (readonly [kind: string, handler: () => unknown])[] = [
  [
    "at once",
    () => {
      throw new Error("boom");
    },
  ],
  ["later", () => Promise.reject(new Error("boom"))],
];

describe.each(SUBJECTS)("on $name", (subject) => {
  test.each(FAILURES)(
    "a request with a key whose handler fails %s, and the hub with it, is not under way for ever",
    async (_kind, handler) => {
      const { fixture } = await openHubFixtureInTime(subject);
      fixture.hub.handle("pay", handler);
      const [victim, again] = [await fixture.connect(), await fixture.connect()];
      breakOnce(Reporter.prototype, "failed");
      victim.client.send('{"event":"pay","id":1,"key":"k"}');
      await victim.client.closed;
      again.client.send('{"event":"pay","id":1,"key":"k"}');
      expect(await again.packet()).toMatchObject({ reply: 1, error: { code: "reply-gone" } });
    },
  );
});
