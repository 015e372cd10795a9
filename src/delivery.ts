import { Backlog, Batch } from "./batch.ts";
import type { Connection, FrameSequence, MessageFrame } from "./transport.ts";

/** Above this many bytes in the transport's buffer a socket is congested: it is not written to until it drains. */
const HIGH_WATER_MARK = 64 * 1024;

/** A socket with this much waiting is written to at once, not at the end of the turn. */
const FLUSH_BYTES = 64 * 1024;

/** A volatile message is not sent to a socket whose transport still holds more than this many bytes. */
const LOW_WATER_MARK = 16 * 1024;

/** What delivery keeps for one socket. */
export interface Recipient {
  readonly connection: Connection;
  /** Nothing is sent to a recipient that is not open. */
  open: boolean;
  /** What will be written at the end of the turn. */
  pending: Batch | undefined;
  /** What has to wait for the transport to drain; present exactly while it is congested. */
  backlog: Backlog | undefined;
}

/**
 * The only way out. Collects what is sent to every socket during one turn of the event loop and writes it with one call
 * for each socket.
 *
 * The flush runs as an immediate, after the poll phase, so that everything which one turn received is answered by one
 * write; a single message in an idle process still leaves in the turn that caused it.
 *
 * What is held for one socket, here and in the transport, never exceeds `maxBufferedBytes`: the message that would
 * exceed it is not kept, and `overflow` is called instead.
 */
export class Delivery {
  readonly #maxBufferedBytes: number;
  readonly #highWaterMark: number;
  readonly #flushBytes: number;
  readonly #overflow: (recipient: Recipient) => void;
  #dirty: Recipient[] = [];
  #start = new Batch();
  #scheduled = false;

  constructor(maxBufferedBytes: number, overflow: (recipient: Recipient) => void) {
    this.#maxBufferedBytes = maxBufferedBytes;
    // Together at most the limit, so that the ordinary path need not ask the transport how much it holds.
    this.#highWaterMark = Math.min(HIGH_WATER_MARK, maxBufferedBytes >> 1);
    this.#flushBytes = Math.min(FLUSH_BYTES, maxBufferedBytes >> 1);
    this.#overflow = overflow;
  }

  /** Sends after everything sent to this recipient before. */
  send(recipient: Recipient, frame: MessageFrame): void {
    if (!recipient.open) return;
    if (recipient.backlog !== undefined) {
      this.#hold(recipient, recipient.backlog, frame);
      return;
    }
    let batch = recipient.pending;
    if (batch === undefined) {
      this.#dirty.push(recipient);
      if (!this.#scheduled) this.#schedule();
      batch = this.#start;
    }
    batch = batch.append(frame);
    recipient.pending = batch;
    if (batch.byteLength >= this.#flushBytes) this.#flushEarly(recipient, batch);
  }

  /** Whether a volatile message should skip this recipient. */
  isBehind(recipient: Recipient): boolean {
    return recipient.backlog !== undefined || recipient.connection.bufferedAmount > LOW_WATER_MARK;
  }

  /** The transport has written some of what it held: writes the backlog if it may. */
  drained(recipient: Recipient): void {
    const { backlog, connection } = recipient;
    if (backlog === undefined || connection.bufferedAmount > this.#highWaterMark) return;
    recipient.backlog = undefined;
    if (backlog.byteLength > 0) this.#write(recipient, backlog);
  }

  /** Hands everything that waits to the transport, congested or not: what a close does first. */
  flush(recipient: Recipient): void {
    const waiting = recipient.pending ?? recipient.backlog;
    this.discard(recipient);
    if (waiting !== undefined && waiting.byteLength > 0) recipient.connection.write(waiting);
  }

  /** Forgets everything that waits. */
  discard(recipient: Recipient): void {
    recipient.pending = undefined;
    recipient.backlog = undefined;
  }

  #schedule(): void {
    this.#scheduled = true;
    setImmediate(this.#flushAll);
  }

  readonly #flushAll = (): void => {
    const dirty = this.#dirty;
    this.#scheduled = false;
    this.#dirty = [];
    // A new chain each turn: the old one would keep every frame of the turn alive.
    this.#start = new Batch();
    for (const recipient of dirty) {
      const batch = recipient.pending;
      if (batch !== undefined) this.#write(recipient, batch);
    }
  };

  #flushEarly(recipient: Recipient, batch: Batch): void {
    if (recipient.connection.bufferedAmount + batch.byteLength > this.#maxBufferedBytes) this.#overflow(recipient);
    else this.#write(recipient, batch);
  }

  #write(recipient: Recipient, frames: FrameSequence): void {
    recipient.pending = undefined;
    const { connection } = recipient;
    if (!connection.write(frames) && connection.bufferedAmount > this.#highWaterMark) {
      recipient.backlog = new Backlog();
    }
  }

  #hold(recipient: Recipient, backlog: Backlog, frame: MessageFrame): void {
    const held = backlog.byteLength + recipient.connection.bufferedAmount;
    if (held + frame.bytes.length > this.#maxBufferedBytes) this.#overflow(recipient);
    else backlog.push(frame);
  }
}
