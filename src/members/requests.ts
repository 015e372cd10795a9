import { isObject, MAX_DELAY } from "../checks/option-rules.ts";
import type { Acceptance } from "../contract/direction.ts";
import type { HubSide } from "../contract/hub-side.ts";
import { HubError, RemoteError } from "../errors.ts";
import type { ReplyPacket } from "../protocol/packet.ts";
import type { Clock } from "../time/clock.ts";

/** Options of a request to clients, or to other nodes. */
export interface RequestOptions {
  /** The time to wait for a reply, in milliseconds. Default: 10,000. */
  readonly timeout?: number;
}

/** The default time that a request waits for its replies, in milliseconds. */
const DEFAULT_TIMEOUT = 10_000;

/**
 * Returns the timeout that a caller asked for.
 *
 * @param names - the options that there are.
 * @throws {HubError} `ERR_HUB_ARGUMENT` for a value that would let a request wait for ever, and for what may be a second
 *   value of an event, which would be lost.
 */
export function timeoutOf(options: RequestOptions = {}, names: readonly string[] = ["timeout"]): number {
  if (!isObject(options) || !Object.keys(options).every((name) => names.includes(name))) {
    throw new HubError(
      "ERR_HUB_ARGUMENT",
      `The options must be an object of ${names.join(", ")}, such as { timeout: 500 }. request() takes one value before ` +
        "them; put several into an object or an array.",
    );
  }
  const { timeout = DEFAULT_TIMEOUT } = options;
  if (typeof timeout === "number" && timeout > 0 && timeout <= MAX_DELAY) return timeout;
  throw new HubError("ERR_HUB_ARGUMENT", `A timeout must be a positive number of milliseconds up to ${MAX_DELAY}.`);
}

/** The result of a request to several sockets, or nodes. Every one that was asked is in one of the two maps. */
export interface Replies<R> {
  /** The replies by id. */
  readonly replies: ReadonlyMap<string, R>;
  /**
   * The failures by id: `ERR_HUB_TIMEOUT`, `ERR_HUB_DISCONNECTED`, `ERR_HUB_CLOSED`, `ERR_HUB_CONTRACT`, or a
   * {@link RemoteError} with what the client or node answered; from another node also `ERR_HUB_BACKPLANE` for a reply that the
   * engine did not take, and `ERR_HUB_UNSERIALISABLE` for one that this node cannot read.
   */
  readonly failures: ReadonlyMap<string, HubError>;
  /**
   * The names of the nodes that did not answer: where sockets were asked, there may have been some. Always empty without a
   * backplane.
   */
  readonly silent: readonly string[];
}

/** The reply of one socket, or the error that came instead. */
export type RequestOutcome = { readonly reply: unknown } | HubError;

/** The message in which one socket has replied to the request of another node, or the error that came instead. */
export type UndecodedReply = string | Uint8Array | HubError;

/** A request with the id by which its recipients answer. */
export interface IdentifiedRequest {
  readonly id: number;
  readonly event: string;
  /** The time that each recipient may take, in milliseconds. */
  readonly timeout: number;
}

/** The state of requests on each member that is asked. */
export interface Asked<M> {
  readonly id: string;
  /** The requests that wait for this member's reply. */
  requests: Set<PendingRequest<M>> | undefined;
}

/** Called for each recipient of another node's request as it settles. The asking node decodes the reply. */
export type Settled<M> = (member: M, outcome: UndecodedReply) => void;

/** A request under way. It settles when its last recipient has answered or failed. */
export interface PendingRequest<M> {
  readonly id: number;
  readonly event: string;
  readonly waiting: Set<M>;
  readonly replies: Map<string, unknown>;
  readonly failures: Map<string, HubError>;
  readonly settled: Settled<M> | undefined;
  readonly settle: () => void;
}

/** Ids of requests to several nodes begin here, above all that one node counts up to. */
const LEAST_CLUSTER_ID = 2 ** 40;

/** The requests of the server that are not settled. Every request settles. */
export class Requests<M extends Asked<M>> {
  readonly #pending = new Map<number, PendingRequest<M>>();
  readonly #contract: HubSide<never> | undefined;
  readonly #clock: Clock;
  readonly #rested: (member: M) => void;
  #lastId = 0;

