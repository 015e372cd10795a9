import type { Identity } from "./identity.ts";

/** The rooms of an application whose library has none: a map of sets, as most people write it. */
export class Rooms<S> {
  readonly #members = new Map<string, Set<S>>();
  readonly #socketOf = new Map<number, S>();

  enter({ client, rooms }: Identity, socket: S): void {
    this.#socketOf.set(client, socket);
    for (const room of rooms) this.#add(room, socket);
  }

  remove({ client }: Identity, socket: S): void {
    this.#socketOf.delete(client);
    for (const room of this.#members.keys()) this.#delete(room, socket);
  }

  join(client: number, room: string): void {
    const socket = this.#socketOf.get(client);
    if (socket !== undefined) this.#add(room, socket);
  }

  leave(client: number, room: string): void {
    const socket = this.#socketOf.get(client);
    if (socket !== undefined) this.#delete(room, socket);
  }

  socketOf(client: number): S | undefined {
    return this.#socketOf.get(client);
  }

  members(room: string): Iterable<S> & { has(socket: S): boolean } {
    return this.#members.get(room) ?? NOBODY;
  }

  /** Everybody in any of the rooms, once, who is in none of the others. */
  union(rooms: readonly string[], except: readonly string[]): Set<S> {
    const union = new Set<S>();
    for (const room of rooms) for (const socket of this.members(room)) union.add(socket);
    for (const room of except) for (const socket of this.members(room)) union.delete(socket);
    return union;
  }

  #add(room: string, socket: S): void {
    const members = this.#members.get(room);
    if (members === undefined) this.#members.set(room, new Set([socket]));
    else members.add(socket);
  }

  #delete(room: string, socket: S): void {
    const members = this.#members.get(room);
    if (members?.delete(socket) === true && members.size === 0) this.#members.delete(room);
  }
}

const NOBODY: ReadonlySet<never> = new Set<never>();
