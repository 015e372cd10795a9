import type { Member } from "../members/member.ts";

/** The most earlier sockets of one member that are known. */
const MAX_EARLIER = 8;

const NONE: readonly string[] = [];

/**
 * The members of clients that had another socket before, by the ids of those. What leaves out a socket is not for its
 * successor either.
 *
 * Whoever names the socket of another client as an earlier one of its own gets less, and takes nothing from that client.
 */
export class Successors {
  readonly #members = new Map<string, Set<Member>>();
  readonly #earlier = new Map<Member, readonly string[]>();

  /** Notes the earlier sockets of a member, the last one first. */
  add(member: Member, sockets: readonly string[]): void {
    const known = this.earlierOf(member);
    const given = sockets.filter((id) => id !== "" && id !== member.id);
    const added = given.filter((id) => !known.includes(id));
    if (added.length === 0) return;
    // Each position names the last socket first, and nobody knows which of two positions is of a later connection.
    const inTurn = Array.from({ length: Math.max(given.length, known.length) }, (_, index) => [
      known[index],
      given[index],
    ]);
    const earlier = [...new Set(inTurn.flat().filter((id) => id !== undefined))].slice(0, MAX_EARLIER);
    for (const id of known) if (!earlier.includes(id)) this.#delete(id, member);
    for (const id of earlier.filter((each) => added.includes(each))) {
      const members = this.#members.get(id);
      if (members === undefined) this.#members.set(id, new Set([member]));
      else members.add(member);
    }
    this.#earlier.set(member, earlier);
  }

  delete(member: Member): void {
    for (const id of this.earlierOf(member)) this.#delete(id, member);
    this.#earlier.delete(member);
  }

  /** Returns the ids of the earlier sockets of a member, the last one first. */
  earlierOf(member: Member): readonly string[] {
    return this.#earlier.get(member) ?? NONE;
  }

  /** Returns these ids, and those of the members that have succeeded them. */
  withSuccessors(ids: readonly string[]): readonly string[] {
    if (this.#members.size === 0 || ids.length === 0) return ids;
    const successors = ids.flatMap((id) => Array.from(this.#members.get(id) ?? [], (member) => member.id));
    return successors.length === 0 ? ids : [...new Set([...ids, ...successors])];
  }

  #delete(id: string, member: Member): void {
    const members = this.#members.get(id);
    members?.delete(member);
    if (members?.size === 0) this.#members.delete(id);
  }
}
