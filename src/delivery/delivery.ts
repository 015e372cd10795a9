import type { Counters, DropReason } from "../counters.ts";
import { soon, type Guardian } from "../guard.ts";
import type { Group, GroupObserver } from "../rooms/rooms.ts";
import type { Connection, FrameSequence } from "../transports/transport.ts";
import { Backlog } from "./backlog.ts";
import { Batch } from "./batch.ts";
import { GroupBatch } from "./group-batch.ts";
import type { Multicast } from "./multicast.ts";
import type { OutgoingFrame } from "./outgoing-frame.ts";
import type { Recipient } from "./recipient.ts";

/** Above this many bytes in the transport's buffer a socket is congested: it is not written to until it drains. */
const HIGH_WATER_MARK = 64 * 1024;

/** A socket with this much waiting is written to at once, not at the end of the turn. */
const FLUSH_BYTES = 64 * 1024;

/** The size of the portions in which a backlog is handed over, in bytes: progress is seen at the end of each. */
const PORTION_BYTES = 64 * 1024;

/** A volatile message is not sent to a socket whose transport still holds more than this many bytes. */
const LOW_WATER_MARK = 16 * 1024;

/** Frames for one recipient. */
interface Sequence extends FrameSequence {
  readonly frames: readonly OutgoingFrame[];
  /** Number of frames; O(1). */
  readonly count: number;
}

/** Receives overflows, dropped messages and failures of recipients. */
interface DeliveryReport<R> {
  /** Called for a recipient for which the hub itself fails. */
  fail(recipient: R, error: unknown): void;
  /** Called for a recipient for which more than the limit would be held. The message in question is not kept. */
  overflow(recipient: R): void;
  /** Called for each message that a recipient does not get although it stays. */
  dropped(recipient: R, reason: DropReason): void;
  /**
   * Returns the frame that tells a recipient how many messages it did not get; `undefined` if the notice cannot be
   * encoded.
   */
  notice(recipient: R, count: number): OutgoingFrame | undefined;
}

export interface DeliveryParts<R extends Recipient> {
  readonly maxBufferedBytes: number;
  readonly counters: Counters;
  /** A faster way to reach a whole group, where the transport has one. */
  readonly multicast: Multicast<R> | undefined;
  readonly report: DeliveryReport<R> & Guardian;
}

/**
 * Delivers all messages of the hub. Delivery collects the frames for every socket during one turn of the event loop and
 * writes them with one call for each socket.
 *
 * The flush runs as an immediate, after the poll phase, so that all messages which one turn received are answered by
 * one write; a single message in an idle process still leaves in the turn that caused it.
 *
 * While a turn has sent to one group only, the members of the group are not touched at all: the {@link GroupBatch} is
 * kept once. Any operation that would make the members differ (another send, a join, a leave, an end) first hands the
 * batch to them.
 *
 * The loops over recipients catch the failures of single recipients themselves, because a function for each turn would
 * double their cost.
 *
 * A backlog is handed over in portions, so that the progress of a slow client shows while it reads, and so that what is
 * dropped or superseded meanwhile is not with the transport yet.
 *
 * The bytes held for one socket, here and in the transport, never exceed `maxBufferedBytes`; only the bytes that the
 * multicast has sent, at most a sixty-fourth of that limit, are counted later.
 */
export class Delivery<R extends Recipient> implements GroupObserver<R> {
  readonly #parts: DeliveryParts<R>;
  readonly #highWaterMark: number;
  readonly #flushBytes: number;
  #dirty: R[] = [];
  #start = new Batch();
  #scheduled = false;
  #groupBatch: GroupBatch<R> | undefined;
  /** Number of recipients that have a backlog. */
  #congested = 0;

  constructor(parts: DeliveryParts<R>) {
    this.#parts = parts;
    // Together they are at most the limit, so that the ordinary path need not ask the transport how much it holds.
    this.#highWaterMark = Math.min(HIGH_WATER_MARK, parts.maxBufferedBytes >> 1);
    this.#flushBytes = Math.min(FLUSH_BYTES, parts.maxBufferedBytes >> 1);
  }

