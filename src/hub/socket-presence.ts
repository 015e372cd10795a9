import type { HubTypes, PresenceData } from "../event-types.ts";
import type { Member } from "../members/member.ts";
import type { Presence } from "../presence/presence.ts";

/** The presence of one socket's user in a room. */
export class SocketPresence<T extends HubTypes = HubTypes> {
  readonly #presence: Presence;
  readonly #member: Member;
  readonly #room: string;

  constructor(presence: Presence, member: Member, room: string) {
    this.#presence = presence;
    this.#member = member;
    this.#room = room;
  }

  /**
   * Sets the data of the socket's user in the room, such as a name or a state, which all who look at the room see: a JSON value,
   * of which a copy is made now. What was set last counts, on whatever socket of the user, and lasts as long as the user is
   * present. Set before the socket is in the room, it counts from the join on.
   *
   * A socket changes data five times in ten seconds at most: what is more waits, and only the newest counts.
   *
   * @throws {HubError} `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_MESSAGE_TOO_LARGE` for more than `presence.maxBytes`, `ERR_HUB_LIMIT` if
   *   the socket is awaited in more than `limits.rooms` rooms.
   */
  set(data: PresenceData<T>): void {
    if (this.#member.open) this.#presence.setData(this.#member, this.#room, data);
  }

  /**
   * Tells the client who is in the room, as `hub:presence`, until the socket leaves it. A client that joins with `presence` asks
   * for that itself; this is for clients that the server puts into the room, before or after.
   *
   * @throws {HubError} `ERR_HUB_LIMIT` as {@link set}.
   */
  watch(): void {
    if (this.#member.open) this.#presence.watch(this.#member, this.#room);
  }
}
