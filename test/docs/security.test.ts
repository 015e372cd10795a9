import { CloseCode, Hub, type Disconnection } from "roomcast";
import { memory } from "roomcast/testing";
import { afterAll, afterEach, describe, expect, onTestFinished, test } from "vitest";
import { resolveHubOptions } from "../../src/hub/options.ts";
import type { Rate } from "../../src/limits/token-bucket.ts";
import { RawClient, rawRequest, UPGRADE_HEADERS } from "../../src/testing/raw-client.ts";
import { Opcode, rawFrame } from "../../src/testing/raw-frame.ts";
import { TRANSPORTS } from "../support/transports.ts";
import { blocksOf, readText, sectionOf, tablesOf } from "../support/markdown.ts";
import { declares, exists, proofsIn } from "../support/proofs.ts";
import { closeAll, removeSnippets, run } from "../support/snippets.ts";

const PATH = "docs/SECURITY.md";

const rows = tablesOf(sectionOf(PATH, "Threats"))[0] ?? [];
const threats = rows.map(([threat = "", , tests = ""]) => ({ threat, proofs: proofsIn(tests) }));

describe("the threat", () => {
  test.each(threats)("$threat: its tests exist", ({ proofs }) => {
    expect(proofs).not.toHaveLength(0);
    const missing = proofs.filter((proof) => !exists(proof));
    expect(missing).toStrictEqual([]);
  });
});

test("a title is found only where it names a test", () => {
  const source = `test("harm", () => {});\nsuite.raw(\n  'the word "harm" (twice)',\n  body);\nlog("other");\nconst x = "no";`;
  expect(["harm", 'the word "harm" (twice)'].filter((title) => !declares(source, title))).toStrictEqual([]);
  expect(declares('"name": "harm",', "harm")).toBe(true);
  expect(["har", "arm", "other", "no"].filter((title) => declares(source, title))).toStrictEqual([]);
});

test("there are many threats, and each has one row", () => {
  const names = threats.map(({ threat }) => threat);
  expect(names).toStrictEqual([...new Set(names)]);
  expect(names.length).toBeGreaterThan(25);
});

describe("the snippet for logs", () => {
  afterEach(closeAll);
  afterAll(removeSnippets);

  test("turns anything that a client chose into one line of printable ASCII, and loses nothing", async () => {
    const block = blocksOf(PATH).find(({ text }) => text.includes("function line("));
    if (block === undefined) throw new Error(`${PATH} has no such snippet.`);
    const { line } = (await run(block)) as { line: (entry: object) => string };
    const entry = { event: 'a\r\nb\u001B[2J\u009B1m\u2028\u202E"\\\u007F\u{1F600}\uD800é' };
    expect(line(entry)).toMatch(/^[ -~]+$/);
    expect(JSON.parse(line(entry))).toStrictEqual(entry);
  });
});

test.each(TRANSPORTS)("bytes that complete no message are no sign of life, on %s", async (transport) => {
  const hub = new Hub({ transport, welcome: false, heartbeat: { interval: 100, timeout: 100 } });
  onTestFinished(() => hub.close());
  const gone = new Promise<Disconnection>((resolve) => hub.on("disconnection", (_, how) => resolve(how)));
  const { port } = await hub.listen({ host: "127.0.0.1" });
  const client = await RawClient.connect(port);
  onTestFinished(() => client.vanish());
  client.write(rawRequest("/", UPGRADE_HEADERS));
  await client.response();
  const message = rawFrame(Opcode.text, "x".repeat(1_000));
  client.write(message.subarray(0, 10));
  // Whatever the server asks, it gets one more byte of the message.
  for (let sent = 10; (await client.frame())?.opcode === Opcode.ping; sent++) {
    client.write(message.subarray(sent, sent + 1));
  }
  expect((await gone).code).toBe(CloseCode.heartbeatLost);
});

test("an id has 126 random bits", async () => {
  const transport = memory();
  const hub = new Hub({ transport });
  const ids: string[] = [];
  const full = new Promise<void>((resolve) => {
    hub.on("connection", ({ id }) => {
      if (ids.push(id) === 1_000) resolve();
    });
  });
  for (let clients = 0; clients < 1_000; clients++) transport.connect("/");
  await full;
  await hub.close();
  expect(new Set(ids).size).toBe(1_000);
  expect(ids.filter((id) => !/^[\w-]{21}$/.test(id))).toStrictEqual([]);
  // In every place nearly all of the 64 letters: 1,000 fair draws miss one of them once in 110,000 times, nine never.
  const letters = Array.from({ length: 21 }, (_, place) => new Set(ids.map((id) => id[place])).size);
  expect(letters.every((count) => count > 55)).toBe(true);
  // `nanoid/non-secure` makes ids that look the same.
  expect(readText("src/members/lifecycle.ts")).toContain('import { nanoid } from "nanoid";');
});

const count = (value: number): string => value.toLocaleString("en");
const mebibytes = (value: number): string => `${value / 1024 / 1024} MiB`;
const rate = ({ perSecond, burst }: Rate, unit: (value: number) => string): string =>
  `${unit(perSecond)} a second, ${unit(burst)} in a burst`;

test("PROTOCOL.md names the limits without an option", () => {
  const { limits } = resolveHubOptions({});
  const table = tablesOf(sectionOf("docs/PROTOCOL.md", "3. Packets")).at(-1) ?? [];
  expect(table.map(([, usual]) => usual)).toStrictEqual([
    rate(limits.messages, count),
    rate(limits.bytes, mebibytes),
    rate(limits.violations, count),
    count(limits.pendingRequests),
    mebibytes(limits.pendingBytes),
    mebibytes(limits.waitingBytes - 64 * 1024),
    count(limits.rooms),
    count(limits.roomNameLength),
  ]);
});
