import type { Hub, HubError, Socket } from "roomcast";
import { VirtualClock } from "roomcast/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { settle } from "../../../src/testing/settle.ts";
import { hubError } from "../../support/hub-error.ts";
import { Node, type Client } from "../history/memory-cluster.ts";
import { List, named, noticesOf, present } from "./lists.ts";

let clock: VirtualClock;
let node: Node;

beforeEach(() => {
  clock = new VirtualClock();
  node = create();
});

function create(options = named()): Node {
  return new Node({ ...options, clock });
}

async function passed(time: number): Promise<void> {
  await clock.advance(time);
  await settle();
}

/** Connects a user who joins and asks who is there. */
async function come(user: string, presence = true): Promise<Client> {
  const client = await node.connect(`/?${user}`);
  await client.join("chat", undefined, presence);
  return client;
}

function socketOf(hub: Hub, user: string): Socket {
  return [...hub.sockets.values()].find((socket) => socket.user?.id === user) as Socket;
}

describe("a client that asks who is there", () => {
  test("is told everybody, and then what changes, bundled and numbered", async () => {
    const ann = await come("ann");
    const [first] = noticesOf(ann);
    expect(first).toStrictEqual({ room: "chat", v: 0, reset: true, in: [["ann", null]], count: 1 });
    const clients = [await come("bob"), await come("cy")];
    await passed(250);
    expect(noticesOf(ann)).toStrictEqual([
      {
        room: "chat",
        v: 1,
        in: [
          ["bob", null],
          ["cy", null],
        ],
        count: 3,
      },
    ]);
    for (const client of clients) client.close();
    await passed(5_500);
    await passed(250);
    expect(noticesOf(ann)).toStrictEqual([{ room: "chat", v: 2, out: ["bob", "cy"], count: 1 }]);
  });

  test("is told nothing any more once it has left", async () => {
    const ann = await come("ann");
    ann.say("hub:leave", { room: "chat" });
    await settle();
    noticesOf(ann);
    await come("bob");
    await passed(1_000);
    expect(noticesOf(ann)).toStrictEqual([]);
  });

  test("is told everybody anew when it asks again", async () => {
    const ann = await come("ann");
    await come("bob");
    await passed(1_000);
    noticesOf(ann);
    await ann.join("chat", undefined, true);
    await passed(250);
    expect(noticesOf(ann)).toMatchObject([{ reset: true, count: 2 }]);
  });

  test("is told the count alone while there are more than `full`, once a second, and names again below that", async () => {
    node = create(named({ full: 2 }));
    const ann = await come("ann");
    const list = new List();
    const others = [await come("bob")];
    await passed(250);
    for (const notice of noticesOf(ann)) list.take(notice);
    expect([...list.users.keys()]).toStrictEqual(["ann", "bob"]);
    others.push(await come("cy"), await come("dan"));
    await passed(1_000);
    expect(noticesOf(ann)).toStrictEqual([{ room: "chat", v: 2, count: 4 }]);
    await come("eve", false);
    await passed(500);
    expect(noticesOf(ann)).toStrictEqual([]);
    await passed(500);
    expect(noticesOf(ann)).toStrictEqual([{ room: "chat", v: 3, count: 5 }]);
    // At the limit it stays with the count.
    for (const client of others) client.close();
    await passed(5_500);
    await passed(1_000);
    expect(noticesOf(ann)).toStrictEqual([{ room: "chat", v: 4, count: 2 }]);
    socketOf(node.hub, "eve").close();
    await passed(5_500);
    await passed(1_000);
    expect(noticesOf(ann)).toStrictEqual([{ room: "chat", v: 5, reset: true, in: [["ann", null]], count: 1 }]);
  });

  test("is told names again also where only one may be named", async () => {
    node = create(named({ full: 1 }));
    const ann = await come("ann");
    const bob = await come("bob");
    await passed(1_000);
    noticesOf(ann);
    bob.close();
    await passed(5_500);
    await passed(1_000);
    expect(noticesOf(ann)).toStrictEqual([{ room: "chat", v: 2, reset: true, in: [["ann", null]], count: 1 }]);
  });

  test("learns that a room has no presence, and is in it", async () => {
    node = create(present());
    const client = await node.connect();
    client.say("hub:join", { rooms: ["chat", "quiet"], presence: true });
    await settle();
    expect(client.heard.find(({ event }) => event === "hub:error")?.data).toMatchObject({
      code: "invalid-data",
      message: expect.stringContaining('"quiet"') as string,
    });
    expect(node.sockets[0]?.rooms.has("quiet")).toBe(true);
  });

  test("asks for some of the rooms that it joins", async () => {
    node = create(present());
    const client = await node.connect();
    client.say("hub:join", { rooms: ["chat:1", "chat:2"], presence: ["chat:2"] });
    await settle();
    expect(noticesOf(client).map(({ room }) => room)).toStrictEqual(["chat:2"]);
  });

  test.each([null, 1, "yes", {}, [1], ["other"]])("with %j asks for nothing", async (presence) => {
    const client = await node.connect("/?ann");
    client.say("hub:join", { room: "chat", presence });
    await settle();
    expect(client.heard.map(({ reply, event }) => reply ?? event)).toStrictEqual([1]);
  });
});

