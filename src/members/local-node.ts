import type { Audience } from "./audience.ts";
import type { Encoding } from "../delivery/codecs.ts";
import type { Core } from "./lifecycle.ts";
import type { Member } from "./member.ts";
import type { OutgoingFrame } from "../delivery/overload.ts";
import { Parcel } from "../delivery/outgoing-frame.ts";
import type { Codec } from "../protocol/codec.ts";
import type { Outcome, Replies } from "./requests.ts";

/** A request with the id by which its recipients answer. */
export interface IdentifiedRequest {
  readonly id: number;
  readonly event: string;
  /** In milliseconds. */
  readonly timeout: number;
}

/** What is done with the members of an audience that are on this node. */
export class Local {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Sends a message.
   *
   * @param reached - those who have it already, and do not get it again; those who get it are added.
   */
  deliver(audience: Audience, encoding: Encoding, reached?: Set<Member>): void {
    const { codecs, delivery, members } = this.#core;
    const frame = encoding instanceof Parcel ? encoding : codecs.areUniform ? encoding.get(codecs.plain) : undefined;
    const group = audience.volatile || frame === undefined ? undefined : members.groupOf(audience);
    if (group !== undefined && frame !== undefined && reached === undefined) {
      delivery.sendToGroup(group, frame, members.exceptionOf(audience));
      return;
    }
    this.#forEach(audience, frame ?? encoding, reached, () => {});
  }

  /**
   * Sends a request, and waits for the replies.
   *
   * @param settled - hears of each socket as it settles.
   * @returns the sockets that were asked, and the promise of what they reply.
   */
  request(
    audience: Audience,
    { id, event, timeout }: IdentifiedRequest,
    encoding: Encoding,
    settled?: (member: Member, outcome: Outcome) => void,
  ): { readonly asked: readonly Member[]; readonly replies: Promise<Replies<unknown>> } {
    const asked: Member[] = [];
    this.#forEach(audience, encoding, undefined, (member) => {
      // Sending may have ended a member that was too slow; then it will not reply, and is not waited for.
      if (member.open) asked.push(member);
    });
    return { asked, replies: this.#core.requests.track(id, event, asked, timeout, settled) };
  }

  /** @throws {HubError} `ERR_HUB_LIMIT`, and then nobody was put anywhere. */
  join(audience: Audience, rooms: readonly string[]): void {
    this.#core.join(this.#membersOf(audience), rooms);
  }

  leave(audience: Audience, rooms: readonly string[]): void {
    const { members } = this.#core;
    members.forEach(audience, (member) => {
      for (const room of rooms) members.rooms.leave(member, room);
    });
  }

  /** Closes after what was sent before. */
  close(audience: Audience, code: number, reason: string): void {
    this.#core.members.forEach(audience, (member) => this.#core.closeMember(member, code, reason));
  }

  /** What the application holds for each. */
  sockets(audience: Audience): unknown[] {
    return this.#membersOf(audience).map(({ socket }) => socket);
  }

  #membersOf(audience: Audience): Member[] {
    const members: Member[] = [];
    this.#core.members.forEach(audience, (member) => members.push(member));
    return members;
  }

  /** Those who speak the same codec are sent to one after the other: only then do they share their batches. */
  #forEach(
    audience: Audience,
    encoding: Encoding,
    reached: Set<Member> | undefined,
    told: (member: Member) => void,
  ): void {
    const { codecs, delivery } = this.#core;
    const tell = (member: Member, frame: OutgoingFrame): void => {
      delivery.send(member, frame);
      told(member);
    };
    const others = new Map<Codec, Member[]>();
    this.#core.members.forEach(audience, (member) => {
      if (reached?.has(member) === true) return;
      reached?.add(member);
      if (audience.volatile && delivery.isBehind(member)) {
        this.#core.dropped(member, "volatile");
        return;
      }
      const frame = encoding instanceof Parcel ? encoding : member.codec === codecs.plain && encoding.get(member.codec);
      if (frame instanceof Parcel) {
        tell(member, frame);
        return;
      }
      const same = others.get(member.codec);
      if (same === undefined) others.set(member.codec, [member]);
      else same.push(member);
    });
    if (encoding instanceof Parcel) return;
    for (const [codec, members] of others) {
      const frame = encoding.get(codec);
      if (frame !== undefined) for (const member of members) tell(member, frame);
    }
  }
}
