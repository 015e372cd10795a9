import { Hub, type Socket } from "roomcast";
import { beforeEach, describe, expect, test } from "vitest";
import { hubError } from "../support/hub-error.ts";
import { openMemoryHub, type MemoryHub } from "../support/memory-hub.ts";

const noop = (): void => {};

test("a hub that is closing cannot begin to listen", async () => {
  const hub = new Hub();
  const closing = hub.close();
  await expect(hub.listen()).rejects.toMatchObject({ code: "ERR_HUB_CLOSED" });
  await closing;
});

test("a hub that is closed again while it begins to listen does not listen", async () => {
  const hub = new Hub({ transport: "ws" });
  const listening = hub.listen({ host: "127.0.0.1" });
  await Promise.all([hub.close(), hub.close({ within: 0 })]);
  const { port } = await listening;
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow("fetch failed");
  await expect(hub.close({ within: 0 })).resolves.toBeUndefined();
});

describe("after hub.close()", () => {
  let hub: Hub;
  let socket: Socket;
  let peer: MemoryHub["peer"];

  beforeEach(async () => {
    ({ hub, socket, peer } = await openMemoryHub());
    await hub.close();
  });

  const calls: readonly (readonly [string, () => unknown])[] = [
    ["hub.listen", () => hub.listen(0)],
    ["hub.emit", async () => hub.emit("e", 1)],
    ["hub.send", async () => hub.send("e")],
    ["hub.join", async () => hub.join("other")],
    ["hub.leave", async () => hub.leave("lobby")],
    ["hub.request", () => hub.request("e", 1)],
    ["target.emit", async () => hub.to("lobby").emit("e", 1)],
    ["target.send", async () => hub.to("lobby").send("e")],
    ["target.request", () => hub.to("lobby").request("e", 1)],
    ["target.join", async () => hub.to("lobby").join("other")],
    ["target.leave", async () => hub.to("lobby").leave("lobby")],
    ["target.close", async () => hub.to("lobby").close()],
    ["target.sockets", () => hub.to("lobby").sockets()],
    ["socket.broadcast.emit", async () => socket.broadcast.emit("e", 1)],
  ];

  test.each(calls)("%s throws that the hub is closed", async (_, act) => {
    await expect(act()).rejects.toThrow(hubError("ERR_HUB_CLOSED", "closed"));
  });

  test("a socket is as after any other close", async () => {
    socket.emit("e", 1);
    socket.send("e");
    socket.join("other");
    socket.leave("lobby");
    socket.close();
    socket.terminate();
    expect([socket.isOpen, socket.bufferedAmount, [...socket.rooms]]).toStrictEqual([false, 0, ["lobby"]]);
    await expect(socket.request("e", 1)).rejects.toThrow(hubError("ERR_HUB_DISCONNECTED", socket.id));
    expect(await peer.rest()).toStrictEqual([]);
  });

  test("calls that only read or remove still work", async () => {
    expect([hub.sockets.size, hub.rooms.size]).toStrictEqual([0, 0]);
    expect(hub.off("connection", noop)).toBe(hub);
    await expect(hub.close()).resolves.toBeUndefined();
  });
});
