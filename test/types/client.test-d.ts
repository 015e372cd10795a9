import type { Blob } from "node:buffer";
import {
  connect,
  type ClientError,
  type Client,
  type ClientState,
  type GapReason,
  type Position,
  type StateChange,
  type WebSocketConstructor,
} from "roomcast/client";
import { presence } from "roomcast/client/presence";
import { defineContract } from "roomcast/contract";
import { msgpackCodec } from "roomcast/msgpack";
import { describe, expectTypeOf, test } from "vitest";
import { WebSocket as WsWebSocket } from "ws";
import { z } from "zod";

interface Types {
  client: { chat: string; wave: undefined; sum: (numbers: { a: number; b: number }) => number; time: () => Date };
  server: { said: { from: string; text: string }; confirm: (question: string) => boolean };
}

declare const client: Client<Types>;
declare const untyped: Client;

describe("Who is present", () => {
  test("has the data that the application says", () => {
    const users = presence<{ name: string }>(client, "tea");
    expectTypeOf(users.get("ann")).toEqualTypeOf<{ name: string } | null | undefined>();
    expectTypeOf(presence(untyped, "tea").get("ann")).toBeUnknown();
    users.on("change", ({ came, went }) => {
      expectTypeOf(came).toEqualTypeOf<readonly string[]>();
      expectTypeOf(went).toEqualTypeOf<readonly string[]>();
    });
    // @ts-expect-error -- the server sets it
    users.set("ann", { name: "Ann" });
  });
});

describe("What a client sends", () => {
  test("is what the types say", () => {
    client.emit("chat", "text");
    client.emit("wave");
    expectTypeOf(client.request("sum", { a: 1, b: 2 })).resolves.toBeNumber();
    expectTypeOf(client.request("time")).resolves.toEqualTypeOf<Date>();
    void client.request("sum", { a: 1, b: 2 }, { timeout: 1, idempotent: true, signal: new AbortController().signal });
    client.send("text");
    client.send(new Uint8Array());
    // @ts-expect-error -- a string
    client.emit("chat", 5);
    // @ts-expect-error -- data is missing
    client.emit("chat");
    // @ts-expect-error -- no such event
    client.emit("chta", "text");
    // @ts-expect-error -- what the server sends
    client.emit("said", { from: "a", text: "b" });
    // @ts-expect-error -- not a request
    void client.request("chat", "text");
    // @ts-expect-error -- a number
    void client.request("sum", { a: 1, b: "2" });
    // @ts-expect-error -- no such option
    void client.request("time", undefined, { retries: 1 });
    // @ts-expect-error -- text or bytes
    client.send({});
  });

  test("is anything where there are no types", () => {
    untyped.emit("any", { thing: 1 });
    untyped.emit("any");
    expectTypeOf(untyped.request("any", 1)).resolves.toBeAny();
  });
});

