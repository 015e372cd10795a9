import { Buffer } from "node:buffer";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createSecureServer, type Http2SecureServer } from "node:http2";
import { createServer as createTlsServer } from "node:https";
import { connect, type AddressInfo, type Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { Hub, type HubOptions, type User } from "roomcast";
import { memory } from "roomcast/testing";
import { ws } from "roomcast/transports/ws";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { Inbox } from "../../src/testing/inbox.ts";
import { RawClient, rawRequest, UPGRADE_HEADERS } from "../../src/testing/raw-client.ts";
import { hubError } from "../support/hub-error.ts";
import { WsClient, upgradeStatus } from "../support/ws-client.ts";

const FIXTURES = new URL("../support/fixtures/", import.meta.url);
const cert = readFileSync(new URL("cert.pem", FIXTURES));
const key = readFileSync(new URL("key.pem", FIXTURES));

/** Answers with what was asked, so that a test sees that nothing of the request is lost. */
async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk as string;
  response.end(`${request.method} ${request.url} ${String(request.headers["x-name"])} ${body}`);
}

const plainServer = (): Server => createServer((request, response) => void echo(request, response));

async function listen(server: NetServer): Promise<number> {
  onTestFinished(() => {
    (server as Partial<Server>).closeAllConnections?.();
    server.close();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

/** A hub that is closed when the test ends, and what it reports. */
function newHub(options: HubOptions): { readonly hub: Hub; readonly errors: Inbox<unknown> } {
  const hub = new Hub({ welcome: false, ...options });
  onTestFinished(() => hub.close());
  const errors = new Inbox<unknown>();
  hub.on("error", (error) => errors.push(error));
  hub.on("connection", (socket) => socket.send("ours"));
  return { hub, errors };
}

/** A server of `ws` that greets, and answers every path unless it has one. */
function addTheirs(server: Server, path?: string): void {
  const theirs = new WebSocketServer({ server, ...(path === undefined ? {} : { path }) });
  theirs.on("connection", (socket) => socket.send("theirs"));
  onTestFinished(() => {
    for (const client of theirs.clients) client.terminate();
  });
}

async function greeting(port: number, path: string): Promise<string> {
  const client = await WsClient.connect(`ws://127.0.0.1:${port}${path}`);
  onTestFinished(() => client.vanish());
  return client.next();
}

const taken = (words: string): Error => hubError("ERR_HUB_PATH_TAKEN", words);

const H2C = { Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__" };

describe("a request that asks for another protocol", () => {
  const servers: readonly (readonly [string, boolean, () => Server | Http2SecureServer])[] = [
    ["an http server", false, plainServer],
    [
      "an https server",
      true,
      () => createTlsServer({ cert, key }, (request, response) => void echo(request, response)),
    ],
    [
      "an http2 server that speaks HTTP/1, too",
      true,
      () => {
        const server = createSecureServer({ cert, key, allowHTTP1: true });
        return server.on("request", (request, response) => void echo(request as never, response as never));
      },
    ],
  ];

  test.each(servers)("is answered by the application, on %s, as is what comes after it", async (_, secure, create) => {
    const server = create();
    const { errors, hub } = newHub({ transport: ws({ server }) });
    const port = await listen(server);
    const tcp = secure
      ? connectTls({ port, host: "127.0.0.1", ca: cert, servername: "localhost" })
      : connect({ port, host: "127.0.0.1" });
    onTestFinished(() => void tcp.destroy());
    const client = new RawClient(tcp);

    client.write(rawRequest("/page?a=b", { ...H2C, "X-Name": "Jörg" }));
    const name = Buffer.from("Jörg").toString("latin1");
    expect((await client.response())?.body).toBe(`GET /page?a=b ${name} `);
    const post = rawRequest("/form", { ...H2C, "Content-Length": "8" })
      .toString()
      .replace("GET", "POST");
    client.write(Buffer.from(`${post}half`));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    client.write(Buffer.from("half"));
    expect((await client.response())?.body).toBe("POST /form undefined halfhalf");
    client.write(rawRequest("/plain", { "X-Name": "plain" }));
    expect((await client.response())?.body).toBe("GET /plain plain ");

    client.write(rawRequest("/chat", UPGRADE_HEADERS));
    expect((await client.response())?.status).toBe(101);
    expect(hub.sockets.size).toBe(1);
    expect(errors.take()).toEqual([]);
  });

  test("is not taken back from a server after the hub was closed", async () => {
    const server = plainServer() as Server & { shouldUpgradeCallback?: unknown };
    const { shouldUpgradeCallback } = server;
    const first = newHub({ transport: ws({ server }), path: "/first" });
    const second = newHub({ transport: ws({ server }), path: "/second" });
    await first.hub.close();
    await second.hub.close();
    expect(server.shouldUpgradeCallback).toBe(shouldUpgradeCallback);
    expect(server.listenerCount("upgrade") + server.listenerCount("newListener")).toBe(0);
  });

  test("is left to another listener for upgrades", async () => {
    const server = plainServer();
    newHub({ transport: ws({ server }), path: "/chat" });
    server.on("upgrade", (_request, socket: Duplex) => socket.end("HTTP/1.1 299 Theirs\r\n\r\n"));
    const client = await RawClient.connect(await listen(server));
    client.write(rawRequest("/chat", H2C));
    expect((await client.response())?.status).toBe(299);
  });
});

test("a handshake that is none gets its answer from the hub of its path", async () => {
  const server = plainServer();
  newHub({ transport: ws({ server }), path: "/chat" });
  const port = await listen(server);
  const statusOf = async (path: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> => {
    const client = await RawClient.connect(port);
    client.write(rawRequest(path, { ...UPGRADE_HEADERS, ...headers }));
    return (await client.response())?.status;
  };
  expect(await statusOf("/chat", { "Sec-WebSocket-Version": "7" })).toBe(426);
  expect(await statusOf("/chat", { "Sec-WebSocket-Key": "bad" })).toBe(400);
  expect(await statusOf("/else", { "Sec-WebSocket-Key": "bad" })).toBe(404);
});

describe("a hub without a path beside another listener for upgrades", () => {
  test("is an error that names the path when the other was there before", async () => {
    const server = plainServer();
    addTheirs(server, "/theirs");
    expect(() => new Hub({ transport: ws({ server }) })).toThrow(taken('"path"'));
    newHub({ transport: ws({ server }), path: "/chat" });
    const port = await listen(server);
    expect(await greeting(port, "/theirs")).toBe("theirs");
  });

  test("reports the error when the other comes later, and takes nothing more", async () => {
    const server = plainServer();
    const { errors, hub } = newHub({ transport: ws({ server }) });
    const port = await listen(server);
    expect(await greeting(port, "/any")).toBe("ours");
    expect(errors.take()).toEqual([]);
    addTheirs(server);
    expect(await errors.next()).toEqual(taken('"path"'));
    expect(await greeting(port, "/any")).toBe("theirs");
    expect(hub.sockets.size).toBe(1);
    server.on("upgrade", () => {});
    expect(errors.take()).toEqual([]);
  });

  test("does not mind other hubs, nor other events", () => {
    const server = plainServer();
    const { errors } = newHub({ transport: ws({ server }) });
    newHub({ transport: ws({ server }), path: "/chat" });
    server.on("request", () => {});
    expect(errors.take()).toEqual([]);
  });
});

describe.each(["before", "after"])("a server of ws that answers every path, added %s the hub", (when) => {
  async function arrange(options: HubOptions = {}): Promise<{ port: number; errors: Inbox<unknown>; hub: Hub }> {
    const server = plainServer();
    if (when === "before") addTheirs(server);
    const made = newHub({ transport: ws({ server }), path: "/chat", ...options });
    if (when === "after") addTheirs(server);
    return { port: await listen(server), ...made };
  }

  test("is an error of the hub when it answers the hub's clients, and ends neither them nor the process", async () => {
    const { port, errors, hub } = await arrange();
    expect(await greeting(port, "/else")).toBe("theirs");
    expect(errors.take()).toEqual([]);
    for (let count = 0; count < 3; count++) {
      expect(await greeting(port, "/chat")).toBe("theirs");
      expect(await errors.next()).toEqual(taken("handleUpgrade"));
    }
    expect(hub.sockets.size).toBe(0);
  });

  test("is not asked about, either", async () => {
    const asked: string[] = [];
    const { port, errors } = await arrange({ authenticate: () => void asked.push("authenticate") });
    expect(await greeting(port, "/chat")).toBe("theirs");
    expect(await errors.next()).toEqual(taken("handleUpgrade"));
    expect(asked).toEqual([]);
  });
});

describe.each(["before", "after"])("whatever a listener that was added %s the hub does to a socket", (when) => {
  const deeds: readonly (readonly [string, (socket: Duplex) => void])[] = [
    ["destroying it", (socket) => socket.destroy()],
    ["destroying it with an error", (socket) => socket.destroy(new Error("theirs"))],
    ["ending it", (socket) => socket.end()],
    ["writing to it", (socket) => socket.write("HTTP/1.1 299 Theirs\r\nContent-Length: 0\r\n\r\n")],
  ];

  async function arrange(
    deed: (socket: Duplex) => void,
    options: HubOptions = {},
  ): Promise<{ port: number; errors: Inbox<unknown> }> {
    const server = plainServer();
    const add = (): unknown => server.on("upgrade", (_request, socket: Duplex) => deed(socket));
    if (when === "before") add();
    const { errors } = newHub({ transport: ws({ server }), path: "/chat", ...options });
    if (when === "after") add();
    return { port: await listen(server), errors };
  }

  test.each(deeds)("%s is an error of the hub", async (_, deed) => {
    const { port, errors } = await arrange(deed);
    const client = await RawClient.connect(port);
    onTestFinished(() => client.vanish());
    client.write(rawRequest("/chat", UPGRADE_HEADERS));
    expect(await errors.next()).toEqual(taken("Another listener"));
  });

  test.each(deeds.slice(2))("%s while authenticate decides is one, too", async (_, deed) => {
    const sockets = new Inbox<Duplex>();
    const decide = new Inbox<(user: User) => void>();
    const authenticate = (): Promise<User> => new Promise((resolve) => decide.push(resolve));
    const { port, errors } = await arrange((socket) => sockets.push(socket), { authenticate });
    const client = await RawClient.connect(port);
    onTestFinished(() => client.vanish());
    client.write(rawRequest("/chat", UPGRADE_HEADERS));
    const letIn = await decide.next();
    deed((await sockets.next()) as Duplex);
    letIn?.({ id: "ann" });
    expect(await errors.next()).toEqual(taken("Another listener"));
  });
});

/** A hub without a server, to which an application hands everything. */
async function handOver(options: HubOptions = {}): Promise<{ port: number; errors: Inbox<unknown>; hub: Hub }> {
  const server = plainServer();
  const made = newHub({ transport: ws({ noServer: true }), ...options });
  server.on("upgrade", (request, socket, head) => made.hub.handleUpgrade(request, socket, head));
  return { port: await listen(server), ...made };
}

test("a client that does not wait for the answer to an earlier request is no error of the hub", async () => {
  const decide = new Inbox<(user: User) => void>();
  const answer = new Inbox<() => void>();
  const server = createServer((_request, response) => answer.push(() => void response.end("late")));
  const authenticate = (): Promise<User> => new Promise((resolve) => decide.push(resolve));
  const { errors, hub } = newHub({ transport: ws({ server }), path: "/chat", authenticate });
  const client = await RawClient.connect(await listen(server));
  onTestFinished(() => client.vanish());
  client.write(rawRequest("/", {}), rawRequest("/chat", UPGRADE_HEADERS));
  const letIn = await decide.next();
  (await answer.next())?.();
  expect((await client.response())?.body).toBe("late");
  letIn?.({ id: "ann" });
  expect((await client.response())?.status).toBe(400);
  expect(errors.take()).toEqual([]);
  expect(hub.sockets.size).toBe(0);
});

describe("hub.handleUpgrade", () => {
  test("takes the requests that the application hands over", async () => {
    const { port, hub, errors } = await handOver();
    expect(await greeting(port, "/any?a=b")).toBe("ours");
    expect([...hub.sockets.values()].map(({ handshake }) => handshake.url)).toEqual(["/any?a=b"]);
    expect(errors.take()).toEqual([]);
  });

  test("lets an application route between hubs and others", async () => {
    const server = plainServer();
    const { hub } = newHub({ transport: ws({ noServer: true }) });
    const theirs = new WebSocketServer({ noServer: true });
    theirs.on("connection", (socket) => socket.send("theirs"));
    onTestFinished(() => {
      for (const client of theirs.clients) client.terminate();
    });
    server.on("upgrade", (request, socket, head) => {
      if (request.url === "/chat") hub.handleUpgrade(request, socket, head);
      else theirs.handleUpgrade(request, socket, head, (own) => theirs.emit("connection", own, request));
    });
    const port = await listen(server);
    expect(await greeting(port, "/chat")).toBe("ours");
    expect(await greeting(port, "/else")).toBe("theirs");
  });

  test("keeps to the option path", async () => {
    const { port } = await handOver({ path: "/chat" });
    expect(await greeting(port, "/chat?a=b")).toBe("ours");
    expect(await upgradeStatus(`ws://127.0.0.1:${port}/else`)).toBe(404);
  });

  test("answers what is no handshake with 426", async () => {
    const { port } = await handOver();
    const client = await RawClient.connect(port);
    client.write(rawRequest("/", H2C));
    const response = await client.response();
    expect(response?.status).toBe(426);
    expect(response?.headers.get("upgrade")).toBe("websocket");
  });

  test("refuses clients of a hub that was closed", async () => {
    const { port, hub } = await handOver();
    await hub.close();
    expect(await upgradeStatus(`ws://127.0.0.1:${port}/`)).toBe(503);
  });

  test("called twice for a client is an error of the hub, and the client stays", async () => {
    const server = plainServer();
    const { hub, errors } = newHub({ transport: ws({ noServer: true }) });
    server.on("upgrade", (request, socket, head) => {
      hub.handleUpgrade(request, socket, head);
      hub.handleUpgrade(request, socket, head);
    });
    const client = await WsClient.connect(`ws://127.0.0.1:${await listen(server)}/`);
    expect(await errors.next()).toEqual(taken("Another listener"));
    expect(await client.next()).toBe("ours");
    hub.emit("still");
    expect(await client.nextJson()).toEqual({ event: "still" });
    expect(hub.sockets.size).toBe(1);
    client.vanish();
  });

  test("does nothing for a client that has left meanwhile", async () => {
    const server = plainServer();
    const { hub, errors } = newHub({ transport: ws({ noServer: true }) });
    const client = await RawClient.connect(await listen(server));
    const requests = new Inbox<readonly [IncomingMessage, Duplex, Buffer]>();
    server.on("upgrade", (request, socket: Duplex, head) => {
      socket.on("error", () => {}).once("close", () => requests.push([request, socket, head]));
      socket.resume();
      client.vanish();
    });
    client.write(rawRequest("/", UPGRADE_HEADERS));
    const [request, socket, head] = (await requests.next()) as readonly [IncomingMessage, Duplex, Buffer];
    hub.handleUpgrade(request, socket, head);
    expect(errors.take()).toEqual([]);
    expect(hub.stats().refusals).toBe(0);
  });

  test("has no address to listen on", async () => {
    const { hub } = newHub({ transport: ws({ noServer: true }) });
    await expect(hub.listen(0)).rejects.toEqual(hubError("ERR_HUB_ATTACHED", "handleUpgrade"));
  });

  test.each<[string, () => HubOptions["transport"]]>([
    ["a server of its own", () => ws()],
    ["a server of the application's", () => ws({ server: createServer() })],
    ["no network", () => memory()],
  ])("is an error on a hub with %s", (_, create) => {
    const { hub } = newHub({ transport: create() });
    const call = (): void => hub.handleUpgrade({ rawHeaders: [] } as never, { unshift() {} } as never, Buffer.alloc(0));
    expect(call).toThrow(hubError("ERR_HUB_OPTION", "ws({ noServer: true })"));
  });

  test.each([
    [[]],
    [[{}, {}, Buffer.alloc(0)]],
    [[{ rawHeaders: [] }, null, Buffer.alloc(0)]],
    [[{ rawHeaders: [] }, { unshift() {} }]],
  ])("with %j is an error", (args) => {
    const { hub } = newHub({ transport: ws({ noServer: true }) });
    const call = hub.handleUpgrade.bind(hub) as (...values: readonly unknown[]) => void;
    expect(() => call(...args)).toThrow(hubError("ERR_HUB_ARGUMENT", "(request, socket, head)"));
  });
});
