/* oxlint-disable vitest/expect-expect -- the compiler asserts: where it expects an error and finds none, it fails */
import { EventEmitter } from "node:events";
import type { Server } from "node:http";
import { createSecureServer, type Http2SecureServer, type Http2Server } from "node:http2";
import { createServer as createTlsServer } from "node:https";
import express from "express";
import fastify from "fastify";
import {
  CloseCode,
  Hub,
  HubError,
  jsonCodec,
  type Codec,
  type Disconnection,
  type Emitter,
  type ErrorContext,
  type Handshake,
  type HubOptions,
  type ListenAddress,
  type Packet,
  type RoomChange,
  type Socket,
  type Target,
  type Transport,
  type User,
} from "roomcast";
import { uws } from "roomcast/transports/uws";
import { ws } from "roomcast/transports/ws";
import type { TemplatedApp } from "uWebSockets.js";
import { describe, expectTypeOf, test } from "vitest";

interface Account {
  id: string;
  name: string;
}

interface Data {
  nickname: string;
  joinedAt?: Date;
}

interface Types {
  client: { chat: string };
  server: { chat: string };
  data: Data;
  user: Account;
}

declare const account: Account;
declare const hub: Hub<Types>;
declare const server: Server;
declare const served: Server | Http2Server | Http2SecureServer;
declare const app: TemplatedApp;
declare const socket: Socket<Types>;

describe("The types of a hub", () => {
  test("may be an interface or an alias, and any part of them", () => {
    expectTypeOf(new Hub<Types>({ authenticate: () => account })).toEqualTypeOf<Hub<Types>>();
    expectTypeOf(new Hub<{ data: Data }>()).toEqualTypeOf<Hub<{ data: Data }>>();
    expectTypeOf(new Hub<object>()).toHaveProperty("emit");
  });

  test("refuse what is not a part of them", () => {
    // @ts-expect-error -- a user needs an id
    expectTypeOf(new Hub<{ user: { name: string } }>()).toHaveProperty("emit");
    // @ts-expect-error -- whose id is a string
    expectTypeOf(new Hub<{ user: { id: number } }>()).toHaveProperty("emit");
    // @ts-expect-error -- events are a map
    expectTypeOf(new Hub<{ client: string }>()).toHaveProperty("emit");
    // @ts-expect-error -- misspelt
    expectTypeOf(new Hub<{ cleint: { chat: string } }>()).toHaveProperty("emit");
  });
});

