import { createServer } from "node:http";
import { Hub, jsonCodec, type Codec, type RequestOptions, type Socket } from "roomcast";
import { memory } from "roomcast/testing";
import { ws } from "roomcast/transports/ws";
import { beforeEach, describe, expect, test } from "vitest";
import { hubError } from "../support/hub-error.ts";
import { openMemoryHub, type MemoryHub } from "../support/memory-hub.ts";

let hub: Hub;
let socket: Socket;
let peer: MemoryHub["peer"];

beforeEach(async () => {
  ({ hub, socket, peer } = await openMemoryHub());
});

const noop = (): void => {};

const refuse: Codec["encode"] = () => {
  throw new RangeError("not today");
};

describe("arguments that could be ignored silently", () => {
  test("a second value of an event is refused", async () => {
    const emits = [hub, hub.to("lobby"), socket].map(
      (sender) => sender.emit.bind(sender) as (...all: unknown[]) => void,
    );
    for (const emit of emits) expect(() => emit("move", 1, 2)).toThrow(hubError("ERR_HUB_ARGUMENT", "one value"));
    expect(await peer.heard()).toEqual([]);
  });

  test("a timeout that is not in an object is refused", async () => {
    const options = 500 as unknown as object;
    await expect(socket.request("q", 1, options)).rejects.toEqual(hubError("ERR_HUB_ARGUMENT", "{ timeout: 500 }"));
    await expect(hub.request("q", 1, options)).rejects.toEqual(hubError("ERR_HUB_ARGUMENT", "{ timeout: 500 }"));
  });

  test("a second value of a request, and an option that there is not, are refused", async () => {
    const more = { more: 1 } as RequestOptions;
    const refused = hubError("ERR_HUB_ARGUMENT", "into an object or an array");
    await expect(socket.request("q", 1, more)).rejects.toEqual(refused);
    await expect(hub.request("q", 1, { timeout: 5, ...more })).rejects.toEqual(refused);
    await expect(hub.to("lobby").sockets(more)).rejects.toEqual(hubError("ERR_HUB_ARGUMENT", "data, timeout"));
    expect(await hub.to("lobby").sockets({ data: [], timeout: 5 })).toMatchObject({ silent: [] });
  });

  test("rooms after the first are taken, too", async () => {
    socket.join(["a", "b"], "c");
    expect([...socket.rooms]).toEqual(["lobby", "a", "b", "c"]);
    hub.to("nowhere", ["elsewhere", "c"]).emit("heard");
    hub.to("lobby").except("nobody", "b").emit("unheard");
    hub.except("nobody", socket).emit("unheard");
    expect(await peer.heard()).toEqual(['{"event":"heard"}']);
    socket.leave("a", ["b", "c"]);
    expect(JSON.stringify(socket.rooms)).toBe('["lobby"]');
  });

  test("a transport that already has a hub is refused", async () => {
    const transport = memory();
    const first = new Hub({ transport });
    expect(() => new Hub({ transport })).toThrow(hubError("ERR_HUB_OPTION", "another hub"));
    await first.close();
  });

  test.each([createServer(), { port: 80 }, null])("a server that is not in an object (%#) is refused", (options) => {
    expect(() => ws(options as unknown as object)).toThrow(hubError("ERR_HUB_OPTION", "ws({ server })"));
  });
});

