import { checkClose, checkId, checkSocket, onlyValue, type SocketLike } from "../checks/arguments.ts";
import { checkKey, checkPolicy, type OverloadPolicy } from "../delivery/overload.ts";
import type {
  DataArguments,
  EventName,
  EventReply,
  HubTypes,
  RequestArguments,
  RequestName,
  ServerEvents,
  SocketData,
} from "../event-types.ts";
import { HubError } from "../errors.ts";
import type { Recorded } from "../history/history.ts";
import type { Rule } from "../history/rules.ts";
import type { Audience } from "../members/audience.ts";
import type { Members } from "../members/members.ts";
import type { SocketDescriptions } from "../members/description.ts";
import { timeoutOf, type Replies, type RequestOptions } from "../members/requests.ts";
import type { RoomNames } from "../rooms/rooms.ts";
import type { AllNodes } from "./all-nodes.ts";
import { refuseHabits, TARGET_HABITS, warnOfId } from "./habits.ts";
import type { Preconditions } from "./preconditions.ts";

/** The least characters of the id of a socket. */
const ID_LENGTH = 21;

/** The parts that targets are made of. */
export interface TargetParts {
  readonly preconditions: Preconditions;
  readonly allNodes: AllNodes;
  readonly members: Members;
}

/**
 * Some of the hub's sockets, named but not yet looked up. Immutable: every method that narrows or widens returns a new
 * target, so that a target can be kept and used again.
 *
 * A target is resolved at each use: it means the members at the moment of the call, each once, and `except` wins over
 * `to`.
 */
export class Target<T extends HubTypes = HubTypes> {
  static {
    refuseHabits(this.prototype, "target", TARGET_HABITS);
  }

  readonly #parts: TargetParts;
  readonly #audience: Audience;
  /** The rule by which events are recorded; `null` if they are not, `undefined` before it was looked up. */
  #rule: Rule | null | undefined;

  constructor(parts: TargetParts, audience: Audience) {
    this.#parts = parts;
    this.#audience = audience;
  }

  /**
   * Adds the members of these rooms. A target of everybody (the hub, `socket.broadcast`, `hub.except(…)`) is narrowed
   * to them. An empty list of rooms adds nobody.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`.
   */
  to(...rooms: readonly RoomNames[]): Target<T> {
    return this.#with({ everybody: false, rooms: [...this.#audience.rooms, ...this.#meant(rooms)] });
  }

  /** Adds the socket with this id, if it is connected. Otherwise like {@link to}. */
  toSocket(id: string): Target<T> {
    return this.#with({ everybody: false, sockets: [...this.#audience.sockets, checkId(id)] });
  }

  /** Adds every socket of the user with this id. Otherwise like {@link to}. */
  toUser(id: string): Target<T> {
    return this.#with({ everybody: false, users: [...this.#audience.users, checkId(id)] });
  }

