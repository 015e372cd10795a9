import { isDeepStrictEqual } from "node:util";
import { Hub, type HubOptions, type Socket } from "roomcast";
import { connect, type Client, type ConnectOptions } from "roomcast/client";
import { presence, type Presence } from "roomcast/client/presence";
import { defineContract } from "roomcast/contract";
import { msgpackCodec } from "roomcast/msgpack";
import { Random } from "roomcast/testing";
import { uws } from "roomcast/transports/uws";
import { ws } from "roomcast/transports/ws";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { QUICK, reached } from "../../support/clients.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { present } from "./lists.ts";

const MAKERS = { ws, uws } as const;

/** A WebSocket that loses notices of changes while it is told to. */
class LossyWebSocket extends WebSocket {
  static isLossy = false;
  static lost = 0;

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    const text = event === "message" && LossyWebSocket.isLossy ? String(values[0]) : "";
    if (!text.includes("hub:presence") || text.includes("reset")) return super.emit(event, ...values);
    LossyWebSocket.lost++;
    return false;
  }
}

/** A contract that says nothing of presence. */
const contract = defineContract({ client: {}, server: { fence: z.undefined() }, requests: {} });

/** Takes a client as the user that it says it is. */
const authenticate: HubOptions["authenticate"] = ({ auth }) => ({ id: auth as string });

function socketOf(hub: Hub, { id = "" }: Client): Socket {
  return hub.sockets.get(id) as Socket;
}

/** Waits until a map and its count are those of the hub. */
async function agrees(users: Presence, hub: Hub): Promise<void> {
  const truth = (): unknown => [hub.presence("chat").size, Object.fromEntries(hub.presence("chat").users)];
  const isTrue = (): boolean => isDeepStrictEqual([users.count, Object.fromEntries(users)], truth());
  await expect.poll(isTrue).toBe(true);
}

/** Connects the client of a user. */
function open(url: string, user: string, options: ConnectOptions = {}): Client {
  const client = connect(url, { WebSocket, reconnect: QUICK, auth: user, ...options });
  onTestFinished(() => client.close());
  return client;
}

describe.each(TRANSPORTS)("on %s", (transport) => {
  async function openHub(
    presenceOptions: Partial<NonNullable<HubOptions["presence"]>> = {},
    options: HubOptions = {},
  ): Promise<{ readonly hub: Hub; readonly url: string }> {
    const made = MAKERS[transport]();
    const hub = new Hub({
      ...present({ grace: 0, ...presenceOptions }, { authenticate, ...options }),
      codecs: [msgpackCodec],
      transport: made,
    });
    onTestFinished(() => hub.close());
    const { port } = await hub.listen({ host: "127.0.0.1" });
    return { hub, url: `ws://127.0.0.1:${port}` };
  }

  test("a client knows who is there, with data, and hears who comes and goes", async () => {
    const { hub, url } = await openHub();
    const ann = open(url, "ann");
    const users = presence<{ name: string }>(ann, "chat");
    const heard: string[] = [];
    users.on("change", ({ came, went }) => heard.push(...came.map((id) => `+${id}`), ...went.map((id) => `-${id}`)));
    await ann.join("chat");
    await expect.poll(() => [...users]).toStrictEqual([["ann", null]]);
    socketOf(hub, ann).presence("chat").set({ name: "Ann" });
    await expect.poll(() => users.get("ann")).toStrictEqual({ name: "Ann" });
    const bob = open(url, "bob");
    await bob.join("chat");
    await expect.poll(() => users.get("bob")).toBeNull();
    await bob.leave("chat");
    await expect.poll(() => users.has("bob")).toBe(false);
    expect([users.count, heard]).toStrictEqual([1, ["+bob", "-bob"]]);
  });

  test("two tabs of a user are one, and when one of them is closed nobody is told anything", async () => {
    const { hub, url } = await openHub();
    const ann = open(url, "ann");
    const users = presence(ann, "chat");
    await ann.join("chat");
    const tabs = [open(url, "bob"), open(url, "bob")];
    await Promise.all(tabs.map((tab) => tab.join("chat")));
    await expect.poll(() => users.count).toBe(2);
    let changes = 0;
    users.on("change", () => changes++);
    await tabs[0]?.close();
    await expect.poll(() => hub.rooms.get("chat")?.size).toBe(2);
    // Whoever comes is told at once: what came before would have come before.
    await open(url, "cy").join("chat");
    await expect.poll(() => users.has("cy")).toBe(true);
    expect([changes, [...users.keys()].toSorted()]).toStrictEqual([1, ["ann", "bob", "cy"]]);
  });

  test("a client that comes back is told everybody, also what it had no part in", async () => {
    const { hub, url } = await openHub();
    const ann = open(url, "ann");
    const users = presence(ann, "chat");
    await ann.join("chat");
    const bob = open(url, "bob");
    await bob.join("chat");
    await expect.poll(() => users.count).toBe(2);
    const waiting = reached(ann, "waiting");
    socketOf(hub, ann).terminate();
    await waiting;
    expect(users.has("bob")).toBe(true);
    await bob.close();
    await open(url, "cy").join("chat");
    await expect.poll(() => [...users.keys()].toSorted()).toStrictEqual(["ann", "cy"]);
    await agrees(users, hub);
  });

  test("above the limit a client is told the count alone, and below it again who", async () => {
    const { hub, url } = await openHub({ full: 2 });
    const ann = open(url, "ann");
    const users = presence(ann, "chat");
    await ann.join("chat");
    const others = ["bob", "cy"].map((user) => open(url, user));
    await Promise.all(others.map((other) => other.join("chat")));
    await expect.poll(() => [users.count, users.size]).toStrictEqual([3, 0]);
    // Who comes now is told the count, too, and asks no more.
    const late = open(url, "dee");
    const view = presence(late, "chat");
    await late.join("chat");
    await expect.poll(() => [view.count, view.size]).toStrictEqual([4, 0]);
    await Promise.all([...others, late].map((other) => other.close()));
    await agrees(users, hub);
    expect([...users.keys()]).toStrictEqual(["ann"]);
  });

  test("a client that has missed something asks, and is told everybody", async () => {
    const { hub, url } = await openHub();
    const ann = open(url, "ann", { WebSocket: LossyWebSocket });
    const users = presence(ann, "chat");
    await ann.join("chat");
    await expect.poll(() => users.size).toBe(1);
    LossyWebSocket.isLossy = true;
    await open(url, "bob").join("chat");
    await expect.poll(() => LossyWebSocket.lost).toBeGreaterThan(0);
    expect([...users.keys()]).toStrictEqual(["ann"]);
    LossyWebSocket.isLossy = false;
    await open(url, "cy").join("chat");
    await expect.poll(() => [...users.keys()].toSorted()).toStrictEqual(["ann", "bob", "cy"]);
    await agrees(users, hub);
  });

  test("a client that the server puts into the room is told if the server says so", async () => {
    const { hub, url } = await openHub({}, { joinable: () => false });
    hub.on("connection", (socket) => {
      socket.presence("chat").watch();
      socket.join("chat");
    });
    const ann = open(url, "ann");
    const users = presence(ann, "chat");
    await expect.poll(() => [...users.keys()]).toStrictEqual(["ann"]);
    const bob = open(url, "bob");
    await expect.poll(() => users.has("bob")).toBe(true);
    await bob.close();
    await expect.poll(() => users.has("bob")).toBe(false);
    socketOf(hub, ann).terminate();
    open(url, "cy");
    await expect.poll(() => [...users.keys()].toSorted()).toStrictEqual(["ann", "cy"]);
  });

  test("a room that the server does not follow is joined, and the client is told that it has no presence", async () => {
    const { url } = await openHub();
    const ann = open(url, "ann");
    presence(ann, "tea");
    const error = new Promise((resolve) => void ann.once("hub:error", resolve));
    await ann.join("tea");
    expect(await error).toMatchObject({ code: "ERR_CLIENT_REMOTE", reason: "invalid-data" });
  });

  test("a contract has nothing to do with it, and in MessagePack it is the same", async () => {
    const { hub, url } = await openHub({}, { contract } as HubOptions);
    const ann = open(url, "ann", { codec: msgpackCodec, contract } as unknown as ConnectOptions);
    const users = presence(ann, "chat");
    await ann.join("chat");
    socketOf(hub, ann)
      .presence("chat")
      .set({ name: "Ann", tags: [1, null] });
    await expect.poll(() => [...users]).toStrictEqual([["ann", { name: "Ann", tags: [1, null] }]]);
  });
});