describe("a call with data that cannot be encoded", () => {
  const circular: { self?: unknown } = {};
  circular.self = circular;
  const values: readonly (readonly [string, unknown])[] = [
    ["a circle", circular],
    ["a BigInt", { count: 1n }],
    ["a function", noop],
    ["a symbol", Symbol("data")],
    ["what throws", { toJSON: () => JSON.parse("{") as unknown }],
  ];
  const calls: readonly (readonly [string, (data: unknown) => unknown])[] = [
    ["socket.emit", async (data) => socket.emit("chat", data)],
    ["socket.request", async (data) => socket.request("chat", data)],
    ["hub.emit", async (data) => hub.emit("chat", data)],
    ["hub.request", async (data) => hub.request("chat", data)],
    ["target.emit", async (data) => hub.to("lobby").emit("chat", data)],
    ["target.emit to nobody", async (data) => hub.to("nobody").emit("chat", data)],
    ["target.request", async (data) => hub.to("lobby").request("chat", data)],
  ];
  const cases = calls.flatMap(([call, act]) => values.map(([what, data]) => ({ call, act, what, data })));

  test.each(cases)("$call of $what throws with the event's name and sends nothing", async ({ act, data }) => {
    await expect(act(data)).rejects.toThrow(hubError("ERR_HUB_UNSERIALISABLE", '"chat"'));
    await expect(act(data)).rejects.toHaveProperty("cause", expect.any(Error));
    expect(await peer.heard()).toStrictEqual([]);
  });

  test("a codec of the application's may refuse anything", async () => {
    const refusing = new Hub({ transport: memory(), codec: { ...jsonCodec, encode: refuse } });
    expect(() => refusing.emit("chat", 1)).toThrow(hubError("ERR_HUB_UNSERIALISABLE", "not today"));
    await refusing.close();
  });
});

describe("a call with a value that is not a raw message", () => {
  const calls: readonly (readonly [string, (message: string) => void])[] = [
    ["socket.send", (message) => socket.send(message)],
    ["hub.send", (message) => hub.send(message)],
    ["target.send", (message) => hub.to("lobby").send(message)],
    ["socket.volatile.send", (message) => socket.volatile.send(message)],
  ];
  const wrong = [undefined, null, 5, {}, [1], new ArrayBuffer(1), new Uint16Array(1), new Date(0)];
  const cases = calls.flatMap(([call, act]) => wrong.map((message) => ({ call, act, message })));

  test.each(cases)("$call($message) sends nothing", async ({ act, message }) => {
    expect(() => act(message as string)).toThrow(hubError("ERR_HUB_ARGUMENT", "string or a Uint8Array"));
    expect(await peer.heard()).toStrictEqual([]);
  });
});

describe("a call with more than may wait for one socket", () => {
  const calls: readonly (readonly [string, (text: string) => unknown])[] = [
    ["socket.emit", async (text) => socket.emit("e", text)],
    ["socket.send", async (text) => socket.send(text)],
    ["socket.request", async (text) => socket.request("e", text)],
    ["hub.emit", async (text) => hub.emit("e", text)],
    ["hub.send", async (text) => hub.send(text)],
    ["target.emit", async (text) => hub.to("lobby").emit("e", text)],
    ["target.emit to nobody", async (text) => hub.to("nobody").emit("e", text)],
    ["target.request", async (text) => hub.to("lobby").request("e", text)],
  ];

  test.each(calls)("%s is refused with both sizes, and the socket stays open", async (_, act) => {
    await expect(act("x".repeat(1024))).rejects.toThrow(hubError("ERR_HUB_MESSAGE_TOO_LARGE", "1024"));
    await expect(act("x".repeat(1024))).rejects.toThrow("maxBufferedBytes");
    expect(await peer.heard()).toStrictEqual([]);
    expect(socket.isOpen).toBe(true);
  });

  test("a message that just fits is sent", async () => {
    // Four bytes of the frame's header, and the rest.
    const fits = "x".repeat(1020);
    expect(() => socket.send(`${fits}x`)).toThrow(hubError("ERR_HUB_MESSAGE_TOO_LARGE", "1025"));
    socket.send(fits);
    expect(await peer.client.next()).toBe(fits);
  });
});

