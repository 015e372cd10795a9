import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PresenceNotice } from "roomcast";
import { startChatServer, type ChatServer } from "../../../examples/chat/chat-server.ts";
import { WsClient } from "../../support/ws-client.ts";
import { TRANSPORTS } from "../../support/transports.ts";

interface Packet {
  readonly event?: string;
  readonly reply?: number;
  readonly data?: unknown;
}

/** The next packet but for the lists of rooms, which come whenever somebody comes or goes anywhere. */
async function next(client: WsClient): Promise<Packet> {
  for (;;) {
    const packet = (await client.nextJson()) as Packet;
    if (packet.event !== "rooms") return packet;
  }
}

/** Reads up to a list of rooms that is as wanted. */
async function until(
  client: WsClient,
  isWanted: (rooms: readonly { readonly name: string }[]) => boolean,
): Promise<void> {
  for (;;) {
    const { event, data } = (await client.nextJson()) as Packet;
    if (event === "rooms" && isWanted(data as readonly { readonly name: string }[])) return;
  }
}

/** Asks for the messages of a room, and returns the texts of those that the server has kept. */
async function listen(client: WsClient, room: string): Promise<unknown[]> {
  client.send({ event: "hub:join", id: 0, data: { room: `messages:${room}` } });
  expect(await next(client)).toMatchObject({ event: "hub:record", data: { room: `messages:${room}` } });
  const past: unknown[] = [];
  for (let packet = await next(client); packet.reply !== 0; packet = await next(client)) {
    past.push((packet.data as { text?: unknown }).text);
  }
  return past;
}

/** Asks who is in a room, and returns the names of those that the server has told when there are so many. */
async function names(client: WsClient, room: string, count: number): Promise<unknown[]> {
  const users = new Map<string, { readonly name: string }>();
  client.send({ event: "hub:join", id: 1_000, data: { room: `messages:${room}`, presence: true } });
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one packet after the other
    const { event, data } = await next(client);
    if (event !== "hub:presence") continue;
    const notice = data as PresenceNotice;
    for (const [id, user] of notice.in ?? []) users.set(id, user as { readonly name: string });
    for (const id of notice.out ?? []) users.delete(id);
    if (notice.count === count) return Array.from(users.values(), ({ name }) => name).toSorted();
  }
}

