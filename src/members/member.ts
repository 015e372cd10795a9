import type { Backlog } from "../delivery/backlog.ts";
import type { Batch } from "../delivery/batch.ts";
import type { Recipient } from "../delivery/delivery.ts";
import type { Handshake } from "./handshake.ts";
import type { Beating } from "../time/heartbeat.ts";
import type { Codec } from "../protocol/codec.ts";
import type { User } from "../event-types.ts";
import type { Expiring } from "../time/expiry.ts";
import type { Rated } from "../limits/rate-limits.ts";
import type { PendingRequest } from "./requests.ts";
import type { RoomMember } from "../rooms/rooms.ts";
import type { Connection } from "../transports/transport.ts";

/** A handler of events with the types taken off. */
export type AnyHandler<S> = (data: unknown, socket: S) => unknown;

/** The hub's own record of one connection: what its parts need to know, in one object that all of them share. */
export class Member<S = unknown> implements Beating, Expiring, Rated, Recipient, RoomMember {
  readonly id: string;
  readonly connection: Connection;
  readonly codec: Codec;
  readonly handshake: Handshake;
  /** Its id never changes. */
  user: User | undefined;

  /** False from the moment that either end begins to close. */
  open = true;
  /** What the application holds. Set once, right after construction. */
  socket!: S;
  /** Of `socket.on`. */
  handlers: Map<string, AnyHandler<S>> | undefined = undefined;
  /** The requests that wait for this member's reply. */
  requests: Set<PendingRequest> | undefined = undefined;
  /** How many of its messages asynchronous handlers are at work on. */
  handling = 0;
  allowance: Rated["allowance"] = undefined;
  /** Of the heartbeat. */
  askedIn = 0;
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

  /** Whether a handler is at work for it, or it has something to answer. */
  get isBusy(): boolean {
    return this.handling > 0 || (this.requests?.size ?? 0) > 0;
  }
}
