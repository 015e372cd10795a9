import type { Codecs, Encoding } from "../delivery/codecs.ts";
import type { Delivery } from "../delivery/delivery.ts";
import { OutgoingFrame } from "../delivery/outgoing-frame.ts";
import type { Overload } from "../delivery/overload.ts";
import { RoomLimitError } from "../errors.ts";
import { watch } from "../guard.ts";
import type { Limits } from "../limits/limits.ts";
import type { Close } from "../protocol/close-codes.ts";
import type { Codec } from "../protocol/codec.ts";
import { ControlEvent, type Dropped, type Packet } from "../protocol/packet.ts";
import type { ErrorReport } from "../report.ts";
import { wouldExceed } from "../rooms/rooms.ts";
import type { Audience } from "./audience.ts";
import { describe, type MemberDescription } from "./description.ts";
import type { MemberLifecycle } from "./lifecycle.ts";
import type { Member } from "./member.ts";
import type { Members } from "./members.ts";
import type { Entered, RecordedRooms } from "./recorded-rooms.ts";
import type { Mark, Marks } from "./room-feed.ts";
import type { IdentifiedRequest, Replies, Requests, Settled } from "./requests.ts";

export interface LocalNodeParts {
  readonly codecs: Codecs;
  readonly delivery: Delivery<Member>;
  readonly lifecycle: MemberLifecycle;
  readonly limits: Limits;
  readonly members: Members;
  /** The default policy for events and messages to sockets that are behind. */
  readonly overload: Overload;
  /** The rooms that are recorded; `undefined` if none is. */
  readonly recorded: RecordedRooms | undefined;
  readonly requests: Requests<Member>;
  readonly report: ErrorReport;
}

/** Operations on the members of this node: on one member, or on those of an audience. */
export class LocalNode {
  readonly #parts: LocalNodeParts;

  constructor(parts: LocalNodeParts) {
    this.#parts = parts;
  }

  /** Returns the overload policy for messages to this audience. */
  overloadOf({ overload }: Pick<Audience, "overload">): Overload {
    return overload ?? this.#parts.overload;
  }

  /**
   * Sends a packet to one member. Without `overload`, a packet that is too much for the member closes it.
   *
   * @throws {HubError} `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  tell(member: Member, packet: Packet, overload?: Overload): void {
    const { codecs, delivery } = this.#parts;
    delivery.send(member, codecs.encode(packet, member.codec, overload));
  }

  /**
   * Sends a message as it is to one member.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  send(member: Member, message: string | Uint8Array, overload?: Overload): void {
    const { codecs, delivery } = this.#parts;
    delivery.send(member, codecs.frame(message, overload));
  }

  /** Encodes the notice that a member did not get `count` messages; `undefined`, and reported, if the codec fails. */
  noticeOf(member: Member, count: number): OutgoingFrame | undefined {
    const { codecs, report } = this.#parts;
    const data: Dropped = { count };
    try {
      return codecs.encode({ event: ControlEvent.dropped, data }, member.codec);
    } catch (error) {
      report.failed(error, "codec", { event: ControlEvent.dropped, socket: member.socket });
      return undefined;
    }
  }

  /**
   * Sends a message to an audience.
   *
   * @param among - the only members who are meant, from whom those are deleted who are reached. Default: the whole
   *   audience.
   */
  deliver(audience: Audience, encoding: Encoding, among?: Set<Member>): void {
    const { codecs, delivery, members } = this.#parts;
    const frame =
      encoding instanceof OutgoingFrame ? encoding : codecs.areUniform ? encoding.get(codecs.plain) : undefined;
    const group = audience.volatile || frame === undefined ? undefined : members.groupOf(audience);
    if (group !== undefined && frame !== undefined && among === undefined) {
      delivery.sendToGroup(group, frame, members.exceptionOf(audience));
      return;
    }
    this.#tell(audience, frame ?? encoding, among, () => {});
  }

