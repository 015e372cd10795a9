import type { HubTypes, SocketData, SocketUser } from "../event-types.ts";
import { roomsOf } from "../rooms/rooms.ts";
import type { Member } from "./member.ts";

/**
 * The description of one socket that `target.sockets()` returns. A description is a copy, so that it means the same on
 * one node and on many.
 */
export interface SocketDescription<T extends HubTypes, K extends keyof SocketData<T>> {
  readonly id: string;
  readonly user: SocketUser<T>;
  readonly rooms: readonly string[];
  /** The properties of `socket.data` that were asked for. */
  readonly data: Partial<Pick<SocketData<T>, K>>;
}

/** The result of `target.sockets()`. */
export interface SocketDescriptions<T extends HubTypes, K extends keyof SocketData<T>> extends Array<
  SocketDescription<T, K>
> {
  /** The names of the nodes that did not answer: their sockets are missing. Always empty without a backplane. */
  readonly silent: readonly string[];
}

/** A description without the types of the application. */
export type MemberDescription = SocketDescription<HubTypes, never>;

/** Describes a member, with these properties of its data. */
export function describe(member: Member, keys: readonly string[]): MemberDescription {
  const { id, user, data } = member;
  const chosen: Record<string, unknown> = {};
  for (const key of keys) if (data !== undefined && Object.hasOwn(data, key)) chosen[key] = data[key];
  return { id, user, rooms: [...(roomsOf(member) ?? [])], data: chosen };
}

/** Adds the silent nodes. They are not part of the list, so that comparing or printing it does not show them. */
export function withSilent<T extends HubTypes, K extends keyof SocketData<T>>(
  descriptions: SocketDescription<T, K>[],
  silent: readonly string[],
): SocketDescriptions<T, K> {
  return Object.defineProperty(descriptions, "silent", { value: silent }) as unknown as SocketDescriptions<T, K>;
}
