import { CloseCode, type HubOptions } from "roomcast";
import { connect, type Client, type ConnectOptions } from "roomcast/client";
import { msgpackCodec } from "roomcast/msgpack";
import { createTestHub, type TestHub } from "roomcast/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { nextError, QUICK, reached } from "../../support/clients.ts";

function open(options: HubOptions = {}): TestHub {
  const fixture = createTestHub(options);
  onTestFinished(() => fixture.close());
  return fixture;
}

/** A library client of this hub, for this test. */
function enter(fixture: TestHub, options: ConnectOptions = {}, path = "/"): Client {
  const client = connect(`ws://chat.example${path}`, { WebSocket: fixture.WebSocket, reconnect: QUICK, ...options });
  onTestFinished(() => client.close());
  return client;
}

test("the client talks in both directions, beside plain clients", async () => {
  const fixture = open();
  fixture.hub.handle("sum", ({ a, b }) => a + b);
  const client = enter(fixture);
  const plain = await fixture.connect();
  expect(await client.request("sum", { a: 1, b: 2 })).toBe(3);
  const heard: unknown[] = [];
  client.on("news", (data) => heard.push(data));
  fixture.hub.emit("news", { fresh: true });
  await fixture.settle();
  expect(heard).toEqual([{ fresh: true }]);
  expect(plain.received).toStrictEqual([{ event: "news", data: { fresh: true } }]);
});

test("the client sends its credentials and its path", async () => {
  const fixture = open({ authenticate: ({ auth }) => ({ id: String(auth) }), path: "/chat" });
  const client = enter(fixture, { auth: "ann" }, "/chat?x=1");
  await reached(client, "open");
  const [socket] = [...fixture.hub.sockets.values()];
  expect(socket?.user).toEqual({ id: "ann" });
  expect(socket?.handshake.url).toBe("/chat?x=1");
  expect(socket?.handshake.headers["host"]).toBe("chat.example");
});

test("the client speaks MessagePack", async () => {
  const fixture = open({ codecs: [msgpackCodec] });
  fixture.hub.handle("echo", (data) => data);
  const client = enter(fixture, { codec: msgpackCodec });
  expect(await client.request("echo", Uint8Array.of(1, 2))).toEqual(Uint8Array.of(1, 2));
});

test("the client learns why it is refused", async () => {
  const fixture = open({ authenticate: () => undefined });
  const client = enter(fixture);
  expect(await nextError(client)).toMatchObject({ reason: "unauthorized" });
});

test("the client answers heartbeats of the virtual clock", async () => {
  const fixture = open({ heartbeat: { interval: 25_000, timeout: 20_000 } });
  const client = enter(fixture);
  await reached(client, "open");
  await fixture.clock.advance(3_600_000);
  expect(client.state).toBe("open");
  expect(fixture.hub.stats().connections).toBe(1);
});

test("the client reconnects", async () => {
  const fixture = open();
  const client = enter(fixture);
  await reached(client, "open");
  const { id } = client;
  const back = reached(client, "open");
  fixture.hub.toSocket(id ?? "").close(CloseCode.heartbeatLost);
  await back;
  expect(client.id).not.toBe(id);
  expect([...fixture.hub.sockets.keys()]).toEqual([client.id]);
});

test("the client reconnects with the runner's fake timers", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const fixture = open();
  const client = enter(fixture, { reconnect: { minDelay: 60_000, maxDelay: 60_000 } });
  await fixture.settle();
  expect(client.state).toBe("open");
  fixture.hub.toSocket(client.id ?? "").close(CloseCode.slowConsumer);
  await fixture.settle();
  expect(client.state).not.toBe("open");
  vi.advanceTimersByTime(60_000);
  await fixture.settle();
  expect(client.state).toBe("open");
});
