import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createPrivateKey } from "node:crypto";
import { connect, createServer, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hub, HubError, type ErrorContext, type HubOptions, type ListenOptions, type TransportName } from "roomcast";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RawClient, rawRequest, UPGRADE_HEADERS } from "../../src/testing/raw-client.ts";
import { freePort } from "../support/free-port.ts";
import { WsClient, upgradeStatus } from "../support/ws-client.ts";
import { TRANSPORTS } from "../support/transports.ts";
import { CERT_FILE, KEY_FILE } from "../support/certificate.ts";

const CA = readFileSync(CERT_FILE);
const host = "127.0.0.1";

const hubs: Hub[] = [];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "roomcast-listen-"));
});

afterEach(async () => {
  await Promise.all(hubs.splice(0).map((hub) => hub.close()));
  rmSync(folder, { recursive: true });
});

/** A hub that is closed after the test. */
function newHub(options: HubOptions): Hub {
  const hub = new Hub(options);
  hubs.push(hub);
  return hub;
}

/** What `listen` rejects with. */
async function failure(hub: Hub, where: unknown): Promise<HubError> {
  const error: unknown = await hub.listen(where as ListenOptions).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(HubError);
  return error as HubError;
}

/** Proves that the hub listens there, by being greeted by it. */
async function expectGreeting(hub: Hub, url: string): Promise<void> {
  const client = await WsClient.connect(url, { ca: CA });
  const { data } = (await client.nextJson()) as { data: { id: string } };
  expect(hub.sockets.has(data.id)).toBe(true);
  await client.close();
}

test("a failure of the hub's own server after it listens is reported and ends nothing", async () => {
  const listen = vi.spyOn(Server.prototype, "listen");
  const hub = newHub({ transport: "ws" });
  const { port } = await hub.listen({ host });
  const [server] = listen.mock.contexts;
  listen.mockRestore();
  const reported = vi.fn<(error: unknown, context: ErrorContext) => void>();
  hub.on("error", reported);
  for (const code of ["EMFILE", "ENFILE"])
    (server as Server).emit("error", Object.assign(new Error("accept"), { code }));
  const context = { source: "transport" };
  expect(reported.mock.calls).toMatchObject([
    [{ code: "EMFILE" }, context],
    [{ code: "ENFILE" }, context],
  ]);
  await expectGreeting(hub, `ws://${host}:${port}`);
});

test("closing does not wait for a client that never finishes its TLS handshake", async () => {
  const hub = newHub({ transport: "ws" });
  const { port } = await hub.listen({ host, tls: { certFile: CERT_FILE, keyFile: KEY_FILE } });
  const silent = connect(port, host);
  await once(silent, "connect");
  await hub.close();
  if (!silent.closed) await once(silent.resume(), "close");
  expect(silent.destroyed).toBe(true);
});

