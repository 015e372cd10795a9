import { Buffer } from "node:buffer";
import { nanoid } from "nanoid";
import type { Counters, DropReason } from "../counters.ts";
import type { Codecs } from "../delivery/codecs.ts";
import type { Delivery } from "../delivery/delivery.ts";
import type { User } from "../event-types.ts";
import { guarded, microtask, soon } from "../guard.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import { CloseCode, type Close } from "../protocol/close-codes.ts";
import type { GapReason } from "../protocol/packet.ts";
import type { ErrorReport } from "../report.ts";
import type { MemberObserver } from "../rooms/rooms.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { Expiry } from "../time/expiry.ts";
import type { Connection } from "../transports/transport.ts";
import type { Handshake } from "./handshake.ts";
import { Member } from "./member.ts";
import type { Members } from "./members.ts";
import type { RecordedRooms } from "./recorded-rooms.ts";
import type { Requests } from "./requests.ts";

/** The handshake and the user of a client that is let in. */
export interface Admission {
  readonly handshake: Handshake;
  readonly user: User | undefined;
  /** The id of an earlier socket of the client: see {@link Member.home}. */
  readonly home?: string | undefined;
  /** The positions that the client has given for the rooms that the server puts it into, whatever they are. */
  readonly since?: unknown;
}

/** Receives the ends of members, their rooms, dropped messages, and failures that have no caller to tell. */
export interface NodeReport extends ErrorReport, MemberObserver<Member> {
  /** Called once for each member that was admitted, in a microtask after its end. */
  departed(member: Member, close: Close): void;
  /** Called for each message that a member does not get although it stays. */
  dropped(member: Member, reason: DropReason): void;
  /** Called when a member is told that something may be missing in a room that is recorded. */
  gap(member: Member, room: string, reason: GapReason): void;
}

export interface MemberLifecycleParts {
  /** The prefix of the ids of sockets: the id of the node, or an empty string. */
  readonly node: string;
  readonly clock: Clock;
  readonly codecs: Codecs;
  readonly counters: Counters;
  readonly delivery: Delivery<Member>;
  readonly members: Members;
  readonly rates: RateLimits;
  /** The rooms that are recorded; `undefined` if none is. */
  readonly recorded: RecordedRooms | undefined;
  readonly requests: Requests<Member>;
  readonly report: NodeReport;
}

/** Admits members, and ends them. */
export class MemberLifecycle {
  readonly #parts: MemberLifecycleParts;
  readonly #expiry: Expiry<Member>;
  /** The timer of each member whose connection has ended and whose messages are not handled yet. */
  readonly #lingering = new Map<Member, Timer>();
  /** Called when no member is left; present while the members are drained. */
  #drained: (() => void) | undefined;

  constructor(parts: MemberLifecycleParts) {
    this.#parts = parts;
    this.#expiry = new Expiry(parts.clock, (member) => this.close(member, EXPIRED), this.fail);
  }

  /** Makes a member of a connection. The heartbeat has given its `phase`. */
  admit(connection: Connection, { handshake, user, home }: Admission, phase: number): Member {
    const { codecs, members, node } = this.#parts;
    const codec = codecs.of(connection.protocol) ?? codecs.plain;
    const member = new Member(createId(node), connection, codec, handshake, user, phase, home);
    connection.owner = member;
    codecs.joined(codec);
    members.add(member);
    this.#expiry.watch(member);
    this.#parts.rates.enter(member);
    return member;
  }

  /** Replaces the user of a member by the same user with fresh credentials. */
  renew(member: Member, user: User): void {
    member.user = user;
    if (member.open) this.#expiry.watch(member);
  }

  /** Closes a member after everything that was sent to it before has been written. */
  close(member: Member, close: Close): void {
    if (!member.open) return;
    this.#parts.delivery.flush(member);
    // The flush may have found that the member reads too slowly, and expelled it.
    if (!member.open) return;
    member.connection.close(close.code, close.reason, member.unconfirmedBytes);
    this.retire(member, close);
  }

  /**
   * Closes a member that does harm. Of what was sent before, that is lost which the operating system does not take at once.
   */
  expelAbusive(member: Member, close: Close): void {
    if (!member.open) return;
    this.#parts.delivery.flush(member);
    this.#expel(member, close);
  }

  /** Closes a member for which more than the limit would be held. */
  expelSlow(member: Member): void {
    if (member.open) this.#parts.counters.slowConsumers++;
    this.#expel(member, TOO_SLOW);
  }

  /** Closes a member that gave no sign of life. */
  expelLost(member: Member): void {
    this.#parts.counters.heartbeatLosses++;
    this.#expel(member, LOST);
  }