describe("Options", () => {
  test("take what is documented", () => {
    const options = {
      transport: "uws",
      path: "/chat",
      authenticate: (handshake) => {
        expectTypeOf(handshake).toEqualTypeOf<Handshake>();
        return { id: handshake.url, name: "" };
      },
      protocols: ["chat.v1"],
      codec: jsonCodec,
      welcome: false,
      heartbeat: { interval: 1_000, timeout: 500 },
      maxMessageBytes: 1,
      maxBufferedBytes: 1024,
      compression: true,
    } satisfies HubOptions<Types>;
    expectTypeOf(new Hub<Types>(options)).toEqualTypeOf<Hub<Types>>();
    expectTypeOf(new Hub({ transport: ws() })).toEqualTypeOf<Hub>();
    expectTypeOf(new Hub({ transport: uws(), heartbeat: false })).toEqualTypeOf<Hub>();
  });

  test("infer nothing and refuse what is unknown", () => {
    // @ts-expect-error -- no such transport
    expectTypeOf(new Hub({ transport: "http" })).toHaveProperty("emit");
    // @ts-expect-error -- a name or an object, not the factory
    expectTypeOf(new Hub({ transport: ws })).toHaveProperty("emit");
    // @ts-expect-error -- no such option
    expectTypeOf(new Hub({ transports: "ws" })).toHaveProperty("emit");
    // @ts-expect-error -- half of a heartbeat
    expectTypeOf(new Hub({ heartbeat: { interval: 1 } })).toHaveProperty("emit");
    // @ts-expect-error -- there is only one way to turn it off
    expectTypeOf(new Hub({ heartbeat: 0 })).toHaveProperty("emit");
    // @ts-expect-error -- a number of bytes
    expectTypeOf(new Hub({ maxMessageBytes: "1mb" })).toHaveProperty("emit");
    // @ts-expect-error -- half of a codec
    expectTypeOf(new Hub({ codec: { encode: () => "" } })).toHaveProperty("emit");
    // @ts-expect-error -- no such option of the transport
    ws({ port: 8080 });
    // @ts-expect-error -- a server belongs to the transport
    expectTypeOf(new Hub(server)).toHaveProperty("emit");
    // @ts-expect-error -- so does an app
    expectTypeOf(new Hub(express())).toHaveProperty("emit");
    // @ts-expect-error -- the server of an app, not the app
    ws({ server: express() });
    // @ts-expect-error -- not any emitter
    ws({ server: new EventEmitter() });
    // @ts-expect-error -- an option that is given has a value
    ws({ server: undefined });
    // @ts-expect-error -- an object with the server
    ws(server);
    // @ts-expect-error -- an object with the app
    uws(app);
  });

  test("attach to every server that may take WebSockets", () => {
    expectTypeOf(ws({ server })).toEqualTypeOf<Transport>();
    expectTypeOf(ws({ server: createTlsServer() })).toEqualTypeOf<Transport>();
    expectTypeOf(ws({ server: createSecureServer({ allowHTTP1: true }) })).toEqualTypeOf<Transport>();
    expectTypeOf(ws({ server: fastify().server })).toEqualTypeOf<Transport>();
    // As the `serve()` of Hono and the `httpServer` of Vite are declared.
    expectTypeOf(ws({ server: served })).toEqualTypeOf<Transport>();
    expectTypeOf(ws({ noServer: true })).toEqualTypeOf<Transport>();
    server.on("upgrade", (request, tcp, head) => hub.handleUpgrade(request, tcp, head));
  });

  test("authenticate returns the user, a promise of one, or what stands for nobody", () => {
    const user: Account = { id: "1", name: "a" };
    const right: NonNullable<HubOptions<Types>["authenticate"]>[] = [
      () => user,
      async () => user,
      async ({ query }) => (query.has("token") ? user : null),
      () => false,
      () => undefined,
    ];
    const wrong: typeof right = [
      // @ts-expect-error -- the user lacks a name
      () => ({ id: "1" }),
      // @ts-expect-error -- so does the promised one
      async () => ({ id: "1" }),
      // @ts-expect-error -- an id is a string
      () => ({ id: 1, name: "a" }),
      // @ts-expect-error -- true is nobody in particular
      () => true,
    ];
    const untyped: NonNullable<HubOptions["authenticate"]>[] = [
      () => ({ id: "1" }),
      // @ts-expect-error -- a user has an id, whatever else is known
      () => ({ name: "a" }),
    ];
    expectTypeOf([right, wrong, untyped]).toBeArray();
  });
});

describe("The user of a socket", () => {
  test("is there wherever the hub has a type of users", () => {
    const typed = new Hub<{ user: Account }>({
      authenticate: async ({ query }) => (query.has("token") ? account : undefined),
      joinable: (_room, { user }) => user.name !== "",
    });
    typed.on("connection", ({ user }) => expectTypeOf(user).toEqualTypeOf<Account>());
    typed.on("disconnection", ({ user }) => expectTypeOf(user).toEqualTypeOf<Account>());
    typed.handle("chat", (_text, { user }) => expectTypeOf(user).toEqualTypeOf<Account>());
    typed.use(({ socket: { user } }, next) => {
      expectTypeOf(user).toEqualTypeOf<Account>();
      return next();
    });
  });

  test("may be missing without a type, with the option or without", () => {
    const untyped = new Hub({ authenticate: () => account });
    expectTypeOf(untyped).toEqualTypeOf<Hub>();
    untyped.on("connection", ({ user }) => expectTypeOf(user).toEqualTypeOf<User | undefined>());
    new Hub().on("connection", ({ user }) => expectTypeOf(user).toEqualTypeOf<User | undefined>());
    new Hub<{ data: Data }>().on("connection", ({ user }) => expectTypeOf(user).toEqualTypeOf<User | undefined>());
  });

  test("needs the option that knows it", () => {
    // @ts-expect-error -- nobody would be known
    expectTypeOf(new Hub<{ user: Account }>()).toHaveProperty("emit");
    // @ts-expect-error -- likewise
    expectTypeOf(new Hub<{ user: Account }>({ path: "/chat" })).toHaveProperty("emit");
    // @ts-expect-error -- likewise
    expectTypeOf(new Hub<{ user: Account }>({ authenticate: undefined })).toHaveProperty("emit");
    const options: HubOptions<{ user: Account }> = {};
    // @ts-expect-error -- these may be without it
    expectTypeOf(new Hub<{ user: Account }>(options)).toHaveProperty("emit");
    expectTypeOf(new Hub<{ user: Account }>({ ...options, authenticate: () => account })).toHaveProperty("emit");
  });
});

