import { Hub, type HubOptions, type Socket } from "roomcast";
import { connect, type Client, type ConnectOptions } from "roomcast/client";
import { msgpackCodec } from "roomcast/msgpack";
import { uws } from "roomcast/transports/uws";
import { ws } from "roomcast/transports/ws";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { nextError, QUICK, reached, rejection } from "../../support/clients.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { recording } from "./peer.ts";

const MAKERS = { ws, uws } as const;

const CASES = TRANSPORTS.flatMap((transport) =>
  (["JSON", "MessagePack"] as const).map((codec) => ({ title: `${transport} in ${codec}`, transport, codec })),
);

/** A WebSocket whose connection a test can cut. */
class FragileWebSocket extends WebSocket {
  static readonly all: FragileWebSocket[] = [];

  constructor(url: string, protocols: string[]) {
    super(url, protocols);
    FragileWebSocket.all.push(this);
  }
}

/** Breaks the client's connection, and waits until the client is at its next. */
async function cut(client: Client): Promise<void> {
  const waiting = reached(client, "waiting");
  for (const socket of FragileWebSocket.all.splice(0)) socket.terminate();
  await waiting;
}

/** Keeps the data of the events that a client hears; what is past in brackets, and gaps by their reason. */
function listen(client: Client): unknown[] {
  const heard: unknown[] = [];
  client.on("said", (data, { past }) => heard.push(past ? [data] : data));
  client.on("hub:gap", ({ reason }) => heard.push(reason));
  return heard;
}

