import { isThenable } from "../checks/is-thenable.ts";
import type { HubSide } from "../contract/hub-side.ts";
import type { Counters } from "../counters.ts";
import { isInstance, messageOf, ReplyError, RoomLimitError } from "../errors.ts";
import { watch } from "../guard.ts";
import type { WorkBudget } from "../limits/work.ts";
import type { MemberLifecycle } from "../members/lifecycle.ts";
import type { LocalNode } from "../members/local-node.ts";
import type { AnyHandler, Member } from "../members/member.ts";
import type { Receipt, RepeatNodes } from "../members/repeats.ts";
import {
  ControlEvent,
  isKeyed,
  RESERVED_PREFIX,
  WireErrorCode,
  type EventPacket,
  type RefusedRoom,
  type WireError,
} from "../protocol/packet.ts";
import type { ErrorReport } from "../report.ts";
import type { Handlers } from "./handlers.ts";
import { repeatableOf, type Idempotency } from "./idempotency.ts";
import type { Call, CallTrace, MiddlewareChain } from "./middleware.ts";
import type { Responder } from "./responder.ts";
import { InvalidRoomError, RefusedRooms } from "./room-requests.ts";

export interface DispatcherParts {
  readonly counters: Counters;
  readonly lifecycle: MemberLifecycle;
  readonly local: LocalNode;
  readonly responder: Responder;
  readonly work: WorkBudget;
  readonly middleware: MiddlewareChain<unknown>;
  readonly handlers: Handlers;
  /** The contract with the events that clients may send; without a contract, they may send any event. */
  readonly contract: HubSide<never> | undefined;
  /** Whether the replies of handlers are checked, too. */
  readonly validateOutgoing: boolean;
  /** Requests that clients may repeat; absent if they are handled each time. */
  readonly idempotency: Idempotency<Member> | undefined;
  /** The other nodes, which may have handled a request that was repeated here; absent without a backplane. */
  readonly nodes: RepeatNodes | undefined;
  /** Called when an asynchronous handler has finished for this member. */
  readonly finished: (member: Member) => void;
  readonly report: ErrorReport;
}

/** Hands the events of clients to their handlers, and sends the results as replies. */
export class Dispatcher {
  readonly #parts: DispatcherParts;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /** Handles an event of a member, whose data has this weight. */
  dispatch(member: Member, packet: EventPacket, weight: number): void {
    const { event } = packet;
    const handler = member.handlers?.get(event) ?? this.#parts.handlers.get(event);
    if (handler === undefined) {
      this.#parts.responder.blame(member, packet, event.startsWith(RESERVED_PREFIX) ? reserved(event) : unknown(event));
      return;
    }
    const accepted = this.#accept(member, packet);
    if (accepted === undefined) return;
    const { data } = accepted;
    if (!isKeyed(packet)) this.#handle(member, packet, weight, handler, data);
    else this.#handleOnce(member, packet, weight, () => this.#handle(member, packet, weight, handler, data));
  }