  /** Sends a frame after everything that was sent to this recipient before. */
  send(recipient: R, frame: OutgoingFrame): void {
    if (!recipient.open) return;
    this.separate();
    if (recipient.backlog !== undefined) {
      this.#hold(recipient, recipient.backlog, frame);
      return;
    }
    const { pending } = recipient;
    if (pending !== undefined && pending.byteLength + frame.bytes.length > this.#parts.maxBufferedBytes) {
      // Only together are the two too much: the earlier frames may be written at once.
      this.#write(recipient, pending);
      this.send(recipient, frame);
      return;
    }
    if (pending === undefined) this.#dirty.push(recipient);
    this.#schedule();
    this.#setPending(recipient, (pending ?? this.#start).append(frame));
  }

  /**
   * Sends the reply to a request, after everything that was sent to this recipient before.
   *
   * Where the transport gathers what is written while it handles what it has read, the reply is written at once: it
   * would be lost if the close of the client was read with the request. Everything else waits for the end of the turn,
   * because the members of a group would not share a batch otherwise.
   */
  reply(recipient: R, frame: OutgoingFrame): void {
    const isUrgent = recipient.connection.isCorked === true && this.#groupBatch === undefined;
    this.send(recipient, frame);
    const { pending } = recipient;
    if (!isUrgent || pending === undefined) return;
    if (this.#dirty.at(-1) === recipient) this.#dirty.pop();
    this.#write(recipient, pending);
  }

  /** Sends a frame to all members of the group but `without`, after everything that was sent to each of them before. */
  sendToGroup(group: Group<R>, frame: OutgoingFrame, without?: R): void {
    const { maxBufferedBytes } = this.#parts;
    if (this.#groupBatch?.group !== group || this.#groupBatch.all.byteLength + frame.bytes.length > maxBufferedBytes) {
      this.separate();
      if (this.#dirty.length > 0 || !this.#isWell(group)) {
        for (const recipient of group.values()) if (recipient !== without) this.send(recipient, frame);
        return;
      }
      this.#groupBatch = new GroupBatch(group, this.#start);
      this.#schedule();
    }
    this.#groupBatch.append(frame, without);
    if (this.#groupBatch.all.byteLength >= this.#flushBytes) this.separate();
  }

  /** Called before a group changes: its members will differ in what is sent to them. */
  changing(): void {
    this.separate();
  }

  joined(group: Group<R>, member: R): void {
    this.#parts.multicast?.joined(group, member);
  }

  left(group: Group<R>, member: R): void {
    try {
      const unseen = this.#parts.multicast?.left(group, member);
      // The multicast does not look at this member any more.
      if (unseen !== undefined) this.#inspect(member, unseen);
    } catch (error) {
      // The member has left nevertheless, and leaves the other groups, too, if it has ended.
      this.#parts.report.fail(member, error);
    }
  }

  /** Hands the batch of a group to its members, which may differ in what is sent to them from here on. */
  separate(): void {
    const groupBatch = this.#groupBatch;
    if (groupBatch === undefined) return;
    this.#groupBatch = undefined;
    for (const recipient of groupBatch.group.values()) {
      try {
        const sequence = groupBatch.for(recipient);
        if (sequence.byteLength === 0) continue;
        if (recipient.backlog !== undefined) this.#holdAll(recipient, sequence);
        else {
          this.#setPending(recipient, sequence);
          if (recipient.pending !== undefined) this.#dirty.push(recipient);
        }
      } catch (error) {
        this.#parts.report.fail(recipient, error);
      }
    }
  }

  /** Drops a volatile message if this recipient is behind. Returns whether it was dropped. */
  skips(recipient: R): boolean {
    if (recipient.backlog === undefined && recipient.connection.bufferedAmount <= LOW_WATER_MARK) return false;
    this.#drop(recipient, "volatile");
    return true;
  }

  /** Returns how many bytes wait for these recipients, here and in the transport. */
  pendingBytes(recipients: Iterable<R>): number {
    this.separate();
    let bytes = 0;
    for (const { backlog, connection, pending } of recipients) {
      bytes += (backlog ?? pending ?? this.#start).byteLength + connection.bufferedAmount;
    }
    return bytes;
  }

  /** Goes on with the backlog, if the transport has written enough of what it held. */
  drained(recipient: R): void {
    const { backlog, connection } = recipient;
    if (backlog !== undefined && this.#isReady(connection)) this.#handOn(recipient, backlog);
  }

  /** Hands all waiting frames to the transport, congested or not, as a close requires. */
  flush(recipient: R): void {
    this.separate();
    const { backlog, pending } = recipient;
    if (backlog !== undefined) this.#tellOfDrops(recipient, backlog, 0);
    this.discard(recipient);
    if (pending !== undefined && pending.byteLength > 0) this.#handOver(recipient, pending);
    if (backlog === undefined) return;
    while (backlog.count > 0) this.#handOver(recipient, backlog.take(PORTION_BYTES));
  }

  /** Forgets all waiting frames. */
  discard(recipient: R): void {
    this.separate();
    recipient.pending = undefined;
    if (recipient.backlog !== undefined) this.#relieve(recipient);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    soon(this.#parts.report, this.#flushAll);
  }

  readonly #flushAll = (): void => {
    this.#scheduled = false;
    const groupBatch = this.#groupBatch;
    const dirty = this.#dirty;
    this.#groupBatch = undefined;
    this.#dirty = [];
    // A new chain each turn: the old one would keep every frame of the turn alive.
    this.#start = new Batch();
    if (groupBatch !== undefined && !this.#publish(groupBatch)) this.#writeToGroup(groupBatch);
    for (const recipient of dirty) {
      const batch = recipient.pending;
      if (batch === undefined) continue;
      try {
        this.#write(recipient, batch);
      } catch (error) {
        this.#parts.report.fail(recipient, error);
      }
    }
  };

  /** Has the effect of `separate` and a flush, in one pass over the members. */
  #writeToGroup(groupBatch: GroupBatch<R>): void {
    for (const recipient of groupBatch.group.values()) {
      try {
        const sequence = groupBatch.for(recipient);
        if (sequence.byteLength === 0) continue;
        if (recipient.backlog === undefined) this.#write(recipient, sequence);
        else this.#holdAll(recipient, sequence);
      } catch (error) {
        this.#parts.report.fail(recipient, error);
      }
    }
  }

  #publish(groupBatch: GroupBatch<R>): boolean {
    const { counters, multicast } = this.#parts;
    const { all, exceptions, group } = groupBatch;
    if (!this.#isWell(group) || multicast?.publish(groupBatch, this.#inspectAll) !== true) return false;
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

  /** Returns whether no member of the group is congested. */
  #isWell(group: Group<R>): boolean {
    if (this.#congested === 0) return true;
    for (const { backlog } of group.values()) if (backlog !== undefined) return false;
    return true;
  }

  readonly #inspectAll = (group: Group<R>, published: number): boolean => {
    for (const recipient of group.values()) this.#inspect(recipient, published);
    return this.#isWell(group);
  };

  /**
   * Checks whether the transport holds too much for a recipient that was sent to through the multicast.
   *
   * @param published - the number of bytes that were sent to it since the last check.
   */
  #inspect(recipient: R, published: number): void {
    const { backlog, connection, open } = recipient;
    recipient.unconfirmedBytes += published;
    if (open && backlog === undefined && !this.#isReady(connection)) this.#congest(recipient);
  }

  /** Returns whether the transport holds so little that it may be given more. */
  #isReady({ bufferedAmount, isHolding }: Connection): boolean {
    return isHolding !== true && bufferedAmount <= this.#highWaterMark;
  }

  #setPending(recipient: R, batch: Batch): void {
    recipient.pending = batch;
    if (batch.byteLength < this.#flushBytes) return;
    if (recipient.connection.bufferedAmount + batch.byteLength <= this.#parts.maxBufferedBytes) {
      this.#write(recipient, batch);
      return;
    }
    // Which part of it may be kept is decided as for a backlog, which is written at once.
    const backlog = this.#congest(recipient);
    if (recipient.backlog === backlog) this.#handOn(recipient, backlog);
  }

  #write(recipient: R, sequence: Sequence): void {
    recipient.pending = undefined;
    const { connection } = recipient;
    if (!this.#handOver(recipient, sequence) && !this.#isReady(connection)) this.#congest(recipient);
  }

  #handOver(recipient: R, sequence: Sequence): boolean {
    const { counters } = this.#parts;
    counters.writes++;
    counters.messagesOut += sequence.count;
    counters.bytesOut += sequence.byteLength;
    recipient.unconfirmedBytes += sequence.byteLength;
    return recipient.connection.write(sequence);
  }

  /**
   * Hands a backlog over, portion after portion, until the transport has enough.
   *
   * The recipient stays congested only after a write that returned `false`, because then the transport owes a drain.
   * After a write that returned `true` no drain may be waited for, whatever `bufferedAmount` is.
   */
  #handOn(recipient: R, backlog: Backlog): void {
    const { connection } = recipient;
    let isTaken = true;
    for (;;) {
      this.#tellOfDrops(recipient, backlog, 0, isTaken && backlog.count === 0);
      if (backlog.count === 0) break;
      isTaken = this.#handOver(recipient, backlog.take(PORTION_BYTES));
      if (!isTaken && !this.#isReady(connection)) return;
    }
    // The notice has no room until some of what the transport holds is written.
    if (backlog.dropped === 0) this.#relieve(recipient);
  }

  #hold(recipient: R, backlog: Backlog, frame: OutgoingFrame): void {
    const { overload } = frame;
    if (overload?.key !== undefined && backlog.supersede(overload.key)) this.#drop(recipient, "superseded");
    this.#tellOfDrops(recipient, backlog, frame.bytes.length);
    if (backlog.dropped === 0 && this.#fits(recipient, backlog, frame.bytes.length)) backlog.push(frame);
    else if (overload?.policy === "drop") {
      backlog.dropped++;
      this.#drop(recipient, "overload");
    } else this.#parts.report.overflow(recipient);
  }

  #drop(recipient: R, reason: DropReason): void {
    const { counters, report } = this.#parts;
    counters.drops[reason]++;
    report.dropped(recipient, reason);
  }

