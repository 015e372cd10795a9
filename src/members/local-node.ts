import type { Codecs, Encoding } from "../delivery/codecs.ts";
import type { Delivery } from "../delivery/delivery.ts";
import { OutgoingFrame } from "../delivery/outgoing-frame.ts";
import type { Overload } from "../delivery/overload.ts";
import { RoomLimitError } from "../errors.ts";
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
import type { IdentifiedRequest, Replies, Requests, Settled } from "./requests.ts";

export interface LocalNodeParts {
  readonly codecs: Codecs;
  readonly delivery: Delivery<Member>;
  readonly lifecycle: MemberLifecycle;
  readonly limits: Limits;
  readonly members: Members;
  /** The default policy for events and messages to sockets that are behind. */
  readonly overload: Overload;
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
   * @param reached - the members that have the message already and do not get it again; those who get it are added.
   */
  deliver(audience: Audience, encoding: Encoding, reached?: Set<Member>): void {
    const { codecs, delivery, members } = this.#parts;
    const frame =
      encoding instanceof OutgoingFrame ? encoding : codecs.areUniform ? encoding.get(codecs.plain) : undefined;
    const group = audience.volatile || frame === undefined ? undefined : members.groupOf(audience);
    if (group !== undefined && frame !== undefined && reached === undefined) {
      delivery.sendToGroup(group, frame, members.exceptionOf(audience));
      return;
    }
    this.#forEach(audience, frame ?? encoding, reached, () => {});
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
    this.#forEach(audience, encoding, undefined, (member) => {
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
   * Puts the members of an audience into rooms.
   *
   * @throws {HubError} `ERR_HUB_LIMIT`, and then no member was put into any room.
   */
  join(audience: Audience, rooms: readonly string[]): void {
    this.joinAll(this.#membersOf(audience), rooms);
  }

  /**
   * Puts these members into rooms.
   *
   * @throws {HubError} `ERR_HUB_LIMIT`, and then no member was put into any room.
   */
  joinAll(members: readonly Member[], rooms: readonly string[]): void {
    const { limits, members: index } = this.#parts;
    for (const member of members) {
      if (wouldExceed(limits.rooms, member, rooms)) throw new RoomLimitError(member.id, limits.rooms);
    }
    for (const member of members) for (const room of rooms) index.rooms.join(member, room);
  }

  /** Takes the members of an audience out of rooms. */
  leave(audience: Audience, rooms: readonly string[]): void {
    this.leaveAll(this.#membersOf(audience), rooms);
  }

  /** Takes these members out of rooms. */
  leaveAll(members: readonly Member[], rooms: readonly string[]): void {
    const { members: index } = this.#parts;
    for (const member of members) for (const room of rooms) index.rooms.leave(member, room);
  }

  /** Closes the members of an audience, after what was sent to them before. */
  close(audience: Audience, close: Close): void {
    const { lifecycle, members } = this.#parts;
    members.forEach(audience, (member) => lifecycle.close(member, close));
  }

  /** Describes the members of an audience, with these properties of their data. */
  describe(audience: Audience, keys: readonly string[]): MemberDescription[] {
    // All members are found first: reading their data may run code of the application, which may send.
    return this.#membersOf(audience).map((member) => describe(member, keys));
  }

  #membersOf(audience: Audience): Member[] {
    const members: Member[] = [];
    this.#parts.members.forEach(audience, (member) => members.push(member));
    return members;
  }

  /** Visits members that speak the same codec one after the other, because only then do they share their batches. */
  #forEach(
    audience: Audience,
    encoding: Encoding,
    reached: Set<Member> | undefined,
    told: (member: Member) => void,
  ): void {
    const { codecs, delivery, lifecycle, members } = this.#parts;
    const tell = (member: Member, frame: OutgoingFrame): void => {
      try {
        delivery.send(member, frame);
      } catch (error) {
        lifecycle.fail(member, error);
      }
      told(member);
    };
    const others = new Map<Codec, Member[]>();
    members.forEach(audience, (member) => {
      if (reached?.has(member) === true) return;
      reached?.add(member);
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