test("a client that the server puts into a room is told, if the server says so, before or after", async () => {
  for (const isBefore of [true, false]) {
    node = create();
    const client = await node.connect("/?ann");
    const [socket] = node.sockets;
    if (isBefore) socket?.presence("chat").watch();
    socket?.join("chat");
    if (!isBefore) socket?.presence("chat").watch();
    await settle();
    expect(noticesOf(client)).toMatchObject([{ reset: true, in: [["ann", null]] }]);
  }
});

test("without users, each socket is one", async () => {
  node = create(present());
  const clients = [await node.connect(), await node.connect()];
  for (const client of clients) await client.join("chat");
  expect([...node.hub.presence("chat").users.keys()]).toStrictEqual(node.sockets.map(({ id }) => id));
});

test("two tabs of a user are one, and closing one is nothing", async () => {
  const heard: string[] = [];
  for (const event of ["in", "out"] as const) {
    node.hub.presence("chat").on(event, ({ id }, { mine }) => heard.push(`${event} ${id} ${mine}`));
  }
  const [ann, second] = [await come("ann"), await come("ann")];
  await passed(1_000);
  noticesOf(ann);
  second.close();
  await passed(20_000);
  expect([heard, noticesOf(ann)]).toStrictEqual([["in ann true"], []]);
  ann.close();
  await passed(5_500);
  expect(heard).toStrictEqual(["in ann true", "out ann true"]);
});

test("the stay of a user has a key of its own, which its end has, too", async () => {
  const keys: string[] = [];
  for (const event of ["in", "out"] as const) node.hub.presence("chat").on(event, (_, { key }) => keys.push(key));
  for (let stay = 0; stay < 2; stay++) {
    (await come("ann")).close();
    await passed(6_000);
  }
  expect(keys).toHaveLength(4);
  expect(keys[0]).toBe(keys[1]);
  expect(keys[2]).toBe(keys[3]);
  expect(keys[0]).not.toBe(keys[2]);
});

