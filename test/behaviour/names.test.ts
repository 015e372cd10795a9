import type { Hub, Socket } from "roomcast";
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

describe("a call with the name of a room", () => {
  const names: readonly (readonly [unknown, string])[] = [
    [undefined, "undefined"],
    [null, "null"],
    [5, "number"],
    [{}, "object"],
    [Symbol("lobby"), "symbol"],
    ["", "empty"],
    ["x".repeat(257), "257"],
  ];
  const calls: readonly (readonly [string, (name: string) => unknown])[] = [
    ["socket.join", (name) => socket.join("fine", name)],
    ["socket.leave", (name) => socket.leave("lobby", name)],
    ["socket.to", (name) => socket.to(name)],
    ["socket.to of a list", (name) => socket.to(["lobby", name])],
    ["hub.to", (name) => hub.to(name)],
    ["hub.to of a list", (name) => hub.to(["lobby", name])],
    ["target.to", (name) => hub.to("lobby").to(name)],
    ["hub.except of a list", (name) => hub.except(["lobby", name])],
    ["socket.except of a list", (name) => socket.except(["lobby", name])],
    ["target.except of a list", (name) => hub.to("lobby").except(["lobby", name])],
    ["target.join", (name) => hub.to("lobby").join("fine", name)],
    ["target.leave", (name) => hub.to("lobby").leave("lobby", name)],
    ["target.join of nobody", (name) => hub.to("nobody").join(name)],
  ];
  const cases = calls.flatMap(([call, act]) => names.map(([name, why]) => ({ call, act, name, why })));

  test.each(cases)("$call($name) says what is wrong and does nothing", ({ act, name, why }) => {
    expect(() => act(name as string)).toThrow(hubError("ERR_HUB_ROOM_NAME", why));
    expect([...socket.rooms]).toStrictEqual(["lobby"]);
    expect([...hub.rooms.keys()]).toStrictEqual(["lobby"]);
  });

  test.each([
    ["hub.except", (name: string) => hub.except(name)],
    ["socket.except", (name: string) => socket.except(name)],
    ["target.except", (name: string) => hub.to("lobby").except(name)],
  ])("%s takes a socket as well, but nothing else", (_, except) => {
    expect(() => except("")).toThrow(hubError("ERR_HUB_ROOM_NAME", "empty"));
    expect(() => except("x".repeat(257))).toThrow(hubError("ERR_HUB_ROOM_NAME", "257"));
    for (const wrong of [undefined, null, 5, {}, { id: 5 }, { id: "" }]) {
      expect(() => except(wrong as unknown as string)).toThrow(hubError("ERR_HUB_ARGUMENT"));
    }
    expect(() => except(socket as unknown as string)).not.toThrow();
  });

  test("256 characters are allowed", () => {
    const longest = "x".repeat(256);
    socket.join(longest);
    expect(socket.rooms.has(longest)).toBe(true);
  });
});

describe("a call with the id of a socket or user", () => {
  test.each([undefined, null, 5, "", {}])("%j is refused", (id) => {
    const wrong = id as string;
    expect(() => hub.toSocket(wrong)).toThrow(hubError("ERR_HUB_ARGUMENT", "id"));
    expect(() => hub.toUser(wrong)).toThrow(hubError("ERR_HUB_ARGUMENT", "id"));
    expect(() => hub.to("lobby").toSocket(wrong)).toThrow(hubError("ERR_HUB_ARGUMENT", "id"));
    expect(() => hub.to("lobby").toUser(wrong)).toThrow(hubError("ERR_HUB_ARGUMENT", "id"));
  });
});

describe("a call with the name of an event", () => {
  const names: readonly (readonly [unknown, string])[] = [
    [undefined, "string"],
    [5, "string"],
    [Symbol("chat"), "string"],
    ["", "non-empty"],
    ["x".repeat(257), "256"],
    ["hub:welcome", "hub:"],
    ["hub:", "hub:"],
  ];
  const calls: readonly (readonly [string, (name: string) => unknown])[] = [
    ["socket.emit", async (name) => socket.emit(name, 1)],
    ["socket.volatile.emit", async (name) => socket.volatile.emit(name, 1)],
    ["socket.broadcast.emit", async (name) => socket.broadcast.emit(name, 1)],
    ["socket.request", async (name) => socket.request(name, 1)],
    ["socket.on", async (name) => socket.on(name, noop)],
    ["hub.emit", async (name) => hub.emit(name, 1)],
    ["hub.request", async (name) => hub.request(name, 1)],
    ["hub.handle", async (name) => hub.handle(name, noop)],
    ["target.emit", async (name) => hub.to("lobby").emit(name, 1)],
    ["target.emit to nobody", async (name) => hub.to("nobody").emit(name, 1)],
    ["target.request", async (name) => hub.to("lobby").request(name, 1)],
  ];
  const cases = calls.flatMap(([call, act]) => names.map(([name, why]) => ({ call, act, name, why })));

  test.each(cases)("$call($name) says what is wrong and sends nothing", async ({ act, name, why }) => {
    await expect(act(name as string)).rejects.toThrow(hubError("ERR_HUB_EVENT_NAME", why));
    expect(await peer.heard()).toStrictEqual([]);
  });

  test("256 characters are allowed, and a colon elsewhere", async () => {
    const longest = "x".repeat(256);
    socket.emit(longest);
    socket.emit("chat:hub:");
    expect(await peer.heard()).toStrictEqual([`{"event":"${longest}"}`, '{"event":"chat:hub:"}']);
  });
});
