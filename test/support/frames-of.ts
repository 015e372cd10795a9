import type { RawClient } from "../../src/testing/raw-client.ts";
import { Opcode } from "../../src/testing/raw-frame.ts";

/** Resolves with the texts of a server's frames until its end, and with the code of a close frame, 1005 without one. */
export async function framesOf(client: RawClient): Promise<readonly (string | number)[]> {
  const frames: (string | number)[] = [];
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one frame after the other
    const frame = await client.frame();
    if (frame === undefined) return frames;
    const { opcode, payload } = frame;
    if (opcode === Opcode.close) return [...frames, payload.length === 0 ? 1005 : payload.readUInt16BE()];
    frames.push(payload.toString());
  }
}