  /**
   * Sends a request to an audience, and waits for the replies.
   *
   * @returns the members that were asked, and the promise of their replies.
   */
  request(
    audience: Audience,
    request: IdentifiedRequest,
    encoding: Encoding,
    settled?: Settled<Member>,
  ): { readonly asked: readonly Member[]; readonly replies: Promise<Replies<unknown>> } {
    const asked: Member[] = [];
    this.#tell(audience, encoding, undefined, (member) => {
      // Sending may have ended a member that was too slow. Such a member will not reply, and is not waited for.
      if (member.isReachable) asked.push(member);
    });
    return { asked, replies: this.#parts.requests.track(request, asked, settled) };
  }

  /** Sends a request to one member. Resolves when it has replied or failed. */
  async ask(member: Member, event: string, data: unknown, timeout: number): Promise<Replies<unknown>> {
    const { codecs, delivery, requests } = this.#parts;
    const request = { id: requests.nextId(), event, timeout };
    delivery.send(member, codecs.encode({ event, data, id: request.id }, member.codec));
    return requests.track(request, member.isReachable ? [member] : []);
  }

  /**
   * Puts the members of an audience into rooms. Those who would be in too many rooms are put into none, which is reported:
   * clients fill their own rooms, and must not keep others out.
   *
   * @param among - see {@link deliver}.
   * @param mark - see {@link RecordedRooms.enter}.
   */
  join(audience: Audience, rooms: readonly string[], among?: Set<Member>, mark?: Mark): void {
    const { limits, report } = this.#parts;
    let full: Member | undefined;
    for (const member of this.membersOf(audience, among)) {
      if (!this.#wouldExceed(member, rooms)) this.#put(member, rooms, mark);
      else full ??= member;
    }
    if (full === undefined) return;
    report.failed(new RoomLimitError(full.id, limits.rooms), "limits", { socket: full.socket });
  }

  /**
   * Puts one member into rooms.
   *
   * @throws {HubError} `ERR_HUB_LIMIT`, and then it was put into no room.
   */
  joinOne(member: Member, rooms: readonly string[]): void {
    if (this.#wouldExceed(member, rooms)) throw new RoomLimitError(member.id, this.#parts.limits.rooms);
    this.#put(member, rooms);
  }

  /**
   * Puts a member into a room, after it was sent what it has missed there.
   *
   * @param since - the position in the record of the room that the client has given, whatever it is.
   * @param entered - called once the member is in the room.
   * @throws {HubError} `ERR_HUB_LIMIT`.
   */
  enter(member: Member, room: string, since: unknown, entered?: Entered): void {
    const { limits, members, recorded } = this.#parts;
    if (this.#wouldExceed(member, [room])) throw new RoomLimitError(member.id, limits.rooms);
    if (recorded?.has(room) === true) {
      recorded.enter(member, room, since, entered);
      return;
    }
    members.rooms.join(member, room);
    entered?.(true);
  }

  /** Returns whether a member would be in too many rooms, those included that it is on its way into. */
  #wouldExceed(member: Member, rooms: readonly string[]): boolean {
    const { limits, recorded } = this.#parts;
    return wouldExceed(limits.rooms - (recorded?.countEntering(member) ?? 0), member, rooms);
  }

  /** A transport may end a member that is behind as soon as its groups change, and so may what a recorded room sends to it. */
  #put(member: Member, rooms: readonly string[], mark?: Mark): void {
    const { members, recorded } = this.#parts;
    for (const room of rooms) {
      if (!member.open) return;
      if (recorded?.has(room) === true) recorded.enter(member, room, undefined, undefined, mark);
      else members.rooms.join(member, room);
    }
  }

  /**
   * Takes the members of an audience out of rooms.
   *
   * @param among - see {@link deliver}.
   * @param marks - see {@link RecordedRooms.leave}.
   */
  leave(audience: Audience, rooms: readonly string[], among?: Set<Member>, marks?: Marks): void {
    for (const member of this.membersOf(audience, among)) this.leaveOne(member, rooms, marks);
  }

  /** Takes one member out of rooms. One that ends meanwhile keeps the others in its description. */
  leaveOne(member: Member, rooms: readonly string[], marks?: Marks): void {
    const { members, recorded } = this.#parts;
    for (const room of rooms) {
      if (!member.open) return;
      if (recorded?.has(room) === true) recorded.leave(member, room, true, marks);
      else members.rooms.leave(member, room);
    }
  }

  /** Takes a member out of a room that its client has asked to leave. */
  exit(member: Member, room: string): void {
    const { members, recorded } = this.#parts;
    if (recorded?.has(room) === true) recorded.leave(member, room, false);
    else members.rooms.leave(member, room);
  }

  /**
   * Closes the members of an audience, after what was sent to them before.
   *
   * @param among - see {@link deliver}.
   * @param marks - see {@link RecordedRooms.leave}.
   */
  close(audience: Audience, close: Close, among?: Set<Member>, marks?: Marks): void {
    const { lifecycle, recorded, report } = this.#parts;
    this.#forEach(audience, among, (member) => {
      const departed = recorded?.depart(member, marks);
      if (departed === undefined) lifecycle.close(member, close);
      else
        watch(
          report,
          departed.then(() => lifecycle.close(member, close)),
        );
    });
  }

  /** Resolves when the members that wait for the engine are in their rooms; `undefined` if none waits. */
  joined(): Promise<void> | undefined {
    return this.#parts.recorded?.joined();
  }

  /** Describes the members of an audience, with these properties of their data. */
  describe(audience: Audience, keys: readonly string[]): MemberDescription[] {
    // All members are found first: reading their data may run code of the application, which may send.
    return this.membersOf(audience).map((member) => describe(member, keys));
  }

  /**
   * Returns the members of an audience.
   *
   * @param among - see {@link deliver}.
   */
  membersOf(audience: Audience, among?: Set<Member>): Member[] {
    const members: Member[] = [];
    this.#forEach(audience, among, (member) => members.push(member));
    return members;
  }

  #forEach(audience: Audience, among: Set<Member> | undefined, visit: (member: Member) => void): void {
    const { members } = this.#parts;
    if (among === undefined) return members.forEach(audience, visit);
    members.forEach(audience, (member) => {
      if (among.delete(member)) visit(member);
    });
  }

  /** Visits members that speak the same codec one after the other, because only then do they share their batches. */
  #tell(audience: Audience, encoding: Encoding, among: Set<Member> | undefined, told: (member: Member) => void): void {
    const { codecs, delivery, lifecycle } = this.#parts;
    const tell = (member: Member, frame: OutgoingFrame): void => {
      try {
        delivery.send(member, frame);
      } catch (error) {
        lifecycle.fail(member, error);
      }
      told(member);
    };
    const others = new Map<Codec, Member[]>();
    this.#forEach(audience, among, (member) => {
      if (audience.volatile && delivery.skips(member)) return;
      const frame =
        encoding instanceof OutgoingFrame ? encoding : member.codec === codecs.plain && encoding.get(member.codec);
      if (frame instanceof OutgoingFrame) {
        tell(member, frame);
        return;
      }
      const same = others.get(member.codec);
      if (same === undefined) others.set(member.codec, [member]);
      else same.push(member);
    });
    if (encoding instanceof OutgoingFrame) return;
    for (const [codec, speakers] of others) {
      const frame = encoding.get(codec);
      if (frame !== undefined) for (const member of speakers) tell(member, frame);
    }
  }
}