describe("What a client hears", () => {
  test("of recorded rooms has positions, gaps and what is past", () => {
    client.on("hub:gap", ({ room, reason }, { past }) => {
      expectTypeOf(room).toBeString();
      expectTypeOf(reason).toEqualTypeOf<GapReason>();
      expectTypeOf(past).toBeBoolean();
    });
    client.room("lobby").on("hub:gap", ({ reason }) => expectTypeOf(reason).toEqualTypeOf<GapReason>());
    client.room("lobby").once("hub:left", ({ room }) => expectTypeOf(room).toBeString());
    untyped.room("lobby").on("hub:gap", ({ reason }) => expectTypeOf(reason).toEqualTypeOf<GapReason>());
    // @ts-expect-error -- an event of the client, not of a room
    client.room("lobby").on("hub:state", () => {});
    expectTypeOf(client.positions).toEqualTypeOf<Map<string, Position>>();
  });

  test("is what the types say", () => {
    const same: Client<Types> = client.on("said", (data, { event, room }) => {
      expectTypeOf(data).toEqualTypeOf<{ from: string; text: string }>();
      expectTypeOf(event).toBeString();
      expectTypeOf(room).toEqualTypeOf<string | undefined>();
    });
    expectTypeOf(same).toEqualTypeOf(client);
    client.room("tea").once("said", ({ text }) => expectTypeOf(text).toBeString());
    client.handle("confirm", (question) => question === "yes");
    client.handle("confirm", async (question) => question === "yes");
    // @ts-expect-error -- a boolean
    client.handle("confirm", () => "yes");
    // @ts-expect-error -- no such event
    client.on("siad", () => {});
    // @ts-expect-error -- what clients send
    client.on("chat", () => {});
    // @ts-expect-error -- no room hears of the client itself
    client.room("tea").on("hub:state", () => {});
  });

  test("includes the client itself, typed or not", () => {
    for (const one of [client, untyped] as const) {
      expectTypeOf(one.state).toEqualTypeOf<ClientState>();
      expectTypeOf(one.id).toEqualTypeOf<string | undefined>();
    }
    client.on("hub:state", (change) => expectTypeOf(change).toEqualTypeOf<StateChange>());
    untyped.on("hub:state", (change) => expectTypeOf(change).toEqualTypeOf<StateChange>());
    untyped.on("hub:error", (error) => expectTypeOf(error).toEqualTypeOf<ClientError>());
    untyped.on("hub:message", (message) => expectTypeOf(message).toEqualTypeOf<string | Uint8Array>());
    untyped.on("any", (data) => expectTypeOf(data).toBeAny());
    // @ts-expect-error -- read only
    client.state = "closed";
    // @ts-expect-error -- read only
    client.id = "id";
  });

  test("can be iterated over, each event with its data", async () => {
    for await (const heard of client.events({ maxBuffered: 5 })) {
      expectTypeOf(heard.room).toEqualTypeOf<string | undefined>();
      if (heard.event === "said") expectTypeOf(heard.data).toEqualTypeOf<{ from: string; text: string }>();
      else expectTypeOf(heard.data).toEqualTypeOf<string>();
    }
  });
});

describe("connect", () => {
  test("takes any WebSocket class, and no other", () => {
    expectTypeOf(WsWebSocket).toExtend<WebSocketConstructor>();
    expectTypeOf<typeof globalThis.WebSocket>().toExtend<WebSocketConstructor>();
    expectTypeOf<
      new (url: string | URL, protocols?: string | string[]) => BrowserWebSocket
    >().toExtend<WebSocketConstructor>();
    expectTypeOf(Date).not.toExtend<WebSocketConstructor>();
  });

  test("takes its types from its contract, or states them", () => {
    const contract = defineContract({ client: { chat: z.string() }, requests: { sum: { reply: z.number() } } });
    const contracted = connect("ws://x", { contract });
    contracted.emit("chat", "text");
    expectTypeOf(contracted.request("sum")).resolves.toBeNumber();
    // @ts-expect-error -- a string
    contracted.emit("chat", 5);
    expectTypeOf(connect<Types>("ws://x")).toEqualTypeOf<Client<Types>>();
    expectTypeOf(connect(new URL("ws://x"))).toEqualTypeOf<Client>();
  });

  test("takes what is documented", () => {
    const full = connect("ws://x", {
      auth: async () => "token",
      codec: msgpackCodec,
      connectTimeout: 1,
      reconnect: { minDelay: 1, maxDelay: 1, stableAfter: 1 },
      queue: { maxBytes: 1, policy: "drop-oldest" },
    });
    expectTypeOf(full).toEqualTypeOf<Client>();
    connect("ws://x", { reconnect: false, queue: undefined });
    // @ts-expect-error -- there is only one way to turn it off
    connect("ws://x", { reconnect: true });
    // @ts-expect-error -- no such policy
    connect("ws://x", { queue: { policy: "drop" } });
    // @ts-expect-error -- no such option
    connect("ws://x", { reconnects: false });
    // @ts-expect-error -- clients ask for a codec by its subprotocol
    connect("ws://x", { codec: { encode: () => "", decode: () => undefined } });
  });
});

/** Of the DOM's declarations what matters here: listeners are typed by event, and bytes by their buffer. */
interface BrowserWebSocket {
  binaryType: "blob" | "arraybuffer";
  readonly protocol: string;
  readonly readyState: number;
  onopen: ((this: BrowserWebSocket, event: Event) => unknown) | null;
  onmessage: ((this: BrowserWebSocket, event: MessageEvent) => unknown) | null;
  onerror: ((this: BrowserWebSocket, event: Event) => unknown) | null;
  onclose: ((this: BrowserWebSocket, event: Event & { readonly code: number }) => unknown) | null;
  send(data: string | ArrayBufferLike | Blob | ArrayBufferView<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}
