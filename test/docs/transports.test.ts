import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Hub, type Disconnection, type HubOptions, type Transport, type TransportName } from "roomcast";
import { uws } from "roomcast/transports/uws";
import { ws } from "roomcast/transports/ws";
import { afterEach, describe, expect, test } from "vitest";
import { RawClient, rawRequest, UPGRADE_HEADERS, type RawResponse } from "../../src/testing/raw-client.ts";
import { closePayload, Opcode, rawFrame } from "../../src/testing/raw-frame.ts";
import { loadLibrary } from "../../src/transports/uws/library.ts";
import { readText, sectionOf, tablesOf } from "../support/markdown.ts";
import { TRANSPORTS } from "../support/transports.ts";

/** A hub with one client, whose server's end is `disconnection`. */
interface Scene {
  readonly hub: Hub;
  readonly client: RawClient;
  readonly response: RawResponse | undefined;
  readonly disconnection: Promise<Disconnection>;
}

const ended: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end();
});

async function dial(
  port: number,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
  url = "/chat",
): Promise<RawClient> {
  const client = await RawClient.connect(port);
  ended.push(() => client.vanish());
  client.write(rawRequest(url, { ...UPGRADE_HEADERS, ...headers }));
  return client;
}

async function startHub(
  options: HubOptions,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
  url?: string,
): Promise<Scene> {
  const hub = new Hub({ welcome: false, maxMessageBytes: 1024, path: "/chat", ...options });
  ended.push(() => hub.close());
  const disconnection = new Promise<Disconnection>((resolve) => {
    hub.on("disconnection", (_socket, how) => resolve(how));
  });
  const { port } = await hub.listen({ host: "127.0.0.1" });
  const client = await dial(port, headers, url);
  return { hub, client, response: await client.response(), disconnection };
}

/** A hub and a client that agree on permessage-deflate. */
function compressing(transport: TransportName): Promise<Scene> {
  return startHub({ transport, compression: true }, { "Sec-WebSocket-Extensions": "permessage-deflate" });
}

/** What the client sees of the end. */
/** What the client sees next but pings: on a busy machine the heartbeat comes before what it answers. */
async function sees(client: RawClient): Promise<string> {
  let frame = await client.frame();
  while (frame?.opcode === Opcode.ping) frame = await client.frame();
  if (frame === undefined) return "the end of the TCP connection";
  return frame.opcode === Opcode.close ? `close code ${frame.payload.readUInt16BE()}` : `opcode ${frame.opcode}`;
}

/** What the client sees after it has sent these bytes, and the hub reports the code. */
async function seesAfter(transport: TransportName, bytes: Buffer, code: number): Promise<string> {
  const { client, disconnection } = await startHub({ transport });
  client.write(bytes);
  const seen = await sees(client);
  expect((await disconnection).code).toBe(code);
  return seen;
}

async function reports(transport: TransportName, bytes: Buffer): Promise<number> {
  const { client, disconnection } = await startHub({ transport });
  client.write(bytes);
  client.end();
  return (await disconnection).code;
}

/** What the application's server answers to everything. */
const HOST_STATUS = 418;

/** A server of the application's. */
interface Host {
  readonly port: number;
  readonly attach: () => Transport;
}

async function host(transport: TransportName): Promise<Host> {
  if (transport === "ws") {
    const server = createServer((_request, response) => response.writeHead(HOST_STATUS).end());
    ended.push(
      () => server.close(),
      () => server.closeAllConnections(),
    );
    await once(server.listen(0, "127.0.0.1"), "listening");
    return { port: (server.address() as AddressInfo).port, attach: () => ws({ server }) };
  }
  const library = loadLibrary();
  const app = library.App().any("/*", (response) => void response.writeStatus(`${HOST_STATUS} `).end());
  ended.push(() => app.close());
  const port = await new Promise<number>((resolve) => {
    app.listen("127.0.0.1", 0, (socket) => resolve(library.us_socket_local_port(socket)));
  });
  return { port, attach: () => uws({ app }) };
}

/** The value of a constant in the source that is in milliseconds. */
const seconds = (path: string, constant: string): number => {
  const [, digits = ""] = new RegExp(`const ${constant} = ([\\d_]+);`).exec(readText(path)) ?? [];
  return Number(digits.replaceAll("_", "")) / 1_000;
};

