import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Hub } from "roomcast";
import type { StateChange } from "roomcast/client";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { explain } from "../../../src/client/why.ts";
import { openClient, startClient, startServer } from "../../support/clients.ts";

const fixture = (name: string): Buffer => readFileSync(new URL(`../../support/fixtures/${name}`, import.meta.url));

const CERTIFICATE = { cert: fixture("cert.pem"), key: fixture("key.pem") };

/** Resolves with how the first connection of a client to this URL ended. */
async function endOf(url: string): Promise<StateChange> {
  const client = startClient(url, { reconnect: false });
  return new Promise((resolve) => void client.on("hub:state", resolve));
}

async function listen(server: Server, scheme = "ws"): Promise<string> {
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that answers every handshake with this status. */
function refusing(status: number): Promise<string> {
  const server = createHttpServer();
  server.on("upgrade", (_, socket) => socket.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\n\r\n`));
  return listen(server);
}

test("`hub:state` says that nothing listens, or that the host is not known", async () => {
  expect(await endOf("ws://127.0.0.1:1")).toMatchObject({
    code: 1006,
    reason: expect.stringMatching(/^Nothing listens at this address.*ECONNREFUSED/),
  });
  // A label that is too long is not asked of a name server.
  expect((await endOf(`ws://${"nobody".repeat(11)}.invalid`)).reason).toMatch(
    /^The host was not found.*nobody\.invalid/,
  );
});

test.each([
  [401, /does not let this client in.*401/],
  [403, /origin.*403/],
  [404, /at this path.*404/],
  [426, /proxy pass Upgrade.*426/],
  [429, /This address.*429/],
  [503, /full or shutting down.*503/],
  [302, /was not opened.*302/],
])("`hub:state` says what the status %i of a handshake means", async (status, reason) => {
  expect((await endOf(await refusing(status))).reason).toMatch(reason);
});

test("`hub:state` says why a real hub refuses", async () => {
  const hub = new Hub({ path: "/chat" });
  onTestFinished(() => hub.close());
  const { port } = await hub.listen({ host: "127.0.0.1" });
  expect((await endOf(`ws://127.0.0.1:${port}/elsewhere`)).reason).toMatch(/^Nothing takes WebSocket .*path/);
});

test("`hub:state` says that a certificate is not trusted, or that there is no TLS", async () => {
  const secure = createTlsServer(CERTIFICATE);
  expect((await endOf(await listen(secure, "wss"))).reason).toMatch(/certificate is not trusted/);
  expect((await endOf(await listen(createHttpServer(), "wss"))).reason).toMatch(/speaks no TLS/);
});

test("`hub:state` says that no subprotocol was agreed on", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => false });
  onTestFinished(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { code, reason } = await endOf(`ws://127.0.0.1:${port}`);
  expect(code).toBe(1006);
  expect(reason).toMatch(/roomcast hub.*Sec-WebSocket-Protocol/);
});

test("`hub:state` says why an open connection was lost, unless the server said it", async () => {
  const { client, peer } = await openClient({ reconnect: false });
  const lost = new Promise<StateChange>((resolve) => void client.on("hub:state", resolve));
  peer.cut();
  expect(await lost).toMatchObject({ code: 1006, reason: "The connection was lost." });
  const server = await startServer();
  const silent = startClient(server.url, { reconnect: false, connectTimeout: 20 });
  const ended = new Promise<StateChange>((resolve) => void silent.on("hub:state", resolve));
  expect((await ended).reason).toMatch(/No welcome within 20 ms/);
});

test("what a platform tells of the causes behind an error is looked through", () => {
  const cause = { message: "connect ECONNREFUSED 127.0.0.1:1" };
  expect(explain({ message: "failed", error: { message: "failed", cause } })).toBe(
    "Nothing listens at this address: is the server running, and the port right? failed connect ECONNREFUSED 127.0.0.1:1",
  );
  expect(explain({ error: { cause: undefined } })).toBeUndefined();
});

test("causes that lead back to themselves are no trap", () => {
  const error: { message: string; cause?: object } = { message: "ECONNREFUSED" };
  error.cause = error;
  expect(explain({ error })).toMatch(/^Nothing listens/);
});

test.each([
  ["Bun", { message: "failed: Failed to connect", error: { code: "ENOTFOUND" } }, /^The host was not found.*ENOTFOUND/],
  ["Bun", { message: "failed: Failed to connect", error: { code: "ECONNREFUSED" } }, /^Nothing listens/],
  ["Bun", { message: "Expected 101 status code: 503" }, /^The server is full/],
  ["Bun", { message: "TLS handshake failed: self signed certificate" }, /^The server's certificate/],
  ["Bun", { message: "TLS handshake failed: OPENSSL_internal:WRONG_VERSION_NUMBER" }, /^The server speaks no TLS/],
  ["Deno", { message: "dns error", error: { code: 19 } }, /^The host was not found: .* dns error$/],
  ["Deno", { message: "Invalid status code: 403" }, /^The server takes no connections from this origin/],
  ["Deno", { message: "received corrupt message of type InvalidContentType" }, /^The server speaks no TLS/],
  ["React Native", { reason: "Expected HTTP 101 response but was '401 Unauthorized'" }, /does not let this client in/],
  ["React Native", { reason: 'Unable to resolve host "nobody.invalid"' }, /^The host was not found/],
])("what %s says is explained: %j", (_, event, reason) => {
  expect(explain(event)).toMatch(reason);
});
