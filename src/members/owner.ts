import { subscriberOf } from "../checks/subscriber.ts";
import type { Member } from "./member.ts";

/**
 * Returns the key of the owner of a member: its user or, without a user, the address that it came from. What one owner uses up is
 * counted by this key, so that a new connection renews nothing.
 */
export function ownerOf({ user, handshake }: Pick<Member, "handshake" | "user">): string {
  return user === undefined ? `address:${subscriberOf(handshake.remoteAddress)}` : `user:${user.id}`;
}
