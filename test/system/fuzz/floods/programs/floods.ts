import { Buffer } from "node:buffer";
import { deflateRawSync } from "node:zlib";
import type { HubName } from "./messages.js";

/** What a client does to keep a server busy. */
export interface Flood {
  readonly name: string;
  /** Default: `"usual"`. */
  readonly hub?: HubName;
  /** Lines of the handshake beside those that every handshake has. */
  readonly lines?: readonly string[];
  /** How many clients do it at once. Default: 1. */
  readonly clients?: number;
  /** What is sent once after the handshake. */
  readonly first?: readonly Buffer[];
  /** Whether the client goes on only once that is answered, as a library client waits for the welcome. */
  readonly isPatient?: boolean;
  /** What is sent again and again: the piece with this number. */
  readonly piece: (index: number) => Buffer;
  /** How many pieces each client sends where no time is measured. */
  readonly pieces: number;
  /** The client disconnects and reconnects after this number of pieces. */
  readonly leavesAfter?: number;
  /** Whether the pieces are sent one at a time, so that the server reads each alone; and the time between two, if any. */
  readonly isSingle?: boolean;
  readonly interval?: number;
  /** Whether the client reads nothing of what it is sent. */
  readonly isDeaf?: boolean;
  /** Whether the client does not end its side of a connection that the server has ended. */
  readonly isStubborn?: boolean;
  /** Whether the client waits for no answer to its handshake. */
  readonly isHasty?: boolean;
  /** Whether what is sent is no handshake, but an ordinary request. */
  readonly isPlain?: boolean;
  /** The close code that its clients must meet, on both transports. */
  readonly close?: number;
  /** Whether the floods allocate in proportion to what is sent: the test sends twice as much to see that. */
  readonly isProportionate?: boolean;
}

const TEXT = 0x1;
const BINARY = 0x2;

/** A client's frame. */
function frame(opcode: number, payload: string | Buffer, first: number = 0x80): Buffer {
  const bytes = Buffer.from(payload as string);
  const head =
    bytes.length < 126
      ? Buffer.from([first | opcode, 0x80 | bytes.length])
      : Buffer.concat([Buffer.from([first | opcode, 0xff]), bigEndian(bytes.length)]);
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([head, Buffer.alloc(4), bytes]);
}

function bigEndian(length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
}

function text(message: string): Buffer {
  return frame(TEXT, message);
}

function event(name: string, data: string): Buffer {
  return text(`{"event":"${name}","data":${data}}`);
}

/** An array of the same value, of about so many bytes. */
function many(value: string, bytes: number): string {
  return `[${Array.from({ length: Math.floor(bytes / (value.length + 1)) }, () => value).join(",")}]`;
}

function always(piece: Buffer): (index: number) => Buffer {
  return () => piece;
}

const MIB = 1024 * 1024;
const NEARLY_MIB = MIB - 64;

const TINY = event("note", "1");
const COORDINATES = many('{"x":123.456,"y":78.9}', NEARLY_MIB);
const DISTINCT = `{${Array.from({ length: 60_000 }, (_, index) => `"k${index + 100_000}":0`).join(",")}}`;
/** More would take the memory of a machine, if it were not refused. */
const INDICES = many('{"999":0}', 65_536);
const LIGHT = many("{}", 500_000);
const HEAVY = many("{}", NEARLY_MIB);

/** The event "note" in MessagePack, with these bytes as its data. */
function packed(data: Buffer): Buffer {
  return frame(BINARY, Buffer.concat([Buffer.from("82a56576656e74a46e6f7465a464617461", "hex"), data]));
}

/** An array of `{"999":0}` in MessagePack. */
function packedIndices(): Buffer {
  const map = Buffer.from("81a339393900", "hex");
  const count = Math.floor(65_536 / map.length);
  const head = Buffer.from([0xdd, 0, 0, 0, 0]);
  head.writeUInt32BE(count, 1);
  return packed(Buffer.concat([head, ...Array.from({ length: count }, () => map)]));
}

const PACKED: readonly string[] = ["Sec-WebSocket-Protocol: roomcast.v1.msgpack"];
const PACKED_HELLO = frame(
  BINARY,
  Buffer.from("82a56576656e74a96875623a68656c6c6fa46461746181a870726f746f636f6c01", "hex"),
);

/** A compressed message. */
function deflated(message: string): Buffer {
  return frame(TEXT, deflateRawSync(message, { finishFlush: 2 }).subarray(0, -4), 0xc0);
}

const COMPRESSED: readonly string[] = ["Sec-WebSocket-Extensions: permessage-deflate"];

/** A reply to each request that the other node sends: their numbers are even, from 2 on, or odd. */
function deepReply(index: number): Buffer {
  return text(`{"reply":${index % 64},"data":${"[".repeat(4_000)}${"]".repeat(4_000)}}`);
}

const KEY_PARTS = 16;

/** An address that nobody may believe: more trusted proxies are named after it than are read. */
export const CLAIMED_ADDRESS = "192.0.2.1";

