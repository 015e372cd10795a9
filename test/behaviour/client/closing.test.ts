import { ClientError } from "roomcast/client";
import { afterEach, expect, test, vi } from "vitest";
import { openClient, reached, rejection, startClient, startServer, thrown } from "../../support/clients.ts";

afterEach(() => {
  vi.useRealTimers();
});

test("messages sent before arrive, then the code and the reason, and then close resolves", async () => {
  const { client, peer } = await openClient();
  client.emit("last", 1);
  await client.close(4_321, "enough");
  expect(await peer.next()).toEqual({ event: "last", data: 1 });
  expect(await peer.closed).toEqual({ code: 4_321, reason: "enough" });
  expect(client.state).toBe("closed");
});

test("the default code is 1000 without a reason, and closing again changes nothing", async () => {
  const { client, peer } = await openClient();
  await Promise.all([client.close(), client.close(4_000, "again")]);
  expect(await peer.closed).toEqual({ code: 1000, reason: "" });
  await client.close();
});

test("everything pending settles with the code and the reason", async () => {
  const { client, peer } = await openClient();
  const pending = [client.request("a"), client.request("b", 1, { idempotent: true }), client.join("c")].map(rejection);
  expect(await peer.rest()).toHaveLength(3);
  void client.close(4_321, "enough");
  for (const error of await Promise.all(pending)) {
    expect(error).toBeInstanceOf(ClientError);
    expect(error).toMatchObject({ code: "ERR_CLIENT_CLOSED", message: expect.stringMatching(/4321.*enough/) });
  }
});

test("a closed client stays closed", async () => {
  const { client } = await openClient();
  await client.close(4_321, "enough");
  for (const call of [() => client.emit("event"), () => client.send("raw")]) {
    expect(thrown(call)).toMatchObject({ code: "ERR_CLIENT_CLOSED", message: expect.stringMatching(/4321.*enough/) });
  }
  for (const call of [client.request("ask"), client.join("room")]) {
    expect(await rejection(call)).toMatchObject({ code: "ERR_CLIENT_CLOSED" });
  }
});

test("events that have waited are reported", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  const reported: string[] = [];
  client.on("hub:error", ({ message }) => reported.push(message));
  client.emit("one");
  client.send("two");
  await client.close();
  expect(reported).toHaveLength(2);
  expect(reported[0]).toContain("one");
});

test("a code that cannot be sent is refused, connected or not, and changes nothing", async () => {
  const { client, peer } = await openClient();
  const waiting = startClient("ws://127.0.0.1:1");
  for (const code of [1001, 1005, 2999, 5000, 1.5, Number.NaN]) {
    expect(await rejection(client.close(code))).toMatchObject({ code: "ERR_CLIENT_ARGUMENT" });
    expect(await rejection(waiting.close(code))).toMatchObject({ code: "ERR_CLIENT_ARGUMENT" });
  }
  expect(await rejection(client.close(4_000, "é".repeat(62)))).toBeInstanceOf(Error);
  expect([client.state, await peer.rest()]).toEqual(["open", []]);
  expect(waiting.state).not.toBe("closed");
});

test("the application hears nothing after the call but the state", async () => {
  const { client, peer } = await openClient();
  const heard: string[] = [];
  client.on("event", () => heard.push("event"));
  client.on("hub:message", () => heard.push("message"));
  client.on("hub:state", ({ state }) => heard.push(state));
  peer.send({ event: "event" });
  peer.sendRaw("raw");
  await client.close();
  expect(heard).toEqual(["closed"]);
});

test("closing while the connection is being made ends it", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  const peer = await server.accept();
  await client.close();
  expect(await peer.closed).toMatchObject({ code: expect.any(Number) });
  const early = startClient(server.url);
  await early.close();
  expect([client.state, early.state]).toEqual(["closed", "closed"]);
});

test("a server that does not answer the close is waited for only briefly", async () => {
  const { client, peer } = await openClient();
  peer.freeze();
  await client.close();
  expect(client.state).toBe("closed");
});

test("a client that waits leaves no timer behind", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const client = startClient("ws://127.0.0.1:1", { auth: () => Promise.reject(new Error("no token")), reconnect: {} });
  const waiting = reached(client, "waiting");
  const asked = rejection(client.request("ask"));
  await waiting;
  // Until the next attempt, and until the request has waited for too long.
  expect(vi.getTimerCount()).toBe(2);
  await client.close();
  expect(vi.getTimerCount()).toBe(0);
  expect(await asked).toMatchObject({ code: "ERR_CLIENT_CLOSED" });
});
