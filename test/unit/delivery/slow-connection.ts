import { OutgoingFrame } from "../../../src/delivery/outgoing-frame.ts";
import type { Recipient } from "../../../src/delivery/recipient.ts";
import type { Connection, FrameSequence } from "../../../src/transports/transport.ts";

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
export function frameOf(name: string, size: number): OutgoingFrame {
  const header = size < 128 ? 2 : size < 65_540 ? 4 : 10;
  const frame = new OutgoingFrame(name.padEnd(size - header, " ").slice(0, size - header));
  if (frame.bytes.length !== size) throw new Error(`Asked for ${size} bytes, made ${frame.bytes.length}`);
  return frame;
}

/** A recipient whose connection is slow. */
export type SlowRecipient = Recipient & { readonly connection: SlowConnection };

export function createRecipient(): SlowRecipient {
  return { connection: new SlowConnection(), open: true, pending: undefined, backlog: undefined, unconfirmedBytes: 0 };
}