describe("a request with a wrong timeout", () => {
  const calls: readonly (readonly [string, (timeout: number) => Promise<unknown>])[] = [
    ["socket.request", (timeout) => socket.request("e", 1, { timeout })],
    ["hub.request", (timeout) => hub.request("e", 1, { timeout })],
    ["target.request", (timeout) => hub.to("lobby").request("e", 1, { timeout })],
  ];
  const wrong = [null, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, "1000"];
  const cases = calls.flatMap(([call, act]) => wrong.map((timeout) => ({ call, act, timeout })));

  test.each(cases)("$call with $timeout sends nothing", async ({ act, timeout }) => {
    await expect(act(timeout as number)).rejects.toThrow(hubError("ERR_HUB_ARGUMENT", "timeout"));
    expect(await peer.heard()).toStrictEqual([]);
  });
});

describe("a call with the arguments of a close", () => {
  const calls: readonly (readonly [string, (code: number, reason: string) => void])[] = [
    ["socket.close", (code, reason) => socket.close(code, reason)],
    ["target.close", (code, reason) => hub.to("lobby").close(code, reason)],
    ["target.close of nobody", (code, reason) => hub.to("nobody").close(code, reason)],
  ];
  const codes = [null, 0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 1000.5, Number.NaN, "1000"];
  const reasons = [null, 5, {}, "x".repeat(124), "ü".repeat(62)];

  test.each(calls.flatMap(([call, act]) => codes.map((code) => ({ call, act, code }))))(
    "$call($code) closes nobody",
    ({ act, code }) => {
      expect(() => act(code as number, "")).toThrow(hubError("ERR_HUB_CLOSE_CODE", String(code)));
      expect(socket.isOpen).toBe(true);
    },
  );

  test.each(calls.flatMap(([call, act]) => reasons.map((reason) => ({ call, act, reason }))))(
    "$call(4000, $reason) closes nobody",
    ({ act, reason }) => {
      expect(() => act(4000, reason as string)).toThrow(hubError("ERR_HUB_CLOSE_CODE", "123 bytes"));
      expect(socket.isOpen).toBe(true);
    },
  );

  test.each([1000, 1001, 1003, 1007, 1014, 3000, 4000, 4999])("a close with %i is possible", (code) => {
    socket.close(code, "x".repeat(123));
    expect(socket.isOpen).toBe(false);
  });
});

describe("a second handler is refused", () => {
  test("for the hub", () => {
    const remove = hub.handle("chat", noop);
    expect(() => hub.handle("chat", noop)).toThrow(hubError("ERR_HUB_HANDLED", '"chat"'));
    remove();
    const second = hub.handle("chat", noop);
    // The first handler's function no longer has anything to remove.
    remove();
    expect(() => hub.handle("chat", noop)).toThrow(hubError("ERR_HUB_HANDLED", '"chat"'));
    second();
    expect(() => hub.handle("chat", noop)).not.toThrow();
  });

  test("for a socket, beside one of the hub's", () => {
    hub.handle("chat", noop);
    socket.on("chat", noop);
    expect(() => socket.on("chat", noop)).toThrow(hubError("ERR_HUB_HANDLED", '"chat"'));
    socket.off("chat").on("chat", noop);
    expect(() => socket.on("chat", noop)).toThrow(hubError("ERR_HUB_HANDLED", '"chat"'));
  });
});

test("a handler or listener that is not a function is refused", () => {
  for (const wrong of [undefined, null, "handler", {}] as unknown as (() => void)[]) {
    expect(() => hub.handle("chat", wrong)).toThrow(hubError("ERR_HUB_ARGUMENT", "function"));
    expect(() => socket.on("chat", wrong)).toThrow(hubError("ERR_HUB_ARGUMENT", "function"));
    expect(() => hub.on("connection", wrong)).toThrow(hubError("ERR_HUB_ARGUMENT", "function"));
    expect(() => hub.once("connection", wrong)).toThrow(hubError("ERR_HUB_ARGUMENT", "function"));
  }
});

test("a listener to an event that no hub has is refused", () => {
  expect(() => hub.on("connect" as "connection", noop)).toThrow(hubError("ERR_HUB_ARGUMENT", '"connect"'));
  expect(() => hub.once("disconnect" as "disconnection", noop)).toThrow(hubError("ERR_HUB_ARGUMENT", '"disconnect"'));
});