describe("A socket", () => {
  test("knows its user and its data", () => {
    expectTypeOf(socket.id).toEqualTypeOf<string>();
    expectTypeOf(socket.user).toEqualTypeOf<Account>();
    expectTypeOf(socket.data).toEqualTypeOf<Data>();
    expectTypeOf(socket.handshake).toEqualTypeOf<Handshake>();
    expectTypeOf([...socket.rooms]).toEqualTypeOf<string[]>();
    socket.data.nickname = "b";
    socket.data = { nickname: "c" };
  });

  test("refuses other data and other users", () => {
    // @ts-expect-error -- a string
    socket.data.nickname = 5;
    // @ts-expect-error -- no such property
    socket.data.nikname = "b";
    // @ts-expect-error -- a property is missing
    socket.data = {};
    // @ts-expect-error -- no such property
    expectTypeOf(socket.user.email).toBeString();
    // @ts-expect-error -- whoever it is, it stays
    socket.user = { id: "1", name: "a" };
    // @ts-expect-error -- so does the id
    socket.id = "1";
    // @ts-expect-error -- the handshake is over
    socket.handshake.headers["host"] = "elsewhere";
  });

  test("takes rooms by name, one, several or an array", () => {
    socket.join("a", "b");
    expectTypeOf(socket.leave("a")).toEqualTypeOf<void>();
    socket.join(["a", "b"], "c");
    socket.join("a", { since: { stream: "opaque", at: 7 } });
    // @ts-expect-error -- one room only has a position
    socket.join(["a", "b"], { since: 7 });
    // @ts-expect-error -- by name
    socket.join(5);
    // @ts-expect-error -- a view can only be read
    socket.rooms.add("a");
    // @ts-expect-error -- a code is a number
    socket.close("kicked");
    socket.close(CloseCode.goingAway, "bye");
  });

  test("of a typed hub can be handed to what takes any socket", () => {
    expectTypeOf(socket).toExtend<Socket>();
    expectTypeOf(hub.to("a")).toExtend<Target>();
  });
});

