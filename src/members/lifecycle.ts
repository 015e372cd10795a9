import { Buffer } from "node:buffer";
import { nanoid } from "nanoid";
import type { Audience } from "./audience.ts";
import { checkEventName } from "../checks/arguments.ts";
import type { Clock } from "../time/clock.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { Codecs } from "../delivery/codecs.ts";
import type { HubSide } from "../contract/hub-side.ts";
import { Delivery } from "../delivery/delivery.ts";
import type { Admission } from "../door/authenticator.ts";
import { HubError, RoomLimitError } from "../errors.ts";
import { Expiry } from "../time/expiry.ts";
import type { Limits } from "../limits/limits.ts";
import { Local } from "./local-node.ts";
import { Member } from "./member.ts";
import { Members } from "./members.ts";
import { Multicast } from "../delivery/multicast.ts";
import type { ResolvedOptions } from "../hub/options.ts";
import { ALL_SOCKETS, roomChannel, userChannel } from "../cluster/channels.ts";
import type { DropReason, OutgoingFrame, Overload } from "../delivery/overload.ts";
import { CloseCode } from "../protocol/close-codes.ts";
import { ControlEvent, type Dropped, type Packet } from "../protocol/packet.ts";
import { Requests } from "./requests.ts";
import { roomNames, wouldExceed, type RoomNames } from "../rooms/rooms.ts";
import { zero, type Counters } from "../hub/statistics.ts";
import type { Connection, Topics } from "../transports/transport.ts";

type CoreOptions = Pick<
  ResolvedOptions,
  "clock" | "codec" | "codecs" | "contract" | "limits" | "maxBufferedBytes" | "overload" | "validateOutgoing"
>;

/** What the hub is told. */
interface CoreEvents {
  /** Once for each member that was admitted, in a microtask after its end. */
  readonly departed: (member: Member, code: number, reason: string) => void;
  /** The member does not get a message, but stays. */
  readonly dropped: (member: Member, reason: DropReason) => void;
  /** A packet of the hub's own could not be encoded. */
  readonly failed: (error: unknown, event: string, member: Member) => void;
}

/** At most this fraction of what may be held for a socket, as a shift, is published before its recipients are looked at. */
const UNSEEN_SHIFT = 6;

/**
 * The parts that a hub, its sockets and its targets share, and what takes more than one of them: sending to an audience,
 * and the end of a member.
 */
export class Core {
  readonly clock: Clock;
  readonly counters: Counters = zero();
  readonly expiry: Expiry<Member>;
  readonly limits: Limits;
  readonly members: Members;
  readonly requests: Requests;
  readonly delivery: Delivery;
  readonly codecs: Codecs;
  readonly local: Local;
  /** The other nodes; `undefined` without a backplane. */
  cluster: Cluster | undefined;
  readonly contract: HubSide<never> | undefined;
  /** The contract, if what the server sends is checked, too. */
  readonly #outgoing: HubSide<never> | undefined;
  /** What becomes of what is sent where it does not say itself. */
  readonly overload: Overload;
  readonly #events: CoreEvents;
  /** While it is drained: called when nobody is left. */
  #drained: (() => void) | undefined;
  readonly #createId: () => string;
  #closed = false;

  /**
   * `topics` are the transport's, if it has any; `node` is what the ids of sockets begin with.
   */
  constructor(options: CoreOptions, topics: Topics | undefined, node: string, events: CoreEvents) {
    this.#events = events;
    this.#createId = () => createId(node);
    const { clock, codec, codecs, contract, limits, maxBufferedBytes, overload, validateOutgoing } = options;
    this.clock = clock;
    this.limits = limits;
    this.overload = { policy: overload };
    this.expiry = new Expiry(clock, (member) => {
      this.closeMember(member, CloseCode.credentialsExpired, "The credentials have expired");
    });
    this.contract = contract?.hub;
    this.#outgoing = validateOutgoing ? this.contract : undefined;
    this.requests = new Requests(this.contract, clock, (member) => this.rested(member));
    this.codecs = new Codecs(codec, codecs, maxBufferedBytes);
    const multicast = topics === undefined ? undefined : new Multicast(topics, maxBufferedBytes >> UNSEEN_SHIFT);
    // Every recipient is a member; delivery knows no more of it than it needs.
    this.delivery = new Delivery({
      maxBufferedBytes,
      overflow: (recipient) => this.expelSlow(recipient as Member),
      dropped: (recipient, reason) => this.dropped(recipient as Member, reason),
      notice: (recipient, count) => this.#notice(recipient as Member, count),
      counters: this.counters,
      multicast,
    });
    this.members = new Members(
      {
        changing: () => this.delivery.separate(),
        joined: (group, member) => multicast?.joined(group, member),
        left: (group, member) => {
          // When the members who were published to are looked through, it is not among them any more.
          if (multicast?.left(group, member) === true) this.delivery.inspect(member);
        },
      },
      {
        rooms: {
          appeared: (room) => this.cluster?.interest.hold(roomChannel(room)),
          vanished: (room) => this.cluster?.interest.release(roomChannel(room)),
        },
        users: {
          appeared: (user) => this.cluster?.interest.hold(userChannel(user)),
          vanished: (user) => this.cluster?.interest.release(userChannel(user)),
        },
        everybody: (areAny) => {
          if (areAny) this.cluster?.interest.hold(ALL_SOCKETS);
          else this.cluster?.interest.release(ALL_SOCKETS);
        },
      },
    );
    this.local = new Local(this);
  }

