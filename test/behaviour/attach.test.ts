import { EventEmitter, once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer, request as httpsRequest, type Server as TlsServer } from "node:https";
import { createSecureServer as createSecureHttp2Server, createServer as createHttp2Server } from "node:http2";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import express from "express";
import fastify from "fastify";
import { Hub, type Transport } from "roomcast";
import { uws } from "roomcast/transports/uws";
import { ws } from "roomcast/transports/ws";
import type { TemplatedApp, us_listen_socket } from "uWebSockets.js";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { hubError } from "../support/hub-error.ts";
import { WsClient, upgradeStatus } from "../support/ws-client.ts";
import { loadLibrary } from "../../src/transports/uws/library.ts";
import { createDeferred } from "../../src/deferred.ts";
import { TRANSPORTS } from "../support/transports.ts";

const FIXTURES = new URL("../support/fixtures/", import.meta.url);
const CERT_FILE = new URL("cert.pem", FIXTURES).pathname;
const KEY_FILE = new URL("key.pem", FIXTURES).pathname;
const CA = readFileSync(CERT_FILE);

/** A server of the application's, which answers `GET /health` with "ok". */
interface Host {
  readonly secure: boolean;
  /** A new transport that is attached to the server. */
  readonly attach: () => Transport;
  readonly listen: () => Promise<number>;
  readonly close: () => Promise<unknown>;
}

/** A host, and how to reach it once it listens. */
interface ReachableHost extends Host {
  readonly url: (port: number, path: string) => string;
  readonly health: (port: number) => Promise<string>;
}

