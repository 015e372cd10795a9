import { limited } from "../support/limited-backplane.ts";
import { Hub, type HubOptions } from "roomcast";
import { memory, MemoryEngine } from "roomcast/testing";
import { describe, expect, test } from "vitest";
import { hubError } from "../support/hub-error.ts";

const noop = (): void => {};

const MINE = { protocol: "mine", encode: noop, decode: noop };

describe("an option of the hub", () => {
  const incomplete = { start: noop, listen: noop, stopListening: noop };

  const wrong: Readonly<Record<keyof HubOptions, readonly unknown[]>> = {
    transport: [null, 1, "", "WS", "uWebSockets.js", {}, [], noop, incomplete],
    maxPendingBytes: [null, 0, -1, 1.5, "1", Number.NaN],
    path: [null, 1, "", "chat", "chat/", "/chat?a=b", "/chat#top", ["/chat"]],
    authenticate: [null, true, "function", {}],
    protocols: [null, "v1", {}, [1], [""], ["a b"], ["a,b"], ["v1", "ü"]],
    codec: [null, "json", {}, { encode: noop }, { decode: noop }, { encode: noop, decode: 1 }],
    contract: [null, true, {}, { hub: 1 }],
    validateOutgoing: [null, 1, "true", true],
    codecs: [null, {}, "json", [{}], [{ encode: noop, decode: noop }], [MINE, MINE], [{ ...MINE, protocol: "a b" }]],
    welcome: [null, 0, 1, "false"],
    heartbeat: [
      null,
      true,
      0,
      25_000,
      {},
      { interval: 1000 },
      { timeout: 1000 },
      { interval: 0, timeout: 0 },
      { interval: 1000, timeout: 0 },
      { interval: 1000, timeout: 1001 },
      { interval: 1000.5, timeout: 1000 },
      { interval: "1000", timeout: 1000 },
      { interval: 2 ** 31, timeout: 1000 },
      { interval: Number.NaN, timeout: 1000 },
      { interval: 1000, timeout: 1000, timeOut: 1 },
      [],
    ],
    origins: [null, true, "", "any", "https://example.com", [""], ["example.com"], ["https://example.com/"], [1]],
    trustProxy: [null, true, false, 0, -1, 1.5, 33, "10.0.0.1", [], ["nonsense"], ["10.0.0.0/33"], [1]],
    maxConnections: [null, 0, -1, 1.5, "1", Number.POSITIVE_INFINITY],
    maxConnectionsPerAddress: [null, 0, -1, 1.5, "1", Number.POSITIVE_INFINITY],
    admit: [null, true, "yes", {}],
    limits: [
      null,
      1,
      [],
      { rates: 1 },
      { rooms: 0 },
      { rooms: "many" },
      { roomNameLength: 1.5 },
      { pendingRequests: -1 },
      { listeners: Number.POSITIVE_INFINITY },
      { messages: 10 },
      { messages: { perSecond: 10 } },
      { messages: { perSecond: 0, burst: 10 } },
      { bytes: { perSecond: 10, burst: 0 } },
      { violations: { perSecond: 1, burst: 1, most: 1 } },
      { replay: { perSecond: 1, burst: 0 } },
    ],
    overload: [null, true, "latest", "keep"],
    backplane: [null, "redis", {}, { start: noop, publish: noop, subscribe: noop, unsubscribe: noop }],
    cluster: [
      null,
      "here",
      { name: "" },
      { name: 1 },
      { lease: 29 },
      { lease: 1.5 },
      { grace: -1 },
      { maxPendingBytes: 0 },
      { leese: 100 },
      [],
    ],
    clock: [null, {}, { now: Date.now }, { now: Date.now, setTimeout }, 1],
    handshakeTimeout: [null, 0, -1, 1.5, 2 ** 31, "1000", false],
    joinable: [null, true, "lobby", ["lobby"]],
    history: [
      null,
      true,
      [],
      "chat",
      {},
      { rooms: {} },
      { rooms: ["chat"] },
      { rooms: { chat: true } },
      { rooms: { chat: { size: 10 } } },
      { rooms: { chat: { age: 1_000 } } },
      { rooms: { chat: { size: 0, age: 1_000 } } },
      { rooms: { chat: { size: 10, age: 2 ** 31 } } },
      { rooms: { chat: { size: 10, age: 1_000, replay: 0 } } },
      { rooms: { chat: { size: 10, age: 1_000, replay: 11 } } },
      { rooms: { chat: { size: 10, age: 1_000, replay: "all" } } },
      { rooms: { chat: { size: 10, age: 1_000, keep: "none" } } },
      { rooms: { chat: { size: 10, age: 1_000, most: 1 } } },
      { rooms: { "": { size: 10, age: 1_000 } } },
      { rooms: { "chat\uD800": { size: 10, age: 1_000 } } },
      { rooms: { [`${"x".repeat(257)}*`]: { size: 10, age: 1_000 } } },
      { rooms: { "chat*": { size: 10, age: 1_000 }, "chat:*": { size: 10, age: 1_000 } } },
      { rooms: { chat: { size: 10, age: 1_000 } }, maxBytes: 0 },
      { rooms: { chat: { size: 10, age: 1_000 } }, maxbytes: 1_000 },
    ],
    presence: [
      null,
      true,
      ["chat"],
      {},
      { rooms: [] },
      { rooms: "chat" },
      { rooms: { chat: {} } },
      { rooms: [1] },
      { rooms: [""] },
      { rooms: ["chat\uD800"] },
      { rooms: ["x".repeat(257)] },
      { rooms: ["chat*", "chat:*"] },
      { rooms: ["chat"], grace: -1 },
      { rooms: ["chat"], grace: 2 ** 31 },
      { rooms: ["chat"], full: 0 },
      { rooms: ["chat"], maxBytes: 1.5 },
      { rooms: ["chat"], most: 1 },
    ],
    idempotency: [
      null,
      true,
      {},
      { within: 1_000 },
      { maxBytes: 1_000 },
      { within: 0, maxBytes: 1_000 },
      { within: 1_000, maxBytes: 0 },
      { within: 2 ** 31, maxBytes: 1_000 },
      { within: 1_000, maxBytes: 1_000, most: 1 },
      { within: 1_000, maxBytes: 1_000, maxBytesPerOwner: 0 },
      { within: 1_000, maxBytes: 1_000, maxBytesPerOwner: 1_001 },
      { within: 1_000, maxBytes: 1_000, maxBytesPerOwner: null },
    ],
    maxMessageBytes: [null, 0, -1, 1.5, 2 ** 31, Number.NaN, Number.POSITIVE_INFINITY, "1024", 1024n],
    maxBufferedBytes: [null, 0, 1023, 1024.5, 2 ** 31, Number.NaN, Number.POSITIVE_INFINITY, "4096"],
    compression: [null, 0, 1, "true", {}],
  };

  const cases = Object.entries(wrong).flatMap(([name, values]) => values.map((value) => ({ name, value })));

  test.each(cases)("$name: $value is refused by name", ({ name, value }) => {
    expect(() => new Hub({ transport: memory(), [name]: value })).toThrow(hubError("ERR_HUB_OPTION", `"${name}"`));
  });

  test.each(["Transport", "port", "cors", "__proto__", "constructor", "toString"])("%s is unknown", (name) => {
    const options = Object.fromEntries([[name, 1]]) as HubOptions;
    expect(() => new Hub(options)).toThrow(hubError("ERR_HUB_OPTION", `"${name}"`));
  });

  test.each([null, 1, "ws", true, []])("the options cannot be %j", (options) => {
    expect(() => new Hub(options as HubOptions)).toThrow(hubError("ERR_HUB_OPTION", "object"));
  });

  const RULE = { size: 10, age: 1_000 };

  test("a rule behind one that takes all of its rooms is refused with what to do", () => {
    const rooms = { "a*": RULE, "*": RULE, "b*": RULE };
    const advice = 'Write "b*" before "*", or remove it.';
    expect(() => new Hub({ transport: memory(), history: { rooms } })).toThrow(hubError("ERR_HUB_OPTION", advice));
    const others = { "a*": RULE, "*b": RULE, "*": { ...RULE, replay: 10, keep: "latest" } } as const;
    expect(() => new Hub({ transport: memory(), history: { rooms: others, maxBytes: 1 } })).not.toThrow();
  });

  test("a hub with a backplane that keeps no log has no records of rooms, and says so", () => {
    const options = {
      transport: memory(),
      backplane: limited(new MemoryEngine(), 1_000_000),
      history: { rooms: { "*": RULE } },
    };
    expect(() => new Hub(options)).toThrow(
      hubError("ERR_HUB_OPTION", '"history" of Hub needs a backplane with a "log"'),
    );
  });

  test("what is done in an outage is only asked of a hub with a backplane", () => {
    const history = { rooms: { "*": { ...RULE, outage: "local" as const } } };
    expect(() => new Hub({ transport: memory(), history })).toThrow(
      hubError("ERR_HUB_OPTION", 'has an "outage" in the rule "*", which needs the option "backplane"'),
    );
  });

  test("the limits themselves are fine", () => {
    const smallest = { maxMessageBytes: 1, maxBufferedBytes: 1024, heartbeat: { interval: 1, timeout: 1 } };
    const largest = 2 ** 31 - 1;
    const limits = {
      maxMessageBytes: largest,
      maxBufferedBytes: largest,
      heartbeat: { interval: largest, timeout: largest },
    };
    for (const options of [smallest, limits]) {
      const hub = new Hub({ transport: memory(), ...options });
      expect(hub.sockets.size).toBe(0);
      void hub.close();
    }
  });

  test("undefined counts as absent", async () => {
    const absent = Object.fromEntries(Object.keys(wrong).map((name) => [name, undefined])) as HubOptions;
    const transport = memory();
    const hub = new Hub({ ...absent, transport });
    const client = transport.connect("/any/path");
    const data = await new Promise((resolve) => {
      client.addEventListener("message", (event) => resolve((event as MessageEvent).data));
    });
    // The defaults: any path, a welcome, JSON, and a heartbeat.
    expect(JSON.parse(data as string)).toMatchObject({ event: "hub:welcome", data: { heartbeat: 25_000 } });
    await hub.close();
    expect(() => new Hub(absent)).not.toThrow();
  });
});
