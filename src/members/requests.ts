import type { Clock } from "../time/clock.ts";
import type { HubSide } from "../contract/hub-side.ts";
import type { Acceptance } from "../contract/direction.ts";
import { HubError, RemoteError } from "../errors.ts";
import type { Member } from "./member.ts";
import type { ReplyPacket } from "../protocol/packet.ts";

export interface RequestOptions {
  /** How long to wait for a reply, in milliseconds. Default: 10,000. */
  readonly timeout?: number;
}

/** What became of a request that went to several sockets. Every socket that it was sent to is in one of the two maps. */
export interface Replies<R> {
  /** By socket id. */
  readonly replies: ReadonlyMap<string, R>;
  /**
   * By socket id: `ERR_HUB_TIMEOUT`, `ERR_HUB_DISCONNECTED`, `ERR_HUB_CLOSED`, `ERR_HUB_CONTRACT`, or a {@link RemoteError} with what
   * the client answered.
   */
  readonly failures: ReadonlyMap<string, HubError>;
  /** The names of the nodes that did not answer: there may have been sockets. Always empty without a backplane. */
  readonly silent: readonly string[];
}

/** What one socket has answered, or why it has not. */
export type Outcome = { readonly reply: unknown } | HubError;

/** A request under way. It settles when its last recipient has answered or failed. */
export interface PendingRequest {
  readonly id: number;
  readonly event: string;
  readonly waiting: Set<Member>;
  readonly replies: Map<string, unknown>;
  readonly failures: Map<string, HubError>;
  /** Hears of each recipient as it settles. */
  readonly settled: ((member: Member, outcome: Outcome) => void) | undefined;
  readonly settle: () => void;
}

/** Above all that one node counts up to. */
const LEAST_CLUSTER_ID = 2 ** 40;

/** The requests that the server has sent and that are not settled. Every one of them settles. */
export class Requests {
  readonly #pending = new Map<number, PendingRequest>();
  readonly #contract: HubSide<never> | undefined;
  readonly #clock: Clock;
  readonly #rested: (member: Member) => void;
  #lastId = 0;

  /**
   * `contract` says what a reply has to be like; without it, anything. `rested` hears of every member that has nothing to
   * answer any more.
   */
  constructor(contract: HubSide<never> | undefined, clock: Clock, rested: (member: Member) => void) {
    this.#contract = contract;
    this.#clock = clock;
    this.#rested = rested;
  }

  /** A number that no request under way has: one for each request, shared by all its recipients. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** The same for a request that goes to other nodes as well: none under way on any of them has it, as good as certainly. */
  nextClusterId(): number {
    return LEAST_CLUSTER_ID + Math.floor(Math.random() * (Number.MAX_SAFE_INTEGER - LEAST_CLUSTER_ID));
  }

  /** Waits for one reply from each recipient. Never rejects. `settled` hears of each of them. */
  track(
    id: number,
    event: string,
    recipients: readonly Member[],
    timeout: number,
    settled?: (member: Member, outcome: Outcome) => void,
  ): Promise<Replies<unknown>> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(() => this.#expire(request, timeout), timeout);
      const request: PendingRequest = {
        id,
        event,
        waiting: new Set(recipients),
        replies: new Map(),
        failures: new Map(),
        settled,
        settle: () => {
          timer.cancel();
          this.#pending.delete(id);
          resolve({ replies: request.replies, failures: request.failures, silent: [] });
        },
      };
      this.#pending.set(id, request);
      for (const member of recipients) (member.requests ??= new Set()).add(request);
      if (request.waiting.size === 0) request.settle();
    });
  }

  /** A reply came in. One that nobody waits for, because it is late or invented, is ignored. */
  replied(member: Member, { reply, data, error }: ReplyPacket): void {
    const request = this.#pending.get(reply);
    if (request === undefined || !request.waiting.has(member)) return;
    if (error === undefined) this.#accept(request, member, data);
    else this.#fail(request, member, new RemoteError(error.code, error.message));
  }

  #accept(request: PendingRequest, member: Member, data: unknown): void {
    const { event, replies } = request;
    const acceptance = this.#contract?.acceptReply(event, data) ?? { ok: true, data };
    if (acceptance.ok) {
      replies.set(member.id, acceptance.data);
      this.#done(request, member, { reply: acceptance.data });
    } else {
      this.#fail(request, member, unfitting(member.id, event, acceptance));
    }
  }

  /** The member is gone: nothing that it was asked will be answered. */
  abandon(member: Member): void {
    const requests = member.requests;
    member.requests = undefined;
    for (const request of requests ?? []) this.#fail(request, member, disconnected(member.id));
  }

  /** The hub is closing: settles everything. */
  close(): void {
    for (const request of this.#pending.values()) {
      this.#failAll(request, () => new HubError("ERR_HUB_CLOSED", "The hub was closed before the reply came."));
    }
  }

  #failAll(request: PendingRequest, reason: (member: Member) => HubError): void {
    for (const member of request.waiting) this.#fail(request, member, reason(member));
  }

  #fail(request: PendingRequest, member: Member, error: HubError): void {
    request.failures.set(member.id, error);
    this.#done(request, member, error);
  }

  #done(request: PendingRequest, member: Member, outcome: Outcome): void {
    request.waiting.delete(member);
    request.settled?.(member, outcome);
    member.requests?.delete(request);
    if (request.waiting.size === 0) request.settle();
    if (member.requests?.size === 0) this.#rested(member);
  }

  #expire(request: PendingRequest, timeout: number): void {
    this.#failAll(
      request,
      ({ id }) => new HubError("ERR_HUB_TIMEOUT", `The socket ${id} did not reply within ${timeout} ms.`),
    );
  }
}

/** The failure of a request to a socket that is gone. */
export function disconnected(id: string): HubError {
  return new HubError("ERR_HUB_DISCONNECTED", `The socket ${id} was closed before it replied.`);
}

function unfitting(id: string, event: string, acceptance: Exclude<Acceptance, { readonly ok: true }>): HubError {
  if ("unknown" in acceptance) return new HubError("ERR_HUB_CONTRACT", `The contract knows no request "${event}".`);
  const message = `The reply of the socket ${id} to "${event}" does not fit the contract. ${acceptance.message}.`;
  return acceptance.error ?? new HubError("ERR_HUB_CONTRACT", message);
}
