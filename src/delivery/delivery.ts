import { Backlog } from "./backlog.ts";
import { Batch } from "./batch.ts";
import { Lead } from "./group-batch.ts";
import type { Multicast } from "./multicast.ts";
import type { DropReason, OutgoingFrame } from "./overload.ts";
import type { Group } from "../rooms/rooms.ts";
import type { Counters } from "../hub/statistics.ts";
import type { Connection, FrameSequence } from "../transports/transport.ts";

/** Above this many bytes in the transport's buffer a socket is congested: it is not written to until it drains. */
const HIGH_WATER_MARK = 64 * 1024;

/** A socket with this much waiting is written to at once, not at the end of the turn. */
const FLUSH_BYTES = 64 * 1024;

/** A volatile message is not sent to a socket whose transport still holds more than this many bytes. */
const LOW_WATER_MARK = 16 * 1024;

/** Frames for one recipient. */
interface Sequence extends FrameSequence {
  readonly frames: readonly OutgoingFrame[];
  /** How many; costs nothing. */
  readonly count: number;
}

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
  /** Called for each message that a recipient does not get. */
  readonly dropped: (recipient: Recipient, reason: DropReason) => void;
  /** Tells a recipient how many messages it did not get; `undefined` if that cannot be said. */
  readonly notice: (recipient: Recipient, count: number) => OutgoingFrame | undefined;
  readonly counters: Counters;
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
  send(recipient: Recipient, frame: OutgoingFrame): void {
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
  sendToGroup(group: Group<Recipient>, frame: OutgoingFrame, without?: Recipient): void {
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

  /** How many bytes wait for these recipients, here and in the transport. */
  pendingBytes(recipients: Iterable<Recipient>): number {
    this.separate();
    let bytes = 0;
    for (const { backlog, connection, pending } of recipients) {
      bytes += (backlog ?? pending ?? this.#start).byteLength + connection.bufferedAmount;
    }
    return bytes;
  }

  /** The transport has written some of what it held: writes the backlog if it may. */
  drained(recipient: Recipient): void {
    const { backlog, connection } = recipient;
    if (backlog === undefined || connection.bufferedAmount > this.#highWaterMark) return;
    this.#tellOfDrops(recipient, backlog, 0);
    this.#relieve(recipient);
    if (backlog.byteLength > 0) this.#write(recipient, backlog);
    // The notice has no room until some of that is gone.
    if (backlog.dropped > 0) (recipient.backlog ?? this.#congest(recipient)).dropped = backlog.dropped;
  }

  /** Looks whether the transport holds too much for a recipient that was sent to through the multicast. */
  inspect(recipient: Recipient): void {
    const { backlog, connection, open } = recipient;
    if (open && backlog === undefined && connection.bufferedAmount > this.#highWaterMark) this.#congest(recipient);
  }

  /** Hands everything that waits to the transport, congested or not: what a close does first. */
  flush(recipient: Recipient): void {
    this.separate();
    const { backlog } = recipient;
    if (backlog !== undefined) this.#tellOfDrops(recipient, backlog, 0);
    const waiting = recipient.pending ?? backlog;
    this.discard(recipient);
    if (waiting !== undefined && waiting.byteLength > 0) this.#handOver(recipient, waiting);
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
    const { counters, multicast } = this.#options;
    const { all, exceptions, group } = lead;
    if (!this.#isWell(group) || multicast?.publish(lead, this.#inspectAll) !== true) return false;
    counters.writes += group.size;
    counters.messagesOut += group.size * all.count;
    counters.bytesOut += group.size * all.byteLength;
    for (const own of exceptions.values()) {
      counters.messagesOut -= all.count - own.count;
      counters.bytesOut -= all.byteLength - own.byteLength;
      if (own.count === 0) counters.writes--;
    }
    return true;
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
    if (recipient.connection.bufferedAmount + batch.byteLength <= this.#options.maxBufferedBytes) {
      this.#write(recipient, batch);
      return;
    }
    // Some of it may be kept: what, is decided as for a backlog, which is written at once.
    this.#congest(recipient);
    this.drained(recipient);
  }

  #write(recipient: Recipient, sequence: Sequence): void {
    recipient.pending = undefined;
    const { connection } = recipient;
    if (!this.#handOver(recipient, sequence) && connection.bufferedAmount > this.#highWaterMark) {
      this.#congest(recipient);
    }
  }

  #handOver({ connection }: Recipient, sequence: Sequence): boolean {
    const { counters } = this.#options;
    counters.writes++;
    counters.messagesOut += sequence.count;
    counters.bytesOut += sequence.byteLength;
    return connection.write(sequence);
  }

  #hold(recipient: Recipient, backlog: Backlog, frame: OutgoingFrame): void {
    const { dropped, overflow } = this.#options;
    const { overload } = frame;
    if (overload?.key !== undefined && backlog.supersede(overload.key)) dropped(recipient, "superseded");
    this.#tellOfDrops(recipient, backlog, frame.bytes.length);
    if (backlog.dropped === 0 && this.#fits(recipient, backlog, frame.bytes.length)) backlog.push(frame);
    else if (overload?.policy === "drop") {
      backlog.dropped++;
      dropped(recipient, "overload");
    } else overflow(recipient);
  }

  #holdAll(recipient: Recipient, { frames }: Sequence): void {
    for (const frame of frames) if (recipient.backlog !== undefined) this.#hold(recipient, recipient.backlog, frame);
  }

  /** Puts the notice of what was dropped where that is missing, if there is room for it and as many bytes behind it. */
  #tellOfDrops(recipient: Recipient, backlog: Backlog, byteLength: number): void {
    if (backlog.dropped === 0 || !this.#fits(recipient, backlog, byteLength)) return;
    const notice = this.#options.notice(recipient, backlog.dropped);
    if (notice !== undefined) {
      if (!this.#fits(recipient, backlog, notice.bytes.length + byteLength)) return;
      backlog.push(notice);
    }
    backlog.dropped = 0;
  }

  #fits({ connection }: Recipient, backlog: Backlog, byteLength: number): boolean {
    return backlog.byteLength + connection.bufferedAmount + byteLength <= this.#options.maxBufferedBytes;
  }

  /** From here on everything waits in the backlog, what is pending first. */
  #congest(recipient: Recipient): Backlog {
    const { pending } = recipient;
    const backlog = new Backlog();
    recipient.pending = undefined;
    recipient.backlog = backlog;
    this.#congested++;
    if (pending !== undefined) this.#holdAll(recipient, pending);
    return backlog;
  }

  #relieve(recipient: Recipient): void {
    recipient.backlog = undefined;
    this.#congested--;
  }
}
