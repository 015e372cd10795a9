import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "roomcast/client";
import { msgpackCodec } from "roomcast/msgpack";
import { createTestHub, type TestHub } from "roomcast/testing";
import { ws } from "roomcast/transports/ws";
import { Hub } from "roomcast";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { createDeferred } from "../../src/deferred.ts";
import { freePort } from "../support/free-port.ts";
import { dial, enter } from "../support/library-client.ts";
import { TRANSPORTS } from "../support/transports.ts";
import { upgradeStatus, WsClient } from "../support/ws-client.ts";

const BYE = { event: "hub:bye", data: { reconnect: true, after: 0, spread: 5_000 } };

describe("hub.drain()", () => {
  let fixture: TestHub;

  afterEach(() => fixture.close());

  /** Handles `slow`, and finishes when the test says so. */
  function slowHandler(): { readonly finish: (reply: unknown) => void } {
    const { promise, resolve } = createDeferred<unknown>();
    fixture.hub.handle("slow", () => promise);
    return { finish: resolve };
  }

  test("closes idle clients at once with 4200, after telling them when to reconnect", async () => {
    fixture = createTestHub({ welcome: false });
    const client = await fixture.connect();
    const departures: number[] = [];
    fixture.hub.on("disconnection", (_, { code }) => departures.push(code));
    await fixture.hub.drain({ within: 5_000 });
    expect(departures).toEqual([4200]);
    expect(await client.closed).toEqual({ code: 4200, reason: "The server is shutting down" });
    expect(client.received).toEqual([BYE]);
    expect(fixture.clock.timers).toBe(0);
  });

  test("lets handlers finish, and their replies arrive", async () => {
    fixture = createTestHub({ welcome: false });
    const { finish } = slowHandler();
    const client = await fixture.connect();
    const reply = client.request("slow");
    await fixture.settle();
    const drained = fixture.hub.drain({ within: 5_000 });
    await fixture.settle();
    expect(fixture.hub.sockets.size).toBe(1);
    finish("done");
    expect(await reply).toBe("done");
    await drained;
    expect((await client.closed).code).toBe(4200);
  });

  test("waits for the replies to the server's requests, and for what the server sends after them", async () => {
    fixture = createTestHub({ welcome: false });
    const client = await fixture.connect();
    const [socket] = [...fixture.hub.sockets.values()];
    const asked = socket?.request("question").then((answer) => socket.emit("heard", answer));
    await fixture.settle();
    const drained = fixture.hub.drain({ within: 5_000 });
    await fixture.settle();
    client.reply(await client.next("question"), 42);
    await asked;
    await drained;
    await client.closed;
    expect(client.received.at(-1)).toEqual({ event: "heard", data: 42 });
  });

  test("handles messages that arrive before a socket is closed", async () => {
    fixture = createTestHub({ welcome: false });
    const { finish } = slowHandler();
    fixture.hub.handle("quick", () => "quick");
    const client = await fixture.connect();
    const slow = client.request("slow");
    await fixture.settle();
    const drained = fixture.hub.drain({ within: 5_000 });
    await fixture.settle();
    expect(await client.request("quick")).toBe("quick");
    finish("slow");
    expect(await slow).toBe("slow");
    await drained;
  });

  test("waits for messages that wait themselves until a handler has finished", async () => {
    fixture = createTestHub({ welcome: false, limits: { pendingRequests: 1 } });
    const finish: (() => void)[] = [];
    fixture.hub.handle("slow", () => new Promise<void>((resolve) => finish.push(resolve)));
    const client = await fixture.connect();
    client.emit("slow");
    client.emit("slow");
    await fixture.settle();
    const drained = fixture.hub.drain({ within: 5_000 });
    await fixture.settle();
    finish[0]?.();
    await fixture.settle();
    expect(finish).toHaveLength(2);
    expect(fixture.hub.sockets.size).toBe(1);
    finish[1]?.();
    await drained;
    expect((await client.closed).code).toBe(4200);
  });

  test("does not wait longer than its timeout", async () => {
    fixture = createTestHub({ welcome: false });
    slowHandler();
    const client = await fixture.connect();
    client.emit("slow");
    await fixture.settle();
    const drained = fixture.hub.drain({ within: 5_000 });
    await fixture.clock.advance(4_999);
    expect(fixture.hub.sockets.size).toBe(1);
    await fixture.clock.advance(1);
    await drained;
    expect((await client.closed).code).toBe(4200);
    expect(fixture.errors).toEqual([]);
  });

  test("refuses new clients and tells them when to try again", async () => {
    fixture = createTestHub();
    slowHandler();
    const client = await fixture.connect();
    client.emit("slow");
    await fixture.settle();
    const drained = fixture.hub.drain();
    await expect(fixture.connect()).rejects.toMatchObject({ status: 503 });
    await fixture.hub.close();
    await drained;
    expect((await client.closed).code).toBe(4200);
  });

  test("is one drain, however often it is called", async () => {
    fixture = createTestHub();
    await Promise.all([fixture.hub.drain(), fixture.hub.drain(), fixture.hub.close(), fixture.hub.drain()]);
    await fixture.hub.drain();
    await expect(fixture.hub.listen()).rejects.toMatchObject({ code: "ERR_HUB_CLOSED" });
  });

  test.each([[{ within: -1 }], [{ within: 1.5 }], [{ spread: "1" }], [{ whithin: 1 }], [null], [5]])(
    "%j is refused",
    async (options) => {
      fixture = createTestHub();
      await expect(fixture.hub.drain(options as object)).rejects.toMatchObject({ code: "ERR_HUB_ARGUMENT" });
      await fixture.connect();
      expect(fixture.hub.sockets.size).toBe(1);
    },
  );
});

