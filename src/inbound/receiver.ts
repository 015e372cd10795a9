import { Buffer } from "node:buffer";
import type { Counters } from "../counters.ts";
import type { Codecs } from "../delivery/codecs.ts";
import { ownedMessage } from "../delivery/incoming-message.ts";
import { messageOf } from "../errors.ts";
import { forEach, soon } from "../guard.ts";
import type { ByteBudget } from "../limits/byte-budget.ts";
import { Inbox, sizeOf, type WaitingMessage, type WeighedMessage } from "../limits/inbox.ts";
import type { Limits } from "../limits/limits.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import type { WorkBudget } from "../limits/work.ts";
import type { MemberLifecycle } from "../members/lifecycle.ts";
import type { Member } from "../members/member.ts";
import type { Requests } from "../members/requests.ts";
import { CloseCode, type Close } from "../protocol/close-codes.ts";
import {
  ControlEvent,
  isKeyed,
  isReply,
  parsePacket,
  WireErrorCode,
  type EventPacket,
  type Packet,
  type WireError,
} from "../protocol/packet.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { isRoomRequest, type Dispatcher } from "./dispatcher.ts";
import type { Responder } from "./responder.ts";

/** Receives the messages that are no packets, and the failures. */
export interface ReceiverReport extends ErrorReport {
  /** Hands a message that is no packet to the application. Returns `false` if the application takes none. */
  message(member: Member, data: string | Uint8Array): boolean;
}

/** The requests of clients to join and leave rooms, for which what they send afterwards waits. */
interface RoomDecisions {
  undecidedSince(socket: unknown): number | undefined;
  age(socket: unknown): void;
}

export interface ReceiverParts {
  readonly clock: Clock;
  readonly codecs: Codecs;
  readonly counters: Counters;
  readonly dispatcher: Dispatcher;
  readonly lifecycle: MemberLifecycle;
  readonly limits: Limits;
  readonly requests: Requests<Member>;
  readonly rates: RateLimits;
  readonly responder: Responder;
  readonly rooms: RoomDecisions;
  readonly work: WorkBudget;
  /** The budget of all messages that wait. */
  readonly waiting: ByteBudget;
  readonly report: ReceiverReport;
}

/** The time that a message waits for rooms, and for handlers to finish before it may be refused, in milliseconds. */
const PATIENCE = 10_000;

/** The interval between checks of messages that wait for handlers, in milliseconds. */
const SWEEP_INTERVAL = 1_000;

/**
 * The number of bytes that may wait beyond the limit of a client that is not read from any more. What has been read already is
 * handed over nevertheless: ten thousand empty messages at most, with their records, or whatever they make when inflated.
 */
const ALREADY_READ = 4 * 1024 * 1024;

/** The most messages of one member that are handled in a row after a wait. */
const AT_ONCE = 100;

/** Number of waiting members that are looked at when a handler has finished. */
const LOOKS = 16;

/**
 * Decodes the messages of clients to packets and hands the packets on, each when it is the message's turn.
 *
 * A message waits, in its order, in four cases: while its client has used up its rate; while handlers are at work on
 * as much as may be, for its socket, its owner or the hub; while it is not decided which rooms the client is in that has
 * asked for some; and while another node is asked about a request that the client has repeated. Replies, and the answers to `hub:ping`, do not wait for handlers, which may be waiting for just
 * these.
 */
