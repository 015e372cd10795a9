import { Buffer } from "node:buffer";
import { ReplyError } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import { createTestHub, TestRefusal, type TestClient, type TestHub } from "roomcast/testing";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { rejection } from "../../support/clients.ts";
import { hubError } from "../../support/hub-error.ts";

let fixture: TestHub;
let client: TestClient;

beforeEach(async () => {
  fixture = createTestHub();
  client = await fixture.connect();
});

afterEach(() => fixture.close());

describe("a message to the client", () => {
  test("is kept and handed out in order", async () => {
    client.socket.emit("a", 1);
    client.socket.emit("b", { deep: true });
    expect(await client.next()).toStrictEqual({ event: "a", data: 1 });
    expect(await client.next()).toStrictEqual({ event: "b", data: { deep: true } });
    expect(client.received).toStrictEqual([
      { event: "a", data: 1 },
      { event: "b", data: { deep: true } },
    ]);
  });

  test("can be awaited before it arrives", async () => {
    const [first, second] = [client.next(), client.next()];
    client.socket.emit("a");
    client.socket.emit("b");
    expect([await first, await second]).toStrictEqual([{ event: "a" }, { event: "b" }]);
  });

  test("can be taken by its event's name, and the others stay", async () => {
    const early = client.next("c");
    for (const event of ["a", "b", "c", "b"]) client.socket.emit(event);
    expect(await early).toStrictEqual({ event: "c" });
    expect(await client.next("b")).toStrictEqual({ event: "b" });
    expect(await client.next()).toStrictEqual({ event: "a" });
    expect(await client.next()).toStrictEqual({ event: "b" });
  });

  test("is not the greeting, but may be any other packet of the hub's", async () => {
    expect(client.received).toStrictEqual([]);
    client.emit("nobody handles this");
    expect(await client.next()).toMatchObject({ event: "hub:error", data: { code: "unknown-event" } });
  });

  test("is handed out as it is if it is not a packet", async () => {
    client.socket.send("text");
    client.socket.send(Uint8Array.of(1, 2));
    client.socket.send('{"event":5}');
    expect(await client.next()).toBe("text");
    expect(await client.next()).toStrictEqual(Uint8Array.of(1, 2));
    expect(await client.next()).toStrictEqual({ event: 5 });
  });

  test("that the hub sends at once has arrived when the client is connected", async () => {
    fixture.hub.on("connection", async (socket) => {
      await Promise.resolve();
      socket.emit("state", { players: 2 });
    });
    const peer = await fixture.connect();
    expect(peer.received).toStrictEqual([{ event: "state", data: { players: 2 } }]);
  });

  test("is not awaited after the end of the connection, but can still be taken", async () => {
    client.socket.emit("last");
    client.socket.close(4003, "kicked");
    await client.closed;
    expect(await client.next("last")).toStrictEqual({ event: "last" });
    await expect(client.next()).rejects.toThrow(hubError("ERR_HUB_DISCONNECTED", "4003 (kicked)"));
  });

  test("is no longer awaited when the connection ends", async () => {
    const waiting = rejection(client.next("never"));
    client.socket.terminate();
    expect(await waiting).toEqual(hubError("ERR_HUB_DISCONNECTED", "1006"));
    expect(client.received).toStrictEqual([]);
  });
});

describe("a message of the client", () => {
  test("reaches the hub's handlers in order", async () => {
    const log: unknown[] = [];
    fixture.hub.handle("log", (data) => log.push(data));
    client.emit("log", 1);
    client.emit("log");
    client.emit("log", [3]);
    await fixture.settle();
    expect(log).toStrictEqual([1, undefined, [3]]);
  });

  test("can be something else than a packet", async () => {
    const log: unknown[] = [];
    fixture.hub.on("message", (_socket, message) => log.push(message));
    client.send(Uint8Array.of(1, 2));
    client.send("not JSON");
    await fixture.settle();
    expect(log).toStrictEqual([Buffer.from([1, 2])]);
    expect(await client.next()).toMatchObject({ event: "hub:error", data: { code: "bad-packet" } });
  });

  test("is answered if it is a request", async () => {
    fixture.hub.handle("sum", async ({ a, b }) => a + b);
    expect(await Promise.all([client.request("sum", { a: 1, b: 2 }), client.request("sum", { a: 3, b: 4 })])).toEqual([
      3, 7,
    ]);
    expect(client.received).toStrictEqual([]);
  });

  test("is refused with a reason if it is a request", async () => {
    fixture.hub.handle("rename", () => {
      throw new ReplyError("empty-name", "Choose a name.", { data: { least: 1 } });
    });
    const refusal = { reason: "empty-name", message: "Choose a name.", data: { least: 1 } };
    await expect(client.request("rename")).rejects.toMatchObject(refusal);
    await expect(client.request("unknown")).rejects.toMatchObject({ reason: "unknown-event" });
    expect(fixture.errors).toStrictEqual([]);
  });

  test("is no longer awaited as a request when the connection ends", async () => {
    fixture.hub.handle("kick me", (_data, socket) => socket.close(4003));
    await expect(client.request("kick me")).rejects.toThrow(hubError("ERR_HUB_DISCONNECTED", "4003"));
    await expect(client.request("kick me")).rejects.toThrow(hubError("ERR_HUB_DISCONNECTED", "4003"));
  });

  test("can be the reply to a request of the hub", async () => {
    const asked = client.socket.request("ready?", { round: 1 });
    const question = await client.next("ready?");
    expect(question).toMatchObject({ data: { round: 1 } });
    client.reply(question, "yes");
    expect(await asked).toBe("yes");
    expect(() => client.reply({ event: "no question" })).toThrow(hubError("ERR_HUB_ARGUMENT"));
  });
});