describe("data", () => {
  test("that is set before the join counts from the join on", async () => {
    const client = await node.connect("/?ann");
    const data = { name: "Ann" };
    node.sockets[0]?.presence("chat").set(data);
    data.name = "changed afterwards";
    expect(node.hub.presence("chat").size).toBe(0);
    await client.join("chat", undefined, true);
    expect(noticesOf(client)).toMatchObject([{ in: [["ann", { name: "Ann" }]] }]);
  });

  test("is changed five times in ten seconds at most: the newest counts, and comes late", async () => {
    await come("ann");
    const socket = socketOf(node.hub, "ann");
    for (let count = 1; count <= 20; count++) socket.presence("chat").set(count);
    // The first is no change.
    expect(node.hub.presence("chat").users.get("ann")).toBe(6);
    await passed(9_900);
    expect(node.hub.presence("chat").users.get("ann")).toBe(6);
    await passed(200);
    expect(node.hub.presence("chat").users.get("ann")).toBe(20);
  });

  test("that waits does not undo what another socket of the user has set since, nor what is set when it has left", async () => {
    const first = await come("ann");
    const one = socketOf(node.hub, "ann");
    await come("ann");
    const two = node.sockets[1] as Socket;
    for (let count = 0; count <= 6; count++) one.presence("chat").set(count);
    two.presence("chat").set("two");
    await passed(10_100);
    expect(node.hub.presence("chat").users.get("ann")).toBe("two");
    for (let count = 1; count <= 6; count++) one.presence("chat").set(count);
    first.close();
    await passed(10_100);
    // What waited has counted as a change.
    expect(node.hub.presence("chat").users.get("ann")).toBe(4);
  });

  test.each([
    ["what is no JSON", 1n, "ERR_HUB_UNSERIALISABLE"],
    ["a function", () => {}, "ERR_HUB_UNSERIALISABLE"],
    ["too much", "é".repeat(600), "ERR_HUB_MESSAGE_TOO_LARGE"],
  ] as const)("%s is refused, and nothing changes", async (_, data, code) => {
    await come("ann");
    const socket = socketOf(node.hub, "ann");
    socket.presence("chat").set("before");
    expect(() => socket.presence("chat").set(data)).toThrow(hubError(code));
    expect(node.hub.presence("chat").users.get("ann")).toBe("before");
  });

  test("is expected for as many rooms as a socket may be in", async () => {
    node = create({ ...named(), limits: { rooms: 3 } });
    await node.connect("/?ann");
    const [socket] = node.sockets;
    for (let index = 0; index < 3; index++) socket?.presence(`chat:${index}`).set(index);
    expect(() => socket?.presence("chat:3").watch()).toThrow(hubError("ERR_HUB_LIMIT"));
    socket?.presence("chat:0").set("again");
  });

  test("of a user whose codec cannot be sent so much of is counted instead", async () => {
    node = create({ ...named({ maxBytes: 4_096 }), maxBufferedBytes: 4_096 });
    const errors: unknown[] = [];
    node.hub.on("error", (error) => errors.push((error as HubError).code));
    const ann = await come("ann");
    noticesOf(ann);
    for (const user of ["ann", "bob"]) {
      if (user === "bob") await come("bob", false);
      socketOf(node.hub, user).presence("chat").set("x".repeat(2_500));
    }
    await passed(250);
    expect(noticesOf(ann)).toStrictEqual([{ room: "chat", v: 1, count: 2 }]);
    expect(errors).toStrictEqual(["ERR_HUB_MESSAGE_TOO_LARGE"]);
  });
});

test("listeners are called after the call that causes them, and what they throw is reported", async () => {
  const errors: unknown[] = [];
  node.hub.on("error", (error, { source, event }) => errors.push([(error as Error).message, source, event]));
  const heard: string[] = [];
  const listener = ({ id }: { readonly id: string }): void => {
    heard.push(id);
    throw new Error("listener");
  };
  const view = node.hub.presence("chat");
  view.on("in", listener);
  await node.connect("/?ann");
  node.sockets[0]?.join("chat");
  expect([view.size, heard]).toStrictEqual([1, []]);
  await settle();
  expect([heard, errors]).toStrictEqual([["ann"], [["listener", "listener", "in"]]]);
  view.off("in", listener);
  await come("bob");
  expect(heard).toStrictEqual(["ann"]);
});

test("a view is live, also when the room was forgotten meanwhile, and cannot be changed", async () => {
  const { users } = node.hub.presence("chat");
  await passed(300_000);
  await come("ann");
  expect([...users]).toStrictEqual([["ann", null]]);
  expect(JSON.stringify(node.hub.presence("chat"))).toBe('{"ann":null}');
  expect(node.hub.stats().presence).toStrictEqual({ rooms: 1, users: 1, watchers: 1 });
});

test("a room is forgotten a minute after the last user has gone, and nobody has looked", async () => {
  (await come("ann")).close();
  await passed(6_000);
  expect(node.hub.stats().presence).toStrictEqual({ rooms: 1, users: 0, watchers: 0 });
  await passed(60_000);
  await passed(60_000);
  expect(node.hub.stats().presence).toStrictEqual({ rooms: 0, users: 0, watchers: 0 });
});

test("mistakes are named", async () => {
  await come("ann");
  const socket = socketOf(node.hub, "ann");
  expect(() => node.hub.presence("lobby")).toThrow(hubError("ERR_HUB_PRESENCE", '"lobby"'));
  expect(() => node.hub.presence("")).toThrow(hubError("ERR_HUB_ROOM_NAME"));
  expect(() => socket.presence("lobby")).toThrow(hubError("ERR_HUB_PRESENCE", "presence.rooms"));
  expect(() => node.hub.presence("chat").on("join" as "in", () => {})).toThrow(hubError("ERR_HUB_ARGUMENT", '"join"'));
  expect(() => node.hub.presence("chat").on("in", 1 as never)).toThrow(hubError("ERR_HUB_ARGUMENT", "function"));
  socket.close();
  socket.presence("chat").set("late");
  socket.presence("chat").watch();
  await node.hub.close();
  expect(() => node.hub.presence("chat")).toThrow(hubError("ERR_HUB_CLOSED"));
});