describe.each(TRANSPORTS)("listening on %s", (transport) => {
  test.each([
    ["nothing", undefined],
    ["port 0", 0],
    ["an empty object", {}],
    ["an object with undefined in it", { port: undefined, host: undefined, socketPath: undefined, tls: undefined }],
  ])("with %s takes a free port and returns it", async (_, where) => {
    const hub = newHub({ transport });
    const { port } = await hub.listen(where);
    expect(port).toBeGreaterThan(0);
    await expectGreeting(hub, `ws://127.0.0.1:${port}`);
  });

  test("on an abstract Unix domain socket is an error", async () => {
    const error = await failure(newHub({ transport }), { socketPath: "\0roomcast" });
    expect(error).toMatchObject({ code: "ERR_HUB_OPTION" });
    expect(error.message).toContain("in the file system");
  });

  test("works on one address", async () => {
    const hub = newHub({ transport });
    const { port } = await hub.listen({ host });
    await expectGreeting(hub, `ws://127.0.0.1:${port}`);
    // Nobody listens on another address of the same machine.
    await expect(WsClient.connect(`ws://127.0.0.2:${port}`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("works with TLS", async () => {
    const hub = newHub({ transport });
    const secure: boolean[] = [];
    hub.on("connection", ({ handshake }) => secure.push(handshake.secure));
    const { port } = await hub.listen({ host, tls: { certFile: CERT_FILE, keyFile: KEY_FILE } });
    await expectGreeting(hub, `wss://localhost:${port}`);
    expect(secure).toStrictEqual([true]);
  });

  test("works with TLS and an encrypted key", async () => {
    const passphrase = "open sesame";
    const keyFile = join(folder, "encrypted.pem");
    const key = createPrivateKey(readFileSync(KEY_FILE));
    writeFileSync(keyFile, key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase }));
    const hub = newHub({ transport });
    const { port } = await hub.listen({ host, tls: { certFile: CERT_FILE, keyFile, passphrase } });
    await expectGreeting(hub, `wss://localhost:${port}`);

    const wrong = await failure(newHub({ transport }), {
      host,
      tls: { certFile: CERT_FILE, keyFile, passphrase: "abracadabra" },
    });
    expect(wrong.code).toBe("ERR_HUB_LISTEN");
  });

  test.each(["certFile", "keyFile"] as const)("names a %s that is missing in its error", async (name) => {
    const absent = join(folder, "absent.pem");
    const hub = newHub({ transport });
    const error = await failure(hub, { host, tls: { certFile: CERT_FILE, keyFile: KEY_FILE, [name]: absent } });
    expect(error).toMatchObject({ code: "ERR_HUB_LISTEN", cause: { code: "ENOENT" } });
    expect(error.message).toContain(absent);
    const { port } = await hub.listen({ host });
    await expectGreeting(hub, `ws://127.0.0.1:${port}`);
  });

  test.each(["certFile", "keyFile"] as const)("fails with a %s that is not PEM", async (name) => {
    const garbage = join(folder, "garbage.pem");
    writeFileSync(garbage, "garbage");
    const tls = { certFile: CERT_FILE, keyFile: KEY_FILE, [name]: garbage };
    expect((await failure(newHub({ transport }), { host, tls })).code).toBe("ERR_HUB_LISTEN");
  });

  test("works on a Unix domain socket, which is removed afterwards", async () => {
    const socketPath = join(folder, "hub.sock");
    const hub = newHub({ transport });
    const met = new Promise<unknown>((resolve) => {
      hub.on("connection", ({ handshake }) => resolve([handshake.url, handshake.remoteAddress, handshake.secure]));
    });
    expect(await hub.listen({ socketPath })).toStrictEqual({ port: 0 });
    await expectGreeting(hub, `ws+unix:${socketPath}:/chat?a=b`);
    expect(await met).toStrictEqual(["/chat?a=b", "", false]);
    await hub.close();
    expect(existsSync(socketPath)).toBe(false);
  });

  test("fails on a Unix domain socket that is in use, and on a file", async () => {
    const busy = join(folder, "busy.sock");
    const server = createServer().listen(busy);
    await once(server, "listening");
    const precious = join(folder, "precious.txt");
    writeFileSync(precious, "precious");
    const hub = newHub({ transport });
    try {
      for (const socketPath of [busy, precious]) {
        // oxlint-disable-next-line no-await-in-loop -- a hub listens once at a time
        const error = await failure(hub, { socketPath });
        expect(error.code).toBe("EADDRINUSE");
        expect(error.message).toContain(socketPath);
      }
      expect(readFileSync(precious, "utf8")).toBe("precious");
    } finally {
      server.close();
    }
    await hub.listen({ socketPath: join(folder, "free.sock") });
  });

  test("fails in a folder that does not exist", async () => {
    const socketPath = join(folder, "absent", "hub.sock");
    expect(await failure(newHub({ transport }), { socketPath })).toMatchObject({ code: "EACCES" });
  });

  // A port that was chosen, not found: only on those does uWebSockets.js share by default.
  test.each(TRANSPORTS)("fails on a port that a hub on %s has", async (other) => {
    const port = await freePort();
    await newHub({ transport: other }).listen({ host, port });
    const hub = newHub({ transport });
    const error = await failure(hub, { host, port });
    expect(error).toMatchObject({ code: "EADDRINUSE", cause: expect.any(Error) });
    expect(error.message).toContain(String(port));
    const another = await hub.listen({ host });
    expect(another.port).not.toBe(port);
    await expectGreeting(hub, `ws://127.0.0.1:${another.port}`);
  });

  test.each(TRANSPORTS)("fails on a port that a hub on %s has on every address", async (other) => {
    const port = await freePort();
    await newHub({ transport: other }).listen(port);
    expect((await failure(newHub({ transport }), port)).code).toBe("EADDRINUSE");
  });

  test("fails on an address that the machine does not have", async () => {
    const error = await failure(newHub({ transport }), { host: "192.0.2.1" });
    expect(error.code).toBe("EADDRNOTAVAIL");
    expect(error.message).toContain("192.0.2.1");
  });

  test.each([70_000, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "80", null])("fails on port %s", async (port) => {
    for (const where of typeof port === "number" ? [port, { port }] : [{ port }]) {
      // oxlint-disable-next-line no-await-in-loop -- a hub listens once at a time
      const error = await failure(newHub({ transport }), where);
      expect(error).toMatchObject({ code: "ERR_HUB_OPTION", message: expect.stringContaining('"port"') });
    }
  });

  test.each([
    [{ prot: 8080 }, '"prot"'],
    [{ host: 5 }, '"host"'],
    [{ host: "" }, '"host"'],
    [{ socketPath: 5 }, '"socketPath"'],
    [{ socketPath: "" }, '"socketPath"'],
    [{ tls: true }, '"tls"'],
    [{ tls: {} }, '"tls"'],
    [{ tls: { certFile: CERT_FILE } }, '"tls"'],
    [{ tls: { certFile: CERT_FILE, keyFile: KEY_FILE, passphrase: 5 } }, '"tls"'],
    [{ tls: { certFile: CERT_FILE, keyFile: KEY_FILE, pasphrase: "x" } }, '"tls"'],
    [null, "listen()"],
    ["8080", "listen()"],
    [true, "listen()"],
    [[8080], "listen()"],
  ])("fails with %j", async (where, named) => {
    const error = await failure(newHub({ transport }), where);
    expect(error).toMatchObject({ code: "ERR_HUB_OPTION", message: expect.stringContaining(named) });
  });

  test("fails a second time, but works again after a failure", async () => {
    const hub = newHub({ transport });
    expect((await failure(hub, { host: "192.0.2.1" })).code).toBe("EADDRNOTAVAIL");
    const { port } = await hub.listen({ host });
    expect(await failure(hub, { host })).toMatchObject({ code: "ERR_HUB_LISTENING" });
    await expectGreeting(hub, `ws://127.0.0.1:${port}`);
  });

  test("fails when it has already begun", async () => {
    const hub = newHub({ transport });
    const first = hub.listen({ host });
    expect(await failure(hub, { host })).toMatchObject({ code: "ERR_HUB_LISTENING" });
    expect((await first).port).toBeGreaterThan(0);
  });

  test("fails after close()", async () => {
    const hub = newHub({ transport });
    await hub.close();
    expect(await failure(hub, { host })).toMatchObject({ code: "ERR_HUB_CLOSED" });
  });

  test("fails when close() is called while it begins", async () => {
    const hub = newHub({ transport });
    const begun = hub.listen({ host });
    await hub.close();
    const { port } = await begun;
    await expect(WsClient.connect(`ws://127.0.0.1:${port}`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("frees its port with close()", async () => {
    const first = newHub({ transport });
    const { port } = await first.listen({ host });
    await first.close();
    expect(await newHub({ transport }).listen({ host, port })).toStrictEqual({ port });
  });

  test("frees its port at once although clients were connected", async () => {
    const port = await freePort();
    const first = newHub({ transport });
    await first.listen({ host, port });
    const client = await WsClient.connect(`ws://127.0.0.1:${port}`);
    await first.close();
    expect((await client.closed).code).toBe(1001);
    const second = newHub({ transport });
    await second.listen({ host, port });
    await expectGreeting(second, `ws://127.0.0.1:${port}`);
  });

  test.each([
    ["one address", host],
    ["every address", undefined],
  ])("frees the port that 0 has taken on %s, although the server ended TCP first", async (_name, where) => {
    const first = newHub({ transport });
    const { port } = await first.listen({ host: where });
    const clients = await Promise.all([1, 2].map(() => WsClient.connect(`ws://${host}:${port}`)));
    await first.close();
    for (const client of clients) await client.closed;
    const second = newHub({ transport });
    expect(await second.listen({ host: where, port })).toEqual({ port });
    await expectGreeting(second, `ws://${host}:${port}`);
  });

  test.each([
    ["a page for browsers", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"],
    ["a page whatever else is accepted", "application/json, Text/HTML", "text/html"],
    ["text for programs", "*/*", "text/plain"],
    ["text for programs that want something else", "application/json, text/htmlx", "text/plain"],
  ])("answers plain HTTP on every path with a demand to upgrade, and %s", async (_, accept, type) => {
    const { port } = await newHub({ transport, path: "/chat" }).listen({ host });
    for (const path of ["/", "/chat", "/<script>alert(1)</script>?<script>"]) {
      // oxlint-disable-next-line no-await-in-loop -- one request after the other
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { accept } });
      expect(response.status).toBe(426);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "content-type": `${type}; charset=utf-8`,
        "sec-websocket-version": "13",
        upgrade: "websocket",
        vary: "Accept",
        "x-content-type-options": "nosniff",
      });
      // oxlint-disable-next-line no-await-in-loop -- its body
      const body = await response.text();
      expect(body).toMatch(/This is a WebSocket endpoint of roomcast.*docs\/TROUBLESHOOTING\.md/);
      expect(body.startsWith("<!doctype html>")).toBe(type === "text/html");
      expect(body).not.toContain("script");
    }
  });

  test.each(["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])("answers %s with a demand to upgrade", async (method) => {
    const { port } = await newHub({ transport }).listen({ host });
    const response = await fetch(`http://127.0.0.1:${port}/`, { method, headers: { accept: "text/html" } });
    expect(response.status).toBe(426);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(response.headers.get("upgrade")).toBe("websocket");
    expect(response.headers.get("sec-websocket-version")).toBe("13");
    expect(await response.text()).toBe(method === "HEAD" ? "" : "Upgrade Required");
  });

  test("accepts only the path, with any query", async () => {
    const hub = newHub({ transport, path: "/chat" });
    const { port } = await hub.listen({ host });
    const url = `ws://127.0.0.1:${port}`;
    await expectGreeting(hub, `${url}/chat`);
    await expectGreeting(hub, `${url}/chat?token=%2Fother&path=/x`);
    const others = ["/", "/other", "/chat/", "/chat/deeper", "/CHAT", "//chat", "/%63hat", "/chats", "/?/chat"];
    const statuses = await Promise.all(others.map((path) => upgradeStatus(url + path)));
    expect(statuses).toStrictEqual(others.map(() => 404));
  });

  test.each(["/:room", "/*", "/rooms/:id"])("does not take the path %s for a pattern", async (path) => {
    const hub = newHub({ transport, path });
    const { port } = await hub.listen({ host });
    await expectGreeting(hub, `ws://127.0.0.1:${port}${path}`);
    expect(await upgradeStatus(`ws://127.0.0.1:${port}/rooms/1`)).toBe(404);
    expect(await upgradeStatus(`ws://127.0.0.1:${port}/1`)).toBe(404);
  });

  test("can be closed twice, also without listening", async () => {
    const hub = newHub({ transport });
    const closing = hub.close();
    expect(hub.close()).toBe(closing);
    await expect(closing).resolves.toBeUndefined();
    await expect(hub.close()).resolves.toBeUndefined();

    const listening = newHub({ transport });
    const { port } = await listening.listen({ host });
    const client = await WsClient.connect(`ws://127.0.0.1:${port}`);
    await Promise.all([listening.close(), listening.close()]);
    await listening.close();
    expect(await client.closed).toStrictEqual({ code: 1001, reason: "The server is going away" });
    await expect(WsClient.connect(`ws://127.0.0.1:${port}`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

/** The header by which uWebSockets.js, and nothing else, names itself in the answers of a hub. */
async function headerOfConfigured(): Promise<string | null> {
  const hub = newHub({ transport: process.env["ROOMCAST_TRANSPORT"] as TransportName });
  const { port } = await hub.listen({ host });
  await expectGreeting(hub, `ws://127.0.0.1:${port}`);
  const response = await fetch(`http://127.0.0.1:${port}`);
  return response.headers.get("uwebsockets");
}

describe("the transport's name from the environment", () => {
  afterEach(() => {
    delete process.env["ROOMCAST_TRANSPORT"];
  });

  test.runIf(TRANSPORTS.includes("uws"))("takes one line", async () => {
    process.env["ROOMCAST_TRANSPORT"] = "uws";
    expect(await headerOfConfigured()).not.toBeNull();
    process.env["ROOMCAST_TRANSPORT"] = "ws";
    expect(await headerOfConfigured()).toBeNull();
    delete process.env["ROOMCAST_TRANSPORT"];
    expect(await headerOfConfigured()).toBeNull();
  });

  test("is an error when it is misspelt", () => {
    process.env["ROOMCAST_TRANSPORT"] = "uWS";
    expect(() => new Hub({ transport: process.env["ROOMCAST_TRANSPORT"] as TransportName })).toThrow(
      expect.objectContaining({ code: "ERR_HUB_OPTION", message: expect.stringContaining('"transport"') }),
    );
  });
});

test.each(TRANSPORTS)(
  "a handshake that arrives while the hub closes is refused as one of a draining hub, on %s",
  async (transport) => {
    const hub = newHub({ transport, heartbeat: false, welcome: false });
    const { port } = await hub.listen({ host });
    const early = await RawClient.connect(port);
    const staying = await RawClient.connect(port);
    staying.write(rawRequest("/", UPGRADE_HEADERS));
    await staying.response();
    const closed = hub.close();
    // The close waits for the client that does not answer it.
    await staying.frame();
    early.write(rawRequest("/", UPGRADE_HEADERS));
    const response = await early.response();
    // uWebSockets.js, and Node.js from 25 on, may end a connection without an answer on which nothing had been asked before.
    const mayEnd = transport === "uws" || Number.parseInt(process.versions.node) > 24;
    expect(mayEnd ? [503, undefined] : [503]).toContain(response?.status);
    staying.vanish();
    early.vanish();
    await closed;
  },
);
