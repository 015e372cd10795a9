import { setImmediate as turn } from "node:timers/promises";
import { ReplyError, jsonCodec, type Codec, type ErrorContext, type HubOptions } from "roomcast";
import { SuiteRefusal } from "roomcast/testing";
import { describe, expect, test } from "vitest";
import type { ClientFixture } from "../../src/testing/suite/client-fixture.ts";
import type { HubFixture } from "../../src/testing/suite/hub-fixture.ts";
import { hubError } from "../support/hub-error.ts";
import { openHubFixture, SUBJECTS } from "../support/hub-fixture.ts";
import { collectWarnings } from "../support/warnings.ts";

const FAILED = { code: "handler-failed", message: "The server failed to handle this." };

const [memory] = SUBJECTS;
if (memory === undefined) throw new Error("There is always a transport.");
const open = (options?: HubOptions): Promise<HubFixture> => openHubFixture(memory, options);

function raise(error: unknown): never {
  throw error;
}

/** Whatever is done with it fails. */
const UNTOUCHABLE: object = new Proxy(
  {},
  new Proxy({}, { get: () => () => raise(new Error("What was thrown was touched")) }),
);

class Silent extends Error {
  override get message(): string {
    return raise(new Error("Its message cannot be read"));
  }
}

/** What code may throw. */
const ERRORS: readonly (readonly [what: string, error: unknown])[] = [
  ["an error", new Error("broken")],
  ["nothing", undefined],
  ["null", null],
  ["a text", "broken"],
  ["a number that equals none", Number.NaN],
  ["an object without a prototype", Object.create(null)],
  ["an error whose message cannot be read", new Silent()],
  ["a proxy that fails at every touch", UNTOUCHABLE],
];

type Then = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void;

/** A promise of some other library, which may be a bad one. */
function thenable(then: Then): PromiseLike<unknown> {
  // oxlint-disable-next-line unicorn/no-thenable -- a bad one is what is tested
  return { then } as PromiseLike<unknown>;
}

/** How code may fail with it. */
const WAYS: readonly (readonly [how: string, fail: (thrown: unknown) => unknown])[] = [
  ["throws", raise],
  ["rejects with", (thrown) => Promise.reject(thrown)],
  ["rejects later with", (thrown) => turn().then(() => raise(thrown))],
  ["returns a thenable that throws", (thrown) => thenable(() => raise(thrown))],
  [
    "returns a thenable that rejects twice with",
    (thrown) =>
      thenable((_resolve, reject) => {
        reject(thrown);
        reject(thrown);
      }),
  ],
  [
    "returns a thenable that rejects with, and then throws,",
    (thrown) =>
      thenable((_resolve, reject) => {
        reject(thrown);
        raise(thrown);
      }),
  ],
];

type Fail = () => never;

/** Somewhere that code of the application's runs. */
interface Place {
  readonly where: string;
  readonly options?: (fail: Fail) => HubOptions;
  /** Makes the code run, for this client. Checks the answer that it gets. */
  readonly run: (fixture: HubFixture, peer: ClientFixture, fail: Fail) => unknown;
  readonly source: ErrorContext["source"];
  readonly event?: string;
  readonly isNobodys?: boolean;
  /** What is called synchronously only. */
  readonly isSync?: boolean;
}

async function asks(peer: ClientFixture, event: string): Promise<void> {
  expect(await peer.ask(event, { room: "room" })).toStrictEqual({ reply: 1, error: FAILED });
}

async function isRefused(fixture: HubFixture, status: number): Promise<void> {
  const refused = await fixture
    .dial({ headers: { origin: "https://bad.example" } })
    .opened.catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(SuiteRefusal);
  expect(refused).toMatchObject({ status });
}

/** Everything but those that the test's own clients have to pass. */
const onlyBad =
  <R>(good: R, fail: Fail) =>
  ({ headers }: { readonly headers: Readonly<Record<string, string | undefined>> }): R =>
    headers["origin"] === "https://bad.example" ? fail() : good;

