import { Buffer } from "node:buffer";
import type { Random } from "../../../support/random.ts";

/** A request before it is bytes, with everything in it that can be wrong. */
export interface Draft {
  method: string;
  target: string;
  version: string;
  readonly lines: string[];
  body: string;
  /** Whether every server has to see where it ends. Of others, only the end of the connection tells. */
  isWhole: boolean;
}

/** One that is let in. */
export function goodDraft(): Draft {
  return {
    method: "GET",
    target: "/",
    version: "HTTP/1.1",
    lines: [
      "Host: 127.0.0.1",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ],
    body: "",
    isWhole: true,
  };
}

/** Its bytes. */
export function bytesOf({ method, target, version, lines, body }: Draft): Buffer {
  const head = [`${method} ${target} ${version}`, ...lines].join("\r\n");
  return Buffer.from(`${head}\r\n\r\n${body}`, "latin1");
}

type Spoiling = (random: Random, draft: Draft) => void;

const VALUES: Readonly<Record<string, readonly string[]>> = {
  Host: ["", "example.com", "127.0.0.1:99999", "a b", "[::1", "127.0.0.1, 127.0.0.1"],
  Connection: ["close", "keep-alive", "keep-alive, Upgrade", "upgrade", "", "Upgrade, Upgrade"],
  Upgrade: ["h2c", "WEBSOCKET", "websocket, h2c", "", "web socket"],
  "Sec-WebSocket-Version": ["0", "7", "8", "12", "14", "13, 8", "-13", "13.0", "99999999999999999999", ""],
  "Sec-WebSocket-Key": ["", "short", "dGhlIHNhbXBsZSBub25jZQ", "====", "\x80\xff", "dGhlIHNhbXBsZSBub25jZQ==, x"],
  Origin: ["https://evil.example", "null", "http://127.0.0.1", "not an origin", "javascript:alert(1)", "\xff\xfe"],
  "Sec-WebSocket-Protocol": ["roomcast.v1.json", "roomcast.v9", ",", "a,,b", "constructor, __proto__", "\t", "a b"],
  "Sec-WebSocket-Extensions": [
    "permessage-deflate",
    "permessage-deflate; server_max_window_bits=9; client_max_window_bits",
    "permessage-deflate; server_max_window_bits=99",
    'permessage-deflate; x="',
    "permessage-deflate, permessage-deflate, permessage-deflate",
    ";;;",
    "x-webkit-deflate-frame",
  ],
  "X-Forwarded-For": ["127.0.0.1", "__proto__", "1.2.3.4, 5.6.7.8, ::1", ",,,"],
  Cookie: ["__proto__=polluted; constructor=1", "=", ";;;;"],
  "Content-Length": ["0"],
  constructor: ["polluted"],
};

const TARGETS = [
  "/?as=nobody",
  "/?as=throw",
  "/?as=reject",
  "/?as=odd",
  "/?as=visitor",
  "/%00",
  "/..%2f..%2fetc",
  "//",
  "/?",
  "/?__proto__[polluted]=1",
  "/%",
  "/%zz?%",
];

/** What leaves no doubt where the request ends. */
const MEANINGS: readonly Spoiling[] = [
  (random, { lines }) => {
    const name = random.pick(Object.keys(VALUES));
    remove(lines, name);
    lines.push(`${name}: ${random.pick(VALUES[name] ?? [])}`);
  },
  (random, { lines }) => lines.push(random.pick(lines)),
  (random, { lines }) => lines.splice(random.between(0, lines.length - 1), 1),
  (random, draft) => (draft.target = random.pick(TARGETS)),
  (random, { lines }) => lines.push(`X-Long: ${"x".repeat(random.between(1, 3_000))}`),
  (random, { lines }) => lines.splice(random.between(0, lines.length - 1), 0, lines.pop() ?? ""),
];

/** What servers may read differently. */
const SHAPES: readonly Spoiling[] = [
  (random, draft) =>
    (draft.method = random.pick(["POST", "PRI", "get", "", "G\0T", "DELETE", "CONNECT", "X".repeat(99)])),
  (random, draft) => (draft.version = random.pick(["HTTP/1.0", "HTTP/2.0", "HTTP/1.1 ", "", "HTTP/9", "ICY"])),
  (random, draft) => (draft.target = `/${"a".repeat(random.between(4_000, 40_000))}`),
  (random, draft) => (draft.target = random.pick(["", "*", "http://example.com/", "a b", "/\0", "/\x80\xff", "?"])),
  (random, { lines }) => lines.push(`X-Huge: ${"x".repeat(random.between(8_000, 70_000))}`),
  (random, { lines }) => {
    for (let count = random.between(90, 2_100); count > 0; count--) lines.push(`X-${count}: 1`);
  },
  (random, { lines }) => {
    // The name with underscores is fine, but uWebSockets.js takes it for one that goes on.
    const odd = [
      "__proto__: polluted",
      "no colon",
      " folded: x",
      ": nameless",
      "Name : x",
      "N\0l: x",
      "X: \0",
      "X: a\rb",
      "X: a\nY: b",
      "\xff: x",
    ];
    lines.splice(random.between(0, lines.length), 0, random.pick(odd));
  },
  (random, draft) => {
    const length = random.pick(["5", "99999999", "-1", "1e3", "5, 6", "0x10", "99999999999999999999999"]);
    draft.lines.push(`Content-Length: ${length}`);
    draft.body = "body!".repeat(random.between(0, 3));
  },
  (random, draft) => {
    draft.lines.push("Transfer-Encoding: chunked");
    draft.body = random.pick(["0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "ffffffffffffffff\r\n", "-1\r\n", "zz\r\n", ""]);
  },
];

/** One with up to three things wrong in it. */
export function badDraft(random: Random): Draft {
  const draft = goodDraft();
  for (let count = random.between(0, 3); count > 0; count--) {
    const isMeaning = random.chance(0.7);
    random.pick(isMeaning ? MEANINGS : SHAPES)(random, draft);
    // Without a host there is none to ask; what remains may be nothing.
    if (!isMeaning || draft.lines.length === 0) draft.isWhole = false;
  }
  // The decision about this one takes a second.
  if (random.chance(0.02)) draft.target = "/?as=hang";
  return draft;
}

function remove(lines: string[], name: string): void {
  const index = lines.findIndex((line) => line.startsWith(`${name}:`));
  if (index !== -1) lines.splice(index, 1);
}