describe.each(TRANSPORTS)("the chat for a bare client, on %s", (transport) => {
  let server: ChatServer;
  let clients: WsClient[];

  beforeEach(async () => {
    clients = [];
    server = await startChatServer(transport, 0);
  });

  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await server.drain();
  });

  async function connect(query: Record<string, string> = {}): Promise<WsClient> {
    const parameters = new URLSearchParams(query).toString();
    const client = await WsClient.connect(`ws://127.0.0.1:${server.port}/socket?${parameters}`);
    clients.push(client);
    return client;
  }

  /** Connects, reads the two packets that begin every connection, and asks for the messages of the room. */
  async function enter(query: Record<string, string> = {}): Promise<{ client: WsClient; id: string; past: unknown[] }> {
    const client = await connect(query);
    await next(client);
    const { room, you } = (await next(client)).data as { room: string; you: { id: string } };
    return { client, id: you.id, past: await listen(client, room) };
  }

  it("tells a client who it is, and the others who is there", async () => {
    const ada = await enter({ name: "Ada" });
    const ben = await connect({ name: "Ben", user: "ben" });
    expect(await next(ben)).toMatchObject({ event: "hub:welcome" });
    expect(await next(ben)).toEqual({ event: "joined", data: { room: "lobby", you: { id: "ben", name: "Ben" } } });
    await listen(ben, "lobby");
    expect(await names(ada.client, "lobby", 2)).toEqual(["Ada", "Ben"]);
  });

  it("takes two tabs of a user for one", async () => {
    const ada = await enter({ name: "Ada" });
    const tabs = [await enter({ name: "Ben", user: "ben" }), await enter({ name: "Ben", user: "ben" })] as const;
    expect(await names(ada.client, "lobby", 2)).toEqual(["Ada", "Ben"]);
    await tabs[0].client.close();
    await enter({ name: "Cleo" });
    expect(await names(ada.client, "lobby", 3)).toEqual(["Ada", "Ben", "Cleo"]);
  });

  it("makes a client without a name a guest in the lobby", async () => {
    const client = await connect();
    const { id } = (await next(client)).data as { id: string };
    expect(await next(client)).toMatchObject({ data: { room: "lobby", you: { name: `Guest ${id.slice(0, 4)}` } } });
  });

  it("carries a message to everybody else in the room, with the sender's id and name", async () => {
    const ada = await enter({ name: "Ada" });
    const ben = await enter({ name: "Ben" });
    const cleo = await enter({ name: "Cleo", room: "tea" });

    ada.client.send({ event: "chat", id: 7, data: { text: "  hello  " } });
    const reply = await next(ada.client);
    expect(reply).toEqual({ reply: 7, data: { at: expect.any(Number) } });
    const { at } = reply.data as { at: number };
    const from = { id: ada.id, name: "Ada" };
    expect(await next(ben.client)).toEqual({
      event: "chat",
      at: 1,
      room: "messages:lobby",
      data: { from, text: "hello", at },
    });

    // The answers to a ping: nothing came before them, neither to the sender nor to another room.
    for (const { client } of [ada, cleo]) {
      client.send({ event: "ping" });
      expect(await next(client)).toEqual({ event: "pong" });
    }
  });

  it("gives a visitor the last hundred messages of the room, and nothing else", async () => {
    const ada = await enter({ name: "Ada" });
    const texts = Array.from({ length: 101 }, (_, number) => `message ${number}`);
    for (const [id, text] of texts.entries()) {
      ada.client.send({ event: "chat", id, data: { text } });
      expect(await next(ada.client)).toMatchObject({ reply: id });
    }
    const ben = await enter({ name: "Ben" });
    expect(ben.past).toEqual(texts.slice(1));
    const cleo = await enter({ name: "Cleo", room: "messages:lobby" });
    expect(cleo.past).toEqual([]);
  });

  it("tells the room when somebody has left", async () => {
    const ada = await enter({ name: "Ada" });
    const ben = await enter({ name: "Ben" });
    expect(await names(ada.client, "lobby", 2)).toEqual(["Ada", "Ben"]);
    await ben.client.close();
    expect(await names(ada.client, "lobby", 1)).toEqual(["Ada"]);
  });

  it("tells the room who is typing", async () => {
    const ada = await enter({ name: "Ada" });
    const ben = await enter({ name: "Ben", user: "ben" });
    await names(ada.client, "lobby", 2);
    for (const isTyping of [true, false]) {
      ben.client.send({ event: "typing", data: isTyping });
      const data = { room: "messages:lobby", in: [["ben", { name: "Ben", isTyping }]], count: 2 };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect.poll(() => next(ada.client)).toMatchObject({ event: "hub:presence", data });
    }
  });

  it("moves a client from one room to another", async () => {
    const cleo = await enter({ name: "Cleo", room: "tea" });
    const ben = await enter({ name: "Ben" });
    const you = { id: ben.id, name: "Ben" };
    ben.client.send({ event: "join", id: 1, data: { room: " tea " } });
    expect(await next(ben.client)).toEqual({ reply: 1, data: { room: "tea", you } });

    // Joining the room again changes nothing.
    ben.client.send({ event: "join", id: 2, data: { room: "tea" } });
    expect(await next(ben.client)).toEqual({ reply: 2, data: { room: "tea", you } });
    ben.client.send({ event: "chat", data: { text: "here now" } });
    expect(await next(cleo.client)).toMatchObject({ event: "chat", data: { from: you, text: "here now" } });
  });

  it("tells everybody of the rooms once, however many joins there are meanwhile", async () => {
    const watcher = await enter({ name: "Ada", room: "away" });
    const mover = await enter({ name: "Ben" });
    await until(watcher.client, (rooms) => rooms.some(({ name }) => name === "lobby"));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      for (let id = 1; id <= 50; id++) {
        mover.client.send({ event: "join", id, data: { room: `room ${id}` } });
        expect(await next(mover.client)).toMatchObject({ reply: id });
      }
      vi.advanceTimersByTime(100);
      watcher.client.send({ event: "ping" });
      const heard = [await watcher.client.nextJson(), await watcher.client.nextJson()];
      expect(heard).toMatchObject([
        { event: "rooms", data: [{ name: "away" }, { name: "room 50" }] },
        { event: "pong" },
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("answers ping with pong", async () => {
    const { client } = await enter();
    client.send({ event: "ping" });
    expect(await next(client)).toEqual({ event: "pong" });
  });

  it("answers invalid data with a clear error and keeps the connection", async () => {
    const { client } = await enter({ name: "Ada" });
    const ben = await enter({ name: "Ben" });

    const text = '"text" must be text of 1 to 2000 characters.';
    const room = '"room" must be text of 1 to 32 characters.';
    const rubbish: readonly (readonly [sent: string | Buffer, code: string, message: string])[] = [
      ["rubbish", "bad-packet", "The message is not valid JSON."],
      ["[]", "bad-packet", 'A packet is an object such as {"event":"name","data":…}.'],
      ['{"event":7}', "bad-packet", '"event" must be a non-empty string.'],
      [Buffer.from([1, 2, 3]), "unexpected-message", "This server takes no messages other than packets."],
      ['{"event":"shout"}', "unknown-event", 'The server handles no event "shout".'],
      ['{"event":"chat"}', "bad-text", text],
      ['{"event":"chat","data":null}', "bad-text", text],
      ['{"event":"chat","data":"hello"}', "bad-text", text],
      ['{"event":"chat","data":{"text":["hello"]}}', "bad-text", text],
      ['{"event":"chat","data":{"text":" \\n "}}', "bad-text", text],
      [`{"event":"chat","data":{"text":"${"x".repeat(2_001)}"}}`, "bad-text", text],
      ['{"event":"join","data":{"room":7}}', "bad-room", room],
      [`{"event":"join","data":{"room":"${"x".repeat(33)}"}}`, "bad-room", room],
      ['{"event":"join","data":{"room":"a\\u0007b"}}', "bad-room", '"room" must not hold control characters.'],
    ];
    for (const [sent, code, message] of rubbish) {
      client.send(sent);
      expect(await next(client)).toEqual({ event: "hub:error", data: { code, message } });
    }
    client.send({ event: "chat", id: 3, data: { text: 7 } });
    expect(await next(client)).toEqual({ reply: 3, error: { code: "bad-text", message: text } });

    client.send({ event: "chat", data: { text: "I am still here" } });
    expect(await next(ben.client)).toMatchObject({ event: "chat", data: { text: "I am still here" } });
  });

  it("refuses a client with an impossible name or room without telling the others", async () => {
    const ada = await enter({ name: "Ada" });
    const nameless = await connect({ name: "  " });
    expect(await nameless.closed).toEqual({ code: 4000, reason: '"name" must be text of 1 to 32 characters.' });
    const lost = await connect({ room: "x".repeat(33) });
    expect(await lost.closed).toEqual({ code: 4000, reason: '"room" must be text of 1 to 32 characters.' });

    ada.client.send({ event: "ping" });
    expect(await next(ada.client)).toEqual({ event: "pong" });
  });

  it("serves the page, and nothing else, on the same port", async () => {
    const url = `http://127.0.0.1:${server.port}`;
    const page = await fetch(`${url}/?room=tea`);
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).toContain("script-src 'self'");
    expect(await page.text()).toContain("<title>roomcast chat</title>");

    for (const path of ["/chat.ts", "//", "/..%2fchat.ts", "/nothing"]) {
      const { status } = await fetch(url + path);
      expect(status).toBe(404);
    }
  });

  it("does not start on a port that is in use", async () => {
    await expect(startChatServer(transport, server.port)).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});