export const FLOODS: readonly Flood[] = [
  { name: "tiny events", piece: always(TINY), pieces: 3_000, isProportionate: true },
  { name: "echo requests", piece: (id) => text(`{"event":"echo","id":${id},"data":1}`), pieces: 3_000 },
  {
    name: "empty messages",
    hub: "narrow",
    piece: always(Buffer.concat(Array.from({ length: 1_000 }, () => frame(BINARY, "")))),
    pieces: 400,
  },
  { name: "1 MiB of {}", piece: always(event("note", HEAVY)), pieces: 10 },
  { name: "500 KB of {}", piece: always(event("note", LIGHT)), pieces: 10 },
  { name: "distinct keys, 850 KB", piece: always(event("note", DISTINCT)), pieces: 6 },
  { name: "coordinates, 1 MiB", piece: always(event("note", COORDINATES)), pieces: 6 },
  { name: "one string, 1 MiB", piece: always(event("note", `"${"x".repeat(NEARLY_MIB)}"`)), pieces: 6 },
  { name: "small indices, copied", hub: "strict", piece: always(event("note", INDICES)), pieces: 4 },
  {
    name: "small indices in MessagePack",
    lines: PACKED,
    first: [PACKED_HELLO],
    isPatient: true,
    piece: always(packedIndices()),
    pieces: 4,
  },
  {
    name: "pongs",
    piece: always(Buffer.concat(Array.from({ length: 100 }, () => frame(0xa, "")))),
    pieces: 100,
    close: 4005,
  },
  {
    name: "pings",
    piece: always(Buffer.concat(Array.from({ length: 100 }, () => frame(0x9, "")))),
    pieces: 100,
    close: 4005,
  },
  {
    name: "empty fragments",
    first: [frame(TEXT, "", 0)],
    piece: always(Buffer.concat(Array.from({ length: 1_000 }, () => frame(0, "", 0)))),
    pieces: 20,
  },
  { name: "many that are closed", clients: 32, piece: always(text("{")), pieces: 100, isStubborn: true, close: 4005 },
  { name: "not JSON", piece: always(text("{")), pieces: 3_000, close: 4005 },
  {
    name: "much after the close",
    first: Array.from({ length: 100 }, () => text("{")),
    piece: always(text("x".repeat(NEARLY_MIB))),
    pieces: 64,
    close: 4005,
  },
  { name: "awaiting, 200 KB of {}", piece: always(event("work", many("{}", 200_000))), pieces: 40 },
  { name: "awaiting, 40 B", piece: always(event("work", '"0123456789"')), pieces: 3_000 },
  {
    name: "awaiting, reconnecting",
    piece: always(event("work", many("{}", 200_000))),
    pieces: 60,
    leavesAfter: 3,
  },
  {
    name: "awaiting, compressed, reconnecting",
    hub: "compressing",
    lines: COMPRESSED,
    piece: always(deflated(`{"event":"work","data":${many("{}", 200_000)}}`)),
    pieces: 60,
    leavesAfter: 3,
  },
  { name: "tiny events, reconnecting", hub: "narrow", piece: always(TINY), pieces: 12_000, leavesAfter: 1_900 },
  {
    name: "repeats of one request",
    clients: 4,
    piece: (id) => text(`{"event":"work","id":${Math.floor(id / 10_000)},"key":"k"}`),
    pieces: 1_500,
    isProportionate: true,
  },
  {
    name: "requests with many keys",
    piece: (id) => text(`{"event":"echo","id":${id},"key":"k${id}","data":"${"x".repeat(64)}"}`),
    pieces: 2_500,
  },
  {
    name: "rooms beyond the limit",
    first: [event("fill", "0")],
    piece: (id) => text(`{"event":"hub:join","id":${id},"data":{"room":"more ${id}"}}`),
    pieces: 300,
    isProportionate: true,
  },
  { name: "deep replies to another node", first: [event("listen", "0")], piece: deepReply, pieces: 256, interval: 5 },
  {
    name: "one byte a segment",
    first: [frame(TEXT, "x".repeat(NEARLY_MIB)).subarray(0, 14)],
    piece: always(Buffer.from("x")),
    pieces: 3_000,
    isSingle: true,
  },
  {
    name: "one byte a segment before the answer",
    hub: "hesitant",
    piece: always(Buffer.from([0x81])),
    pieces: 3_000,
    isSingle: true,
    isHasty: true,
  },
  {
    name: "much before the answer",
    hub: "hesitant",
    piece: always(Buffer.alloc(MIB)),
    pieces: 32,
    clients: 4,
    isHasty: true,
  },
  {
    name: "deaf clients that leave",
    piece: (id) => text(`{"event":"echo","id":${id},"data":"${"x".repeat(20_000)}"}`),
    pieces: 400,
    leavesAfter: 100,
    isDeaf: true,
  },
  { name: "ordinary requests that stay", clients: 64, isPlain: true, piece: always(Buffer.alloc(0)), pieces: 1 },
  {
    name: "many proxies named",
    hub: "hesitant",
    lines: [
      // The whole header is shorter than what Node.js takes of a request.
      `X-Forwarded-For: ${[CLAIMED_ADDRESS, ...Array.from({ length: 1_500 }, () => "10.0.0.1")].join(",")}`,
    ],
    piece: always(TINY),
    pieces: 50,
    leavesAfter: 1,
  },
  {
    name: "expensive failures",
    piece: (id) => text(`{"event":"hub:join","id":${id},"data":{"room":"private ${id % KEY_PARTS}"}}`),
    pieces: 3_000,
    close: 4005,
  },
];
