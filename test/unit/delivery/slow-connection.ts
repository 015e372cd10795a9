import type { Recipient } from "../../../src/delivery/delivery.ts";
import type { Connection, FrameSequence } from "../../../src/transports/transport.ts";
import { Frame } from "../../../src/transports/frame.ts";

/** A connection whose network takes as much as the test lets it take. */
export class SlowConnection implements Connection {
  owner: unknown = undefined;
  readonly protocol: string = "";
  /** Each write, as the texts of its frames. */
  readonly writes: string[][] = [];
  bufferedAmount: number = 0;
  /** While stalled, nothing leaves the buffer. */
  stalled: boolean = false;

  write({ frames, bytes, byteLength }: FrameSequence): boolean {
    if (bytes.length !== byteLength) throw new Error(`${bytes.length} bytes were announced as ${byteLength}`);
    this.writes.push(frames.map(({ payload }) => payload.toString().slice(0, 8)));
    if (this.stalled) this.bufferedAmount += byteLength;
    return !this.stalled;
  }

  ping(): void {}
  close(): void {}
  terminate(): void {}
}

/** A frame of so many bytes in all, marked with a name. */
export function frameOf(name: string, size: number): Frame {
  const header = size < 128 ? 2 : size < 65_540 ? 4 : 10;
  const frame = new Frame(name.padEnd(size - header, " ").slice(0, size - header));
  if (frame.bytes.length !== size) throw new Error(`Asked for ${size} bytes, made ${frame.bytes.length}`);
  return frame;
}

export function createRecipient(): Recipient & { readonly connection: SlowConnection } {
  return { connection: new SlowConnection(), open: true, pending: undefined, backlog: undefined };
}