  #holdAll(recipient: R, { frames }: Sequence): void {
    for (const frame of frames) if (recipient.backlog !== undefined) this.#hold(recipient, recipient.backlog, frame);
  }

  /**
   * Puts the notice of dropped messages in their place, if there is room for it and for `byteLength` bytes behind it.
   *
   * @param isLast - whether the notice is due although there may be no room. Default: `false`.
   */
  #tellOfDrops(recipient: R, backlog: Backlog, byteLength: number, isLast = false): void {
    if (backlog.dropped === 0 || !(isLast || this.#fits(recipient, backlog, byteLength))) return;
    const notice = this.#parts.report.notice(recipient, backlog.dropped);
    if (notice !== undefined) {
      if (!isLast && !this.#fits(recipient, backlog, notice.bytes.length + byteLength)) return;
      backlog.push(notice);
    }
    backlog.dropped = 0;
  }

  #fits({ connection }: R, backlog: Backlog, byteLength: number): boolean {
    return backlog.byteLength + connection.bufferedAmount + byteLength <= this.#parts.maxBufferedBytes;
  }

  /** Begins a backlog, in which all frames wait from here on, the pending ones first. */
  #congest(recipient: R): Backlog {
    const { pending } = recipient;
    const backlog = new Backlog();
    recipient.pending = undefined;
    recipient.backlog = backlog;
    this.#congested++;
    if (pending !== undefined) this.#holdAll(recipient, pending);
    return backlog;
  }

  #relieve(recipient: R): void {
    recipient.backlog = undefined;
    this.#congested--;
  }
}
