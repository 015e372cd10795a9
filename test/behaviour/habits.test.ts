import { createServer } from "node:http";
import { createEmitter, defineContract, Hub, type HubOptions, type Socket } from "roomcast";
import { connect } from "roomcast/client";
import { inMemory, MemoryEngine } from "roomcast/testing";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import * as z from "zod";
import { HUB_HABITS, OPTION_HABITS, SOCKET_HABITS, TARGET_HABITS, VIEW_HABITS } from "../../src/hub/habits.ts";
import { hubError } from "../support/hub-error.ts";
import { openHubFixture } from "../support/hub-fixture.ts";
import { sectionOf } from "../support/markdown.ts";
import { openMemoryHub, type MemoryHub } from "../support/memory-hub.ts";
import { collectWarnings } from "../support/warnings.ts";

let hub: Hub;
let socket: Socket;
let peer: MemoryHub["peer"];

beforeEach(async () => {
  ({ hub, socket, peer } = await openMemoryHub());
});

/** As JavaScript sees it, where no compiler looks. */
function untyped(value: unknown): Record<string, (...args: unknown[]) => unknown> {
  return value as ReturnType<typeof untyped>;
}

const noop = (): void => {};

describe("a method of another library", () => {
  const emitter = createEmitter(new MemoryEngine().backplane());
  const cases = [
    ["hub", (): object => hub, HUB_HABITS],
    ["emitter", (): object => emitter, TARGET_HABITS],
    ["target", (): object => hub.to("lobby"), TARGET_HABITS],
    ["socket", (): object => socket, SOCKET_HABITS],
    ["hub.sockets", (): object => hub.sockets, VIEW_HABITS],
  ] as const;
  const names = cases.flatMap(([whose, get, habits]) => Object.keys(habits).map((name) => ({ whose, get, name })));

  test.each(names)("$whose.$name throws what to write instead", ({ whose, get, name }) => {
    const use = (): unknown => untyped(get())[name]?.();
    expect(use).toThrow(TypeError);
    expect(use).toThrow(
      new RegExp(`^There is no ${whose}\\.${name} in roomcast\\. Write .*\\. See docs/MIGRATING\\.md\\.$`),
    );
  });

  test("is named as it is written here", () => {
    expect(() => untyped(hub)["in"]?.("lobby")).toThrow("Write hub.to(room).");
    expect(() => untyped(hub.to("lobby"))["socketsJoin"]?.("a")).toThrow("Write target.join(room).");
    expect(() => untyped(socket)["disconnect"]?.(true)).toThrow("Write socket.close().");
  });

  test.each(names)("$whose.$name may be a property of the application's", ({ get, name }) => {
    const mine = Object.create(get()) as Record<string, unknown>;
    mine[name] = 5;
    expect(mine[name]).toBe(5);
    expect(Object.keys(mine)).toEqual([name]);
  });

  test("and its events, options and callbacks are in the table for those who come from there", () => {
    const table = sectionOf("docs/MIGRATING.md", "From Socket.IO");
    const habits = [HUB_HABITS, TARGET_HABITS, SOCKET_HABITS].flatMap((each) => Object.keys(each));
    expect(habits.filter((name) => !new RegExp(`\\b${name}\\b`).test(table))).toEqual([]);
  });
});

describe("the event of another library", () => {
  test.each(["chat", "disconnect", "connect"])("%s is none of the hub", (event) => {
    const on = untyped(hub)["on"]?.bind(hub);
    expect(() => on?.(event, noop)).toThrow(
      hubError(
        "ERR_HUB_ARGUMENT",
        `connection, disconnection, room, message, refusal, error. What clients send is handled with hub.handle("${event}"`,
      ),
    );
  });

  test.each([
    ["disconnect", 'hub.on("disconnection"'],
    ["disconnecting", 'hub.on("disconnection"'],
    ["close", 'hub.on("disconnection"'],
    ["error", 'hub.on("error"'],
  ])("%s of a socket becomes a warning, once", (event, instead) => {
    const warnings = collectWarnings();
    socket.on(event, noop);
    socket.off(event).on(event, noop);
    expect(warnings).toMatchObject([{ type: "HubWarning", code: "HUB_LIKELY_MISTAKE" }]);
    expect(warnings[0]?.message).toContain(instead);
    expect(warnings[0]?.message).toContain(`hub.handle("${event}", ...)`);
  });

  test("of a socket is refused by a contract, with what to write", async () => {
    const warnings = collectWarnings();
    const contract = defineContract({ client: { close: z.null() }, server: {} });
    const fixture = await openHubFixture(inMemory(), { contract } as HubOptions);
    const { socket: strict } = await fixture.connect();
    strict.on("close", noop);
    expect(() => strict.on("disconnect", noop)).toThrow(hubError("ERR_HUB_CONTRACT", 'hub.on("disconnection"'));
    expect(warnings).toEqual([]);
  });

  test("is handled without a warning where the application says that clients send it", () => {
    const warnings = collectWarnings();
    hub.handle("disconnection", noop);
    socket.on("chat", noop);
    expect(warnings).toEqual([]);
  });
});

