import { once } from "node:events";
import { createConnection } from "node:net";
import type { Hub, TransportName } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { resolveHubOptions } from "../../src/hub/options.ts";
import { MAX_UNHASHED_KEYS } from "../../src/msgpack/limits.ts";
import { CloseCode, reconnectsAtOnce } from "../../src/protocol/close-codes.ts";
import { jsonCodec } from "../../src/protocol/codec.ts";
import { MAX_DEPTH } from "../../src/protocol/indices.ts";
import {
  isPassing,
  ControlEvent,
  MAX_KEY_LENGTH,
  PROTOCOL_VERSION,
  RESERVED_PREFIX,
  WireErrorCode,
} from "../../src/protocol/packet.ts";
import { blocksOf, codesIn, documentPaths, proseOf, readText, sectionOf, tablesOf } from "../support/markdown.ts";
import { removeSnippets } from "../support/snippets.ts";
import { linesOf } from "../support/vectors/lines.ts";
import { decode } from "../support/vectors/messagepack.ts";
import { bytesOf, notationOf } from "../support/vectors/notation.ts";
import { exampleHub } from "../support/vectors/server.ts";
import { casesOf, VECTORS } from "../support/vectors/vectors.ts";
import { TRANSPORTS } from "../support/transports.ts";

const PATH = "docs/PROTOCOL.md";
const blocks = blocksOf(PATH);
const packets = readText("src/protocol/packet.ts");

type Rows = readonly (readonly string[])[];

function rowsOf(section: string, table: number): Rows {
  return tablesOf(sectionOf(PATH, section))[table] ?? [];
}

/** The first cells of the rows of a table, without their backticks. */
function names(section: string, table = 0): readonly string[] {
  return rowsOf(section, table).flatMap(([first = ""]) => codesIn(first));
}

