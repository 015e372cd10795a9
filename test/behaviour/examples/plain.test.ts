import type { Hub } from "roomcast";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseCommandLine } from "../../../examples/command-line.ts";
import { flatCodec } from "../../../examples/plain/flat-codec.ts";
import { createPlainHub, type PlainTypes } from "../../../examples/plain/plain.ts";
import { WsClient } from "../../support/ws-client.ts";
import { TRANSPORTS } from "../../support/transports.ts";

const WELCOME = '{"type":"welcome","message":"Chào mừng đến với WebSocket Server!"}';

describe.each(TRANSPORTS)("the plain server on %s", (transport) => {
  let hub: Hub<PlainTypes>;
  let url: string;

  beforeEach(async () => {
    hub = createPlainHub({ transport });
    const { port } = await hub.listen({ host: "127.0.0.1" });
    url = `ws://127.0.0.1:${port}`;
  });

  afterEach(() => hub.close());

  /** Connects and takes the two greetings. */
  async function enter(path = ""): Promise<{ client: WsClient; id: string }> {
    const client = await WsClient.connect(url + path);
    expect(await client.next()).toBe(WELCOME);
    const connected = (await client.nextJson()) as { clientId: string };
    expect(connected).toStrictEqual({ type: "connected", clientId: expect.any(String) });
    return { client, id: connected.clientId };
  }

  test("greets with exactly two frames, on any path", async () => {
    const { client, id } = await enter("/any/path?with=query");
    expect(hub.sockets.has(id)).toBe(true);
    client.send({ type: "ping" });
    expect(await client.next()).toBe('{"type":"pong"}');
  });

  test("a chat message reaches every other client, with the sender's id and nothing else", async () => {
    const an = await enter();
    const binh = await enter();
    const chi = await enter();
    expect(await an.client.next()).toBe(`{"type":"userJoined","clientId":"${binh.id}"}`);
    expect(await an.client.next()).toBe(`{"type":"userJoined","clientId":"${chi.id}"}`);
    expect(await binh.client.next()).toBe(`{"type":"userJoined","clientId":"${chi.id}"}`);

    an.client.send({ type: "chat", user: "An", message: "chào", clientId: "forged", room: "x" });
    const chat = `{"type":"chat","user":"An","message":"chào","clientId":"${an.id}"}`;
    expect(await binh.client.next()).toBe(chat);
    expect(await chi.client.next()).toBe(chat);

    // The fence: had the sender received its own message, that would come first.
    an.client.send({ type: "ping" });
    expect(await an.client.next()).toBe('{"type":"pong"}');
  });

  test("the others learn who leaves, and a new client learns nothing of the past", async () => {
    const an = await enter();
    const binh = await enter();
    expect(await an.client.nextJson()).toStrictEqual({ type: "userJoined", clientId: binh.id });
    await binh.client.close();
    expect(await an.client.next()).toBe(`{"type":"userLeft","clientId":"${binh.id}"}`);
    const chi = await enter();
    chi.client.send({ type: "ping" });
    expect(await chi.client.next()).toBe('{"type":"pong"}');
  });

  test.each([
    ["text that is not JSON", "hello", "Dữ liệu không hợp lệ"],
    ["bytes that are not JSON", Buffer.from([0, 1, 2]), "Dữ liệu không hợp lệ"],
    ["no message at all", "", "Dữ liệu không hợp lệ"],
    ["an array", "[1]", 'A message must be an object with a non-empty string "type".'],
    ["null", "null", 'A message must be an object with a non-empty string "type".'],
    ["no type", '{"message":"hi"}', 'A message must be an object with a non-empty string "type".'],
    ["a type that is a number", '{"type":1}', 'A message must be an object with a non-empty string "type".'],
    ["an empty type", '{"type":""}', 'A message must be an object with a non-empty string "type".'],
    ["an unknown type", '{"type":"dance"}', 'The server handles no event "dance".'],
    ["a type named like a property", '{"type":"__proto__"}', 'The server handles no event "__proto__".'],
    ["a type of the protocol's", '{"type":"hub:hello"}', '"hub:hello" is not an event that a client may send.'],
    ["a missing field", '{"type":"chat","user":"An"}', 'A "chat" message needs the strings "user" and "message".'],
    [
      "a field of another type",
      '{"type":"chat","user":"An","message":{}}',
      'A "chat" message needs the strings "user" and "message".',
    ],
    [
      "fields that are only inherited",
      '{"type":"chat","__proto__":{"user":"An","message":"x"}}',
      'A "chat" message needs the strings "user" and "message".',
    ],
  ])("%s gets a clear error and the connection stays", async (_, sent, message) => {
    const { client } = await enter();
    client.send(sent);
    expect(await client.next()).toBe(JSON.stringify({ type: "error", message }));
    client.send({ type: "ping" });
    expect(await client.next()).toBe('{"type":"pong"}');
  });

  test("JSON in a binary frame counts like text", async () => {
    const { client } = await enter();
    client.send(Buffer.from('{"type":"ping"}'));
    expect(await client.next()).toBe('{"type":"pong"}');
  });

  test("closing the server ends all connections without an error", async () => {
    const errors: unknown[] = [];
    hub.on("error", (error) => errors.push(error));
    const an = await enter();
    await enter();
    await hub.close();
    expect(await an.client.closed).toStrictEqual({ code: 1001, reason: "The server is going away" });
    expect(errors).toStrictEqual([]);
  });
});