test("whatever happens, the maps of all clients are those of the hub in the end", async () => {
  const random = new Random(7);
  const hub = new Hub(present({ grace: 0, full: 4 }, { authenticate }));
  onTestFinished(async () => {
    LossyWebSocket.isLossy = false;
    await hub.close();
  });
  const { port } = await hub.listen({ host: "127.0.0.1" });
  const clients = Array.from({ length: 8 }, (_, index) => {
    const options = { WebSocket: LossyWebSocket, reconnect: QUICK, auth: `user ${index % 6}` };
    const client = connect(`ws://127.0.0.1:${port}`, options);
    onTestFinished(() => client.close());
    return { client, users: presence(client, "chat") };
  });
  const steps: readonly (readonly [weight: number, step: (client: Client) => unknown])[] = [
    [3, (client) => client.join("chat")],
    [3, (client) => client.leave("chat")],
    [2, ({ id = "" }) => hub.sockets.get(id)?.terminate()],
    [2, ({ id = "" }) => hub.sockets.get(id)?.presence("chat").set(random.between(0, 9))],
    [1, () => (LossyWebSocket.isLossy = random.chance(0.3))],
    // As long as the server bundles changes.
    [2, () => new Promise((resolve) => setTimeout(resolve, 250))],
  ];
  for (let count = 0; count < 60; count++) {
    // A connection that ends in the middle of a request to leave has left.
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    await random.weighted(steps)(random.pick(clients).client);
  }
  LossyWebSocket.isLossy = false;
  await Promise.all(clients.map(({ client }) => client.join("chat")));
  for (const full of [6, 3]) {
    // Without a further notice, nobody could know that one was lost.
    const here = clients.slice(0, full);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await Promise.all(clients.slice(full).map(({ client }) => client.leave("chat")));
    const truth = (): unknown => {
      const { size, users } = hub.presence("chat");
      return [size, size > 4 ? {} : Object.fromEntries(users)];
    };
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await expect.poll(() => here.every(({ users }) => users.count === full)).toBe(true);
    for (const { users } of here) expect([users.count, Object.fromEntries(users)]).toStrictEqual(truth());
  }
});
