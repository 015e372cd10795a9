import { Backlog, Batch } from "./batch.ts";
import { Lead } from "./lead.ts";
import type { Multicast } from "./multicast.ts";
import type { Group } from "./rooms.ts";
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

export interface DeliveryOptions {
  readonly maxBufferedBytes: number;
  /** Called for a recipient for whom more would be held than may be. The message in question is not kept. */
  readonly overflow: (recipient: Recipient) => void;
  /** A faster way to reach a whole group. */
  readonly multicast: Multicast | undefined;
}

/**
 * The only way out. Collects what is sent to every socket during one turn of the event loop and writes it with one call
 * for each socket.
 *
 * The flush runs as an immediate, after the poll phase, so that everything which one turn received is answered by one
 * write; a single message in an idle process still leaves in the turn that caused it.
 *
 * While a turn has sent to nobody but one group, its members are not touched at all: the batch is kept once, as the
 * {@link Lead}. Whatever would tell the members apart, another send, a join, a leave, an end, first hands it to them.
 *
 * What is held for one socket, here and in the transport, never exceeds `maxBufferedBytes`; only what the multicast has
 * sent, a sixty-fourth of that at most, is seen later.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #highWaterMark: number;
  readonly #flushBytes: number;
  #dirty: Recipient[] = [];
  #start = new Batch();
  #scheduled = false;
  #lead: Lead | undefined;
  /** How many recipients have a backlog. */
  #congested = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    // Together at most the limit, so that the ordinary path need not ask the transport how much it holds.
    this.#highWaterMark = Math.min(HIGH_WATER_MARK, options.maxBufferedBytes >> 1);
    this.#flushBytes = Math.min(FLUSH_BYTES, options.maxBufferedBytes >> 1);
  }

  /** Sends after everything sent to this recipient before. */
  send(recipient: Recipient, frame: MessageFrame): void {
    if (!recipient.open) return;
    this.separate();
    if (recipient.backlog !== undefined) {
      this.#hold(recipient, recipient.backlog, frame);
      return;
    }
    const { pending } = recipient;
    if (pending !== undefined && pending.byteLength + frame.bytes.length > this.#options.maxBufferedBytes) {
      // Only together are they too much: what came before may be gone at once.
      this.#write(recipient, pending);
      this.send(recipient, frame);
      return;
    }
    if (pending === undefined) this.#dirty.push(recipient);
    this.#schedule();
    this.#setPending(recipient, (pending ?? this.#start).append(frame));
  }

  /** Sends to everybody in the group but one, if one is given, after everything sent to each of them before. */
  sendToGroup(group: Group<Recipient>, frame: MessageFrame, without?: Recipient): void {
    const { maxBufferedBytes } = this.#options;
    if (this.#lead?.group !== group || this.#lead.all.byteLength + frame.bytes.length > maxBufferedBytes) {
      this.separate();
      if (this.#dirty.length > 0 || !this.#isWell(group)) {
        for (const recipient of group.values()) if (recipient !== without) this.send(recipient, frame);
        return;
      }
      this.#lead = new Lead(group, this.#start);
      this.#schedule();
    }
    this.#lead.append(frame, without);
    if (this.#lead.all.byteLength >= this.#flushBytes) this.separate();
  }

  /** From here on the members of a group may differ in what is sent to them. Called before a group changes, too. */
  separate(): void {
    const lead = this.#lead;
    if (lead === undefined) return;
    this.#lead = undefined;
    for (const recipient of lead.group.values()) {
      const sequence = lead.for(recipient);
      if (sequence.byteLength === 0) continue;
      if (recipient.backlog !== undefined) this.#holdAll(recipient, sequence);
      else {
        this.#setPending(recipient, sequence);
        if (recipient.pending !== undefined) this.#dirty.push(recipient);
      }
    }
  }

  /** Whether a volatile message should skip this recipient. */
  isBehind(recipient: Recipient): boolean {
    return recipient.backlog !== undefined || recipient.connection.bufferedAmount > LOW_WATER_MARK;
  }

  /** The transport has written some of what it held: writes the backlog if it may. */
  drained(recipient: Recipient): void {
    const { backlog, connection } = recipient;
    if (backlog === undefined || connection.bufferedAmount > this.#highWaterMark) return;
    this.#relieve(recipient);
    if (backlog.byteLength > 0) this.#write(recipient, backlog);
  }

  /** Looks whether the transport holds too much for a recipient that was sent to through the multicast. */
  inspect(recipient: Recipient): void {
    const { backlog, connection, open } = recipient;
    if (open && backlog === undefined && connection.bufferedAmount > this.#highWaterMark) this.#congest(recipient);
  }

  /** Hands everything that waits to the transport, congested or not: what a close does first. */
  flush(recipient: Recipient): void {
    this.separate();
    const waiting = recipient.pending ?? recipient.backlog;
    this.discard(recipient);
    if (waiting !== undefined && waiting.byteLength > 0) recipient.connection.write(waiting);
  }

  /** Forgets everything that waits. */
  discard(recipient: Recipient): void {
    this.separate();
    recipient.pending = undefined;
    if (recipient.backlog !== undefined) this.#relieve(recipient);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flushAll);
  }

  readonly #flushAll = (): void => {
    this.#scheduled = false;
    const lead = this.#lead;
    const dirty = this.#dirty;
    this.#lead = undefined;
    this.#dirty = [];
    // A new chain each turn: the old one would keep every frame of the turn alive.
    this.#start = new Batch();
    if (lead !== undefined && !this.#publish(lead)) this.#writeToGroup(lead);
    for (const recipient of dirty) {
      const batch = recipient.pending;
      if (batch !== undefined) this.#write(recipient, batch);
    }
  };

  /** As `separate` and a flush would, but the members are gone through once. */
  #writeToGroup(lead: Lead): void {
    for (const recipient of lead.group.values()) {
      const sequence = lead.for(recipient);
      if (sequence.byteLength === 0) continue;
      if (recipient.backlog === undefined) this.#write(recipient, sequence);
      else this.#holdAll(recipient, sequence);
    }
  }

  #publish(lead: Lead): boolean {
    return this.#isWell(lead.group) && this.#options.multicast?.publish(lead, this.#inspectAll) === true;
  }

  /** Whether nobody in the group is congested. */
  #isWell(group: Group<Recipient>): boolean {
    if (this.#congested === 0) return true;
    for (const { backlog } of group.values()) if (backlog !== undefined) return false;
    return true;
  }

  readonly #inspectAll = (group: Group<Recipient>): boolean => {
    for (const recipient of group.values()) this.inspect(recipient);
    return this.#isWell(group);
  };

  #setPending(recipient: Recipient, batch: Batch): void {
    recipient.pending = batch;
    if (batch.byteLength < this.#flushBytes) return;
    if (recipient.connection.bufferedAmount + batch.byteLength > this.#options.maxBufferedBytes) {
      this.#options.overflow(recipient);
    } else {
      this.#write(recipient, batch);
    }
  }

  #write(recipient: Recipient, frames: FrameSequence): void {
    recipient.pending = undefined;
    const { connection } = recipient;
    if (!connection.write(frames) && connection.bufferedAmount > this.#highWaterMark) this.#congest(recipient);
  }

  #hold(recipient: Recipient, backlog: Backlog, frame: MessageFrame): void {
    const held = backlog.byteLength + recipient.connection.bufferedAmount;
    if (held + frame.bytes.length > this.#options.maxBufferedBytes) this.#options.overflow(recipient);
    else backlog.push(frame);
  }

  #holdAll(recipient: Recipient, { frames }: FrameSequence): void {
    for (const frame of frames) if (recipient.backlog !== undefined) this.#hold(recipient, recipient.backlog, frame);
  }

  /** From here on everything waits in the backlog, what is pending first. */
  #congest(recipient: Recipient): void {
    const { pending } = recipient;
    recipient.pending = undefined;
    recipient.backlog = new Backlog();
    this.#congested++;
    if (pending !== undefined) this.#holdAll(recipient, pending);
  }

  #relieve(recipient: Recipient): void {
    recipient.backlog = undefined;
    this.#congested--;
  }
}
