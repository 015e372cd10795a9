import { once } from "node:events";
import { createConnection } from "node:net";
import type { Hub, TransportName } from "roomcast";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { resolveOptions } from "../../src/options.ts";
import { CloseCode } from "../../src/protocol/close-codes.ts";
import { ControlEvent, PROTOCOL_VERSION, RESERVED_PREFIX, WireErrorCode } from "../../src/protocol/packet.ts";
import { replay } from "./exchange.ts";
import { blocksOf, codesIn, proseOf, readText, sectionOf, tablesOf } from "./markdown.ts";
import { removeSnippets, run } from "./snippets.ts";
import { TRANSPORTS } from "../transports.ts";

const PATH = "docs/PROTOCOL.md";
const blocks = blocksOf(PATH);
const packets = readText("src/protocol/packet.ts");

/** The first cells of the rows of a table, without their backticks. */
function names(section: string, table = 0): readonly string[] {
  return (tablesOf(sectionOf(PATH, section))[table] ?? []).flatMap(([first = ""]) => codesIn(first));
}

/** The names of the fields of an interface in the source. */
function fieldsOf(type: string): readonly string[] {
  const [, body = ""] = new RegExp(`^export interface ${type} \\{\n(.*?)^\\}`, "ms").exec(packets) ?? [];
  return Array.from(body.matchAll(/^ {2}readonly (\w+)\??:/gm), ([, name = ""]) => name);
}

describe("the document says what the code says", () => {
  test("the version", () => {
    const stated = [
      /^# .* version (\d+)$/m,
      /The version of the protocol is `(\d+)`/,
      /finds a `protocol`\s+other than `(\d+)`/,
    ];
    const text = proseOf(PATH);
    expect(stated.map((pattern) => pattern.exec(text)?.[1])).toStrictEqual(stated.map(() => String(PROTOCOL_VERSION)));
    expect(tablesOf(sectionOf(PATH, "4. Control events"))[1]?.[1]?.join(" ")).toContain(`\`${PROTOCOL_VERSION}\``);
  });

  test("the fields of packets", () => {
    const section = "3. Packets";
    expect(names(section, 0).toSorted()).toStrictEqual(fieldsOf("EventPacket").toSorted());
    expect(names(section, 1).toSorted()).toStrictEqual(fieldsOf("ReplyPacket").toSorted());
    expect(names(section, 2).toSorted()).toStrictEqual(fieldsOf("WireError").toSorted());
    expect(fieldsOf("EventPacket")).not.toHaveLength(0);
  });

  test("the limits", () => {
    const sources = ["src/protocol/packet.ts", "src/protocol/close-codes.ts", "src/rooms.ts"].map(readText).join("\n");
    const limits = Array.from(
      sources.matchAll(/const (MAX_\w+)(?:: \w+)? = ([\d_]+);/g),
      ([, name = "", value = ""]) => [name, value.replaceAll("_", "")],
    );
    const rows = tablesOf(sectionOf(PATH, "3. Packets"))[3] ?? [];
    expect(Object.fromEntries(rows.map(([, value, name = ""]) => [codesIn(name)[0], value]))).toStrictEqual(
      Object.fromEntries([...limits, ["Number.MAX_SAFE_INTEGER", String(Number.MAX_SAFE_INTEGER)]]),
    );
    expect(limits).toHaveLength(3);
    expect(sectionOf(PATH, "3. Packets")).toContain("(1 MiB unless configured)");
    expect(resolveOptions({}).maxMessageBytes).toBe(1024 * 1024);
  });

  test("the reserved prefix", () => {
    expect(/names that begin with `([^`]+)` are reserved/.exec(proseOf(PATH))?.[1]).toBe(RESERVED_PREFIX);
  });

  test("the control events, and no others", () => {
    const known = Object.values(ControlEvent);
    expect(names("4. Control events", 0).toSorted()).toStrictEqual(known.toSorted());
    const mentioned = new Set(Array.from(proseOf(PATH).matchAll(/hub:\w+/g), ([name]) => name));
    expect([...mentioned].toSorted()).toStrictEqual(known.toSorted());
    const welcome = tablesOf(sectionOf(PATH, "4. Control events"))[0]?.find(([name]) => name?.includes("welcome"));
    expect(codesIn(welcome?.[1] ?? "")).toStrictEqual(names("4. Control events", 1));
  });

  test("the error codes, and each in an exchange", () => {
    const known = Object.values(WireErrorCode);
    expect(names("9. Error codes on the wire").toSorted()).toStrictEqual(known.toSorted());
    const exchanges = blocks.map(({ text }) => text).join("");
    expect(known.filter((code) => !exchanges.includes(`"code":"${code}"`))).toStrictEqual([]);
  });

  test("the close codes", () => {
    const rows = tablesOf(sectionOf(PATH, "7. Closing and close codes"))[0] ?? [];
    const stated = rows.map(([code = "", name = ""]) => [codesIn(name)[0], Number(codesIn(code)[0])]);
    expect(Object.fromEntries(stated)).toStrictEqual(CloseCode);
    const ranges = names("7. Closing and close codes", 1).map((range) => range.split("-").map(Number));
    expect(ranges).toStrictEqual([
      [4000, 4099],
      [4100, 4199],
      [4200, 4299],
    ]);
  });
});

/** Compiled with all the others in `snippets.test.ts`. */
const server = blocks.find(({ info }) => info[0] === "ts");
const exchanges = blocks.filter(({ info }) => info[0] === "exchange");
const hubs: Hub[] = [];

async function listen(transport: TransportName): Promise<number> {
  if (server === undefined) throw new Error(`${PATH} has no server for its exchanges.`);
  const { createExampleHub } = (await run(server)) as { createExampleHub: (name: TransportName) => Hub };
  const hub = createExampleHub(transport);
  hubs.push(hub);
  return (await hub.listen({ host: "127.0.0.1" })).port;
}

afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close();
});

afterAll(removeSnippets);

describe.each(TRANSPORTS)("on %s", (transport) => {
  test.each(exchanges.map(({ line, text }) => ({ line, text })))("the exchange at line $line", async ({ text }) => {
    const port = await listen(transport);
    expect(await replay(`ws://127.0.0.1:${port}`, text)).toBe(text);
  });

  test("a request that is no handshake gets 426", async () => {
    expect(names("2. Connecting")).toContain("426");
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

test("there are exchanges", () => {
  expect(exchanges.length).toBeGreaterThan(9);
});
