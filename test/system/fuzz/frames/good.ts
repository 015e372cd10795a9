import { Buffer } from "node:buffer";
import { deflateRawSync } from "node:zlib";
import { Opcode } from "../../../../src/testing/raw-frame.ts";
import type { Random } from "../../../support/random.ts";
import { noise } from "../pieces.ts";
import { frame } from "./frame.ts";

/** What a good client might send: however odd, the connection has to survive it. */
export function goodFrames(random: Random): readonly Buffer[] {
  return random.weighted<(random: Random) => readonly Buffer[]>([
    [4, whole],
    [4, fragmented],
    [2, ping],
    [1, pong],
    [1, binary],
  ])(random);
}

/** The bytes of a deflated message, as RFC 7692 has them. */
export function deflated(content: Buffer | string): Buffer {
  return deflateRawSync(content, { finishFlush: 2 }).subarray(0, -4);
}

/** A message that was deflated, where that was agreed on. */
export function deflatedMessage(random: Random): Buffer {
  return frame(Opcode.text, deflated(message(random)), { reserved: 4 });
}

/** A request. */
export function message(random: Random): string {
  const event = random.pick(["echo", "later", "throw", "unheard", "hub:join"]);
  const data = "é".repeat(
    random.weighted([
      [9, random.between(0, 40)],
      [1, random.between(0, 9_000)],
    ]),
  );
  return JSON.stringify({ event, id: random.between(0, 1_000), data });
}

function whole(random: Random): readonly Buffer[] {
  return [frame(Opcode.text, message(random))];
}

/** With control frames between the fragments, and empty fragments among them. */
function fragmented(random: Random): readonly Buffer[] {
  const content = Buffer.from(message(random));
  const borders = Array.from({ length: random.between(1, 6) }, () => random.between(0, content.length));
  const ends = [...borders, content.length].toSorted((one, other) => one - other);
  return ends.flatMap((end, index) => {
    const opcode = index === 0 ? Opcode.text : Opcode.continuation;
    const part = content.subarray(index === 0 ? 0 : ends[index - 1], end);
    const fragment = frame(opcode, part, { fin: index === ends.length - 1 });
    return random.chance(0.3) ? ping(random).concat(fragment) : [fragment];
  });
}

function ping(random: Random): readonly Buffer[] {
  return [frame(Opcode.ping, noise(random, random.between(0, 125)))];
}

function pong(random: Random): readonly Buffer[] {
  return [frame(Opcode.pong, noise(random, random.between(0, 125)))];
}

function binary(random: Random): readonly Buffer[] {
  return [frame(Opcode.binary, noise(random, random.between(0, 200)))];
}
