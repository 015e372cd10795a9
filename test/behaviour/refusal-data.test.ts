import { Hub, RemoteError, ReplyError, type HubOptions, type Socket } from "roomcast";
import { ReplyError as ClientReplyError, type Client, type ConnectOptions } from "roomcast/client";
import { msgpackCodec } from "roomcast/msgpack";
import { MemoryEngine } from "roomcast/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { nextError, reached, rejection, startClient } from "../support/clients.ts";
import { TRANSPORTS } from "../support/transports.ts";

const DETAILS = { fields: [{ name: "text", most: 80 }], when: null };

interface Fixture {
  readonly hub: Hub;
  readonly failures: unknown[];
  readonly port: number;
  readonly connect: (options?: ConnectOptions) => Promise<{ readonly client: Client; readonly socket: Socket }>;
}

async function open(options: HubOptions): Promise<Fixture> {
  const hub = new Hub({ codecs: [msgpackCodec], joinable: () => true, ...options });
  const failures: unknown[] = [];
  hub.on("error", (error) => failures.push(error));
  onTestFinished(() => hub.close());
  const { port } = await hub.listen({ host: "127.0.0.1" });
  return {
    hub,
    failures,
    port,
    connect: async (settings) => {
      const connected = new Promise<Socket>((resolve) => hub.once("connection", resolve));
      const client = startClient(`ws://127.0.0.1:${port}`, settings);
      return { client, socket: await connected };
    },
  };
}

const CODECS = [
  ["JSON", {}],
  ["MessagePack", { codec: msgpackCodec }],
] as const;

