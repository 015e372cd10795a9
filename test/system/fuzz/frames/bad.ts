import { Buffer } from "node:buffer";
import { closePayload, Opcode } from "../../../../src/testing/raw-frame.ts";
import type { Random } from "../../../support/random.ts";
import { mutated, noise } from "../pieces.ts";
import { frame, type Header } from "./frame.ts";
import { deflated, goodFrames, message } from "./good.ts";

type Making = (random: Random) => readonly Buffer[];

const CONTROL = [Opcode.close, Opcode.ping, Opcode.pong] as const;

const INVALID_TEXT = [
  Buffer.from([0xff]),
  Buffer.from([0xc0, 0x80]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf4, 0x90, 0x80, 0x80]),
  Buffer.from([0x61, 0xe2, 0x82]),
];

const CLAIMED = [
  125n,
  126n,
  65_535n,
  65_536n,
  65_537n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
];

/** A megabyte that takes a kilobyte, and forty that take forty. */
const BOMB = deflated(Buffer.alloc(1024 * 1024));
const GREAT_BOMB = deflated(Buffer.alloc(40 * 1024 * 1024, 0x20));

/** What breaks RFC 6455, or comes close to it. */
export const BAD_FRAMES: readonly Making[] = [
  (random) => [frame(Opcode.text, message(random), { masked: false })],
  (random) => [frame(random.pick([1, 2, 8, 9]), "{}", { reserved: random.between(1, 7) })],
  (random) => [frame(random.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), noise(random, random.between(0, 130)))],
  (random) => [frame(random.between(0, 2), "x", { claimed: random.pick(CLAIMED), lengthBits: 64 })],
  (random) => [frame(Opcode.text, message(random).slice(0, 99), { lengthBits: random.pick([16, 64]) })],
  (random) => [frame(Opcode.continuation, message(random), { fin: random.chance(0.5) })],
  (random) => [frame(1, "{", { fin: false }), frame(random.between(1, 2), message(random))],
  emptyFragments,
  () => [frame(Opcode.text, "{", { fin: false }), frame(Opcode.continuation, Buffer.alloc(65_536))],
  (random) => [frame(random.pick(CONTROL), noise(random, 5), { fin: false })],
  (random) => [frame(random.pick(CONTROL), noise(random, random.between(126, 400)))],
  (random) => [frame(Opcode.text, random.pick(INVALID_TEXT))],
  (random) => [
    frame(Opcode.text, "x", { fin: false }),
    frame(Opcode.continuation, random.pick(INVALID_TEXT), { fin: random.chance(0.5) }),
  ],
  (random) => Array.from({ length: random.between(50, 600) }, () => frame(Opcode.ping, noise(random, 4))),
  (random) => goodFrames(random).map((bytes) => mutated(random, bytes)),
  (random) => [noise(random, random.between(1, 300))],
  (random) => [frame(Opcode.text, Buffer.alloc(random.between(65_530, 65_545), "9"))],
];

/** What is wrong only in, or only without, compression. */
export const BAD_COMPRESSION: readonly Making[] = [
  () => [frame(Opcode.text, BOMB, { reserved: 4 })],
  () => [frame(Opcode.binary, GREAT_BOMB, { reserved: 4 })],
  () => {
    const half = BOMB.length >> 1;
    const first = frame(Opcode.text, BOMB.subarray(0, half), { reserved: 4, fin: false });
    return [first, frame(Opcode.continuation, BOMB.subarray(half))];
  },
  (random) => [frame(Opcode.text, noise(random, random.between(0, 400)), { reserved: 4 })],
  (random) => [frame(Opcode.text, mutated(random, deflated(message(random))), { reserved: 4 })],
  (random) => [frame(Opcode.text, deflated(message(random)), { reserved: random.pick([5, 6, 7]) })],
  () => [frame(Opcode.text, deflated(Buffer.from([0xff, 0xfe])), { reserved: 4 })],
  () => [frame(Opcode.text, "", { reserved: 4 })],
];

/** The codes of close frames, allowed and not. */
const CLOSE_CODES = [0, 1, 999, 1000, 1001, 1004, 1005, 1006, 1012, 1015, 1016, 2999, 3000, 4000, 4999, 5000, 65_535];

/** A client's close frame, and the code in it if there is one. */
export function badClose(random: Random): { readonly bytes: Buffer; readonly code: number | undefined } {
  const header: Header = random.chance(0.1) ? { fin: false } : {};
  if (random.chance(0.2)) {
    return { bytes: frame(Opcode.close, noise(random, random.between(0, 1)), header), code: undefined };
  }
  const code = random.pick(CLOSE_CODES);
  const reason = random.pick([Buffer.from("bye"), Buffer.alloc(0), random.pick(INVALID_TEXT), Buffer.alloc(124, "x")]);
  return { bytes: frame(Opcode.close, closePayload(code, reason), header), code };
}

function emptyFragments(random: Random): readonly Buffer[] {
  const empty = frame(Opcode.continuation, "", { fin: false });
  const middle = Buffer.concat(Array.from({ length: random.between(1_000, 5_000) }, () => empty));
  return [frame(Opcode.text, message(random), { fin: false }), middle, frame(Opcode.continuation)];
}
