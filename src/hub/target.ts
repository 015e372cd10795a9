import { onlyRoom, type Audience } from "../members/audience.ts";
import {
  checkCloseArguments,
  checkId,
  checkKey,
  checkPolicy,
  checkSocket,
  onlyValue,
  timeoutOf,
} from "../checks/arguments.ts";
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
import type { Cluster } from "../cluster/cluster.ts";
import type { Core } from "../members/lifecycle.ts";
import type { Findings } from "../cluster/queries.ts";
import type { Encoding } from "../delivery/codecs.ts";
import { describe, withSilent, type SocketDescription, type SocketDescriptions } from "../members/description.ts";
import type { OverloadPolicy } from "../delivery/overload.ts";
import type { Replies, RequestOptions } from "../members/requests.ts";
import type { RoomNames } from "../rooms/rooms.ts";
import type { Socket } from "./socket.ts";

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
    const { codecs } = this.#core;
    const packet = { event, data, room: onlyRoom(this.#audience) };
    this.#deliver(codecs.encodeForAll(packet, this.#beyond !== undefined, this.#core.overloadOf(this.#audience)));
  }

  /**
   * Sends a message as it is: a string as a text frame, bytes as a binary frame. Bytes are copied now.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_MESSAGE_TOO_LARGE`, `ERR_HUB_CLOSED`.
   */
  send(message: string | Uint8Array): void {
    this.#core.checkOpen();
    const { codecs } = this.#core;
    this.#deliver(codecs.frame(message, this.#core.overloadOf(this.#audience)));
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
    const { codecs, local, requests } = this.#core;
    const beyond = this.#beyond;
    const id = beyond === undefined ? requests.nextId() : requests.nextClusterId();
    const request = { id, event, timeout: timeoutOf(options) };
    const packet = { event, data, id, room: onlyRoom(this.#audience) };
    const encoding = codecs.encodeForAll(packet, beyond !== undefined);
    const here = local.request(this.#audience, request, encoding).replies;
    const replies = beyond === undefined ? here : joined(here, beyond.request(this.#audience, request, encoding));
    return (await replies) as Replies<EventReply<ServerEvents<T>[E]>>;
  }

  /**
   * Puts the sockets into these rooms. Who is in one already stays.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_CLOSED`, `ERR_HUB_LIMIT`, and then nobody was put anywhere.
   */
  join(...rooms: readonly RoomNames[]): void {
    this.#core.checkOpen();
    const names = this.#core.roomNames(rooms);
    this.#core.local.join(this.#audience, names);
    this.#beyond?.join(this.#audience, names);
  }

  /**
   * Takes the sockets out of these rooms. Who is not in one stays out.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_CLOSED`.
   */
  leave(...rooms: readonly RoomNames[]): void {
    this.#core.checkOpen();
    const names = this.#core.roomNames(rooms);
    this.#core.local.leave(this.#audience, names);
    this.#beyond?.leave(this.#audience, names);
  }

  /**
   * Closes the sockets, after what was sent to them before. See `socket.close`.
   *
   * @throws {HubError} `ERR_HUB_CLOSE_CODE`, `ERR_HUB_CLOSED`.
   */
  close(code?: number, reason?: string): void {
    this.#core.checkOpen();
    const checked = checkCloseArguments(code, reason);
    this.#core.local.close(this.#audience, checked.code, checked.reason);
    this.#beyond?.close(this.#audience, checked.code, checked.reason);
  }

  /**
   * Describes the sockets: id, user, rooms and, of `socket.data`, the properties named in `data`. Of other nodes, what they
   * have told within `timeout` milliseconds, by default 10,000.
   *
   * @throws {HubError} `ERR_HUB_CLOSED`, `ERR_HUB_ARGUMENT` for the timeout; as a rejection.
   */
  async sockets<K extends keyof SocketData<T> & string = never>(options?: {
    readonly data?: readonly K[];
    readonly timeout?: number;
  }): Promise<SocketDescriptions<T, K>> {
    this.#core.checkOpen();
    const timeout = timeoutOf(options);
    const keys = options?.data ?? [];
    const elsewhere = this.#beyond?.describe(this.#audience, keys, timeout);
    const sockets = this.#core.local.sockets(this.#audience) as Socket<T>[];
    // Only now: reading `data` may run code of the application's, which may send.
    const descriptions = sockets.map((socket) => describe(socket, keys));
    const findings = await elsewhere;
    descriptions.push(...((findings?.descriptions ?? []) as SocketDescription<T, K>[]));
    return withSilent(descriptions, findings?.silent ?? []);
  }

  /** The other nodes, as far as they are meant. */
  get #beyond(): Cluster | undefined {
    return this.#audience.local ? undefined : this.#core.cluster;
  }

  /** Elsewhere first: what goes to sockets here leaves at the end of the turn all the same. */
  #deliver(encoding: Encoding): void {
    this.#beyond?.deliver(this.#audience, encoding);
    this.#core.local.deliver(this.#audience, encoding);
  }

  #with(change: Partial<Audience>): Target<T> {
    return new Target(this.#core, { ...this.#audience, ...change });
  }
}

/** What was answered here and elsewhere. */
async function joined(here: Promise<Replies<unknown>>, elsewhere: Promise<Findings>): Promise<Replies<unknown>> {
  const [own, findings] = await Promise.all([here, elsewhere]);
  return {
    replies: new Map([...own.replies, ...findings.replies]),
    failures: new Map([...own.failures, ...findings.failures]),
    silent: findings.silent,
  };
}