  /** Closes a member and reads nothing more from its client. Messages that wait in the hub are lost. */
  #expel(member: Member, close: Close): void {
    if (!member.open) return;
    const { connection } = member;
    if (connection.expel === undefined) connection.close(close.code, close.reason);
    else connection.expel(close.code, close.reason);
    this.retire(member, close);
  }

  /** Ends the connection of a member at once. Messages that wait are lost. */
  terminate(member: Member): void {
    if (!member.open) return;
    member.connection.terminate();
    this.retire(member, TERMINATED);
  }

  /** Ends a member for which the hub itself has failed, so that nobody else loses anything. */
  readonly fail = (member: Member, error: unknown): void => {
    const { report } = this.#parts;
    report.failed(error, "internal", { socket: member.socket });
    guarded(report, () => member.connection.terminate());
    this.retire(member, FAILED);
  };

  /**
   * Ends a member whose connection has ended. Messages that were received before a close frame of the client are handled
   * first, also those of which another node may know, for {@link LINGER} at most.
   */
  ended(member: Member, close: Close): void {
    if (!member.open || !isWaiting(member) || close.code === CloseCode.abnormal) {
      this.retire(member, close);
      return;
    }
    const { clock, delivery, rates, recorded, report } = this.#parts;
    member.ended = close;
    recorded?.ended(member);
    // The heartbeat does not look for a member from which nothing is read.
    member.isPaused = true;
    delivery.discard(member);
    rates.leave(member);
    const giveUp = (): void => guarded(report, () => this.retire(member, close));
    this.#lingering.set(member, clock.setTimeout(giveUp, LINGER));
  }

  /**
   * Takes a member out of all rooms and audiences. The application learns of the end in a microtask: after the call
   * that caused the end, in the order of the ends, and not from inside another handler.
   */
  retire(member: Member, close: Close): void {
    if (!member.open) return;
    const { codecs, delivery, members, rates, recorded, requests, report } = this.#parts;
    member.open = false;
    this.#lingering.get(member)?.cancel();
    this.#lingering.delete(member);
    const how = member.ended ?? close;
    guarded(report, () => delivery.discard(member));
    guarded(report, () => members.remove(member));
    guarded(report, () => recorded?.ended(member));
    // Behind the rooms that the member has left, of which the application learns in microtasks, too.
    microtask(report, () => report.departed(member, how));
    codecs.left(member.codec);
    this.#expiry.forget(member);
    guarded(report, () => requests.abandon(member));
    member.inbox?.clear();
    member.inbox = undefined;
    guarded(report, () => rates.park(member));
    member.abort();
    if (members.all.size === 0) this.#drained?.();
  }

  /** Closes every member as soon as nothing is at work for the member. Resolves when no member is left. */
  drain(): Promise<void> {
    const { members } = this.#parts;
    return new Promise((resolve) => {
      this.#drained = resolve;
      for (const member of members.all.values()) this.rested(member);
      if (members.all.size === 0) resolve();
    });
  }

  /**
   * Ends this member if its connection has ended and no message waits any more; during a drain, closes it if nothing is
   * at work for it any more.
   */
  rested(member: Member): void {
    if (member.ended !== undefined && !isWaiting(member)) this.retire(member, member.ended);
    if (this.#drained === undefined) return;
    // The close is deferred, because the program that waited for a reply may want to send something.
    const end = (): void => {
      if (!member.isBusy) this.close(member, DRAINED);
    };
    soon({ error: (error) => this.fail(member, error) }, end);
  }

  /** Stops all timers: no member ends any more because of expired credentials. */
  stop(): void {
    this.#expiry.stop();
    this.#parts.rates.stop();
  }
}

/** Returns whether messages of the member are not handled yet. */
function isWaiting({ inbox, question }: Member): boolean {
  return inbox !== undefined || question !== undefined;
}

/** The time for which messages of a client are handled whose connection has ended, in milliseconds. */
const LINGER = 10_000;

/** The close of a member whose client reads too slowly. */
export const TOO_SLOW: Close = { code: CloseCode.slowConsumer, reason: "The client reads too slowly" };

/** The close of every client when the hub is drained. */
export const DRAINED: Close = { code: CloseCode.draining, reason: "The server is shutting down" };

const EXPIRED: Close = { code: CloseCode.credentialsExpired, reason: "The credentials have expired" };
const LOST: Close = { code: CloseCode.heartbeatLost, reason: "No sign of life" };
const FAILED: Close = { code: CloseCode.internalError, reason: "The server failed" };
const TERMINATED: Close = { code: CloseCode.abnormal, reason: "" };

/**
 * Creates the id of a socket. It is a copy, because `nanoid` appends letter by letter: V8 would keep the chain of
 * concatenations, 320 bytes instead of 40.
 */
function createId(node: string): string {
  return Buffer.from(node + nanoid(), "latin1").toString("latin1");
}
