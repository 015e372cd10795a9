import { subscriberOf } from "../checks/subscriber.ts";
import type { User } from "../event-types.ts";
import type { Handshake } from "./handshake.ts";

/** The fields of a connection that identify its owner. */
interface Owned {
  readonly handshake: Handshake;
  readonly user: User | undefined;
}

/**
 * Returns the key of the owner of a member: its user or, without a user, the address that it came from. The usage of
 * one owner is counted by this key, so that a new connection renews nothing.
 */
export function ownerOf({ user, handshake }: Owned): string {
  return user === undefined ? addressKeyOf(handshake.remoteAddress) : `user:${user.id}`;
}

/** Returns the key of the owner of an address: the address, or the /64 of an IPv6 address. */
export function addressKeyOf(address: string): string {
  return `address:${subscriberOf(address)}`;
}