  #handle(member: Member, packet: EventPacket, weight: number, handler: AnyHandler<unknown>, data: unknown): void {
    const { event } = packet;
    const { middleware } = this.#parts;
    const isBare = middleware.isEmpty || event.startsWith(RESERVED_PREFIX);
    const trace: CallTrace | undefined = isBare ? undefined : { ended: false };
    try {
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
      this.#parts.work.end(member, weight);
      this.#parts.finished(member);
    }
    this.#parts.lifecycle.rested(member);
  }

  /**
   * Returns the data as the contract makes it; `undefined`, and the client was told why, for data that does not fit.
   */
  #accept(member: Member, packet: EventPacket): { readonly data: unknown } | undefined {
    const { contract, report } = this.#parts;
    const { event, data } = packet;
    // Packets of the protocol itself are checked by their handlers.
    if (contract === undefined || event.startsWith(RESERVED_PREFIX)) return { data };
    const acceptance = contract.accept(event, data);
    if (acceptance.ok) return acceptance;
    if ("unknown" in acceptance) {
      this.#parts.responder.blame(member, packet, unknown(event));
      return undefined;
    }
    if (acceptance.error !== undefined) report.failed(acceptance.error, "handler", { event, socket: member.socket });
    this.#parts.responder.blame(member, packet, { code: WireErrorCode.invalidData, message: acceptance.message });
    return undefined;
  }

  /**
   * Handles a request with a key, if it was not handled before. A repeated request gets its reply here, or as soon as
   * there is one.
   */
  #handleOnce(member: Member, packet: EventPacket, weight: number, handle: () => void): void {
    const { idempotency, lifecycle, nodes } = this.#parts;
    const failed = (error: unknown): void => lifecycle.fail(member, error);
    if (idempotency === undefined) {
      handle();
      return;
    }
    const home = member.home === undefined ? undefined : nodes?.nodeOf(member.home);
    const receipt = idempotency.receive(member, packet, home !== undefined);
    if (receipt.later !== undefined) watch({ error: failed }, this.#awaitLater(member, packet, receipt.later, handle));
    else if (!receipt.isNew) this.#conclude([member], packet, receipt);
    else if (home === undefined || nodes === undefined) handle();
    else watch({ error: failed }, this.#ask(nodes, home, member, packet, weight, handle));
  }

  /**
   * Asks the node to which the client has sent the request first, and handles it if that node has not. All questions of a
   * member are asked at once, and decided in order.
   */
  async #ask(
    nodes: RepeatNodes,
    home: string,
    member: Member,
    packet: EventPacket,
    weight: number,
    handle: () => void,
  ): Promise<void> {
    const { idempotency, lifecycle, work } = this.#parts;
    const repeatable = repeatableOf(member, packet);
    const decide = (receipt: Receipt): void => {
      if (receipt.isNew) {
        idempotency?.confirm(member, packet, home, (reply) => nodes.handled(home, repeatable, reply));
        handle();
      } else {
        this.#conclude(idempotency?.conclude(member, packet, receipt) ?? [member], packet, receipt);
      }
    };
    work.begin(member, weight);
    const claim = nodes.claim(home, repeatable);
    const question = member.question === undefined ? claim : member.question.then(() => claim);
    member.question = question;
    const receipt = await question;
    work.end(member, weight);
    try {
      if (receipt.later === undefined) decide(receipt);
    } finally {
      if (member.question === question) member.question = undefined;
      this.#parts.finished(member);
    }
    lifecycle.rested(member);
    if (receipt.later !== undefined) decide(await receipt.later);
  }

  /** Waits for another node that handles a request, and handles it if that node is gone before it has. */
  async #awaitLater(member: Member, packet: EventPacket, later: Promise<Receipt>, handle: () => void): Promise<void> {
    const receipt = await later;
    if (receipt.isNew) handle();
    else this.#conclude([member], packet, receipt);
  }

  /** Answers a repeated request that is not handled again. */
  #conclude(askers: Iterable<Member>, packet: EventPacket, { reply, isGone, isExcessive }: Receipt): void {
    const { lifecycle, local, responder } = this.#parts;
    for (const asker of askers) {
      try {
        if (reply !== undefined) local.send(asker, reply);
        else if (isGone === true) responder.refuse(asker, packet, REPLY_GONE);
        else if (isExcessive === true) responder.blame(asker, packet, TOO_MANY_REPEATS);
      } catch (error) {
        lifecycle.fail(asker, error);
      }
    }
  }

  /** Answers a request. The result of a handler of an event that asks for no reply is not used. */
  #reply(member: Member, packet: EventPacket, data: unknown): void {
    if (packet.id === undefined) return;
    const { contract, validateOutgoing } = this.#parts;
    try {
      if (validateOutgoing && !packet.event.startsWith(RESERVED_PREFIX)) contract?.checkReply(packet.event, data);
      this.#parts.responder.answer(member, packet, { reply: packet.id, data });
    } catch (error) {
      this.#fail(member, packet, error);
    }
  }

  #fail(member: Member, packet: EventPacket, error: unknown, trace?: CallTrace): void {
    try {
      this.#refuseFor(member, packet, error, trace);
    } catch (failure) {
      // The request is not under way any more, whichever step failed.
      this.#parts.idempotency?.settle(member, packet, undefined);
      throw failure;
    }
  }

  /** Refuses a message for which a handler or middleware has thrown. */
  #refuseFor(member: Member, packet: EventPacket, error: unknown, trace: CallTrace | undefined): void {
    if (isInstance(error, RefusedRooms)) {
      this.#refuseRooms(member, packet, error);
      return;
    }
    if (isFailure(error)) this.#report(member, packet.event, error, trace);
    this.#parts.responder.refuse(member, packet, wireErrorOf(error));
    this.#charge(member, [error]);
  }

  /**
   * Tells which rooms of a request were refused. The request as a whole has not failed.
   *
   * One message makes one report and one answer, however many rooms it names, because it is charged as one: a hub that
   * fails, or has changed its mind, must not close a client that only asks for its rooms again. Without an `id`, the client
   * is told of the first room.
   */
  #refuseRooms(member: Member, packet: EventPacket, { failures }: RefusedRooms): void {
    const { counters, responder } = this.#parts;
    const errors = Array.from(failures.values());
    const failed = errors.filter(isFailure);
    if (failed.length > 0) {
      this.#report(member, packet.event, failed[0], undefined);
      counters.handlerErrors += failed.length - 1;
    }
    const refused = Array.from(failures, ([room, error]): RefusedRoom => ({ room, ...wireErrorOf(error) }));
    if (packet.id === undefined) responder.refuse(member, packet, refused[0] as RefusedRoom);
    else responder.refuseRooms(member, packet, packet.id, refused);
    this.#charge(member, errors);
  }

  /** Charges the errors of one message. What the application refuses with a code of its own does not count. */
  #charge(member: Member, errors: readonly unknown[]): void {
    const { counters, responder } = this.#parts;
    if (errors.some((error) => isInstance(error, InvalidRoomError))) {
      counters.violations++;
      responder.charge(member, 1);
    } else if (errors.some(isCharged)) responder.charge(member, FAILURE_COST);
  }

  #report(member: Member, event: string, error: unknown, trace: CallTrace | undefined): void {
    const { counters, report } = this.#parts;
    const failure = trace?.handlerFailure;
    const isMiddleware = trace !== undefined && (failure === undefined || !Object.is(failure.error, error));
    counters.handlerErrors++;
    report.failed(error, isMiddleware ? "middleware" : isRoomRequest({ event }) ? "joinable" : "handler", {
      event,
      socket: member.socket,
    });
  }
}

