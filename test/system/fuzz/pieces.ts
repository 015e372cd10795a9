import { Buffer } from "node:buffer";
import type { Random } from "../../support/random.ts";

/** The same bytes in up to `most` pieces, split at random places. */
export function pieces(random: Random, bytes: Buffer, most = 4): readonly Buffer[] {
  const borders = Array.from({ length: random.between(0, most - 1) }, () => random.between(0, bytes.length));
  const sorted = [0, ...borders, bytes.length].toSorted((one, other) => one - other);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

/** Random bytes. */
export function noise(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.between(0, 255)));
}

/** The bytes with a few changes: bits flipped, pieces left out, doubled, cut off. */
export function mutated(random: Random, bytes: Buffer): Buffer {
  let changed = Buffer.from(bytes);
  for (let changes = random.between(1, 3); changes > 0 && changed.length > 0; changes--) {
    const at = random.between(0, changed.length - 1);
    const to = Math.min(changed.length, at + random.between(1, 8));
    switch (random.between(0, 4)) {
      case 0:
        changed[at] = (changed[at] ?? 0) ^ (1 << random.between(0, 7));
        break;
      case 1:
        changed = Buffer.concat([changed.subarray(0, at), changed.subarray(to)]);
        break;
      case 2:
        changed = Buffer.concat([changed.subarray(0, to), changed.subarray(at)]);
        break;
      case 3:
        changed = Buffer.concat([changed.subarray(0, at), noise(random, to - at), changed.subarray(at)]);
        break;
      default:
        changed = changed.subarray(0, at);
    }
  }
  return changed;
}