describe("A target", () => {
  test("is what each of its methods returns", () => {
    expectTypeOf(hub.to("a").to(["b", "c"]).except("d").except(["e"]).except(socket)).toEqualTypeOf<Target<Types>>();
    expectTypeOf(hub.toSocket("id").toUser("id").volatile.local).toEqualTypeOf<Target<Types>>();
    expectTypeOf(hub.uncompressed.to("a").uncompressed).toEqualTypeOf<Target<Types>>();
    expectTypeOf(socket.uncompressed).toEqualTypeOf<Target<Types>>();
    expectTypeOf(socket.to("a")).toEqualTypeOf<Target<Types>>();
    expectTypeOf(socket.broadcast).toEqualTypeOf<Target<Types>>();
    expectTypeOf(socket.except("a").volatile).toEqualTypeOf<Target<Types>>();
    expectTypeOf(hub.except(socket)).toEqualTypeOf<Target<Types>>();
    hub.to(["a"] as const).join("b");
    expectTypeOf(hub.to("a").record("chat", "Hello")).resolves.toEqualTypeOf<{ readonly at: number }>();
    expectTypeOf(hub.history("a", { last: 5 })).resolves.toHaveProperty("complete");
    hub.join("a", ["b", "c"]);
    expectTypeOf(hub.leave(["a"] as const, "b")).toEqualTypeOf<void>();
    expectTypeOf(hub.everybody).toEqualTypeOf<Target<Types>>();
    // @ts-expect-error -- by name
    hub.join(socket);
    // @ts-expect-error -- the hub itself is closed without a code
    void hub.close(4001);
  });

  test("refuses what names nobody, and is not written to", () => {
    // @ts-expect-error -- a room is a string
    hub.to(5);
    // @ts-expect-error -- of rooms only
    hub.to(socket);
    // @ts-expect-error -- by id
    hub.toSocket(socket);
    // @ts-expect-error -- nobody
    hub.except(undefined);
    // @ts-expect-error -- a getter, not a method
    hub.volatile();
    // @ts-expect-error -- it does not change
    hub.to("a").volatile = hub.volatile;
  });

  test("describes sockets with the data that was asked for", async () => {
    const [plain] = await hub.to("a").sockets();
    expectTypeOf(plain?.id).toEqualTypeOf<string | undefined>();
    if (plain !== undefined) expectTypeOf(plain.user).toEqualTypeOf<Account>();
    expectTypeOf(plain?.rooms).toEqualTypeOf<readonly string[] | undefined>();
    // @ts-expect-error -- nothing was asked for
    expectTypeOf(plain?.data.nickname).toBeString();

    const [described] = await hub.to("a").sockets({ data: ["nickname"] });
    expectTypeOf(described?.data).toEqualTypeOf<Partial<Pick<Data, "nickname">> | undefined>();
    // @ts-expect-error -- not asked for
    expectTypeOf(described?.data.joinedAt).toBeObject();
    // @ts-expect-error -- no such property of the data
    await hub.to("a").sockets({ data: ["nikname"] });
    // @ts-expect-error -- a copy, that nobody can send through
    described?.emit("chat", "text");
    // @ts-expect-error -- nor move
    described?.rooms.push("b");
  });
});

describe("The hub itself", () => {
  test("has events of its own", () => {
    hub.on("connection", (one) => expectTypeOf(one).toEqualTypeOf<Socket<Types>>());
    hub.on("disconnection", (one, disconnection) => {
      expectTypeOf(one).toEqualTypeOf<Socket<Types>>();
      expectTypeOf(disconnection).toEqualTypeOf<Disconnection>();
    });
    hub.on("message", (one, message) => {
      expectTypeOf(one).toEqualTypeOf<Socket<Types>>();
      expectTypeOf(message).toEqualTypeOf<string | Uint8Array>();
    });
    hub.on("room", (change) => {
      expectTypeOf(change).toEqualTypeOf<RoomChange<Types>>();
      expectTypeOf(change.room).toBeString();
      expectTypeOf(change.socket).toEqualTypeOf<Socket<Types> | undefined>();
      // @ts-expect-error -- there is no such change
      expectTypeOf(change.type === "renamed").toBeBoolean();
    });
    hub.on("room", ({ type, socket: one }) => {
      if (type === "left") expectTypeOf(one).toEqualTypeOf<Socket<Types>>();
    });
    hub.once("error", (error, context) => {
      expectTypeOf(error).toBeUnknown();
      expectTypeOf(context).toEqualTypeOf<ErrorContext<Types>>();
    });
    expectTypeOf(hub.off("error", () => {})).toEqualTypeOf<Hub<Types>>();
    // @ts-expect-error -- that is what `handle` is for
    hub.on("chat", () => {});
    // @ts-expect-error -- the name that other libraries use
    hub.on("disconnect", () => {});
    // @ts-expect-error -- no event of this name
    hub.off("conection", () => {});
  });

  test("has views that can only be read", () => {
    expectTypeOf(hub.sockets.get("id")).toEqualTypeOf<Socket<Types> | undefined>();
    for (const [room, sockets] of hub.rooms) {
      expectTypeOf(room).toBeString();
      for (const one of sockets) expectTypeOf(one).toEqualTypeOf<Socket<Types>>();
    }
    // @ts-expect-error -- sockets come by connecting
    hub.sockets.set("id", socket);
    // @ts-expect-error -- and go by closing
    hub.sockets.delete("id");
    // @ts-expect-error -- rooms come by joining
    hub.rooms.get("a")?.add(socket);
  });

  test("listens and closes", () => {
    expectTypeOf(hub.listen(8080)).resolves.toEqualTypeOf<ListenAddress>();
    expectTypeOf(hub.listen({ socketPath: "/tmp/hub" })).resolves.toHaveProperty("port");
    expectTypeOf(hub.close()).resolves.toBeVoid();
    // @ts-expect-error -- a number
    void hub.listen("8080");
    // @ts-expect-error -- no such option
    void hub.listen({ prot: 8080 });
  });
});