  /**
   * Leaves out the members of these rooms and these sockets, however else they are named. A string is the name of a
   * room, never an id.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_ARGUMENT`.
   */
  except(...excluded: readonly (RoomNames | SocketLike)[]): Target<T> {
    const rooms: RoomNames[] = [];
    const ids: string[] = [];
    for (const item of excluded) {
      if (typeof item === "string" || Array.isArray(item)) rooms.push(item as RoomNames);
      else ids.push(checkSocket(item).id);
    }
    const { exceptRooms, exceptSockets } = this.#audience;
    return this.#with({
      exceptRooms: [...exceptRooms, ...this.#meant(rooms)],
      exceptSockets: [...exceptSockets, ...ids],
    });
  }

  /**
   * Skips sockets that are behind, that is, with more than 16 KiB not yet taken by the operating system. This is for
   * messages that are worthless when late.
   */
  get volatile(): Target<T> {
    return this.#with({ volatile: true });
  }

  /**
   * Sends without compression, also to clients that have agreed on it: what is compressed already, such as images, and
   * secrets beside something that others may choose. Without the option `compression` nothing is compressed anyway.
   */
  get uncompressed(): Target<T> {
    return this.#with({ uncompressed: true });
  }

  /**
   * Replaces the option `overload`, which says what becomes of an event or a message for a socket that reads too
   * slowly: see {@link OverloadPolicy}.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`.
   */
  overload(policy: OverloadPolicy): Target<T> {
    return this.#with({ overload: { ...this.#audience.overload, policy: checkPolicy(policy) } });
  }

  /**
   * Sends values of which only the newest counts: prices, cursors, positions. While a socket is behind, with more than
   * 64 KiB not yet taken by the operating system, a message takes the place of the waiting one with the same key; the
   * other sockets get all of them.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`.
   */
  latest(key: string): Target<T> {
    return this.#with({ overload: { ...this.#parts.allNodes.overloadOf(this.#audience), key: checkKey(key) } });
  }

  /** Leaves out the sockets of other nodes. Without a backplane there are none. */
  get local(): Target<T> {
    return this.#with({ local: true });
  }

  /**
   * Sends an event. The data is encoded now, once for all.
   *
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_ARGUMENT`, `ERR_HUB_CONTRACT`, `ERR_HUB_UNSERIALISABLE`,
   *   `ERR_HUB_MESSAGE_TOO_LARGE`, `ERR_HUB_CLOSED`.
   */
  emit<E extends EventName<ServerEvents<T>>>(event: E, ...values: DataArguments<ServerEvents<T>[E]>): void {
    this.#parts.preconditions.checkOpen();
    const data = onlyValue(values);
    this.#parts.preconditions.checkSent(event, data);
    this.#parts.allNodes.emit(this.#audience, event, data, this.#recordedBy);
  }

  /**
   * Sends an event, and resolves when it is in the record of its room: whoever joins from then on with an earlier position
   * gets it. The target must be one room that a rule of the option `history` names, neither volatile nor local.
   *
   * With a backplane, the members of this node have been sent it by then.
   *
   * @returns the place of the event in the record.
   * @throws {HubError} as `emit`, `ERR_HUB_HISTORY` for another target, and `ERR_HUB_BACKPLANE` if the engine has not recorded
   *   it, or nobody can say; as a rejection.
   */
  async record<E extends EventName<ServerEvents<T>>>(
    event: E,
    ...values: DataArguments<ServerEvents<T>[E]>
  ): Promise<{ readonly at: number }> {
    this.#parts.preconditions.checkOpen();
    const data = onlyValue(values);
    this.#parts.preconditions.checkSent(event, data);
    const rule = this.#recordedBy;
    if (rule === undefined) {
      throw new HubError(
        "ERR_HUB_HISTORY",
        'Only what is sent to one room can be recorded, if the option "history" has a rule for this room, and if it is ' +
          "neither volatile nor local.",
      );
    }
    return { at: await (this.#parts.allNodes.emit(this.#audience, event, data, rule) as Recorded).at };
  }

  /**
   * Sends a message as it is: a string as a text frame, bytes as a binary frame. Bytes are copied now.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_MESSAGE_TOO_LARGE`, `ERR_HUB_CLOSED`.
   */
  send(message: string | Uint8Array): void {
    this.#parts.preconditions.checkOpen();
    this.#parts.allNodes.send(this.#audience, message);
  }

  /**
   * Sends an event that each socket answers. Resolves when every socket has replied, failed or run out of time, and
   * never rejects because of one of them; for an empty target, at once.
   *
   * @throws {HubError} as `emit`, and `ERR_HUB_ARGUMENT` for the timeout; as a rejection.
   */
  async request<E extends RequestName<ServerEvents<T>>>(
    event: E,
    ...[data, options]: RequestArguments<ServerEvents<T>[E], RequestOptions>
  ): Promise<Replies<EventReply<ServerEvents<T>[E]>>> {
    this.#parts.preconditions.checkOpen();
    this.#parts.preconditions.checkSent(event, data);
    const replies = await this.#parts.allNodes.request(this.#audience, event, data, timeoutOf(options));
    return replies as Replies<EventReply<ServerEvents<T>[E]>>;
  }

  /**
   * Puts the sockets into these rooms. A socket that is in one of them already stays there. One that would be in more rooms
   * than `limits.rooms` is put into none; the `error` event of its node names the first of a call (`ERR_HUB_LIMIT`).
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_CLOSED`.
   */
  join(...rooms: readonly RoomNames[]): void {
    this.#parts.preconditions.checkOpen();
    this.#parts.allNodes.join(this.#audience, this.#names(rooms));
  }

  /**
   * Takes the sockets out of these rooms. A room that a socket is not in is ignored.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_CLOSED`.
   */
  leave(...rooms: readonly RoomNames[]): void {
    this.#parts.preconditions.checkOpen();
    this.#parts.allNodes.leave(this.#audience, this.#names(rooms));
  }

  /**
   * Closes the sockets, after what was sent to them before. See `socket.close`.
   *
   * @throws {HubError} `ERR_HUB_CLOSE_CODE`, `ERR_HUB_CLOSED`.
   */
  close(code?: number, reason?: string): void {
    this.#parts.preconditions.checkOpen();
    this.#parts.allNodes.close(this.#audience, checkClose(code, reason));
  }

  /**
   * Describes the sockets: id, user, rooms and the properties of `socket.data` that are named in `data`. Sockets of
   * other nodes are described if their node answers within `timeout` milliseconds, by default 10,000.
   *
   * @throws {HubError} `ERR_HUB_CLOSED`, `ERR_HUB_ARGUMENT` for the timeout; as a rejection.
   */
  async sockets<K extends keyof SocketData<T> & string = never>(options?: {
    readonly data?: readonly K[];
    readonly timeout?: number;
  }): Promise<SocketDescriptions<T, K>> {
    this.#parts.preconditions.checkOpen();
    const timeout = timeoutOf(options, ["data", "timeout"]);
    const descriptions = await this.#parts.allNodes.describe(this.#audience, options?.data ?? [], timeout);
    return descriptions as unknown as SocketDescriptions<T, K>;
  }

  get #recordedBy(): Rule | undefined {
    if (this.#rule === undefined) this.#rule = this.#parts.allNodes.ruleOf(this.#audience) ?? null;
    return this.#rule ?? undefined;
  }

  #names(rooms: readonly RoomNames[]): readonly string[] {
    return this.#parts.preconditions.roomNames(rooms);
  }

  /** Checks the names of rooms whose members are meant. A socket of this node is not meant by its id. */
  #meant(rooms: readonly RoomNames[]): readonly string[] {
    const names = this.#names(rooms);
    const { all, rooms: known } = this.#parts.members;
    for (const name of names) {
      if (name.length >= ID_LENGTH && all.has(name) && !known.entries.has(name)) warnOfId();
    }
    return names;
  }

  #with(change: Partial<Audience>): Target<T> {
    return new Target(this.#parts, { ...this.#audience, ...change });
  }
}
