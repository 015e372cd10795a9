import { onlyRoom, type Audience } from "./audience.ts";
import { checkCloseArguments, checkId, checkKey, checkPolicy, checkSocket, onlyValue, timeoutOf } from "./arguments.ts";
import type {
  DataArguments,
  EventName,
  EventReply,
  HubTypes,
  RequestArguments,
  RequestName,
  ServerEvents,
  SocketData,
  UserOf,
} from "./event-types.ts";
import type { Core } from "./core.ts";
import type { Member } from "./member.ts";
import type { OverloadPolicy } from "./overload.ts";
import type { Replies, RequestOptions } from "./requests.ts";
import type { RoomNames } from "./rooms.ts";
import type { Socket } from "./socket.ts";

/** What `target.sockets()` tells of one socket. It is a copy: it means the same on one node and on many. */
export interface SocketDescription<T extends HubTypes, K extends keyof SocketData<T>> {
  readonly id: string;
  readonly user: UserOf<T> | undefined;
  readonly rooms: readonly string[];
  /** Of `socket.data`, what was asked for. */
  readonly data: Partial<Pick<SocketData<T>, K>>;
}

/**
 * Some of the hub's sockets, named but not yet looked up. Immutable: every method that narrows or widens returns a new
 * target, so that one can be kept and used again.
 *
 * It is resolved at each use: members at the moment of the call are meant, each once, and `except` wins over `to`.
 */
export class Target<T extends HubTypes = HubTypes> {
  readonly #core: Core;
  readonly #audience: Audience;

  constructor(core: Core, audience: Audience) {
    this.#core = core;
    this.#audience = audience;
  }

  /**
   * Also the members of these rooms. From everybody (the hub, `socket.broadcast`, `hub.except(…)`) it narrows to them.
   * An empty list of rooms adds nobody.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`.
   */
  to(...rooms: readonly RoomNames[]): Target<T> {
    return this.#with({ everybody: false, rooms: [...this.#audience.rooms, ...this.#core.roomNames(rooms)] });
  }

  /** Also the socket with this id, if it is connected. Otherwise like {@link to}. */
  toSocket(id: string): Target<T> {
    return this.#with({ everybody: false, sockets: [...this.#audience.sockets, checkId(id)] });
  }

  /** Also every socket of the user with this id. Otherwise like {@link to}. */
  toUser(id: string): Target<T> {
    return this.#with({ everybody: false, users: [...this.#audience.users, checkId(id)] });
  }