describe("A codec", () => {
  test("has to take every packet", () => {
    const codec: Codec = { encode: (packet) => JSON.stringify(packet), decode: (message) => String(message) };
    expectTypeOf(codec).toHaveProperty("encode").parameter(0).toEqualTypeOf<Packet>();
    // @ts-expect-error -- a message is text or bytes
    const wrong: Codec = { encode: (packet) => packet, decode: () => undefined };
    expectTypeOf(wrong).toEqualTypeOf<Codec>();
  });
});

describe("A HubError", () => {
  test("carries one of the documented codes", () => {
    const error = new HubError("ERR_HUB_CLOSED", "closed");
    expectTypeOf(error).toExtend<Error>();
    // @ts-expect-error -- no such code
    expectTypeOf(new HubError("ERR_HUB_CLSOED", "closed")).toExtend<Error>();
    // @ts-expect-error -- never equal
    expectTypeOf(error.code === "ERR_UNKNOWN").toBeBoolean();
  });
});

describe("messages between nodes", () => {
  test("are any, unless they are named", () => {
    const untyped = {} as Hub;
    untyped.emitToNodes("anything", { at: 1 });
    untyped.onNode("anything", (data, node) => {
      expectTypeOf(data).toBeAny();
      expectTypeOf(node.name).toBeString();
    });
  });

  test("have the types that were given", () => {
    const typed = {} as Hub<{ nodes: { reload: { by: string }; beat: undefined } }>;
    typed.emitToNodes("reload", { by: "ann" });
    typed.emitToNodes("beat");
    // @ts-expect-error -- it has data
    typed.emitToNodes("reload");
    // @ts-expect-error -- nobody knows it
    typed.emitToNodes("other", 1);
    typed.onNode("reload", (data) => expectTypeOf(data).toEqualTypeOf<{ by: string }>());
    typed.toNode("0123456789").emit("reload", { by: "ann" });
    // @ts-expect-error -- it has data
    typed.toNode("0123456789").emit("reload");
  });

  test("that are requests have replies", async () => {
    const untyped = {} as Hub;
    expectTypeOf((await untyped.requestNodes("anything", 1)).replies.get("0123456789")).toBeAny();
    expectTypeOf(await untyped.toNode("0123456789").request("anything")).toBeAny();
    untyped.handleNode("anything", (data, node) => [data, node.name]);

    const typed = {} as Hub<{ nodes: { count: (room: string) => number; ping: () => string; beat: undefined } }>;
    const { replies, failures, silent } = await typed.requestNodes("count", "lobby", { timeout: 500 });
    expectTypeOf(replies).toEqualTypeOf<ReadonlyMap<string, number>>();
    expectTypeOf(failures).toEqualTypeOf<ReadonlyMap<string, HubError>>();
    expectTypeOf(silent).toEqualTypeOf<readonly string[]>();
    expectTypeOf(await typed.toNode("0123456789").request("ping")).toBeString();
    // @ts-expect-error -- it is no request
    void typed.requestNodes("beat");
    // @ts-expect-error -- the data is a string
    void typed.toNode("0123456789").request("count", 1);
    typed.handleNode("count", async (room) => room.length);
    typed.handleNode("count", (room, node, { signal }) => {
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      return room.length + node.name.length;
    });
    typed.handleNode("beat", () => {});
    // @ts-expect-error -- the reply is a number
    typed.handleNode("count", (room) => room);
    typed.emitToNodes("count", "lobby");

    const emitter = {} as Emitter<{ nodes: { count: (room: string) => number } }>;
    expectTypeOf((await emitter.requestNodes("count", "lobby")).replies).toEqualTypeOf<ReadonlyMap<string, number>>();
    expectTypeOf(await emitter.toNode("0123456789").request("count", "lobby")).toBeNumber();
  });
});
