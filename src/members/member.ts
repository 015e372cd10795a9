import type { Backlog } from "../delivery/backlog.ts";
import type { Batch } from "../delivery/batch.ts";
import type { Recipient } from "../delivery/recipient.ts";
import type { User } from "../event-types.ts";
import type { Inbox } from "../limits/inbox.ts";
import type { Rated } from "../limits/rate-limits.ts";
import type { Working } from "../limits/work.ts";
import type { Close } from "../protocol/close-codes.ts";
import type { Codec } from "../protocol/codec.ts";
import type { RoomMember } from "../rooms/rooms.ts";
import type { Expiring } from "../time/expiry.ts";
import type { Beating } from "../time/heartbeat.ts";
import type { Connection } from "../transports/transport.ts";
import { LazyContext, type HandlerContext } from "./handler-context.ts";
import type { Handshake } from "./handshake.ts";
import { addressKeyOf, ownerOf } from "./owner.ts";
import type { Asked, PendingRequest } from "./requests.ts";

/** The number of bytes that are a sign of life although no message has ended. */
const SENDING_BYTES = 16 * 1024;

/** A handler of events, without the types of their data. */
export type AnyHandler<S> = (data: unknown, socket: S, context: HandlerContext) => unknown;

/**
 * The hub's own record of one connection. All parts of the hub keep their state of the connection in this one object.
 */
export class Member<S = unknown> implements Asked<Member>, Beating, Expiring, Rated, Recipient, RoomMember, Working {
  readonly id: string;
  readonly connection: Connection;
  readonly codec: Codec;
  readonly handshake: Handshake;
  /** The user's id never changes. */
  user: User | undefined;

  /**
   * `false` once either end has begun to close. If messages wait that the client sent before it closed, `false` only once
   * they have been handled, or are given up: see {@link ended}.
   */
  open = true;
  /**
   * How the connection ended, while messages still wait that were received before. Nothing reaches the client any more.
   */
  ended: Close | undefined = undefined;
  /**
   * The id of an earlier socket of the client, whose node remembers the requests that the client may repeat; `undefined` if
   * this node does.
   */
  readonly home: string | undefined;
  /** The application's socket, which is set once, right after construction. */
  socket!: S;
  /** The data that the application keeps on its socket; absent until it keeps some. */
  data: Record<string, unknown> | undefined = undefined;
  /** The handlers of `socket.on`. */
  handlers: Map<string, AnyHandler<S>> | undefined = undefined;
  requests: Set<PendingRequest<Member>> | undefined = undefined;
  handling = 0;
  handlingBytes = 0;
  /** The messages of this member that wait to be handled; absent while none does. */
  inbox: Inbox | undefined = undefined;
  /**
   * The decision on the last of the member's requests of which another node may know; absent if all are decided. Later
   * messages wait for it.
   */
  question: Promise<unknown> | undefined = undefined;
  #context: LazyContext | undefined = undefined;
  allowance: Rated["allowance"] = undefined;
  chargedBytes = 0;
  isDelayed = false;
  askedIn = 0;
  /** What had been read of the client when it was asked, where the transport tells. */
  #bytesReadBefore: number | undefined = undefined;
  bytesAhead = 0;
  isPaused = false;
  readonly phase: number;

  pending: Batch | undefined = undefined;
  backlog: Backlog | undefined = undefined;
  unconfirmedBytes = 0;
  rooms: Set<string> | string | undefined = undefined;
  /** The number of the last call of `Members.forEach` that has dealt with this member. */
  stamp = 0;

  constructor(
    id: string,
    connection: Connection,
    codec: Codec,
    handshake: Handshake,
    user: User | undefined,
    phase = 0,
    home?: string,
  ) {
    this.id = id;
    this.connection = connection;
    this.codec = codec;
    this.handshake = handshake;
    this.user = user;
    this.phase = phase;
    this.home = home;
  }

  /** Whether the client can still be sent something. */
  get isReachable(): boolean {
    return this.open && this.ended === undefined;
  }

  get owner(): string {
    return ownerOf(this);
  }

  /** The keys of the user and of the address. */
  get owners(): readonly string[] {
    const address = addressKeyOf(this.handshake.remoteAddress);
    return this.user === undefined ? [address] : [this.owner, address];
  }

  /** The context for handlers, one object for all messages of the member. */
  get context(): HandlerContext {
    return (this.#context ??= new LazyContext(() => !this.open));
  }

  /** Aborts the signal, if there is one. */
  abort(): void {
    this.#context?.abort();
  }

  /**
   * Notes that the client is asked for a sign of life, with so many bytes ahead of the question. While an earlier
   * question is not answered, the next answer is taken for that one's.
   */
  asked(bytesAhead: number): void {
    if (this.bytesAhead === 0) this.bytesAhead = bytesAhead;
    this.#bytesReadBefore = this.connection.bytesRead;
  }

  /**
   * Whether so much was read since the client was asked that a large message of its own may be ahead of its answer. A few
   * bytes of a message that never ends are no sign of life.
   */
  get isSending(): boolean {
    const { bytesRead } = this.connection;
    return bytesRead !== undefined && bytesRead - (this.#bytesReadBefore ?? 0) >= SENDING_BYTES;
  }

  /** Notes that the client has answered, and so has read what was ahead of the question. */
  answered(): void {
    this.unconfirmedBytes = Math.max(this.unconfirmedBytes - this.bytesAhead, 0);
    this.bytesAhead = 0;
  }

  get expiresAt(): number | undefined {
    return this.user?.expiresAt;
  }

  /** Whether a handler is at work for the member, its messages wait, or its replies are awaited. */
  get isBusy(): boolean {
    return this.handling > 0 || this.inbox !== undefined || (this.requests?.size ?? 0) > 0;
  }
}