describe("the connection of a test client", () => {
  test("has both of its ends", async () => {
    const other = await fixture.connect({ url: "/path?x=1", headers: { "X-Name": "Ann" }, remoteAddress: "192.0.2.7" });
    const { path, query, headers, remoteAddress } = other.socket.handshake;
    expect([path, query.get("x"), headers["x-name"], remoteAddress]).toEqual(["/path", "1", "Ann", "192.0.2.7"]);
    expect(headers["host"]).toBe("test");
    expect([...fixture.hub.sockets.keys()]).toEqual([client.socket.id, other.socket.id]);
  });

  test("has its socket also without a greeting, and after its end", async () => {
    const silent = createTestHub({ welcome: false });
    onTestFinished(() => silent.close());
    const { socket, ...rest } = await silent.connect().then((peer) => ({ socket: peer.socket, closed: peer.closed }));
    socket.close(4000);
    expect(await rest.closed).toEqual({ code: 4000, reason: "" });
    expect(socket.isOpen).toBe(false);
  });

  test("can be closed by the client", async () => {
    const gone: unknown[] = [];
    fixture.hub.on("disconnection", (socket, how) => gone.push([socket.id, how]));
    client.close(4321, "enough");
    expect(await client.closed).toEqual({ code: 4321, reason: "enough" });
    await fixture.settle();
    expect(gone).toEqual([[client.socket.id, { code: 4321, reason: "enough" }]]);
  });

  test("can vanish", async () => {
    const gone: unknown[] = [];
    fixture.hub.on("disconnection", (_socket, { code }) => gone.push(code));
    client.vanish();
    expect(await client.closed).toEqual({ code: 1006, reason: "" });
    await fixture.settle();
    expect(gone).toEqual([1006]);
  });

  test("can stall and go on", async () => {
    client.stall();
    client.socket.emit("a");
    client.socket.emit("b");
    await fixture.settle();
    expect(client.received).toStrictEqual([]);
    expect(client.socket.bufferedAmount).toBeGreaterThan(0);
    client.resume();
    expect(await client.next("b")).toStrictEqual({ event: "b" });
    expect(client.received.length).toBe(2);
    expect(client.socket.bufferedAmount).toBe(0);
  });

  test("agrees on a subprotocol and speaks its codec", async () => {
    const packed = createTestHub({ codec: msgpackCodec, protocols: ["chat.v2"] });
    onTestFinished(() => packed.close());
    packed.hub.handle("echo", (data) => data);
    const peer = await packed.connect({ protocols: ["chat.v9", "chat.v2"] });
    expect(peer.protocol).toBe("chat.v2");
    expect(await peer.request("echo", { bytes: Uint8Array.of(7) })).toEqual({ bytes: Uint8Array.of(7) });
  });

  test("can be that of a library client, which has no socket before its hello", async () => {
    const peer = await fixture.connect({ protocols: ["roomcast.v1.json"] });
    expect(() => peer.socket).toThrow(hubError("ERR_HUB_ARGUMENT", "hub:hello"));
    peer.emit("hub:hello", { protocol: 1, auth: "secret" });
    await fixture.settle();
    expect(peer.socket.handshake.auth).toBe("secret");
  });
});

describe("a client that is not let in", () => {
  test("gets the status and the reason", async () => {
    const shy = createTestHub({ authenticate: () => undefined });
    onTestFinished(() => shy.close());
    const refusal: unknown = await shy.connect().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(TestRefusal);
    expect(refusal).toMatchObject({ name: "TestRefusal", status: 401, body: "Unauthorized", headers: {} });
    expect((refusal as Error).message).toContain("401: Unauthorized");
  });

  test("learns when to try again", async () => {
    const busy = createTestHub({ admit: () => ({ retryAfter: 2_500 }) });
    onTestFinished(() => busy.close());
    await expect(busy.connect()).rejects.toMatchObject({ status: 503, headers: { "Retry-After": "3" } });
  });

  test("may be on a page of another origin", async () => {
    await expect(fixture.connect({ headers: { Origin: "https://evil.example" } })).rejects.toMatchObject({
      status: 403,
    });
    await expect(fixture.connect({ headers: { Origin: "https://test" } })).resolves.toHaveProperty("protocol", "");
  });

  test("may come after the hub was closed", async () => {
    await fixture.close();
    await expect(fixture.connect()).rejects.toMatchObject({ status: 503 });
  });
});