describe.each(CASES)("on $title", ({ transport, codec }) => {
  async function openHub(options: HubOptions = {}, wanted = 0): Promise<{ readonly hub: Hub; readonly url: string }> {
    const made = MAKERS[transport]();
    const hub = new Hub({ ...recording({}, options), codecs: [msgpackCodec], transport: made });
    onTestFinished(() => hub.close());
    hub.on("error", () => {});
    const { port } = await hub.listen({ host: "127.0.0.1", port: wanted });
    return { hub, url: `ws://127.0.0.1:${port}` };
  }

  function open(url: string, options: ConnectOptions = {}): Client {
    const format = codec === "JSON" ? {} : { codec: msgpackCodec };
    const client = connect(url, { WebSocket: FragileWebSocket, reconnect: QUICK, ...format, ...options });
    onTestFinished(() => client.close());
    return client;
  }

  /** Opens a client that is in the room "chat", and keeps what it hears. */
  async function openIn(
    url: string,
    options: ConnectOptions = {},
  ): Promise<{ readonly client: Client; readonly heard: unknown[] }> {
    const client = open(url, options);
    const heard = listen(client);
    await client.join("chat");
    return { client, heard };
  }

  test("a client whose connection is cut again and again hears everything once, and in order", async () => {
    const { hub, url } = await openHub();
    const { client, heard } = await openIn(url);
    const sent: number[] = [];
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < 3; n++) {
        const value = sent.push(sent.length) - 1;
        hub.to("chat").emit("said", value);
      }
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await cut(client);
      hub.to("chat").emit("said", sent.push(sent.length) - 1);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect.poll(() => heard.length).toBe(sent.length);
    }
    expect(heard.flat()).toEqual(sent);
  });

  test("what was missed is past, and what comes later is not", async () => {
    const { hub, url } = await openHub();
    const { client, heard } = await openIn(url);
    hub.to("chat").emit("said", "before");
    await expect.poll(() => heard).toEqual(["before"]);
    client.once("hub:state", () => {
      hub.to("chat").emit("said", "meanwhile");
    });
    await cut(client);
    await expect.poll(() => heard).toEqual(["before", ["meanwhile"]]);
    await client.join("chat");
    hub.to("chat").emit("said", "after");
    await expect.poll(() => heard).toEqual(["before", ["meanwhile"], "after"]);
  });

  test("a room that the server puts its clients into is recovered, too", async () => {
    const { hub, url } = await openHub({ joinable: undefined });
    hub.on("connection", (socket) => socket.join("chat"));
    const client = open(url);
    const heard = listen(client);
    await expect.poll(() => client.positions.size).toBe(1);
    hub.to("chat").emit("said", 1);
    await expect.poll(() => heard).toEqual([1]);
    client.once("hub:state", () => {
      hub.to("chat").emit("said", 2);
    });
    await cut(client);
    await expect.poll(() => heard).toEqual([1, 2]);
  });

  test("a room in which the server and the client both want the client has a gap where it missed something", async () => {
    const { hub, url } = await openHub();
    hub.on("connection", (socket) => socket.join("chat"));
    const { client, heard } = await openIn(url);
    hub.to("chat").emit("said", 1);
    await expect.poll(() => heard).toEqual([1]);
    client.once("hub:state", () => {
      hub.to("chat").emit("said", 2);
    });
    await cut(client);
    await client.join("chat");
    hub.to("chat").emit("said", 3);
    await expect.poll(() => heard).toEqual([1, "overrun", 3]);
  });

  test("handlers that fail, and listeners that throw, do not disturb it", async () => {
    const { hub, url } = await openHub({
      joinable: (() => {
        let calls = 0;
        return () => {
          if (++calls === 2) throw new Error("for a moment");
          return true;
        };
      })(),
    });
    const { client, heard } = await openIn(url);
    client.on("said", () => {
      throw new Error("no");
    });
    client.on("hub:error", () => {});
    hub.to("chat").emit("said", 1);
    await expect.poll(() => heard).toEqual([1]);
    client.once("hub:state", () => {
      hub.to("chat").emit("said", 2);
    });
    const failed = nextError(client);
    await cut(client);
    await failed;
    await expect.poll(() => heard.flat()).toEqual([1, 2]);
  });

  test("a client that leaves and joins again hears nothing of the time between", async () => {
    const { hub, url } = await openHub();
    const { client, heard } = await openIn(url);
    hub.to("chat").emit("said", 1);
    await expect.poll(() => heard).toEqual([1]);
    await client.leave("chat");
    hub.to("chat").emit("said", "never");
    await client.join("chat");
    hub.to("chat").emit("said", 3);
    await expect.poll(() => heard).toEqual([1, 3]);
    await client.leave("chat");
    await cut(client);
    hub.to("chat").emit("said", "never");
    await client.join("chat");
    hub.to("chat").emit("said", 5);
    await expect.poll(() => heard).toEqual([1, 3, 5]);
  });

  test("a client that is refused forgets where it was", async () => {
    let isOpen = true;
    const { hub, url } = await openHub({ joinable: () => isOpen });
    const { client, heard } = await openIn(url);
    isOpen = false;
    const refused = nextError(client);
    await cut(client);
    expect(await refused).toMatchObject({ reason: "not-joinable", room: "chat" });
    expect(client.positions.size).toBe(0);
    expect(await rejection(client.join("chat"))).toMatchObject({ reason: "not-joinable" });
    hub.to("chat").emit("said", "never");
    isOpen = true;
    await client.join("chat");
    hub.to("chat").emit("said", 2);
    await expect.poll(() => heard).toEqual([2]);
  });

  test("a client that the server takes out is told, and stays out", async () => {
    const { hub, url } = await openHub();
    const sockets: Socket[] = [];
    hub.on("connection", (socket) => sockets.push(socket));
    const { client, heard } = await openIn(url);
    const left = new Promise((resolve) => void client.room("chat").on("hub:left", resolve));
    sockets[0]?.leave("chat");
    expect(await left).toEqual({ room: "chat" });
    await cut(client);
    await reached(client, "open");
    hub.to("chat").emit("said", "never");
    await client.join("chat");
    hub.to("chat").emit("said", 2);
    await expect.poll(() => heard).toEqual([2]);
  });

  test("a client that asks again just when the server takes it out hears nothing twice", async () => {
    const { hub, url } = await openHub();
    const sockets: Socket[] = [];
    hub.on("connection", (socket) => sockets.push(socket));
    const { client, heard } = await openIn(url);
    hub.to("chat").emit("said", 1);
    await expect.poll(() => heard).toEqual([1]);
    const joined = client.join("chat");
    // This is on its way when the request arrives, which has the position of before.
    hub.to("chat").emit("said", 2);
    sockets[0]?.leave("chat");
    await joined;
    hub.to("chat").emit("said", 3);
    await expect.poll(() => heard.at(-1)).toBe(3);
    expect(heard).toEqual([1, 2, 3]);
  });

  test("a page that is loaded again, with a position that it has stored, hears what it missed", async () => {
    const { hub, url } = await openHub();
    const { client } = await openIn(url);
    hub.to("chat").emit("said", 1);
    await expect.poll(() => client.positions.get("chat")?.at).toBe(1);
    const stored = JSON.stringify([...client.positions]);
    await client.close();
    hub.to("chat").emit("said", 2);
    const next = open(url);
    for (const [room, position] of JSON.parse(stored) as [string, { stream: string; at: number }][])
      next.positions.set(room, position);
    const heard = listen(next);
    await next.join("chat");
    expect(heard).toEqual([[2]]);
  });

  test("what was loaded over HTTP and what is joined leave no hole between them", async () => {
    const { hub, url } = await openHub();
    hub.to("chat").emit("said", 1);
    const { events, stream, at } = await hub.history("chat");
    hub.to("chat").emit("said", 2);
    const client = open(url);
    const heard = listen(client);
    client.positions.set("chat", { stream, at });
    await client.join("chat");
    expect([...events.map(({ data }) => data), ...heard.flat()]).toEqual([1, 2]);
  });

  test("a client that reads too slowly, and is closed for it, misses nothing", async () => {
    const { hub, url } = await openHub({ maxBufferedBytes: 512 * 1024 });
    const { client, heard } = await openIn(url);
    const waiting = reached(client, "waiting");
    const socket = FragileWebSocket.all.at(-1);
    socket?.pause();
    const gone = new Promise<number>((resolve) => hub.on("disconnection", (_, { code }) => resolve(code)));
    const text = "x".repeat(128 * 1024);
    let sent = 0;
    for (; hub.sockets.size > 0 && sent < 90; sent++) {
      hub.to("chat").emit("said", `${sent} ${text}`);
      // oxlint-disable-next-line no-await-in-loop -- what the network takes is not the server's any more
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await gone).toBe(4101);
    socket?.resume();
    await waiting;
    await client.join("chat");
    expect(heard.flat().map((data) => Number.parseInt(String(data), 10))).toEqual(
      Array.from({ length: sent }, (_, n) => n),
    );
    // What had not come before the close was sent again.
    expect(heard.some((data) => Array.isArray(data))).toBe(true);
  });

  test("a client has a gap, and hears what follows, when the process is another one", async () => {
    const { hub, url } = await openHub();
    const { heard } = await openIn(url);
    hub.to("chat").emit("said", 1);
    await expect.poll(() => heard).toEqual([1]);
    await hub.close();
    const { hub: next } = await openHub({}, Number(new URL(url).port));
    await expect.poll(() => heard).toEqual([1, "epoch"]);
    next.to("chat").emit("said", 2);
    await expect.poll(() => heard).toEqual([1, "epoch", 2]);
  });

  test("a gap is told when the record is another, and the events behind it are heard", async () => {
    const { hub, url } = await openHub();
    const { client, heard } = await openIn(url);
    client.once("hub:state", () => {
      void hub.forget("chat");
    });
    await cut(client);
    await client.join("chat");
    hub.to("chat").emit("said", 1);
    await expect.poll(() => heard).toEqual(["epoch", 1]);
  });
});