const PLACES: readonly Place[] = [
  {
    where: "a handler of the hub",
    source: "handler",
    event: "work",
    run: async ({ hub }, peer, fail) => {
      hub.handle("work", fail);
      await asks(peer, "work");
    },
  },
  {
    where: "the handler of any event",
    source: "handler",
    event: "work",
    run: async ({ hub }, peer, fail) => {
      hub.handleAny(fail);
      await asks(peer, "work");
    },
  },
  {
    where: "a handler of a socket",
    source: "handler",
    event: "work",
    run: async (_stage, peer, fail) => {
      peer.socket.on("work", fail);
      await asks(peer, "work");
    },
  },
  {
    where: "a handler behind middleware",
    source: "handler",
    event: "work",
    run: async ({ hub }, peer, fail) => {
      hub.use((_call, next) => next());
      hub.use((_call, next) => next());
      hub.handle("work", fail);
      await asks(peer, "work");
    },
  },
  {
    where: "a handler of an event that asks for no reply",
    source: "handler",
    event: "work",
    run: async ({ hub }, peer, fail) => {
      hub.handle("work", fail);
      peer.say({ event: "work" });
      expect(await peer.packet()).toStrictEqual({ event: "hub:error", data: FAILED });
    },
  },
  {
    where: "middleware",
    source: "middleware",
    event: "work",
    run: async ({ hub }, peer, fail) => {
      hub.use(fail);
      hub.handle("work", () => "done");
      await asks(peer, "work");
    },
  },
  {
    where: "middleware that has called the handler",
    source: "middleware",
    event: "work",
    run: async ({ hub }, peer, fail) => {
      hub.use((_call, next) => {
        next();
        return fail();
      });
      hub.handle("work", () => "done");
      await asks(peer, "work");
    },
  },
  {
    where: "joinable, at a join",
    source: "joinable",
    event: "hub:join",
    options: (joinable) => ({ joinable }),
    run: (_stage, peer) => asks(peer, "hub:join"),
  },
  {
    where: "joinable, at a leave",
    source: "joinable",
    event: "hub:leave",
    options: (joinable) => ({ joinable }),
    run: (_stage, peer) => asks(peer, "hub:leave"),
  },
  {
    where: "a listener of message",
    source: "listener",
    event: "message",
    run: ({ hub, wire }, peer, fail) => {
      hub.on("message", fail);
      peer.client.send(wire.foreign(1));
    },
  },
  {
    where: "a listener of disconnection",
    source: "listener",
    event: "disconnection",
    run: ({ hub }, peer, fail) => {
      hub.on("disconnection", fail);
      peer.client.close();
    },
  },
  {
    where: "a listener of room",
    source: "listener",
    event: "room",
    run: ({ connected, hub }, peer, fail) => {
      for (const socket of connected) if (socket !== peer.socket) socket.join("x");
      hub.on("room", fail);
      peer.socket.join("x");
    },
  },
  {
    where: "a listener of room, about no socket",
    source: "listener",
    event: "room",
    isNobodys: true,
    run: ({ hub }, peer, fail) => {
      hub.once("room", fail);
      peer.socket.join("x");
    },
  },
  {
    where: "a listener of refusal",
    source: "listener",
    event: "refusal",
    isNobodys: true,
    options: () => ({ origins: [] }),
    run: async (fixture, _guest, fail) => {
      fixture.hub.on("refusal", fail);
      await isRefused(fixture, 403);
    },
  },
  {
    where: "origins",
    source: "origins",
    isNobodys: true,
    isSync: true,
    options: (origins) => ({ origins }),
    run: (fixture) => isRefused(fixture, 403),
  },
  {
    where: "admit",
    source: "admit",
    isNobodys: true,
    options: (fail) => ({ origins: "*", admit: onlyBad(true, fail) }),
    run: (fixture) => isRefused(fixture, 503),
  },
  {
    where: "authenticate",
    source: "authenticate",
    isNobodys: true,
    options: (fail) => ({ origins: "*", authenticate: onlyBad({ id: "ann" }, fail) }),
    run: (fixture) => isRefused(fixture, 401),
  },
];

const CASES = PLACES.flatMap((place) => {
  const ways = place.isSync === true ? WAYS.slice(0, 1) : WAYS;
  return ways.flatMap(([how, fail]) =>
    ERRORS.map(([what, error]) => [`${place.where} that ${how} ${what}`, { place, fail, error }] as const),
  );
});

