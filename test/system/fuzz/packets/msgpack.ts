import { Buffer } from "node:buffer";
import { msgpackCodec } from "roomcast/msgpack";
import type { Packet } from "../../../../src/protocol/packet.ts";
import type { Random } from "../../../support/random.ts";
import { mutated, noise } from "../pieces.ts";
import { HANDLED, hostileMessage } from "./packet.ts";

/** The event "echo", up to its data. */
const ECHO = Buffer.from("83a56576656e74a46563686fa2696405a464617461", "hex");

/** Beginnings of values that say they are longer than anything. */
const ENDLESS = ["dd7fffffff", "ddffffffff", "dfffffffff", "c6ffffffff", "dbffffffff", "c9ffffffff4d", "dcffff", "c1"];

/** A hostile message to a connection that speaks MessagePack: bytes go as binary, a string as text. */
export function hostileBytes(random: Random): string | Buffer {
  return random.weighted<(random: Random) => string | Buffer>([
    [6, packet],
    [8, (source) => mutated(source, packet(source))],
    [2, (source) => noise(source, source.between(0, 60))],
    [2, (source) => Buffer.concat([ECHO, Buffer.from(source.pick(ENDLESS), "hex"), noise(source, 8)])],
    [1, (source) => Buffer.concat([ECHO, Buffer.alloc(source.between(1, 60_000), source.pick([0x91, 0x81])), NIL])],
    [1, (source) => Buffer.concat([ECHO, map(source.between(1, 3_000))])],
    [1, hostileMessage],
  ])(random);
}

const NIL = Buffer.from([0xc0]);

function packet(random: Random): Buffer {
  const data = random.pick<unknown>([
    null,
    Number.NaN,
    2n ** 63n,
    new Date(0),
    new Map<unknown, unknown>([[{ a: 1 }, 1]]),
    Buffer.from("bytes"),
    JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
    "room 1",
    { room: "room 2" },
  ]);
  const event = random.chance(0.8) ? random.pick(HANDLED) : random.pick(["hub:join", "hub:leave", "toString"]);
  const made: Packet = random.chance(0.7) ? { event, id: random.between(0, 999), data } : { event, data };
  return Buffer.from(msgpackCodec.encode(made) as Uint8Array);
}

/** An ext 77 with so many keys that are all the same object. */
function map(keys: number): Buffer {
  const content = Buffer.concat(Array.from({ length: keys }, () => Buffer.from([0x80, 0x01])));
  const head = Buffer.from("c9000000004ddd00000000", "hex");
  head.writeUInt32BE(content.length + 5, 1);
  head.writeUInt32BE(keys * 2, 7);
  return Buffer.concat([head, content]);
}