/** By the topic of a row: looks at a transport and says what the row's cell has to say. */
const observers: Readonly<Record<string, (transport: TransportName) => Promise<string>>> = {
  "a message that is too large: the client sees": (transport) =>
    seesAfter(transport, rawFrame(Opcode.text, "x".repeat(1025)), 1009),

  "text that is not UTF-8: the client sees": (transport) =>
    seesAfter(transport, rawFrame(Opcode.text, Buffer.from([0xff])), 1007),

  "frames that break RFC 6455 otherwise: the client sees": (transport) =>
    seesAfter(transport, rawFrame(Opcode.text, "x", { reserved: 2 }), 1006),

  async "a frame of the client without a mask"(transport) {
    const { client, disconnection } = await startHub({ transport, heartbeat: { interval: 100, timeout: 100 } });
    client.write(rawFrame(Opcode.text, "x", { masked: false }));
    const { code } = await disconnection;
    if (code === 1006 && (await sees(client)) === "close code 1002") return "refused, as above";
    return code === 4201 ? "waits for more bytes; the heartbeat finds it" : `reported as ${code}`;
  },

  async "a message that takes longer to arrive than the heartbeat waits"(transport) {
    const { client, hub, disconnection } = await startHub({
      transport,
      heartbeat: { interval: 150, timeout: 150 },
      maxMessageBytes: 1024 * 1024,
    });
    const message = new Promise<void>((resolve) => {
      hub.on("message", () => resolve());
    });
    // Something comes all the time, and the end of the message long after the heartbeat has asked.
    const bytes = rawFrame(Opcode.binary, Buffer.alloc(512 * 1024));
    for (let sent = 0; sent < bytes.length; sent += 32 * 1024) {
      client.write(bytes.subarray(sent, sent + 32 * 1024));
      await delay(50);
    }
    const end = await Promise.race([message, disconnection]);
    return end === undefined ? "arrives" : `ends the connection with ${end.code}`;
  },

  async "a client that closes with 1012 or 3000"(transport) {
    const codes = await Promise.all(
      [1012, 3000].map((code) => reports(transport, rawFrame(Opcode.close, closePayload(code)))),
    );
    return `the hub reports ${String(codes) === "1012,3000" ? "that code" : [...new Set(codes)].join(" and ")}`;
  },

  async "a client whose close reason is not UTF-8"(transport) {
    const bytes = rawFrame(Opcode.close, closePayload(1000, Buffer.from([0xff])));
    return `the hub reports ${await reports(transport, bytes)}`;
  },

  async "before a close frame, with compression"(transport) {
    const { hub, client } = await compressing(transport);
    hub.except([]).close(4000);
    const first = await client.frame();
    if (first?.opcode !== Opcode.ping) return first?.opcode === Opcode.close ? "nothing" : "something else";
    client.write(rawFrame(Opcode.pong, first.payload));
    expect(await sees(client)).toBe("close code 4000");
    return "a ping, whose pong is waited for";
  },

  async "after the server's close frame"(transport) {
    const { hub, client } = await startHub({ transport });
    hub.except([]).close(4000);
    expect(await sees(client)).toBe("close code 4000");
    const end = client.frame().then(() => "ends the TCP connection at once");
    if (transport === "uws") return end;
    // Nothing comes of itself. A further connection takes longer than it would.
    await startHub({ transport });
    const first = await Promise.race([end, Promise.resolve("waits")]);
    client.write(rawFrame(Opcode.close, closePayload(4000)));
    await end;
    return `${first} for the client's`;
  },

  async "sent at once when a message and a close frame of the client come together"(transport) {
    const seen: string[] = [];
    for (const request of [{ event: "work" }, { event: "work", id: 1 }]) {
      const { hub, client } = await startHub({ transport });
      hub.handle("work", (_data, socket) => socket.emit("more"));
      client.write(
        Buffer.concat([rawFrame(Opcode.text, JSON.stringify(request)), rawFrame(Opcode.close, closePayload(1000))]),
      );
      seen.push(await sees(client));
    }
    expect(seen[1]).toBe("opcode 1");
    return seen[0] === "opcode 1" ? "arrives" : "is lost, unless the reply to a request follows";
  },

  async "`hub.close`"(transport) {
    const { hub, client } = await startHub({ transport });
    const turn = new Promise((resolve) => {
      setImmediate(resolve, "later");
    });
    const closing = hub.close().then(() => "at once");
    const when = await Promise.race([closing, turn]);
    expect(await sees(client)).toBe("close code 1001");
    client.write(rawFrame(Opcode.close, closePayload(1001)));
    client.end();
    await closing;
    if (when === "later") return "resolves when all connections have ended";
    expect(seconds(`src/transports/${transport}/index.ts`, "DESTROY_GRACE")).toBe(1);
    return `resolves ${String(when)} if nothing has to be read; what has not ended then is cut after a second`;
  },

  async "after `hub.close` on a server of yours"(transport) {
    const { port, attach } = await host(transport);
    const hub = new Hub({ transport: attach(), path: "/chat" });
    const client = await dial(port);
    expect((await client.response())?.status).toBe(101);
    client.vanish();
    await hub.close();
    const status = (await (await dial(port)).response())?.status;
    const next = new Hub({ transport: attach(), path: "/chat" });
    ended.push(() => next.close());
    expect((await (await dial(port)).response())?.status).toBe(101);
    return status === HOST_STATUS
      ? "the server answers as if there had been no hub"
      : `clients get ${status} until another hub takes the path`;
  },

  async "a handshake without a valid key, on a server of yours"(transport) {
    const { port, attach } = await host(transport);
    const hub = new Hub({ transport: attach(), path: "/chat" });
    ended.push(() => hub.close());
    const status = (await (await dial(port, { "Sec-WebSocket-Key": "short" })).response())?.status;
    return status === HOST_STATUS ? "is left to your app" : `gets status ${status}`;
  },

  async "a URL with bytes above 127"(transport) {
    const { hub, client, response } = await startHub({ transport, path: undefined }, {}, "/Jörg");
    const [socket] = hub.sockets.values();
    if (socket?.handshake.url === "/Jörg") return "is read as UTF-8";
    client.vanish();
    return `is refused by Node.js with ${response?.status}`;
  },

  async "bytes above 127 at the ends of a header's value"(transport) {
    const { hub } = await startHub({ transport }, { "X-Name": "éü" });
    const [socket] = hub.sockets.values();
    return { éü: "are read as UTF-8", "": "are cut off" }[socket?.handshake.headers["x-name"] ?? "?"] ?? "are lost";
  },

  async "compression: what clients send"(transport) {
    const { response } = await compressing(transport);
    const agreed = response?.headers.get("sec-websocket-extensions") ?? "";
    // What the server sends is the same on both.
    expect(agreed).toMatch(/^permessage-deflate;.*server_no_context_takeover/);
    return agreed.includes("client_no_context_takeover")
      ? "every message stands alone"
      : "messages may build on one another";
  },

  async "compressed data that is none"(transport) {
    const { client, disconnection } = await compressing(transport);
    client.write(rawFrame(Opcode.text, Buffer.from([0xff, 0xff, 0xff]), { reserved: 4 }));
    return `the client sees ${await sees(client)}, the hub reports ${(await disconnection).code}`;
  },

  async "compression: a message to a client below 256 bytes"(transport) {
    const { hub, client } = await compressing(transport);
    const lengths: (number | undefined)[] = [];
    for (const length of [255, 256]) {
      hub.send("x".repeat(length));
      lengths.push((await client.frame())?.payload.length);
    }
    expect(lengths[1]).toBeLessThan(100);
    return lengths[0] === 255 ? "is sent as it is" : "is compressed, too";
  },
};

const rows = tablesOf(sectionOf("docs/TRANSPORTS.md", "What stays different"))[0] ?? [];

test("every row has a check, and every check has a row", () => {
  expect(rows.map(([topic]) => topic)).toStrictEqual(Object.keys(observers));
});

describe.each(TRANSPORTS)("what stays different on %s", (transport) => {
  const column = transport === "ws" ? 1 : 2;

  test.each(rows.map((row) => ({ topic: row[0] ?? "", cell: row[column] })))("$topic", async ({ topic, cell }) => {
    expect(await observers[topic]?.(transport)).toBe(cell);
  });
});