/** Returns whether an error is no refusal that the client is meant to hear of. */
function isFailure(error: unknown): boolean {
  return !isInstance(error, ReplyError) && !isInstance(error, RoomLimitError);
}

/** Returns whether an error counts as a part of a violation. */
function isCharged(error: unknown): boolean {
  return !isInstance(error, ReplyError) || error.reason === WireErrorCode.notJoinable;
}

/** Returns what the client is told about an error. What the application did not mean to tell stays here. */
function wireErrorOf(error: unknown): WireError {
  if (isInstance(error, ReplyError)) return { code: error.reason, message: messageOf(error), data: error.data };
  return isInstance(error, RoomLimitError) ? TOO_MANY_ROOMS : HANDLER_FAILED;
}

/** Returns whether an event asks to join or leave rooms. */
export function isRoomRequest({ event }: Pick<EventPacket, "event">): boolean {
  return event === ControlEvent.join || event === ControlEvent.leave;
}

/** The cost in violations of a refusal that costs the server an exception. */
const FAILURE_COST = 0.1;

/** Returns the call that middleware gets for a message. */
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

const TOO_MANY_REPEATS: WireError = {
  code: WireErrorCode.tooManyRequests,
  message: "Too many connections wait for the reply to this request.",
};

const REPLY_GONE: WireError = {
  code: WireErrorCode.replyGone,
  message: "This request was handled. Its reply has not been kept.",
};

const TOO_MANY_ROOMS: WireError = { code: WireErrorCode.tooManyRooms, message: "This would be a room too many." };

const HANDLER_FAILED: WireError = { code: WireErrorCode.handlerFailed, message: "The server failed to handle this." };

function reserved(event: string): WireError {
  return { code: WireErrorCode.reservedEvent, message: `"${event}" is not an event that a client may send.` };
}

function unknown(event: string): WireError {
  return { code: WireErrorCode.unknownEvent, message: `The server handles no event "${event}".` };
}
