import { Buffer } from "node:buffer";
import { isThenable } from "../checks/is-thenable.ts";
import type { HubSide } from "../contract/hub-side.ts";
import type { Counters } from "../counters.ts";
import type { Codecs } from "../delivery/codecs.ts";
import type { Delivery } from "../delivery/delivery.ts";
import { ownedMessage } from "../delivery/incoming-message.ts";
import { isInstance, messageOf, ReplyError, RoomLimitError } from "../errors.ts";
import { forEach, watch, soon } from "../guard.ts";
import type { Limits } from "../limits/limits.ts";
import { Inbox, type WaitingMessage } from "../limits/inbox.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import type { WorkBudget } from "../limits/work.ts";
import type { MemberLifecycle } from "../members/lifecycle.ts";
import type { LocalNode } from "../members/local-node.ts";
import type { Member } from "../members/member.ts";
import type { Requests } from "../members/requests.ts";
import { CloseCode, type Close } from "../protocol/close-codes.ts";
import {
  ControlEvent,
  isReply,
  parsePacket,
  RESERVED_PREFIX,
  WireErrorCode,
  type EventPacket,
  type Packet,
  type ReplyPacket,
  type WireError,
} from "../protocol/packet.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock, Timer } from "../time/clock.ts";
import type { Handlers } from "./handlers.ts";
import type { Idempotency } from "./idempotency.ts";
import type { Call, CallTrace, MiddlewareChain } from "./middleware.ts";

/** Whom the dispatcher tells what is not its own. */
export interface DispatcherReport extends ErrorReport {
  /** Hands a message that is no packet to the application. Returns `false` if the application takes none. */
  message(member: Member, data: string | Uint8Array): boolean;
}

export interface DispatcherParts {
  readonly clock: Clock;
  readonly codecs: Codecs;
  readonly counters: Counters;
  readonly delivery: Delivery<Member>;
  readonly lifecycle: MemberLifecycle;
  readonly limits: Limits;
  readonly local: LocalNode;
  readonly requests: Requests<Member>;
  readonly rates: RateLimits;
  readonly work: WorkBudget;
  readonly middleware: MiddlewareChain<unknown>;
  readonly handlers: Handlers;
  /** The contract, of which clients may send the events; without a contract, any event. */
  readonly contract: HubSide<never> | undefined;
  /** Whether the replies of handlers are checked, too. */
  readonly validateOutgoing: boolean;
  /** Requests that clients may repeat; absent if they are handled each time. */
  readonly idempotency: Idempotency<Member> | undefined;
  readonly report: DispatcherReport;
}

/** How long a message waits for handlers to finish before it is refused, in milliseconds. */
const PATIENCE = 10_000;

/** How often messages that wait for handlers are looked through, in milliseconds. */
const SWEEP_INTERVAL = 1_000;

/** The most messages of one member that are handled in a row after a wait. */
const AT_ONCE = 100;

/** So many members that wait are looked at when a handler has finished. */
const LOOKS = 16;

/**
 * Takes what clients send from a message to a packet, to a handler, to a reply.
 *
 * A message waits, in its order, in two cases: while its client has used up its rate, and while handlers are at work on as much as
 * may be, for its socket, its owner or the hub. Replies, and the answers to `hub:ping`, do not wait for handlers, which may be
 * waiting for just these.
 */
export class Dispatcher {
  readonly #parts: DispatcherParts;
  /** The members of which messages wait for handlers to finish. */
  readonly #blocked = new Set<Member>();
  #timer: Timer | undefined;

  constructor(parts: DispatcherParts) {
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
    if (!this.#parts.rates.chargeControl(member)) this.#endAbuse(member, FLOOD);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Closes a member that does harm: nothing more is read from it, and its owner may not reconnect for ever. */
  #endAbuse(member: Member, close: Close): void {
    const { lifecycle, rates } = this.#parts;
    rates.abused(member);
    lifecycle.expelAbusive(member, close);
  }

  #keepUnread(member: Member, data: Buffer, isBinary: boolean): void {
    if (this.#hasRoom(member)) (member.inbox ??= new Inbox()).unread.push({ data: Buffer.from(data), isBinary });
    if (member.inbox !== undefined) this.#pause(member);
  }

  /** Whether one more message may wait. A client that cannot be made to wait is closed if it sends too much. */
  #hasRoom(member: Member): boolean {
    const { connection, inbox } = member;
    if (connection.pause !== undefined || inbox === undefined || inbox.bytes <= this.#parts.limits.waitingBytes)
      return true;
    this.#endAbuse(member, FLOOD);
    return false;
  }

  #pause(member: Member): void {
    if (member.isPaused || member.connection.pause === undefined) return;
    member.isPaused = true;
    member.connection.pause();
  }