  /**
   * @param contract - checks the replies; without a contract, a reply can be any value.
   * @param rested - is called for every member that has nothing left to answer.
   */
  constructor(contract: HubSide<never> | undefined, clock: Clock, rested: (member: M) => void) {
    this.#contract = contract;
    this.#clock = clock;
    this.#rested = rested;
  }

  /** Returns an id that no request under way has. A request has one id, which all its recipients share. */
  nextId(): number {
    return ++this.#lastId;
  }

  /**
   * Returns an id for a request to several nodes: almost certainly no request under way on any of them has the same.
   */
  nextClusterId(): number {
    return LEAST_CLUSTER_ID + Math.floor(Math.random() * (Number.MAX_SAFE_INTEGER - LEAST_CLUSTER_ID));
  }

  /** Waits for one reply from each recipient. Never rejects. */
  track(
    { id, event, timeout }: IdentifiedRequest,
    recipients: readonly M[],
    settled?: Settled<M>,
  ): Promise<Replies<unknown>> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(() => this.#expire(request, timeout), timeout);
      const request: PendingRequest<M> = {
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

  /**
   * Takes a reply that came in. A reply that is not awaited, because it is late or invented, is ignored.
   *
   * @param message - the message that the reply is in.
   */
  replied(member: M, packet: ReplyPacket, message: string | Uint8Array): void {
    const request = this.#pending.get(packet.reply);
    if (request === undefined || !request.waiting.has(member)) return;
    if (request.settled !== undefined) {
      this.#done(request, member, message);
      return;
    }
    const outcome = this.outcomeOf(request.event, member.id, packet);
    if (outcome instanceof HubError) {
      this.#fail(request, member, outcome);
    } else {
      request.replies.set(member.id, outcome.reply);
      this.#done(request, member);
    }
  }

  /** Returns what a socket of any node has answered to a request of this node: its data as the contract makes it. */
  outcomeOf(event: string, socket: string, { data, error }: ReplyPacket): RequestOutcome {
    if (error !== undefined) return new RemoteError(error.code, error.message, { data: error.data });
    const acceptance = this.#contract?.acceptReply(event, data) ?? { ok: true, data };
    return acceptance.ok ? { reply: acceptance.data } : unfitting(socket, event, acceptance);
  }

  /** Fails all requests to a member that is gone. */
  abandon(member: M): void {
    const requests = member.requests;
    member.requests = undefined;
    for (const request of requests ?? []) this.#fail(request, member, disconnected(member.id));
  }

  /** Settles all requests, because the hub is closing. */
  close(): void {
    for (const request of this.#pending.values()) {
      this.#failAll(request, () => new HubError("ERR_HUB_CLOSED", "The hub was closed before the reply came."));
    }
  }

  #failAll(request: PendingRequest<M>, reason: (member: M) => HubError): void {
    for (const member of request.waiting) this.#fail(request, member, reason(member));
  }

  #fail(request: PendingRequest<M>, member: M, error: HubError): void {
    request.failures.set(member.id, error);
    this.#done(request, member, error);
  }

  #done(request: PendingRequest<M>, member: M, outcome?: UndecodedReply): void {
    request.waiting.delete(member);
    if (outcome !== undefined) request.settled?.(member, outcome);
    member.requests?.delete(request);
    if (request.waiting.size === 0) request.settle();
    if (member.requests?.size === 0) this.#rested(member);
  }

  #expire(request: PendingRequest<M>, timeout: number): void {
    this.#failAll(
      request,
      ({ id }) => new HubError("ERR_HUB_TIMEOUT", `The socket ${id} did not reply within ${timeout} ms.`),
    );
  }
}

/** Creates the failure of a request to a socket that is gone. */
export function disconnected(id: string): HubError {
  return new HubError("ERR_HUB_DISCONNECTED", `The socket ${id} was closed before it replied.`);
}

function unfitting(id: string, event: string, acceptance: Exclude<Acceptance, { readonly ok: true }>): HubError {
  if ("unknown" in acceptance) return new HubError("ERR_HUB_CONTRACT", `The contract knows no request "${event}".`);
  const message = `The reply of the socket ${id} to "${event}" does not fit the contract. ${acceptance.message}.`;
  return acceptance.error ?? new HubError("ERR_HUB_CONTRACT", message);
}