describe.each(TRANSPORTS)("data with a refusal on %s", (transport) => {
  describe.each(CODECS)("in %s", (_, codec) => {
    test("reaches the client that asked, with the reason", async () => {
      const { hub, connect, failures } = await open({ transport });
      hub.handle("post", () => {
        throw new ReplyError("too-long", "Be brief.", { data: DETAILS });
      });
      hub.handle("look", () => {
        throw new ReplyError("blind", "There is nothing to see.");
      });
      const { client } = await connect(codec);
      const refusal = { code: "ERR_CLIENT_REMOTE", reason: "too-long", message: "Be brief.", data: DETAILS };
      expect(await rejection(client.request("post"))).toMatchObject(refusal);
      const key = { idempotent: true };
      expect(await rejection(client.request("post", undefined, key))).toMatchObject(refusal);
      const told = nextError(client);
      client.emit("post");
      expect(await told).toMatchObject(refusal);
      expect((await rejection(client.request("look"))).data).toBeUndefined();
      expect(failures).toEqual([]);
    });

    test("reaches the client that is not let into a room, for each room its own", async () => {
      const { connect } = await open({
        transport,
        joinable: (room) => {
          if (room === "lobby") return true;
          throw new ReplyError("full", `${room} is full.`, { data: { next: `${room} 2` } });
        },
      });
      const { client } = await connect(codec);
      const [one, , two] = await Promise.all([
        rejection(client.join("tea")),
        client.join("lobby"),
        rejection(client.join("jazz")),
      ]);
      expect(one).toMatchObject({ reason: "full", room: "tea", data: { next: "tea 2" } });
      expect(two).toMatchObject({ reason: "full", room: "jazz", data: { next: "jazz 2" } });
    });

    test("reaches the client that is not let in", async () => {
      const { port } = await open({
        transport,
        authenticate: () => {
          throw new ReplyError("banned", "Until Monday.", { data: DETAILS });
        },
      });
      const client = startClient(`ws://127.0.0.1:${port}`, { ...codec, start: false });
      const [told, closed] = [nextError(client), reached(client, "closed")];
      client.open();
      expect(await told).toMatchObject({ code: "ERR_CLIENT_REMOTE", reason: "banned", data: DETAILS });
      await closed;
    });

    test("reaches the server that asked a client, on this node and on another", async () => {
      const engine = new MemoryEngine();
      const { connect } = await open({ transport, backplane: engine.backplane() });
      const other = await open({ transport, backplane: engine.backplane() });
      const { client, socket } = await connect(codec);
      client.handle("move", () => {
        throw new ClientReplyError("busy", "Not now.", { data: DETAILS });
      });
      client.handle("rest", () => {
        throw new ClientReplyError("busy", "Not now.");
      });
      const here: unknown = await socket.request("move").catch((error: unknown) => error);
      expect(here).toBeInstanceOf(RemoteError);
      expect(here).toMatchObject({ reason: "busy", message: "Not now.", data: DETAILS });
      expect(await socket.request("rest").catch((error: unknown) => error)).toMatchObject({ data: undefined });
      const { failures } = await other.hub.toSocket(socket.id).request("move");
      expect(failures.get(socket.id)).toMatchObject({ reason: "busy", data: DETAILS });
    });

    test("that cannot be encoded is left out, and reported; the refusal stays one", async () => {
      const unserialisable = { loop: {} };
      unserialisable.loop = unserialisable;
      const refusal = new ReplyError("no", "No.", { data: unserialisable });
      const { hub, connect, failures } = await open({
        transport,
        joinable: () => {
          throw refusal;
        },
      });
      hub.handle("post", () => {
        throw refusal;
      });
      const { client } = await connect(codec);
      const seen = [
        await rejection(client.request("post")),
        await rejection(client.request("post", undefined, { idempotent: true })),
        await rejection(client.join("tea")),
      ];
      const told = nextError(client);
      client.emit("post");
      for (const error of [...seen, await told])
        expect(error).toMatchObject({ reason: "no", message: "No.", data: undefined });
      expect(failures.map((failure) => (failure as { code?: string }).code)).toEqual(
        Array.from({ length: 4 }, () => "ERR_HUB_UNSERIALISABLE"),
      );
    });

    test("is left out for the client that is not let in, if it cannot be encoded", async () => {
      const { failures, port } = await open({
        transport,
        authenticate: () => {
          throw new ReplyError("banned", "Until Monday.", { data: () => 1 });
        },
      });
      const client = startClient(`ws://127.0.0.1:${port}`, { ...codec, start: false });
      const [told, closed] = [nextError(client), reached(client, "closed")];
      client.open();
      expect(await told).toMatchObject({ reason: "banned", message: "Until Monday.", data: undefined });
      await closed;
      expect(failures).toMatchObject([{ code: "ERR_HUB_UNSERIALISABLE" }]);
    });

    test("that is a function is left out, and reported", async () => {
      const { hub, connect, failures } = await open({ transport });
      hub.handle("post", () => {
        throw new ReplyError("no", "No.", { data: () => 1 });
      });
      const { client } = await connect(codec);
      expect(await rejection(client.request("post"))).toMatchObject({ reason: "no", message: "No.", data: undefined });
      expect(failures).toMatchObject([{ code: "ERR_HUB_UNSERIALISABLE" }]);
    });

    test("is left out for the room alone whose data cannot be encoded", async () => {
      const { hub, port, failures } = await open({
        transport,
        joinable: (room) => {
          const loop: { loop?: unknown } = {};
          loop.loop = loop;
          throw new ReplyError("no", "No.", { data: room === "odd" ? loop : { room } });
        },
      });
      const client = startClient(`ws://127.0.0.1:${port}`, codec);
      // What is wanted before there is a connection is asked for in one message.
      const [odd, even] = await Promise.all([rejection(client.join("odd")), rejection(client.join("even"))]);
      expect(odd).toMatchObject({ reason: "no", room: "odd", data: undefined });
      expect(even).toMatchObject({ reason: "no", room: "even", data: { room: "even" } });
      expect(failures).toMatchObject([{ code: "ERR_HUB_UNSERIALISABLE" }]);
      expect(hub.stats().messagesIn).toBe(1);
    });

    test("that a client cannot encode is left out, of which the client's program is told", async () => {
      const { connect } = await open({ transport });
      const { client, socket } = await connect(codec);
      client.handle("jump", () => {
        const loop: { loop?: unknown } = {};
        loop.loop = loop;
        throw new ClientReplyError("busy", "Not now.", { data: loop });
      });
      const told = nextError(client);
      const refusal: unknown = await socket.request("jump").catch((error: unknown) => error);
      expect(refusal).toMatchObject({ reason: "busy", message: "Not now.", data: undefined });
      expect(await told).toMatchObject({ code: "ERR_CLIENT_LISTENER" });
    });
  });
});