  #resume(member: Member): void {
    if (!member.isPaused) return;
    member.isPaused = false;
    // A question that was asked before is asked anew.
    member.askedIn = 0;
    member.connection.resume?.();
  }

  #readLater(member: Member, delay: number): void {
    this.#parts.clock.setTimeout(() => this.#readOn(member), delay);
  }

  /** Reads what waited for the rate of its client. If that fails, only this member ends. */
  #readOn(member: Member): void {
    try {
      this.#readUnread(member);
    } catch (error) {
      this.#parts.lifecycle.fail(member, error);
    }
  }

  /** Reads what waited, as far as the rate allows now. */
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
    const { codecs, rates, report } = this.#parts;
    let weight = 0;
    let message: string | Buffer;
    let packet: Packet | undefined;
    try {
      weight = codecs.weigh(member.codec, data, isBinary);
      message = ownedMessage(data, isBinary);
      packet = packetOf(member, message);
    } catch (error) {
      this.#blame(member, undefined, { code: WireErrorCode.badPacket, message: messageOf(error) });
      return;
    } finally {
      rates.charge(member, data.length, weight);
    }
    if (packet === undefined) {
      if (!report.message(member, message)) this.#blame(member, undefined, UNEXPECTED_MESSAGE);
    } else if (isReply(packet)) this.#parts.requests.replied(member, packet, message);
    else if (packet.event === ControlEvent.pong) return;
    else if ((member.inbox?.weighed.size ?? 0) === 0 && this.#mayBegin(member, weight)) {
      this.#dispatch(member, packet, weight);
    } else if (this.#hasRoom(member)) {
      this.#keepWeighed(member, { data: Buffer.from(data), isBinary }, weight);
    }
  }

  /** Keeps a message that waits for handlers to finish. */
  #keepWeighed(member: Member, message: WaitingMessage, weight: number): void {
    const { clock, limits } = this.#parts;
    const inbox = (member.inbox ??= new Inbox());
    inbox.weighed.push({ ...message, weight, since: clock.now() });
    this.#blocked.add(member);
    this.#timer ??= clock.setTimeout(this.#sweep, SWEEP_INTERVAL);
    if (inbox.bytes > limits.waitingBytes) this.#pause(member);
  }

  /** Whether a handler may begin with a message of this weight. */
  #mayBegin(member: Member, weight: number): boolean {
    const { limits, work } = this.#parts;
    const { handling, handlingBytes } = member;
    if (handling >= limits.pendingRequests) return false;
    if (handling > 0 && handlingBytes + weight > limits.pendingBytes) return false;
    return work.allows(member, weight);
  }

  /** Handles what waited for handlers to finish. If that fails, only this member ends. */
  #proceed(member: Member): void {
    try {
      this.#handleWeighed(member);
    } catch (error) {
      this.#parts.lifecycle.fail(member, error);
    }
  }

  /** Handles what waited, as far as may be now. */
  #handleWeighed(member: Member): void {
    const { inbox } = member;
    if (inbox === undefined) {
      this.#blocked.delete(member);
      return;
    }
    for (let count = 0; member.open; count++) {
      const next = inbox.weighed.first;
      if (next === undefined) {
        this.#blocked.delete(member);
        break;
      }
      if (!this.#mayBegin(member, next.weight)) break;
      if (count === AT_ONCE) {
        soon(this.#parts.report, () => this.#proceed(member));
        break;
      }
      inbox.weighed.shift();
      const packet = this.#decodeAgain(member, next);
      if (packet !== undefined) this.#dispatch(member, packet, next.weight);
    }
    if (member.open) this.#settle(member, inbox);
  }

  /** Decodes a message that was an event before. */
  #decodeAgain(member: Member, { data, isBinary }: WaitingMessage): EventPacket | undefined {
    try {
      return packetOf(member, ownedMessage(data, isBinary)) as EventPacket;
    } catch (error) {
      this.#blame(member, undefined, { code: WireErrorCode.badPacket, message: messageOf(error) });
      return undefined;
    }
  }

  /** Counts the end of a handler, and handles what may begin instead. */
  #finished(member: Member, weight: number): void {
    this.#parts.work.end(member, weight);
    if (this.#blocked.has(member)) this.#proceed(member);
    let looks = 0;
    for (const other of this.#blocked) {
      if (++looks > LOOKS) return;
      // The next look begins with others.
      this.#blocked.delete(other);
      this.#blocked.add(other);
      this.#proceed(other);
    }
  }

  /** Refuses messages that have waited too long for handlers to finish. */
  readonly #sweep = (): void => {
    this.#timer = undefined;
    const { clock, lifecycle } = this.#parts;
    const oldest = clock.now() - PATIENCE;
    const refuseOld = (member: Member): void => {
      for (;;) {
        const first = member.inbox?.weighed.first;
        if (first === undefined || first.since > oldest) break;
        member.inbox?.weighed.shift();
        this.#refuse(member, this.#decodeAgain(member, first), TOO_MANY_REQUESTS);
      }
      this.#proceed(member);
    };
    forEach(this.#blocked, refuseOld, lifecycle.fail);
    if (this.#blocked.size > 0) this.#timer ??= clock.setTimeout(this.#sweep, SWEEP_INTERVAL);
  };

  #dispatch(member: Member, packet: EventPacket, weight: number): void {
    const { event } = packet;
    const handler = member.handlers?.get(event) ?? this.#parts.handlers.get(event);
    if (handler === undefined) {
      this.#blame(member, packet, event.startsWith(RESERVED_PREFIX) ? reserved(event) : unknown(event));
      return;
    }
    const accepted = this.#accept(member, packet);
    if (accepted === undefined || (isKeyed(packet) && !this.#isNew(member, packet))) return;
    const { middleware } = this.#parts;
    const isBare = middleware.isEmpty || event.startsWith(RESERVED_PREFIX);
    const trace: CallTrace | undefined = isBare ? undefined : { ended: false };
    try {
      const { data } = accepted;
      const { context, socket } = member;
      const result =
        trace === undefined
          ? handler(data, socket, context)
          : middleware.run(callOf(packet, data, member), handler, trace, (error) =>
              this.#report(member, event, error, trace),
            );
      if (isThenable(result)) {
        const failed = (error: unknown): void => this.#parts.lifecycle.fail(member, error);
        watch({ error: failed }, this.#await(member, packet, weight, result, trace));
        return;
      }
      this.#reply(member, packet, result);
    } catch (error) {
      this.#fail(member, packet, error, trace);
    }
    if (trace !== undefined) trace.ended = true;
  }

  async #await(
    member: Member,
    packet: EventPacket,
    weight: number,
    result: PromiseLike<unknown>,
    trace: CallTrace | undefined,
  ): Promise<void> {
    this.#parts.work.begin(member, weight);
    try {
      this.#reply(member, packet, await result);
    } catch (error) {
      this.#fail(member, packet, error, trace);
    } finally {
      if (trace !== undefined) trace.ended = true;
      this.#finished(member, weight);
    }
    this.#parts.lifecycle.rested(member);
  }

  /** Returns the data as the contract makes it; `undefined`, and the client was told why, for data that does not fit. */
  #accept(member: Member, packet: EventPacket): { readonly data: unknown } | undefined {
    const { contract, report } = this.#parts;
    const { event, data } = packet;
    // Packets of the protocol itself are checked by their handlers.
    if (contract === undefined || event.startsWith(RESERVED_PREFIX)) return { data };
    const acceptance = contract.accept(event, data);
    if (acceptance.ok) return acceptance;
    if ("unknown" in acceptance) {
      this.#blame(member, packet, unknown(event));
      return undefined;
    }
    if (acceptance.error !== undefined) report.failed(acceptance.error, "handler", { event, socket: member.socket });
    this.#blame(member, packet, { code: WireErrorCode.invalidData, message: acceptance.message });
    return undefined;
  }

  /** Whether a request with a key has to be handled. A repeated request gets its reply here, or as soon as there is one. */
  #isNew(member: Member, packet: EventPacket): boolean {
    const { idempotency, local } = this.#parts;
    if (idempotency === undefined) return true;
    const { isNew, reply, isGone, isExcessive } = idempotency.receive(member, packet);
    if (reply !== undefined) local.send(member, reply);
    else if (isGone === true) this.#refuse(member, packet, REPLY_GONE);
    else if (isExcessive === true) this.#blame(member, packet, TOO_MANY_REPEATS);
    return isNew;
  }

  /** Answers a request. The result of a handler of an event that asks for no reply is not used. */
  #reply(member: Member, packet: EventPacket, data: unknown): void {
    if (packet.id === undefined) return;
    const { contract, validateOutgoing } = this.#parts;
    try {
      if (validateOutgoing && !packet.event.startsWith(RESERVED_PREFIX)) contract?.checkReply(packet.event, data);
      this.#answer(member, packet, { reply: packet.id, data });
    } catch (error) {
      this.#fail(member, packet, error);
    }
  }

  #fail(member: Member, packet: EventPacket, error: unknown, trace?: CallTrace): void {
    try {
      this.#refuseFor(member, packet, error, trace);
    } catch (failure) {
      // Whatever failed, the request is not under way any more.
      this.#parts.idempotency?.settle(member, packet, undefined);
      throw failure;
    }
  }

  /** Refuses what a handler, or middleware, has thrown for. */
  #refuseFor(member: Member, packet: EventPacket, error: unknown, trace: CallTrace | undefined): void {
    if (isInstance(error, ReplyError)) {
      this.#refuse(member, packet, { code: error.reason, message: messageOf(error) });
      if (error.reason === WireErrorCode.notJoinable) this.#charge(member, FAILURE_COST);
    } else if (isInstance(error, RoomLimitError)) {
      this.#refuse(member, packet, TOO_MANY_ROOMS);
      this.#charge(member, FAILURE_COST);
    } else {
      this.#report(member, packet.event, error, trace);
      this.#refuse(member, packet, HANDLER_FAILED);
      this.#charge(member, FAILURE_COST);
    }
  }

  #report(member: Member, event: string, error: unknown, trace: CallTrace | undefined): void {
    const { counters, report } = this.#parts;
    const failure = trace?.handlerFailure;
    const isMiddleware = trace !== undefined && (failure === undefined || !Object.is(failure.error, error));
    const isRoom = event === ControlEvent.join || event === ControlEvent.leave;
    counters.handlerErrors++;
    report.failed(error, isMiddleware ? "middleware" : isRoom ? "joinable" : "handler", {
      event,
      socket: member.socket,
    });
  }

  /** Refuses something that is the client's own fault. A client that goes on with that is closed. */
  #blame(member: Member, packet: EventPacket | undefined, error: WireError): void {
    this.#parts.counters.violations++;
    this.#refuse(member, packet, error);
    this.#charge(member, 1);
  }

  /** Charges a violation of this cost. A client that has spent all of them is closed. */
  #charge(member: Member, cost: number): void {
    if (member.open && !this.#parts.rates.violated(member, cost)) this.#endAbuse(member, ABUSE);
  }

  /** Sends an error as the reply to a request, or as `hub:error` where there is no request. */
  #refuse(member: Member, packet: EventPacket | undefined, error: WireError): void {
    try {
      if (packet?.id === undefined) this.#parts.local.tell(member, { event: ControlEvent.error, data: error });
      else this.#answer(member, packet, { reply: packet.id, error });
    } catch (failure) {
      // Nobody can be told. The request was handled nevertheless.
      if (packet !== undefined) this.#parts.idempotency?.settle(member, packet, undefined);
      this.#parts.report.failed(failure, "handler", { event: ControlEvent.error, socket: member.socket });
    }
  }

  #answer(member: Member, packet: EventPacket, reply: ReplyPacket): void {
    const { codecs, delivery, idempotency, lifecycle } = this.#parts;
    // A client that is gone may reconnect and ask for the reply to a request with a key.
    if (!member.open && !isKeyed(packet)) return;
    const frame = codecs.encode(reply, member.codec);
    const askers = isKeyed(packet) ? idempotency?.settle(member, packet, frame) : undefined;
    for (const asker of askers ?? [member]) {
      try {
        delivery.send(asker, frame);
      } catch (error) {
        lifecycle.fail(asker, error);
      }
    }
  }
}