  /**
   * Leaves out the members of these rooms and these sockets, however else they are named. A string is the name of a room,
   * never an id.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_ARGUMENT`.
   */
  except(...excluded: readonly (RoomNames | Socket<T>)[]): Target<T> {
    const rooms: RoomNames[] = [];
    const ids: string[] = [];
    for (const item of excluded) {
      if (typeof item === "string" || Array.isArray(item)) rooms.push(item as RoomNames);
      else ids.push(checkSocket(item).id);
    }
    const { exceptRooms, exceptSockets } = this.#audience;
    return this.#with({
      exceptRooms: [...exceptRooms, ...this.#core.roomNames(rooms)],
      exceptSockets: [...exceptSockets, ...ids],
    });
  }

  /**
   * For messages that are worthless when late: sockets that are behind, with more than 16 KiB not yet taken by the
   * operating system, are skipped.
   */
  get volatile(): Target<T> {
    return this.#with({ volatile: true });
  }

  /**
   * What becomes of an event or a message for a socket that reads too slowly, in place of the option `overload`:
   * see {@link OverloadPolicy}.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`.
   */
  overload(policy: OverloadPolicy): Target<T> {
    return this.#with({ overload: { ...this.#audience.overload, policy: checkPolicy(policy) } });
  }

  /**
   * For values of which only the newest counts: prices, cursors, positions. While a socket is behind, with more than 64 KiB
   * not yet taken by the operating system, a message takes the place of the one with the same key that waits for it; the
   * others get all of them.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`.
   */
  latest(key: string): Target<T> {
    return this.#with({ overload: { ...this.#core.overloadOf(this.#audience), key: checkKey(key) } });
  }

  /** Only the sockets of this node. Without a backplane that is all of them. */
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
    this.#core.checkOpen();
    const data = onlyValue(values);
    this.#core.checkSent(event, data);
    this.#core.emit(this.#audience, { event, data, room: onlyRoom(this.#audience) });
  }

  /**
   * Sends a message as it is: a string as a text frame, bytes as a binary frame. Bytes are copied now.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_MESSAGE_TOO_LARGE`, `ERR_HUB_CLOSED`.
   */
  send(message: string | Uint8Array): void {
    this.#core.checkOpen();
    const { codecs } = this.#core;
    this.#core.broadcast(this.#audience, codecs.frame(message, this.#core.overloadOf(this.#audience)));
  }

  /**
   * Sends an event that each socket answers. Resolves when the last of them has replied, failed or run out of time, and
   * never rejects because of one of them; of nobody, at once.
   *
   * @throws {HubError} as `emit`, and `ERR_HUB_ARGUMENT` for the timeout; as a rejection.
   */
  async request<E extends RequestName<ServerEvents<T>>>(
    event: E,
    ...[data, options]: RequestArguments<ServerEvents<T>[E], RequestOptions>
  ): Promise<Replies<EventReply<ServerEvents<T>[E]>>> {
    this.#core.checkOpen();
    this.#core.checkSent(event, data);
    const replies = await this.#core.request(this.#audience, event, data, timeoutOf(options));
    return replies as Replies<EventReply<ServerEvents<T>[E]>>;
  }

  /**
   * Puts the sockets into these rooms. Who is in one already stays.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_CLOSED`, `ERR_HUB_LIMIT`, and then nobody was put anywhere.
   */
  join(...rooms: readonly RoomNames[]): void {
    this.#core.checkOpen();
    const names = this.#core.roomNames(rooms);
    const members: Member[] = [];
    this.#core.members.forEach(this.#audience, (member) => members.push(member));
    this.#core.join(members, names);
  }

  /**
   * Takes the sockets out of these rooms. Who is not in one stays out.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_CLOSED`.
   */
  leave(...rooms: readonly RoomNames[]): void {
    this.#core.checkOpen();
    const names = this.#core.roomNames(rooms);
    const { members } = this.#core;
    members.forEach(this.#audience, (member) => {
      for (const name of names) members.rooms.leave(member, name);
    });
  }

  /**
   * Closes the sockets, after what was sent to them before. See `socket.close`.
   *
   * @throws {HubError} `ERR_HUB_CLOSE_CODE`, `ERR_HUB_CLOSED`.
   */
  close(code?: number, reason?: string): void {
    this.#core.checkOpen();
    const checked = checkCloseArguments(code, reason);
    this.#core.members.forEach(this.#audience, (member) => {
      this.#core.closeMember(member, checked.code, checked.reason);
    });
  }

  /**
   * Describes the sockets: id, user, rooms and, of `socket.data`, the properties named in `data`.
   *
   * @throws {HubError} `ERR_HUB_CLOSED`; as a rejection.
   */
  async sockets<K extends keyof SocketData<T> & string = never>(options?: {
    readonly data?: readonly K[];
  }): Promise<SocketDescription<T, K>[]> {
    this.#core.checkOpen();
    const sockets: Socket<T>[] = [];
    this.#core.members.forEach(this.#audience, (member) => sockets.push(member.socket as Socket<T>));
    // Only now: reading `data` may run code of the application's, which may send.
    return sockets.map((socket) => describe(socket, options?.data ?? []));
  }

  #with(change: Partial<Audience>): Target<T> {
    return new Target(this.#core, { ...this.#audience, ...change });
  }
}

function describe<T extends HubTypes, K extends keyof SocketData<T>>(
  socket: Socket<T>,
  keys: readonly K[],
): SocketDescription<T, K> {
  const { id, user, rooms, data } = socket;
  const chosen: Partial<Pick<SocketData<T>, K>> = {};
  for (const key of keys) if (Object.hasOwn(data, key)) chosen[key] = data[key];
  return { id, user, rooms: [...rooms], data: chosen };
}
