import { Buffer } from "node:buffer";
import { Hub, type Disconnection } from "roomcast";
import { RawClient, rawRequest, UPGRADE_HEADERS } from "../../src/testing/raw-client.ts";
import { Opcode, rawFrame } from "../../src/testing/raw-frame.ts";
import { afterEach, describe, expect, test } from "vitest";
import { constants, deflateRawSync } from "node:zlib";
import { sectionOf, tablesOf } from "../support/markdown.ts";
import { TRANSPORTS } from "../support/transports.ts";

const KIB = 1024;

/** Number of headers of every upgrade request here, `Host` included. */
const USUAL_HEADERS = 5;

const DEFLATE = { "Sec-WebSocket-Extensions": "permessage-deflate" };

const ended: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end();
});

interface Scene {
  readonly port: number;
  readonly disconnection: Promise<Disconnection>;
  /** The texts of the messages that the hub got. */
  readonly messages: string[];
}

async function startHub(): Promise<Scene> {
  const messages: string[] = [];
  const hub = new Hub({ transport: "uws", welcome: false, compression: true });
  ended.push(() => hub.close());
  const disconnection = new Promise<Disconnection>((resolve) => {
    hub.on("disconnection", (_socket, how) => resolve(how));
  });
  hub.on("message", (_socket, message) => messages.push(String(message)));
  const { port } = await hub.listen({ host: "127.0.0.1" });
  return { port, disconnection, messages };
}

/** Sends a request in so many segments, cut at these places. */
async function request(
  port: number,
  headers: Readonly<Record<string, string>> = {},
  ...cuts: readonly number[]
): Promise<RawClient> {
  const client = await RawClient.connect(port);
  ended.push(() => client.vanish());
  const bytes = rawRequest("/", { ...UPGRADE_HEADERS, ...headers });
  for (const [index, cut] of cuts.entries()) {
    client.write(bytes.subarray(cuts[index - 1] ?? 0, cut));
    // The next segment is another read when another client has been answered.
    await status(port);
  }
  client.write(bytes.subarray(cuts.at(-1) ?? 0));
  return client;
}

async function status(port: number, headers?: Readonly<Record<string, string>>, ...cuts: number[]): Promise<string> {
  return `status ${(await (await request(port, headers, ...cuts)).response())?.status}`;
}

/** What becomes of a request that is not answered before others that came later. */
async function silence(port: number, headers: Readonly<Record<string, string>>): Promise<string> {
  const client = await request(port, headers);
  const answer = client.response().then(() => "an answer");
  const others = status(port).then(() => status(port));
  return Promise.race([answer, others.then(() => "no answer; the end of the TCP connection after some 12 seconds")]);
}

function headersOf(count: number): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`X-Header-${index}`, "x"]));
}

/** Compresses texts one after the other, each with reference to those before, and without an end. */
function deflated(...texts: readonly string[]): readonly Buffer[] {
  const options = { finishFlush: constants.Z_SYNC_FLUSH };
  return texts.map((text, index) => {
    const dictionary = Buffer.from(texts.slice(0, index).join(""));
    return deflateRawSync(text, index === 0 ? options : { ...options, dictionary }).subarray(0, -4);
  });
}

/** What becomes of a client that sends compressed messages. The first of two arrives. */
async function fate(payloads: readonly Buffer[]): Promise<string> {
  const { port, disconnection, messages } = await startHub();
  const client = await request(port, DEFLATE);
  expect((await client.response())?.headers.get("sec-websocket-extensions")).toContain("permessage-deflate");
  client.write(...payloads.map((payload) => rawFrame(Opcode.binary, payload, { reserved: 4 })));
  expect(await client.frame()).toBeUndefined();
  const { code } = await disconnection;
  expect(messages).toHaveLength(payloads.length - 1);
  return `the end of the TCP connection; the hub reports ${code}`;
}

/** By the topic of a row: what becomes of it. */
const observers: Readonly<Record<string, () => Promise<string>>> = {
  async "a request line in two TCP segments"() {
    const { port } = await startHub();
    // Also right at the end of the line, but not behind it.
    expect(await status(port, {}, "GET / HTTP/1.1\r\n".length)).toBe("status 101");
    return status(port, {}, "GET / HTT".length);
  },

  async "headers of more than 16 KiB in several segments"() {
    const { port } = await startHub();
    expect(await status(port, { Cookie: "x".repeat(15 * KIB) }, 3 * KIB)).toBe("status 101");
    return status(port, { Cookie: "x".repeat(17 * KIB) }, 3 * KIB);
  },

  async "more than 98 headers"() {
    const { port } = await startHub();
    expect(await status(port, headersOf(98 - USUAL_HEADERS))).toBe("status 101");
    return silence(port, headersOf(99 - USUAL_HEADERS));
  },

  async "a header with `_` in its name"() {
    const { port } = await startHub();
    return silence(port, { session_id: "1" });
  },

  async "an offer of compression with `server_max_window_bits`"() {
    const { port } = await startHub();
    const offer = `${DEFLATE["Sec-WebSocket-Extensions"]}; server_max_window_bits=10`;
    const response = await (await request(port, { "Sec-WebSocket-Extensions": offer })).response();
    expect(response?.status).toBe(101);
    return response?.headers.has("sec-websocket-extensions") === true
      ? "compressed messages"
      : "declined: messages are not compressed, in either direction";
  },

  async "a compressed message with a final block (BFINAL, RFC 7692 section 7.2.3.4)"() {
    const text = "x".repeat(100);
    return fate([Buffer.concat([deflateRawSync(text), Buffer.from([0])])]);
  },

  async "compressed messages that refer to earlier ones, although that was declined"() {
    const text = "what is said twice is said twice".repeat(10);
    return fate(deflated(text, text));
  },
};

const rows = tablesOf(sectionOf("docs/TRANSPORTS.md", "What uWebSockets.js does not take"))[0] ?? [];

test("every row about uWebSockets.js has a check, and every check has a row", () => {
  expect(rows.map(([topic]) => topic)).toStrictEqual(Object.keys(observers));
});

describe.runIf(TRANSPORTS.includes("uws"))("what uWebSockets.js does not take", () => {
  test.each(rows.map((row) => ({ topic: row[0] ?? "", cell: row[1] })))("$topic", async ({ topic, cell }) => {
    expect(await observers[topic]?.()).toBe(cell);
  });
});