function isKeyed({ id, key }: EventPacket): boolean {
  return id !== undefined && key !== undefined;
}

/** What a refusal that costs the server an exception counts, in violations. */
const FAILURE_COST = 0.1;

/** What middleware sees of a message. */
function callOf({ event, id }: EventPacket, data: unknown, { context, socket }: Member): Call<unknown> {
  return {
    event,
    data,
    socket,
    isRequest: id !== undefined,
    get signal() {
      return context.signal;
    },
  };
}

/** Decodes a message; `undefined` if it is none of the codec's. */
function packetOf({ codec }: Member, message: string | Buffer): Packet | undefined {
  const decoded = codec.decode(message);
  return decoded === undefined ? undefined : parsePacket(decoded);
}

const FLOOD: Close = { code: CloseCode.abuse, reason: "Too much, too fast" };
const ABUSE: Close = { code: CloseCode.abuse, reason: "Too much that is wrong" };

const UNEXPECTED_MESSAGE: WireError = {
  code: WireErrorCode.unexpectedMessage,
  message: "This server takes no messages other than packets.",
};

const TOO_MANY_REQUESTS: WireError = {
  code: WireErrorCode.tooManyRequests,
  message: "Too many of your messages are being handled. Wait for replies.",
};

const TOO_MANY_REPEATS: WireError = {
  code: WireErrorCode.tooManyRequests,
  message: "Too many connections wait for the reply to this request.",
};

const REPLY_GONE: WireError = {
  code: WireErrorCode.replyGone,
  message: "This request was handled. Its reply was too large to be kept.",
};

const TOO_MANY_ROOMS: WireError = { code: WireErrorCode.tooManyRooms, message: "This would be a room too many." };

const HANDLER_FAILED: WireError = { code: WireErrorCode.handlerFailed, message: "The server failed to handle this." };

function reserved(event: string): WireError {
  return { code: WireErrorCode.reservedEvent, message: `"${event}" is not an event that a client may send.` };
}

function unknown(event: string): WireError {
  return { code: WireErrorCode.unknownEvent, message: `The server handles no event "${event}".` };
}