describe("Code that fails", () => {
  test.each(CASES)("(%s) is reported once, and disturbs no client", async (_name, { place, fail, error }) => {
    const failing = (): never => fail(error) as never;
    const fixture = await open(place.options?.(failing));
    const [peer, other] = await fixture.pair();
    await place.run(fixture, peer, failing);
    const first = await fixture.failures.next();
    // Not compared by matchers: they would touch it.
    expect(Object.is(first?.error, error)).toBe(true);
    expect(first?.context).toStrictEqual({
      source: place.source,
      ...(place.event !== undefined && { event: place.event }),
      ...(place.isNobodys !== true && { socket: peer.socket }),
    });
    fixture.hub.handle("fence", () => "fine");
    fixture.hub.use((_call, next) => next());
    expect(await other.heard()).toStrictEqual([]);
    await turn();
    expect(fixture.failures.take()).toHaveLength(0);
    expect(peer.socket.isOpen ? await peer.heard() : []).toStrictEqual([]);
  });

  test.each(ERRORS)(
    "in a listener of connection, with %s, is reported once, and disturbs no client",
    async (...given) => {
      const [, error] = given;
      for (const [, fail] of WAYS) {
        const fixture = await open();
        fixture.hub.once("connection", () => fail(error));
        const [peer, other] = await fixture.pair();
        const first = await fixture.failures.next();
        expect(Object.is(first?.error, error)).toBe(true);
        expect(first?.context).toStrictEqual({ source: "listener", event: "connection", socket: peer.socket });
        expect(await peer.heard()).toStrictEqual([]);
        expect(await other.heard()).toStrictEqual([]);
        await turn();
        expect(fixture.failures.take()).toHaveLength(0);
      }
    },
  );

  test.each(ERRORS)("in a listener of error, with %s, is not reported again, but a warning", async (...given) => {
    const [, error] = given;
    const warnings = collectWarnings();
    for (const [, fail] of WAYS) {
      const fixture = await open();
      fixture.hub.on("error", () => fail(error));
      const broken = new Error("broken");
      fixture.hub.handle("work", () => raise(broken));
      const peer = await fixture.connect();
      await asks(peer, "work");
      await turn();
      expect(fixture.failures.take()).toMatchObject([{ error: broken, context: { source: "handler" } }]);
    }
    expect(warnings).toHaveLength(WAYS.length);
  });

  test.each([
    ["throws", raise],
    ["rejects", (thrown: unknown) => Promise.reject(thrown)],
  ])("with a ReplyError that cannot be read (%s) is still answered", async (_does, fail) => {
    const fixture = await open();
    const why = new Error("Its message cannot be read");
    const error = Object.defineProperty(new ReplyError("no", ""), "message", { get: () => raise(why) });
    fixture.hub.handle("work", () => fail(error));
    fixture.hub.handle("fence", () => "fine");
    const peer = await fixture.connect();
    expect(await peer.ask("work")).toMatchObject({ reply: 1, error: { code: expect.any(String) as string } });
    expect(await peer.ask("fence")).toStrictEqual({ reply: 1, data: "fine" });
  });
});

describe("A handler's thenable", () => {
  test.each<[what: string, then: Then]>([
    [
      "that resolves twice",
      (resolve) => {
        resolve("first");
        resolve("second");
      },
    ],
    [
      "that resolves and then rejects",
      (resolve, reject) => {
        resolve("first");
        reject(new Error("too late"));
      },
    ],
    [
      "that resolves and then throws",
      (resolve) => {
        resolve("first");
        raise(new Error("too late"));
      },
    ],
  ])("%s is answered once", async (_what, then) => {
    const fixture = await open({ limits: { pendingRequests: 1 } });
    fixture.hub.handle("work", () => thenable(then));
    const peer = await fixture.connect();
    for (let time = 1; time <= 3; time++) expect(await peer.ask("work")).toStrictEqual({ reply: 1, data: "first" });
    expect(await peer.heard()).toStrictEqual([]);
    expect(fixture.failures.take()).toStrictEqual([]);
  });

  test("whose property then cannot be read is a failure of the handler", async () => {
    const fixture = await open();
    const error = new Error("unreadable");
    fixture.hub.handle("work", () => new Proxy({}, { get: () => raise(error) }));
    const peer = await fixture.connect();
    await asks(peer, "work");
    expect(fixture.failures.take()).toMatchObject([{ error, context: { source: "handler", event: "work" } }]);
  });
});