describe("options of another library", () => {
  test.each(Object.entries(OPTION_HABITS))("%s: the error says what to write", (name, instead) => {
    expect(() => new Hub({ [name]: {} })).toThrow(hubError("ERR_HUB_OPTION", `Write ${instead}.`));
  });

  test("and a server or a port in their place", () => {
    expect(() => new Hub(createServer() as object)).toThrow(hubError("ERR_HUB_OPTION", "ws({ server })"));
    expect(() => new Hub(8080 as unknown as object)).toThrow(hubError("ERR_HUB_OPTION", "hub.listen(8080)"));
  });
});

describe("a callback", () => {
  test("for the reply of an event is refused with the way to ask", async () => {
    const senders = [hub, hub.to("lobby"), socket].map(untyped);
    for (const sender of senders) {
      expect(() => sender["emit"]?.("sum", 1, noop)).toThrow(
        hubError("ERR_HUB_ARGUMENT", "await socket.request(event, data)"),
      );
      expect(() => sender["emit"]?.("sum", noop)).toThrow(hubError("ERR_HUB_UNSERIALISABLE", "request()"));
      expect(() => sender["emit"]?.("move", 1, 2)).toThrow(hubError("ERR_HUB_ARGUMENT", "emit(event, { x, y })"));
    }
    expect(await peer.heard()).toEqual([]);
  });

  test("for the end of listen() is refused with the promise", async () => {
    const listen = untyped(hub)["listen"]?.bind(hub);
    await expect(listen?.(0, noop)).rejects.toEqual(hubError("ERR_HUB_ARGUMENT", "await hub.listen(8080)"));
  });
});

describe("middleware of another library", () => {
  test("that calls next() with an error lets nothing through", async () => {
    const failures: unknown[] = [];
    hub.on("error", (error) => failures.push(error));
    const handler = vi.fn<() => void>();
    hub.handle("chat", handler);
    hub.use((_, next) => untyped({ next })["next"]?.(new Error("Not you")));
    peer.say({ event: "chat", id: 1 });
    expect(await peer.packet()).toMatchObject({ reply: 1, error: { code: "handler-failed" } });
    expect(failures).toEqual([hubError("ERR_HUB_ARGUMENT", "throw new ReplyError(reason, message)")]);
    expect(handler).not.toHaveBeenCalled();
  });
});

describe("the id of a socket in the place of a room", () => {
  test("becomes a warning, once, and reaches nobody", async () => {
    const warnings = collectWarnings();
    hub.to(socket.id).emit("private");
    hub.except(socket.id).to("nobody").emit("private");
    expect(await peer.heard()).toEqual([]);
    expect(warnings).toMatchObject([{ type: "HubWarning", code: "HUB_LIKELY_MISTAKE" }]);
    expect(warnings[0]?.message).toContain("Write hub.toSocket(id), and except(socket).");
  });

  test("is a room like any other once the socket has joined it", async () => {
    const warnings = collectWarnings();
    socket.join(socket.id);
    hub.to(socket.id).emit("private");
    expect(await peer.heard()).toEqual([`{"event":"private","room":"${socket.id}"}`]);
    expect(warnings).toEqual([]);
  });
});

test("connect() without a class of WebSockets says where to get one", () => {
  vi.stubGlobal("WebSocket", undefined);
  onTestFinished(() => void vi.unstubAllGlobals());
  expect(() => connect("ws://localhost:8080")).toThrow(
    'import { WebSocket } from "ws" and connect(url, { WebSocket })',
  );
});