describe.each(TRANSPORTS)("hub.drain() on %s", (transport) => {
  async function listen(options: object = {}): Promise<{ hub: Hub; port: number }> {
    const hub = new Hub({ transport, codecs: [msgpackCodec], ...options });
    onTestFinished(() => hub.close());
    // Of a free port that the system chose, uWebSockets.js would not be given again what it has just left.
    const { port } = await hub.listen({ host: "127.0.0.1", port: await freePort() });
    return { hub, port };
  }

  test("answers 503 to new clients and to those being authenticated", async () => {
    const authenticating = createDeferred();
    const work = createDeferred();
    const { hub, port } = await listen({
      authenticate: ({ url }: { url: string }) => {
        if (url === "/in") return { id: "x" };
        authenticating.resolve();
        return createDeferred().promise;
      },
    });
    hub.handle("slow", () => work.promise);
    const client = await WsClient.connect(`ws://127.0.0.1:${port}/in`);
    await client.next();
    client.send({ event: "slow", id: 1 });
    const undecided = upgradeStatus(`ws://127.0.0.1:${port}/slow`);
    await authenticating.promise;
    const drained = hub.drain({ within: 5_000 });
    expect(await undecided).toBe(503);
    expect(await upgradeStatus(`ws://127.0.0.1:${port}/in`)).toBe(503);
    expect(await client.nextJson()).toEqual(BYE);
    work.resolve();
    expect(await client.nextJson()).toEqual({ reply: 1 });
    expect((await client.closed).code).toBe(4200);
    await drained;
  });

  test("tells plain clients and library clients, and refuses those without a hello", async () => {
    const { hub, port } = await listen();
    const plain = await WsClient.connect(`ws://127.0.0.1:${port}/`);
    const library = await enter(port);
    const newcomer = await dial(port);
    await plain.next();
    const codes = Promise.all([plain, library, newcomer].map(async ({ closed }) => (await closed).code));
    await hub.drain({ within: 5_000 });
    expect(await plain.nextJson()).toEqual(BYE);
    expect(await library.nextJson()).toEqual(BYE);
    expect(await codes).toEqual([4200, 4200, 4200]);
  });

  test("moves library clients to the next server with their rooms and requests", async () => {
    const first = await listen({ joinable: () => true });
    const client = connect(`ws://127.0.0.1:${first.port}`, { WebSocket });
    onTestFinished(() => client.close());
    await client.join("lobby");
    const asked = createDeferred();
    first.hub.handle("pay", () => {
      asked.resolve();
      return createDeferred().promise;
    });
    const paid = client.request("pay", 5, { idempotent: true });
    await asked.promise;
    await first.hub.drain({ within: 1, spread: 10 });
    const hub = new Hub({ transport, joinable: () => true });
    onTestFinished(() => hub.close());
    hub.handle("pay", (amount) => ({ paid: amount }));
    await hub.listen({ host: "127.0.0.1", port: first.port });
    expect(await paid).toEqual({ paid: 5 });
    expect(hub.rooms.get("lobby")?.size).toBe(1);
  });
});

test("hub.drain() leaves a server of the application open", async () => {
  const server = createServer((_, response) => response.end("ok"));
  const hub = new Hub({ transport: ws({ server }) });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const client = await WsClient.connect(`ws://127.0.0.1:${port}/`);
  await hub.drain();
  expect((await client.closed).code).toBe(4200);
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("ok");
});
