import type { Backlog } from "../delivery/backlog.ts";
import type { Batch } from "../delivery/batch.ts";
import type { Recipient } from "../delivery/recipient.ts";
import type { User } from "../event-types.ts";
import type { Rated } from "../limits/rate-limits.ts";
import type { Codec } from "../protocol/codec.ts";
import type { RoomMember } from "../rooms/rooms.ts";
import type { Expiring } from "../time/expiry.ts";
import type { Beating } from "../time/heartbeat.ts";
import type { Connection } from "../transports/transport.ts";
import type { Handshake } from "./handshake.ts";
import type { Asked, PendingRequest } from "./requests.ts";

/** A handler of events, without the types of their data. */
export type AnyHandler<S> = (data: unknown, socket: S) => unknown;

/** The hub's own record of one connection: what its parts need to know, in one object that all of them share. */
export class Member<S = unknown> implements Asked<Member>, Beating, Expiring, Rated, Recipient, RoomMember {
  readonly id: string;
  readonly connection: Connection;
  readonly codec: Codec;
  readonly handshake: Handshake;
  /** The user's id never changes. */
  user: User | undefined;

  /** False from the moment that either end begins to close. */
  open = true;
  /** The application's socket. Set once, right after construction. */
  socket!: S;
  /** What the application keeps on its socket; absent until it does. */
  data: Record<string, unknown> | undefined = undefined;
  /** The handlers of `socket.on`. */
  handlers: Map<string, AnyHandler<S>> | undefined = undefined;
  requests: Set<PendingRequest<Member>> | undefined = undefined;
  /** Number of this member's messages that asynchronous handlers are at work on. */
  handling = 0;
  allowance: Rated["allowance"] = undefined;
  askedIn = 0;
  isPaused = false;
  readonly phase: number;

  pending: Batch | undefined = undefined;
  backlog: Backlog | undefined = undefined;
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
  ) {
    this.id = id;
    this.connection = connection;
    this.codec = codec;
    this.handshake = handshake;
    this.user = user;
    this.phase = phase;
  }

  get expiresAt(): number | undefined {
    return this.user?.expiresAt;
  }

  /** Whether a handler is at work for the member, or it has something to answer. */
  get isBusy(): boolean {
    return this.handling > 0 || (this.requests?.size ?? 0) > 0;
  }
}
