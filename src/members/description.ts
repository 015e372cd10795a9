import type { HubTypes, SocketData, UserOf } from "../event-types.ts";
import type { Socket } from "../hub/socket.ts";

/** What `target.sockets()` tells of one socket. It is a copy: it means the same on one node and on many. */
export interface SocketDescription<T extends HubTypes, K extends keyof SocketData<T>> {
  readonly id: string;
  readonly user: UserOf<T> | undefined;
  readonly rooms: readonly string[];
  /** Of `socket.data`, what was asked for. */
  readonly data: Partial<Pick<SocketData<T>, K>>;
}

/** What `target.sockets()` resolves with. */
export interface SocketDescriptions<T extends HubTypes, K extends keyof SocketData<T>> extends Array<
  SocketDescription<T, K>
> {
  /** The names of the nodes that did not answer: their sockets are missing. Always empty without a backplane. */
  readonly silent: readonly string[];
}

export function describe<T extends HubTypes, K extends keyof SocketData<T>>(
  socket: Socket<T>,
  keys: readonly K[],
): SocketDescription<T, K> {
  const { id, user, rooms, data } = socket;
  const chosen: Partial<Pick<SocketData<T>, K>> = {};
  for (const key of keys) if (Object.hasOwn(data, key)) chosen[key] = data[key];
  return { id, user, rooms: [...rooms], data: chosen };
}

/** It is no part of the list: whoever compares or prints that is not bothered by it. */
export function withSilent<T extends HubTypes, K extends keyof SocketData<T>>(
  descriptions: SocketDescription<T, K>[],
  silent: readonly string[],
): SocketDescriptions<T, K> {
  return Object.defineProperty(descriptions, "silent", { value: silent }) as unknown as SocketDescriptions<T, K>;
}