export class Receiver {
  readonly #parts: ReceiverParts;
  /** The members of which messages wait for handlers to finish. */
  readonly #blocked = new Set<Member>();
  #timer: Timer | undefined;

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
  }

  /** Handles a message of a member. The bytes are the transport's. */
  receive(member: Member, data: Buffer, isBinary: boolean): void {
    const { counters, rates } = this.#parts;
    counters.messagesIn++;
    counters.bytesIn += data.length;
    if (member.inbox !== undefined && member.inbox.unread.size > 0) {
      this.#keepUnread(member, data, isBinary);
      return;
    }
    const delay = rates.delayOf(member);
    if (delay === 0) {
      this.#read(member, data, isBinary);
      return;
    }
    counters.pauses++;
    this.#keepUnread(member, data, isBinary);
    this.#readLater(member, delay);
  }

  /** Charges a control frame, which costs as much as a message. */
  control(member: Member): void {
    if (!this.#parts.rates.chargeControl(member)) this.#parts.responder.expel(member, FLOOD);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #keepUnread(member: Member, data: Buffer, isBinary: boolean): void {
    if (this.#makeRoom(member, data)) this.#inboxOf(member).unread.push({ data: Buffer.from(data), isBinary });
    else this.#flooded(member);
    if (member.inbox !== undefined) this.#pause(member);
  }

  /** Closes a client that sends more than may wait. */
  #flooded(member: Member): void {
    if (member.open) this.#parts.responder.expel(member, FLOOD);
  }

  /**
   * Returns whether one more message may wait. If there is no room for it, messages that wait for rooms are handled: the
   * order is given up before the client is.
   */
  #makeRoom(member: Member, data: Buffer): boolean {
    if (this.#hasRoom(member, data)) return true;
    this.#parts.rooms.age(member.socket);
    while (this.#handleNext(member)) if (!member.open || this.#hasRoom(member, data)) break;
    // The messages that still wait are handled soon, as after any wait.
    soon(this.#parts.report, () => this.#proceed(member));
    return member.open && this.#hasRoom(member, data);
  }

  #hasRoom({ connection, inbox, owner }: Member, data: Buffer): boolean {
    const { limits, waiting } = this.#parts;
    const most = limits.waitingBytes + (connection.pause === undefined ? 0 : ALREADY_READ);
    return (inbox === undefined || inbox.bytes <= most) && waiting.allows(owner, sizeOf(data));
  }

  #inboxOf(member: Member): Inbox {
    return (member.inbox ??= new Inbox(this.#parts.waiting, member.owner));
  }

  #pause(member: Member): void {
    if (member.isPaused || member.connection.pause === undefined) return;
    member.isPaused = true;
    member.connection.pause();
  }

  #resume(member: Member): void {
    if (!member.isPaused || member.ended !== undefined) return;
    member.isPaused = false;
    // The heartbeat must ask the member anew, because no sign of life was read meanwhile.
    member.askedIn = 0;
    member.connection.resume?.();
  }

  #readLater(member: Member, delay: number): void {
    this.#parts.clock.setTimeout(() => this.#readOn(member), delay);
  }

  /** Reads the messages that waited for the rate of their client. A failure ends only this member. */
  #readOn(member: Member): void {
    try {
      this.#readUnread(member);
    } catch (error) {
      this.#parts.lifecycle.fail(member, error);
    }
  }

  /** Reads the waiting messages, as far as the rate allows now. */
  #readUnread(member: Member): void {
    const { rates } = this.#parts;
    const { inbox } = member;
    if (inbox === undefined) return;
    while (member.open && inbox.unread.size > 0) {
      const delay = rates.delayOf(member);
      if (delay > 0) {
        this.#readLater(member, delay);
        return;
      }
      const { data, isBinary } = inbox.unread.shift() as WaitingMessage;
      this.#read(member, data, isBinary);
    }
    if (member.open) this.#settle(member, inbox);
  }

  /** Reads from the client again, and forgets the inbox, if nothing or little waits. */
  #settle(member: Member, inbox: Inbox): void {
    if (inbox.unread.size > 0) return;
    if (inbox.isEmpty) {
      member.inbox = undefined;
      this.#parts.lifecycle.rested(member);
    }
    if (inbox.bytes <= this.#parts.limits.waitingBytes) this.#resume(member);
  }

  #read(member: Member, data: Buffer, isBinary: boolean): void {
    const { codecs, rates } = this.#parts;
    let weight = 0;
    let message: string | Buffer;
    let packet: Packet | undefined;
    try {
      weight = codecs.weigh(member.codec, data, isBinary);
      message = ownedMessage(data, isBinary);
      packet = packetOf(member, message);
    } catch (error) {
      this.#parts.responder.blame(member, undefined, { code: WireErrorCode.badPacket, message: messageOf(error) });
      return;
    } finally {
      rates.charge(member, data.length, weight);
    }
    if (packet !== undefined && isReply(packet)) this.#parts.requests.replied(member, packet, message);
    else if (packet?.event === ControlEvent.pong) member.answered();
    else if (this.#isInTurn(member, packet, weight)) this.#handle(member, packet, message, weight);
    else if (this.#makeRoom(member, data)) {
      this.#keepWeighed(member, { data: Buffer.from(data), isBinary }, weight);
    } else this.#handleOrClose(member, packet, message, weight);
  }

  /** Keeps a message that waits for handlers to finish, or for rooms. */
  #keepWeighed(member: Member, message: WaitingMessage, weight: number): void {
    const { clock, limits } = this.#parts;
    const inbox = this.#inboxOf(member);
    inbox.weighed.push({ ...message, weight, since: clock.now() });
    this.#blocked.add(member);
    this.#timer ??= clock.setTimeout(this.#sweep, SWEEP_INTERVAL);
    if (inbox.bytes > limits.waitingBytes) this.#pause(member);
  }

  /** Hands a message on. What is no packet goes to the application. */
  #handle(member: Member, packet: EventPacket | undefined, message: string | Buffer, weight: number): void {
    const { dispatcher, report, responder } = this.#parts;
    if (packet !== undefined) dispatcher.dispatch(member, packet, weight);
    else if (!report.message(member, message)) responder.blame(member, undefined, UNEXPECTED_MESSAGE);
  }

  /** Handles a message that may not wait. If other messages of the client wait nevertheless, it sends too much. */
  #handleOrClose(member: Member, packet: EventPacket | undefined, message: string | Buffer, weight: number): void {
    if (member.open && this.#isInTurn(member, packet, weight)) this.#handle(member, packet, message, weight);
    else this.#flooded(member);
  }

  /** Returns whether a message that has just come may be handled at once. */
  #isInTurn(member: Member, packet: EventPacket | undefined, weight: number): boolean {
    if ((member.inbox?.weighed.size ?? 0) > 0 || !this.#mayBegin(member, weight)) return false;
    if (member.question !== undefined && (packet === undefined || !isKeyed(packet))) return false;
    return !this.#isHeldUp(member) || (packet !== undefined && isRoomRequest(packet));
  }

  /**
   * Returns whether a message that has waited since this time still has to wait for the rooms that its client asked for.
   * It does for {@link PATIENCE} at most, after the request as after the message: a `joinable` that does not answer costs the
   * client the order, not the messages.
   */
  #isHeldUp({ socket }: Member, since = Infinity): boolean {
    const { clock, rooms } = this.#parts;
    const undecidedSince = rooms.undecidedSince(socket);
    return undecidedSince !== undefined && clock.now() - Math.min(since, undecidedSince) < PATIENCE;
  }

  /** Returns whether a handler may begin with a message of this weight. */
  #mayBegin(member: Member, weight: number): boolean {
    const { limits, work } = this.#parts;
    const { handling, handlingBytes } = member;
    if (handling >= limits.pendingRequests) return false;
    if (handling > 0 && handlingBytes + weight > limits.pendingBytes) return false;
    return work.allows(member, weight);
  }

  /** Handles the messages that waited for handlers to finish. A failure ends only this member. */
  #proceed(member: Member): void {
    try {
      this.#handleWeighed(member);
    } catch (error) {
      this.#parts.lifecycle.fail(member, error);
    }
  }

  /** Handles the weighed messages that may begin now. */
  #handleWeighed(member: Member): void {
    const { inbox } = member;
    if (inbox === undefined) {
      this.#blocked.delete(member);
      return;
    }
    let count = 0;
    while (count < AT_ONCE && this.#handleNext(member)) count++;
    if (inbox.weighed.size === 0) this.#blocked.delete(member);
    else if (count === AT_ONCE) soon(this.#parts.report, () => this.#proceed(member));
    if (member.open) this.#settle(member, inbox);
  }

  /** Handles the first weighed message, if it may begin now. Returns whether it did. */
  #handleNext(member: Member): boolean {
    const next = member.inbox?.weighed.first;
    if (next === undefined || !this.#mayBegin(member, next.weight) || this.#isHeldUp(member, next.since)) return false;
    if (member.question !== undefined) return false;
    member.inbox?.weighed.shift();
    this.#handleAgain(member, next);
    return true;
  }

  /** Handles a message that was decoded before, and has waited. */
  #handleAgain(member: Member, { data, isBinary, weight }: WeighedMessage): void {
    const message = ownedMessage(data, isBinary);
    let packet: EventPacket | undefined;
    try {
      packet = packetOf(member, message) as EventPacket | undefined;
    } catch (error) {
      this.#parts.responder.blame(member, undefined, { code: WireErrorCode.badPacket, message: messageOf(error) });
      return;
    }
    this.#handle(member, packet, message, weight);
  }

  /** Handles messages that may begin because a handler has finished. */
  finished(member: Member): void {
    if (this.#blocked.has(member)) this.#proceed(member);
    let looks = 0;
    for (const other of this.#blocked) {
      if (++looks > LOOKS) return;
      // The next call begins with other members.
      this.#blocked.delete(other);
      this.#blocked.add(other);
      this.#proceed(other);
    }
  }

  /**
   * Refuses messages that have waited too long for handlers to finish, while more wait than may: a client that keeps to its
   * window waits as long as it takes. Messages that have waited long enough for rooms are handled.
   */
  readonly #sweep = (): void => {
    this.#timer = undefined;
    const { clock, lifecycle, limits } = this.#parts;
    const oldest = clock.now() - PATIENCE;
    const refuseOld = (member: Member): void => {
      for (;;) {
        const weighed = member.inbox?.weighed;
        const first = weighed?.first;
        if (weighed === undefined || first === undefined || first.since > oldest) break;
        if (weighed.bytes <= limits.waitingBytes || this.#mayBegin(member, first.weight)) break;
        weighed.shift();
        this.#refuse(member, first);
      }
      this.#proceed(member);
    };
    forEach(this.#blocked, refuseOld, lifecycle.fail);
    if (this.#blocked.size > 0) this.#timer ??= clock.setTimeout(this.#sweep, SWEEP_INTERVAL);
  };

  #refuse(member: Member, { data, isBinary }: WaitingMessage): void {
    let packet: EventPacket | undefined;
    try {
      packet = packetOf(member, ownedMessage(data, isBinary)) as EventPacket | undefined;
    } catch {
      // The client is told nevertheless.
    }
    this.#parts.responder.refuse(member, packet, TOO_MANY_REQUESTS);
  }
}

/** Decodes a message; returns `undefined` for a message that is no packet of the codec. */
function packetOf({ codec }: Member, message: string | Buffer): Packet | undefined {
  const decoded = codec.decode(message);
  return decoded === undefined ? undefined : parsePacket(decoded);
}

const FLOOD: Close = { code: CloseCode.abuse, reason: "Too much, too fast" };

const UNEXPECTED_MESSAGE: WireError = {
  code: WireErrorCode.unexpectedMessage,
  message: "This server takes no messages other than packets.",
};

const TOO_MANY_REQUESTS: WireError = {
  code: WireErrorCode.tooManyRequests,
  message: "Too many of your messages are being handled. Wait for replies.",
};