  /** From now on the application can do nothing with the hub but close it again. */
  close(): void {
    this.#closed = true;
  }

  /** @throws {HubError} `ERR_HUB_CLOSED`. */
  checkOpen(): void {
    if (this.#closed) throw closed();
  }

  /**
   * Checks an event that the application wants to send.
   *
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_CONTRACT`.
   */
  checkSent(event: string, data: unknown): void {
    checkEventName(event);
    this.#outgoing?.checkSent(event, data);
  }

  /**
   * Checks an event that the application wants to handle.
   *
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_CONTRACT`.
   */
  checkHandled(event: string): void {
    checkEventName(event);
    if (this.contract?.knows(event) === false) {
      throw new HubError("ERR_HUB_CONTRACT", `By the contract clients send no "${event}": it would never be handled.`);
    }
  }

  /**
   * The names of rooms that the application gave.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`.
   */
  roomNames(rooms: readonly RoomNames[]): readonly string[] {
    return roomNames(rooms, this.limits.roomNameLength);
  }

  /**
   * Puts the members into the rooms.
   *
   * @throws {HubError} `ERR_HUB_LIMIT`, and then nobody was put anywhere.
   */
  join(members: readonly Member[], names: readonly string[]): void {
    const { limits, members: index } = this;
    for (const member of members) {
      if (wouldExceed(limits.rooms, member, names)) throw new RoomLimitError(member.id, limits.rooms);
    }
    for (const member of members) for (const name of names) index.rooms.join(member, name);
  }

  /** What becomes of a message for this audience that is too much for one of them. */
  overloadOf({ overload }: Audience): Overload {
    return overload ?? this.overload;
  }

  /** `phase` is the heartbeat's. */
  admit(connection: Connection, { handshake, user }: Admission, phase: number): Member {
    const codec = this.codecs.of(connection.protocol) ?? this.codecs.plain;
    const member = new Member(this.#createId(), connection, codec, handshake, user, phase);
    connection.owner = member;
    this.codecs.joined(codec);
    this.members.add(member);
    this.expiry.watch(member);
    return member;
  }

  /**
   * Sends a packet to one member. Without `overload` it closes a member that it is too much for.
   *
   * @throws {HubError} `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  tell(member: Member, packet: Packet, overload?: Overload): void {
    this.delivery.send(member, this.codecs.encode(packet, member.codec, overload));
  }

  /** Closes after everything that was sent before has been written. */
  closeMember(member: Member, code: number, reason: string): void {
    if (!member.open) return;
    this.delivery.flush(member);
    member.connection.close(code, reason);
    this.retire(member, code, reason);
  }

  /** Closes a member that would not read what waits for it: that is lost. */
  expel(member: Member, code: number, reason: string): void {
    if (!member.open) return;
    member.connection.close(code, reason);
    this.retire(member, code, reason);
  }

  /** Ends the connection at once. What waits is lost. */
  terminateMember(member: Member): void {
    if (!member.open) return;
    member.connection.terminate();
    this.retire(member, CloseCode.abnormal, "");
  }

  /**
   * From here on the member is in no room and no audience. The application hears of it in a microtask: later than the
   * call that caused it, in the order of the ends, and not from inside another handler.
   */
  retire(member: Member, code: number, reason: string): void {
    if (!member.open) return;
    member.open = false;
    this.delivery.discard(member);
    this.members.remove(member);
    this.codecs.left(member.codec);
    this.expiry.forget(member);
    this.requests.abandon(member);
    queueMicrotask(() => this.#events.departed(member, code, reason));
    if (this.members.all.size === 0) this.#drained?.();
  }

  /** From now on every member is closed as soon as nothing is at work for it. Resolves when nobody is left. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained = resolve;
      for (const member of this.members.all.values()) this.rested(member);
      if (this.members.all.size === 0) resolve();
    });
  }

  /** Nothing may be at work for this member any more. */
  rested(member: Member): void {
    if (this.#drained === undefined) return;
    // Later, because who waited for the reply may have something to say.
    setImmediate(() => {
      if (!member.isBusy) this.closeMember(member, CloseCode.draining, "The server is shutting down");
    });
  }

  /** A member does not get a message, but stays. */
  dropped(member: Member, reason: DropReason): void {
    this.counters.drops[reason]++;
    this.#events.dropped(member, reason);
  }

  #notice(member: Member, count: number): OutgoingFrame | undefined {
    const data: Dropped = { count };
    try {
      return this.codecs.encode({ event: ControlEvent.dropped, data }, member.codec);
    } catch (error) {
      this.#events.failed(error, ControlEvent.dropped, member);
      return undefined;
    }
  }

  /** More would be held for the member than may be. */
  expelSlow(member: Member): void {
    if (member.open) this.counters.slowConsumers++;
    this.expel(member, CloseCode.slowConsumer, "The client reads too slowly");
  }
}

/**
 * A copy, because `nanoid` appends letter by letter: V8 would keep the chain of concatenations, 320 bytes instead of 40.
 */
function createId(node: string): string {
  return Buffer.from(node + nanoid(), "latin1").toString("latin1");
}

/** The error of using a hub that was closed. */
export function closed(): HubError {
  return new HubError("ERR_HUB_CLOSED", "This hub was closed and cannot be used again. Create a new one.");
}