describe("Data that cannot be encoded", () => {
  const why = new Error("unreadable");
  const circle: { self?: unknown } = {};
  circle.self = circle;

  const UNENCODABLE: readonly (readonly [what: string, data: unknown])[] = [
    ["a getter that throws", Object.defineProperty({}, "x", { enumerable: true, get: () => raise(why) })],
    ["a toJSON that throws", { toJSON: () => raise(why) }],
    ["a toJSON that throws nothing", { toJSON: () => raise(undefined) }],
    ["a toJSON that throws what cannot be touched", { toJSON: () => raise(UNTOUCHABLE) }],
    ["a bigint", 1n],
    ["a circle", circle],
  ];

  test.each(UNENCODABLE)("(%s) as a reply is a failure of the handler", async (_what, data) => {
    for (const handler of [() => data, async () => data]) {
      const fixture = await open();
      fixture.hub.handle("work", handler);
      const [peer, other] = await fixture.pair();
      await asks(peer, "work");
      const [failure, ...more] = fixture.failures.take();
      expect(failure?.error).toStrictEqual(hubError("ERR_HUB_UNSERIALISABLE", "The codec cannot encode the reply"));
      expect(failure?.context).toStrictEqual({ source: "handler", event: "work", socket: peer.socket });
      expect(more).toHaveLength(0);
      expect(await other.heard()).toStrictEqual([]);
    }
  });

  test.each(UNENCODABLE)("(%s) throws at the call, and reaches no client", async (_what, data) => {
    const fixture = await open();
    const [peer, other] = await fixture.pair();
    const error = hubError("ERR_HUB_UNSERIALISABLE", 'The codec cannot encode the data of "news"');
    expect(() => fixture.hub.emit("news", data)).toThrow(error);
    expect(() => peer.socket.emit("news", data)).toThrow(error);
    await expect(peer.socket.request("news", data)).rejects.toThrow(error);
    expect(await peer.heard()).toStrictEqual([]);
    expect(await other.heard()).toStrictEqual([]);
    expect(fixture.failures.take()).toStrictEqual([]);
  });
});

describe("A codec that fails", () => {
  test.each(ERRORS)("on a message of a client, with %s, is told to the client", async (_what, error) => {
    const codec: Codec = {
      ...jsonCodec,
      decode: (message) => (message === "bad" ? raise(error) : jsonCodec.decode(message)),
    };
    const fixture = await open({ codec });
    fixture.hub.handle("fence", () => "fine");
    const [peer, other] = await fixture.pair();
    peer.client.send("bad");
    expect(await peer.packet()).toMatchObject({ event: "hub:error", data: { code: "bad-packet" } });
    expect(await peer.ask("fence")).toStrictEqual({ reply: 1, data: "fine" });
    expect(await other.heard()).toStrictEqual([]);
    expect(fixture.failures.take()).toHaveLength(0);
    expect(fixture.hub.stats().violations).toBe(1);
  });

  test("on a packet of the hub's own is reported as codec, and the client is let in", async () => {
    const why = new Error("no welcome");
    const codec: Codec = {
      ...jsonCodec,
      encode: (packet) => ("event" in packet && packet.event === "hub:welcome" ? raise(why) : jsonCodec.encode(packet)),
    };
    const fixture = await open({ codec, welcome: true });
    const peer = await fixture.connect();
    const [failure, ...more] = fixture.failures.take();
    expect(failure).toMatchObject({ error: { code: "ERR_HUB_UNSERIALISABLE", cause: why } });
    expect(failure?.context).toStrictEqual({ source: "codec", event: "hub:welcome", socket: peer.socket });
    expect(more).toHaveLength(0);
    expect(await peer.heard()).toStrictEqual([]);
  });

  test("on the refusal as well is reported, and the client gets no answer", async () => {
    const why = new Error("no errors");
    const codec: Codec = {
      ...jsonCodec,
      encode: (packet) => ("error" in packet || "data" in packet ? raise(why) : jsonCodec.encode(packet)),
    };
    const fixture = await open({ codec });
    fixture.hub.handle("work", () => raise(new Error("broken")));
    const peer = await fixture.connect();
    peer.client.send('{"event":"work","id":1}');
    expect(await fixture.failures.next()).toMatchObject({
      error: { message: "broken" },
      context: { source: "handler" },
    });
    expect(await fixture.failures.next()).toMatchObject({ error: { cause: why }, context: { event: "hub:error" } });
    expect(await peer.heard()).toStrictEqual([]);
  });
});