/** The codes of a range such as `4100-4199`, or of one code. */
function codesFrom(range: string): readonly number[] {
  const [first = 0, last = first] = range.split("-").map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** What a client does after a code, as its table says. */
function verdicts(rows: Rows): (code: number) => string | undefined {
  const known = new Map(
    rows.flatMap(([codes = "", verdict = ""]) =>
      codesIn(codes).flatMap((range) => codesFrom(range).map((code) => [code, codesIn(verdict)[0]] as const)),
    ),
  );
  const [others] = rows.find(([codes]) => codes === "all others")?.slice(1) ?? [];
  return (code) => known.get(code) ?? codesIn(others ?? "")[0];
}

/** The names of the fields of an interface in the source. */
function fieldsOf(type: string): readonly string[] {
  const [, body = ""] = new RegExp(`^export interface ${type} \\{\n(.*?)^\\}`, "ms").exec(packets) ?? [];
  return Array.from(body.matchAll(/^ {2}readonly (\w+)\??:/gm), ([, name = ""]) => name);
}

/** The codes with which the server ends connections in these steps. */
function codesOfServer(steps: readonly object[]): readonly number[] {
  return (steps as readonly { from?: string; close?: number; ends?: readonly number[] }[])
    .filter(({ from }) => from === "server")
    .flatMap(({ close, ends = [] }) => (close === undefined ? ends : [close]));
}

/** What a client does after a code, as the vectors say. */
function vectorFor(code: number): string | undefined {
  return VECTORS.closes.find(({ from, to }) => from <= code && code <= to)?.returns;
}

describe("the document agrees with the code on", () => {
  test("the version", () => {
    const stated = [
      /^# .* version (\d+)$/m,
      /The version of the protocol is `(\d+)`/,
      /finds a `protocol`\s+other than `(\d+)`/,
    ];
    const text = proseOf(PATH);
    expect(stated.map((pattern) => pattern.exec(text)?.[1])).toStrictEqual(stated.map(() => String(PROTOCOL_VERSION)));
    for (const rows of [rowsOf("4. Control events", 1), rowsOf("2. Connecting", 2)]) {
      expect(rows.find(([field]) => field === "`protocol`")?.[2]).toContain(`\`${PROTOCOL_VERSION}\``);
    }
    expect(VECTORS.protocol).toBe(PROTOCOL_VERSION);
  });

  test("the subprotocols", () => {
    expect(names("2. Connecting", 0)).toStrictEqual([jsonCodec.protocol, msgpackCodec.protocol]);
  });

  test("the refusal of library clients", () => {
    const table = rowsOf("2. Connecting", 3).map(([, error = "", code = ""]) => [codesIn(error)[0], codesIn(code)[0]]);
    const known = new Map(table.map(([error, code]) => [error, Number(code)]));
    expect(known.get(WireErrorCode.helloExpected)).toBe(CloseCode.protocolError);
    expect(known.get(WireErrorCode.unsupportedVersion)).toBe(CloseCode.unsupportedVersion);
    expect(known.get(WireErrorCode.unauthorized)).toBe(CloseCode.unauthorized);
    const silent = table.filter(([error]) => error === undefined).map(([, code]) => Number(code));
    const { credentialsExpired, internalError, handshakeTimeout, goingAway, draining } = CloseCode;
    expect(silent).toStrictEqual([credentialsExpired, internalError, handshakeTimeout, goingAway, draining]);
  });

  test("the fields of packets", () => {
    const section = "3. Packets";
    expect(names(section, 0).toSorted()).toStrictEqual(fieldsOf("EventPacket").toSorted());
    expect(names(section, 1).toSorted()).toStrictEqual(fieldsOf("ReplyPacket").toSorted());
    expect(names(section, 2).toSorted()).toStrictEqual(fieldsOf("WireError").toSorted());
    expect(fieldsOf("EventPacket")).not.toHaveLength(0);
  });

  test("the limits", () => {
    const sources = ["src/protocol/packet.ts", "src/protocol/close-codes.ts", "src/rooms/rooms.ts"]
      .map(readText)
      .join("\n");
    const limits = Array.from(
      sources.matchAll(/const (MAX_\w+)(?:: \w+)? = ([\d_]+);/g),
      ([, name = "", value = ""]) => [name, value.replaceAll("_", "")],
    );
    const rows = rowsOf("3. Packets", 3);
    expect(Object.fromEntries(rows.map(([, value, name = ""]) => [codesIn(name)[0], value]))).toStrictEqual(
      Object.fromEntries([...limits, ["Number.MAX_SAFE_INTEGER", String(Number.MAX_SAFE_INTEGER)]]),
    );
    expect(limits).toHaveLength(5);
    expect(sectionOf(PATH, "3. Packets")).toContain("(1 MiB unless configured)");
    expect(resolveHubOptions({}).maxMessageBytes).toBe(1024 * 1024);
    expect(sectionOf(PATH, "3. Packets")).toContain("up to 4 MiB unless configured otherwise");
    expect(resolveHubOptions({}).maxBufferedBytes).toBe(4 * 1024 * 1024);
    const prose = proseOf(PATH).replaceAll(/\s+/g, " ");
    expect(prose).toContain(`nested more than ${MAX_DEPTH} deep`);
    expect(prose).toContain(`to take ${MAX_DEPTH} levels`);
    expect(prose).toContain(`more than ${MAX_UNHASHED_KEYS.toLocaleString("en")} keys that are no str`);
    expect(prose).toContain(`of 1 to ${MAX_KEY_LENGTH} characters`);
  });

  test("the defaults", () => {
    const { handshakeTimeout, idempotency, limits } = resolveHubOptions({});
    const prose = proseOf(PATH).replaceAll(/\s+/g, " ");
    expect(prose).toContain(`(${handshakeTimeout / 1_000} seconds unless configured)`);
    const { perSecond, burst } = limits.replay;
    expect(prose).toContain(`${perSecond / 1024 / 1024} MiB a second and ${burst / 1024 / 1024} MiB in a burst`);
    const { within, maxBytes, maxBytesPerOwner = 0 } = idempotency || { within: 0, maxBytes: 0 };
    expect(prose).toContain(`remembers a request for ${within / 60_000} minutes from its reply`);
    const shares = `${maxBytesPerOwner / 1024} KiB of requests and replies of one user (without a user, of one address)`;
    expect(prose).toContain(`${shares} and ${maxBytes / 1024 / 1024} MiB of all`);
  });

  test("the bytes of MessagePack", () => {
    const rows = rowsOf("3. Packets", 6).map(([packet = "", bytes = ""]) => [codesIn(packet)[0], codesIn(bytes)[0]]);
    expect(rows).toHaveLength(2);
    for (const [packet = "", bytes = ""] of rows) {
      expect(notationOf(decode(bytesOf(bytes)))).toStrictEqual(JSON.parse(packet));
      expect(notationOf(msgpackCodec.decode(bytesOf(bytes)))).toStrictEqual(JSON.parse(packet));
    }
  });

  test("the welcome, wherever it is shown", () => {
    const shown = documentPaths().flatMap((path) =>
      Array.from(readText(path).matchAll(/\{"event":"hub:welcome","data":(\{.*?\})\}/g), ([, data = ""]) => data),
    );
    expect(shown.length).toBeGreaterThan(30);
    for (const data of shown) {
      const fields = Object.keys(JSON.parse(data.replaceAll(/<\w+( \d)?>/g, "")) as object);
      // Only a client that has told its home hears of it.
      expect(fields).toStrictEqual(fieldsOf("Welcome").filter((field) => field !== "home"));
    }
  });

  test("the reserved prefix", () => {
    expect(/names that begin with `([^`]+)` are reserved/.exec(proseOf(PATH))?.[1]).toBe(RESERVED_PREFIX);
  });

  test("the list of control events", () => {
    const known = Object.values(ControlEvent);
    expect(names("4. Control events", 0).toSorted()).toStrictEqual(known.toSorted());
    const mentioned = new Set(Array.from(proseOf(PATH).matchAll(/hub:\w+/g), ([name]) => name));
    expect([...mentioned].toSorted()).toStrictEqual(known.toSorted());
  });

  test("the sender and the data of each control event", () => {
    const sources = Array.from(packets.matchAll(/The (client|server) sends[^/]*\*\/\s+\w+: "(hub:\w+)"/g));
    const rows = rowsOf("4. Control events", 0).map(([event = "", from, data = ""]) => ({
      event: codesIn(event)[0] ?? "",
      from,
      fields: codesIn(data),
    }));
    expect(Object.fromEntries(rows.map(({ event, from }) => [event, from]))).toStrictEqual(
      Object.fromEntries(sources.map(([, from, event]) => [event, from])),
    );
    const { hello, welcome, error, bye, dropped, join, leave, left, ping, pong, presence, record, sync } = ControlEvent;
    expect(Object.fromEntries(rows.map(({ event, fields }) => [event, fields]))).toStrictEqual({
      [hello]: fieldsOf("Hello"),
      [welcome]: fieldsOf("Welcome"),
      [error]: fieldsOf("WireError"),
      [bye]: fieldsOf("Bye"),
      [dropped]: fieldsOf("Dropped"),
      [join]: ["room", "rooms", "since", "presence"],
      [leave]: ["room", "rooms"],
      [left]: fieldsOf("Left"),
      [record]: ["room", ...fieldsOf("Position"), "gap"],
      [presence]: fieldsOf("PresenceNotice"),
      [ping]: [],
      [pong]: [],
      [sync]: [],
    });
    expect(names("2. Connecting", 2)).toStrictEqual(fieldsOf("Hello"));
    expect(names("4. Control events", 1)).toStrictEqual(fieldsOf("Welcome"));
    expect(names("4. Control events", 4)).toStrictEqual(["room", ...fieldsOf("Position"), "gap"]);
    expect(names("7. Closing and close codes", 2)).toStrictEqual(fieldsOf("Bye"));
  });

  test("the error codes, each shown in an exchange", () => {
    const known = Object.values(WireErrorCode);
    expect(names("9. Error codes on the wire").toSorted()).toStrictEqual(known.toSorted());
    const exchanges = blocks.map(({ text }) => text).join("");
    // One of them only other servers send, and one comes after ten seconds, which no exchange waits for.
    const unseen: readonly string[] = [WireErrorCode.tooFast, WireErrorCode.tooManyRequests];
    expect(known.filter((code) => !exchanges.includes(`"code":"${code}"`))).toStrictEqual(unseen);
  });

  test("the error codes that are no refusals", () => {
    const [, paragraph = ""] = /^(.*) may pass: the server/m.exec(sectionOf(PATH, "9. Error codes on the wire")) ?? [];
    expect(codesIn(paragraph)).toStrictEqual(Object.values(WireErrorCode).filter(isPassing));
    expect(isPassing("a-code-of-the-application")).toBe(false);
  });

  test("the close codes", () => {
    const rows = tablesOf(sectionOf(PATH, "7. Closing and close codes"))[0] ?? [];
    const stated = rows.map(([code = "", name = ""]) => [codesIn(name)[0], Number(codesIn(code)[0])]);
    expect(Object.fromEntries(stated)).toStrictEqual(CloseCode);
  });

  test("the close codes, each in a vector for servers and in one for clients", () => {
    const sent = Object.values(CloseCode).filter((code) => code !== CloseCode.abnormal);
    const [ofServers, ofClients] = [VECTORS.server, VECTORS.client].map((vectors) => {
      return new Set((vectors as readonly { steps: readonly object[] }[]).flatMap(({ steps }) => codesOfServer(steps)));
    });
    expect(sent.filter((code) => ofServers?.has(code) !== true)).toStrictEqual([]);
    expect(sent.filter((code) => ofClients?.has(code) !== true)).toStrictEqual([]);
  });

  test("the error codes, each in a vector for servers", () => {
    const vectors = JSON.stringify(VECTORS.server);
    const missing = Object.values(WireErrorCode).filter((code) => !vectors.includes(`"code":"${code}"`));
    // Only other servers send it.
    expect(missing).toStrictEqual([WireErrorCode.tooFast]);
  });

  test("reconnecting after every close code", () => {
    const table = verdicts(rowsOf("7. Closing and close codes", 1));
    const codes = codesFrom("1000-4999");
    expect(codes.filter((code) => table(code) !== reconnectionAfter(code))).toStrictEqual([]);
    expect(codes.filter((code) => vectorFor(code) !== reconnectionAfter(code))).toStrictEqual([]);
    // The advice beside each code is no other.
    const advice = rowsOf("7. Closing and close codes", 0).map(([code = "", , , , cell = ""]) => {
      const verdict = /^(as for 1000|not reconnect)/.test(cell)
        ? "never"
        : cell.endsWith("at once")
          ? "at-once"
          : "back-off";
      return [Number(codesIn(code)[0]), verdict] as const;
    });
    expect(advice.filter(([code, verdict]) => reconnectionAfter(code) !== verdict)).toStrictEqual([]);
  });
});

function reconnectionAfter(code: number): string {
  const isAtOnce = reconnectsAtOnce(code);
  if (isAtOnce === undefined) return "never";
  return isAtOnce ? "at-once" : "back-off";
}

test("the client of section 4.3 is that of the example", () => {
  const { text = "" } = blocks.find(({ info, text: code }) => info[0] === "js" && code.includes("hub:record")) ?? {};
  // The page has its positions from before it was loaded again.
  const [first, ...rest] = text.trimEnd().split("\n");
  expect(first).toContain("const since = {}");
  const page = readText("examples/recovery/client.html").replaceAll(/^ {6}/gm, "");
  expect(page).toContain(rest.join("\n"));
});

describe("the exchanges", () => {
  const exchanges = blocks.filter(({ info }) => info[0] === "exchange");

  test.each(exchanges.map(({ line, info, text }) => ({ line, name: info[1], text })))(
    "at line $line is the vector $name",
    ({ name, text }) => {
      const vector = VECTORS.server.find((candidate) => candidate.name === name);
      expect(linesOf((vector === undefined ? [] : casesOf(vector))[0]?.steps ?? [])).toBe(text);
    },
  );

  test("exist", () => {
    expect(exchanges.length).toBeGreaterThan(20);
  });
});

const hubs: Hub[] = [];

async function listen(transport: TransportName): Promise<number> {
  const hub = await exampleHub(transport);
  hubs.push(hub);
  return (await hub.listen({ host: "127.0.0.1" })).port;
}

afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close();
});

afterAll(removeSnippets);

describe.each(TRANSPORTS)("on %s", (transport) => {
  test("a request that is no handshake gets 426", async () => {
    expect(names("2. Connecting", 1)).toContain("426");
    const port = await listen(transport);
    expect((await fetch(`http://127.0.0.1:${port}/chat?name=Ann`)).status).toBe(426);
  });

  test("a handshake that breaks RFC 6455 gets a status from 400 to 499", async () => {
    const port = await listen(transport);
    const tcp = createConnection({ port, host: "127.0.0.1" });
    const version = "Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    tcp.write(`GET /chat?name=Ann HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${version}\r\n`);
    const [head] = (await once(tcp.setEncoding("latin1"), "data")) as [string];
    expect(head).toMatch(/^HTTP\/1.1 4\d\d /);
    tcp.destroy();
  });
});