function nodeHost(server: Server | TlsServer, secure: boolean): Host {
  return {
    secure,
    attach: () => ws({ server }),
    listen: () => listenOn(server),
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function listenOn(server: Server | TlsServer): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function answerHealth(request: IncomingMessage, response: { end(body: string): unknown }): void {
  response.end(request.url === "/health" ? "ok" : "?");
}

function expressHost(): Host {
  const app = express();
  app.get("/health", (_, response) => response.send("ok"));
  return nodeHost(createServer(app), false);
}

function fastifyHost(): Host {
  const app = fastify();
  app.get("/health", async () => "ok");
  return {
    secure: false,
    attach: () => ws({ server: app.server }),
    listen: async () => {
      await app.listen({ port: 0, host: "127.0.0.1" });
      return (app.server.address() as AddressInfo).port;
    },
    close: () => app.close(),
  };
}

function uwsHost(app: TemplatedApp, secure: boolean): Host {
  app.get("/health", (response) => void response.end("ok"));
  return {
    secure,
    attach: () => uws({ app }),
    listen: async () =>
      new Promise((resolve) => {
        const listening = (socket: us_listen_socket | false): void =>
          resolve(loadLibrary().us_socket_local_port(socket));
        app.listen("127.0.0.1", 0, listening);
      }),
    close: async () => app.close(),
  };
}

const tlsServer = (): TlsServer => createTlsServer({ cert: CA, key: readFileSync(KEY_FILE) }, answerHealth);
const sslApp = (): TemplatedApp => loadLibrary().SSLApp({ cert_file_name: CERT_FILE, key_file_name: KEY_FILE });

const hosts: readonly (readonly [string, () => Host])[] = [
  ["an http server", () => nodeHost(createServer(answerHealth), false)],
  ["an https server", () => nodeHost(tlsServer(), true)],
  ["Express", expressHost],
  ["Fastify", fastifyHost],
];

const uwsHosts: typeof hosts = [
  ["an App of uWebSockets.js", () => uwsHost(loadLibrary().App(), false)],
  ["an SSLApp of uWebSockets.js", () => uwsHost(sslApp(), true)],
];

const ended: (() => Promise<unknown>)[] = [];

/** Has it ended after the test, the latest first. */
function ending<V>(value: V, end: (value: V) => Promise<unknown>): V {
  ended.unshift(() => end(value));
  return value;
}

afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

function newHub(options: ConstructorParameters<typeof Hub>[0]): Hub {
  return ending(new Hub(options), (hub) => hub.close());
}

function connect(url: string): Promise<WsClient> {
  return WsClient.connect(url, { ca: CA });
}

function statusOf(url: string): Promise<number | undefined> {
  return upgradeStatus(url, { ca: CA });
}

describe.each(TRANSPORTS.includes("uws") ? [...hosts, ...uwsHosts] : hosts)("attached to %s", (_, createHost) => {
  function arrange(): ReachableHost {
    const host = ending(createHost(), ({ close }) => close());
    const request = host.secure ? httpsRequest : httpRequest;
    return {
      ...host,
      url: (port, path) => `${host.secure ? "wss" : "ws"}://localhost:${port}${path}`,
      health: async (port) => {
        const asked = request({ port, host: "localhost", path: "/health", ca: CA, agent: false }).end();
        const [response] = (await once(asked, "response")) as [IncomingMessage];
        let body = "";
        for await (const chunk of response.setEncoding("utf8")) body += chunk as string;
        return body;
      },
    };
  }

  test.each(["before", "after"])(
    "accepts on its path when created %s the server listens, which still answers",
    async (when) => {
      const { attach, listen, health, url, secure } = arrange();
      const create = (): Hub => {
        const hub = newHub({ transport: attach(), path: "/chat", welcome: false });
        hub.on("connection", (socket) => socket.emit("hello", { secure: socket.handshake.secure }));
        return hub;
      };
      if (when === "before") create();
      const port = await listen();
      if (when === "after") create();

      const client = await connect(url(port, "/chat?token=1"));
      expect(await client.nextJson()).toStrictEqual({ event: "hello", data: { secure } });
      expect(await health(port)).toBe("ok");
      expect(await statusOf(url(port, "/other"))).toBe(404);
      expect(await statusOf(url(port, "/chat/deeper"))).toBe(404);
    },
  );

  test("accepts on any path without the option", async () => {
    const { attach, listen, health, url } = arrange();
    const hub = newHub({ transport: attach() });
    const port = await listen();
    await connect(url(port, "/"));
    await connect(url(port, "/any/where"));
    expect(hub.sockets.size).toBe(2);
    expect([...hub.sockets.values()].map(({ handshake }) => handshake.path)).toStrictEqual(["/", "/any/where"]);
    expect(await health(port)).toBe("ok");
  });

  test("two hubs with different paths are independent", async () => {
    const { attach, listen, url } = arrange();
    const red = newHub({ transport: attach(), path: "/red", welcome: false });
    const blue = newHub({ transport: attach(), path: "/blue", welcome: false });
    const port = await listen();
    const redClient = await connect(url(port, "/red"));
    const blueClient = await connect(url(port, "/blue"));
    for (const hub of [red, blue]) for (const socket of hub.sockets.values()) socket.join("same room");
    expect([red.sockets.size, blue.sockets.size]).toStrictEqual([1, 1]);

    red.to("same room").emit("from", "red");
    red.emit("from", "red");
    blue.emit("from", "blue");
    expect(await blueClient.nextJson()).toStrictEqual({ event: "from", data: "blue" });
    expect(await redClient.nextJson()).toStrictEqual({ event: "from", data: "red", room: "same room" });
    expect(await redClient.nextJson()).toStrictEqual({ event: "from", data: "red" });

    await red.close();
    expect(await redClient.closed).toStrictEqual({ code: 1001, reason: "The server is going away" });
    blue.emit("from", "blue, still");
    expect(await blueClient.nextJson()).toStrictEqual({ event: "from", data: "blue, still" });
    await connect(url(port, "/blue"));
    expect(blue.sockets.size).toBe(2);
  });

  test("a hub that drains answers 503 on its path, while the server answers everything else", async () => {
    const { attach, listen, health, url } = arrange();
    const hub = newHub({ transport: attach(), path: "/chat", welcome: false });
    const other = newHub({ transport: attach(), path: "/other", welcome: false });
    const port = await listen();
    const [work, begun] = [createDeferred(), createDeferred()];
    hub.handle("work", () => (begun.resolve(), work.promise));
    const client = await connect(url(port, "/chat"));
    const neighbour = await connect(url(port, "/other"));
    client.send({ event: "work", id: 1 });
    await begun.promise;
    const drained = hub.drain({ within: 5_000 });
    expect(await client.nextJson()).toMatchObject({ event: "hub:bye" });
    expect(await statusOf(url(port, "/chat"))).toBe(503);
    expect(await health(port)).toBe("ok");
    work.resolve();
    expect(await client.nextJson()).toStrictEqual({ reply: 1 });
    expect((await client.closed).code).toBe(4200);
    await drained;
    other.emit("still", "here");
    expect(await neighbour.nextJson()).toStrictEqual({ event: "still", data: "here" });
    expect(await health(port)).toBe("ok");
  });

  test("a hub without a path gets the requests that no other hub takes", async () => {
    const { attach, listen, url } = arrange();
    const any = newHub({ transport: attach() });
    const chat = newHub({ transport: attach(), path: "/chat" });
    const port = await listen();
    await connect(url(port, "/chat"));
    await connect(url(port, "/else"));
    expect([...chat.sockets.values()].map(({ handshake }) => handshake.path)).toStrictEqual(["/chat"]);
    expect([...any.sockets.values()].map(({ handshake }) => handshake.path)).toStrictEqual(["/else"]);
  });

  test.each(["/chat", undefined])("a second hub on the same path (%s) is an error", (path) => {
    const { attach } = arrange();
    const options = path === undefined ? {} : { path };
    newHub({ transport: attach(), ...options });
    expect(() => newHub({ transport: attach(), ...options })).toThrow(
      expect.objectContaining({
        name: "HubError",
        code: "ERR_HUB_PATH_TAKEN",
        message: expect.stringContaining(path ?? "any path"),
      }),
    );
  });

  test("close() leaves the server open and gives the path back", async () => {
    const { attach, listen, health, url } = arrange();
    const first = newHub({ transport: attach(), path: "/chat" });
    const port = await listen();
    const client = await connect(url(port, "/chat"));
    await first.close();
    expect((await client.closed).code).toBe(1001);
    expect(await health(port)).toBe("ok");

    const second = newHub({ transport: attach(), path: "/chat" });
    await connect(url(port, "/chat"));
    expect(second.sockets.size).toBe(1);
    expect(await health(port)).toBe("ok");
  });

  test("listen() of the hub is an error", async () => {
    const { attach } = arrange();
    const hub = newHub({ transport: attach() });
    await expect(hub.listen(0)).rejects.toMatchObject({ name: "HubError", code: "ERR_HUB_ATTACHED" });
  });
});

describe("a server with a WebSocketServer of the application's", () => {
  test.each(["before", "after"])("keeps its own path when it was added %s the hub", async (when) => {
    const server = createServer(answerHealth);
    ending(server, async () => {
      server.closeAllConnections();
      server.close();
    });
    const hub = (): Hub => newHub({ transport: ws({ server }), path: "/chat" });
    const theirs = ending(new WebSocketServer({ noServer: true }), async (own) => {
      for (const client of own.clients) client.terminate();
    });
    theirs.on("connection", (socket) => socket.send("theirs"));
    const listenForTheirs = (): unknown =>
      server.on("upgrade", (request, socket, head) => {
        if (request.url === "/theirs")
          theirs.handleUpgrade(request, socket, head, (own) => theirs.emit("connection", own));
        else if (request.url === "/refused") socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      });

    if (when === "before") listenForTheirs();
    const created = hub();
    if (when === "after") listenForTheirs();
    const port = await listenOn(server);

    const client = await WsClient.connect(`ws://localhost:${port}/theirs`);
    expect(await client.next()).toBe("theirs");
    const ours = await WsClient.connect(`ws://localhost:${port}/chat`);
    expect(await ours.nextJson()).toMatchObject({ event: "hub:welcome" });
    expect(created.sockets.size).toBe(1);
    // Who else listens for upgrades answers for the rest: 404 would be an answer in the application's place.
    expect(await upgradeStatus(`ws://localhost:${port}/refused`)).toBe(403);

    await created.close();
    const again = await WsClient.connect(`ws://localhost:${port}/theirs`);
    expect(await again.next()).toBe("theirs");
  });
});

test.runIf(TRANSPORTS.includes("uws"))("an App of uWebSockets.js keeps a WebSocket route of its own", async () => {
  const app = loadLibrary().App();
  const { listen } = ending(uwsHost(app, false), (host) => host.close());
  app.ws("/theirs", { open: (socket) => void socket.send("theirs") });
  newHub({ transport: uws({ app }) });
  const port = await listen();
  const client = await connect(`ws://localhost:${port}/theirs`);
  expect(await client.next()).toBe("theirs");
  const ours = await connect(`ws://localhost:${port}/chat`);
  expect(await ours.nextJson()).toMatchObject({ event: "hub:welcome" });
});

function wrong(words: string): Error {
  return hubError("ERR_HUB_OPTION", words);
}

describe("wrong things to attach to", () => {
  test.each<[string, unknown, string]>([
    ["an empty object", {}, "http.createServer(app)"],
    ["null", null, '"server" of ws() is null'],
    ["undefined", undefined, '"server" of ws() is undefined'],
    ["a text", "server", '"server"'],
    ["a port", 8080, '"server"'],
    ["an app of Express", express(), "http.createServer(app)"],
    ["an app of Fastify", fastify(), "ws({ server: app.server })"],
    ["an event emitter", new EventEmitter(), "node:http"],
    ["a server of TCP", createTcpServer(), "node:http"],
    ["a server of HTTP/2 without TLS", createHttp2Server(), "allowHTTP1: true"],
    ["a server of HTTP/2 alone", createSecureHttp2Server({ cert: CA }), "allowHTTP1: true"],
  ])("%s is no server of ws()", (_, server, words) => {
    expect(() => ws({ server: server as Server })).toThrow(wrong(words));
  });

  test.each<[string, unknown, string]>([
    ["a server", createServer(), "ws({ server })"],
    ["an unknown option", { port: 8080 }, "ws({ server }) or ws({ noServer })"],
    ["a port", 8080, "ws({ server })"],
    ["null", null, "ws({ server })"],
    ["a word for noServer", { noServer: "yes" }, '"noServer"'],
    ["both options", { server: createServer(), noServer: true }, "not both"],
  ])("ws() refuses %s", (_, options, words) => {
    expect(() => ws(options as { server: Server })).toThrow(wrong(words));
  });

  test.each([{}, null, undefined, "app", 8080])("uws({ app: %j })", (app) => {
    expect(() => uws({ app: app as never })).toThrow(wrong('"app"'));
  });

  test.runIf(TRANSPORTS.includes("uws"))("uws() refuses an app", () => {
    expect(() => uws(loadLibrary().App() as object)).toThrow(wrong("uws({ app })"));
  });

  test.each<[string, unknown, string]>([
    ["an http server", createServer(), "new Hub({ transport: ws({ server }) })"],
    ["an app of Express", express(), "new Hub({ transport: ws({ server }) })"],
    ["an app of Fastify", fastify(), "new Hub({ transport: ws({ server }) })"],
    ["a port", 8080, "hub.listen(8080)"],
  ])("a hub refuses %s", (_, options, words) => {
    expect(() => new Hub(options as object)).toThrow(wrong(words));
  });

  test("a server with the option noServer: false is attached to", async () => {
    const server = createServer();
    ending(server, async () => server.close());
    newHub({ transport: ws({ server, noServer: false }), path: "/chat" });
    expect(await statusOf(`ws://localhost:${await listenOn(server)}/chat`)).toBe(101);
  });
});
