import { Buffer } from "node:buffer";
import { constants, inflateRawSync } from "node:zlib";

/** The payload of a compressed frame as text, read with a window of so many bits. */
export function inflate(payload: Uint8Array, windowBits: number = 15): string {
  const tail = Buffer.from([0, 0, 0xff, 0xff]);
  return inflateRawSync(Buffer.concat([payload, tail]), {
    windowBits,
    finishFlush: constants.Z_SYNC_FLUSH,
    // Data that is still in the chunk can be referred to from any distance.
    chunkSize: 64,
  }).toString();
}
