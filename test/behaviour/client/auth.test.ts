import type { Client, StateChange } from "roomcast/client";
import { expect, test } from "vitest";
import { nextError, reached, rejection, startClient, startServer, thrown } from "../../support/clients.ts";

test.each([
  ["a value", { name: "Ann" }],
  ["a function", () => ({ name: "Ann" })],
  ["a function with a promise", async () => ({ name: "Ann" })],
])("the credentials may be %s", async (_, auth) => {
  const server = await startServer();
  startClient(server.url, { auth });
  const peer = await server.accept();
  expect(await peer.next()).toEqual({ event: "hub:hello", data: { protocol: 1, auth: { name: "Ann" } } });
});

test("without credentials the hello has no such field", async () => {
  const server = await startServer();
  startClient(server.url);
  expect(await (await server.accept()).next()).toEqual({ event: "hub:hello", data: { protocol: 1 } });
});

test("a function is called again for each attempt", async () => {
  const server = await startServer();
  let asked = 0;
  startClient(server.url, { auth: () => ++asked });
  for (const auth of [1, 2, 3]) {
    const peer = await server.accept();
    expect(await peer.next()).toMatchObject({ data: { auth } });
    if (auth !== 1) peer.welcome();
    peer.cut();
  }
});

test("a function that fails is reported, and the client tries again", async () => {
  const server = await startServer();
  const cause = new Error("no token");
  const problems: (() => unknown)[] = [
    () => {
      throw cause;
    },
    () => Promise.reject(cause),
  ];
  const client = startClient(server.url, { auth: () => problems.shift()?.() ?? "token" });
  const waited: unknown[] = [];
  client.on("hub:state", ({ state }) => {
    if (state === "waiting") waited.push(state);
  });
  expect(await nextError(client)).toMatchObject({ code: "ERR_CLIENT_AUTH", cause });
  expect(await nextError(client)).toMatchObject({ code: "ERR_CLIENT_AUTH", cause });
  expect(await (await server.accept()).next()).toMatchObject({ data: { auth: "token" } });
  expect(waited).toHaveLength(2);
});

test("credentials that cannot be encoded are reported, and the client tries again", async () => {
  const server = await startServer();
  const credentials: unknown[] = [1n];
  const client = startClient(server.url, { auth: () => credentials.shift() ?? "token" });
  expect(await nextError(client)).toMatchObject({ code: "ERR_CLIENT_AUTH" });
  for (;;) {
    const hello = await (await server.accept()).next();
    if (hello === undefined) continue;
    expect(hello).toMatchObject({ data: { auth: "token" } });
    return;
  }
});

test("refused credentials end the client, which reports the reason and settles everything", async () => {
  const server = await startServer();
  const client = startClient(server.url, { auth: "wrong" });
  const asked = rejection(client.request("ask"));
  const joined = rejection(client.join("room"));
  const error = nextError(client);
  const change = new Promise<StateChange>((resolve) => void client.on("hub:state", resolve));
  const peer = await server.accept();
  await peer.next();
  peer.send({ event: "hub:error", data: { code: "banned", message: "You are banned." } });
  peer.close(4001, "banned");
  expect(await error).toMatchObject({ code: "ERR_CLIENT_REMOTE", reason: "banned", message: "You are banned." });
  expect(await change).toMatchObject({ state: "closed", code: 4001, reason: "banned" });
  for (const failure of [await asked, await joined]) {
    expect(["ERR_CLIENT_UNAUTHORIZED", "ERR_CLIENT_CLOSED"]).toContain(failure.code);
    expect(failure.message).toMatch(/4001.*banned/);
  }
  expect(thrown(() => client.emit("event")).message).toMatch(/4001.*banned/);
  await client.close();
});

test("a client that is closed while the credentials are awaited does not connect", async () => {
  const server = await startServer();
  const [client, provide] = await new Promise<[Client, (token: string) => void]>((resolve) => {
    const waiting = startClient(server.url, {
      auth: () => new Promise<string>((settle) => setImmediate(() => resolve([waiting, settle]))),
    });
  });
  const asked = rejection(client.request("ask"));
  await client.close();
  expect(await asked).toMatchObject({ code: "ERR_CLIENT_CLOSED" });
  provide("token");
  // The next one to come is another.
  const other = startClient(server.url, { auth: "other" });
  expect(await (await server.accept()).next()).toMatchObject({ data: { auth: "other" } });
  expect([client.state, other.state]).toEqual(["closed", "connecting"]);
});

test("a listener may close the client when the credentials fail", async () => {
  const client = startClient("ws://127.0.0.1:1", { auth: () => Promise.reject(new Error("no token")) });
  const states: string[] = [];
  client.on("hub:state", ({ state }) => states.push(state));
  const closed = reached(client, "closed");
  client.on("hub:error", () => void client.close());
  await closed;
  await client.close();
  expect(states).toEqual(["closed"]);
});