describe("the flat codec", () => {
  const codec = flatCodec();

  test.each([
    [{ event: "pong" }, '{"type":"pong"}'],
    [{ event: "chat", data: { a: [1], b: { c: null } } }, '{"type":"chat","a":[1],"b":{"c":null}}'],
    [{ event: "chat", data: { a: 1 }, room: "lobby" }, '{"type":"chat","a":1}'],
    [{ event: "chat", data: JSON.parse('{"__proto__":1}') as object }, '{"type":"chat","__proto__":1}'],
    [{ event: "hub:error", data: { code: "bad-packet", message: "no" } }, '{"type":"error","message":"no"}'],
  ])("encodes %j", (packet, wire) => {
    expect(codec.encode(packet)).toBe(wire);
  });

  test.each([
    ["an array", { event: "e", data: [1] }, /plain object/],
    ["a string", { event: "e", data: "text" }, /plain object/],
    ["null", { event: "e", data: null }, /plain object/],
    ["a date", { event: "e", data: new Date() }, /plain object/],
    ["a field called type", { event: "e", data: { type: "other" } }, /"type"/],
    ["a request", { event: "e", data: {}, id: 0 }, /ids/],
    ["a reply", { reply: 1, data: {} }, /ids/],
  ])("refuses %s instead of losing it", (_, packet, message) => {
    expect(() => codec.encode(packet)).toThrow(message);
  });

  test("treats ids, rooms and __proto__ like any other fields", () => {
    const { event, data } = codec.decode('{"type":"e","id":7,"room":"r","__proto__":{"admin":true}}') as {
      event: string;
      data: { admin?: boolean };
    };
    expect(event).toBe("e");
    expect(JSON.stringify(data)).toBe('{"id":7,"room":"r","__proto__":{"admin":true}}');
    expect(data.admin).toBeUndefined();
  });
});

describe("the command line of the plain server", () => {
  test("has port 8080 and ws by default", () => {
    expect(parseCommandLine([], {})).toStrictEqual({ port: 8080, transport: "ws" });
    expect(parseCommandLine([], { ROOMCAST_TRANSPORT: "" })).toStrictEqual({ port: 8080, transport: "ws" });
  });

  test("wins over the environment", () => {
    const env = { ROOMCAST_TRANSPORT: "uws" };
    expect(parseCommandLine(["--port", "0"], env)).toStrictEqual({ port: 0, transport: "uws" });
    expect(parseCommandLine(["--transport=ws"], env)).toStrictEqual({ port: 8080, transport: "ws" });
  });

  test.each([
    [["--colour"], "'--colour'"],
    [["8080"], "'8080'"],
    [["--port"], "'--port <value>'"],
    [["--port", "http"], '"http"'],
    [["--port", "70000"], '"70000"'],
    [["--transport", "tcp"], '"tcp"'],
  ])("%j is refused with a message that names it", (args, named) => {
    expect(() => parseCommandLine(args, {})).toThrow(named);
  });

  test("a misspelt environment is refused, too", () => {
    expect(() => parseCommandLine([], { ROOMCAST_TRANSPORT: "uWS" })).toThrow('"uWS"');
  });
});
