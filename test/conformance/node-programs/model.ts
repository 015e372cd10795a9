import type { Client, Step, Whom } from "./program.ts";

/** What may be, as a set of bits: two bits together mean that the promises leave it open. */
export const NO = 1;
export const YES = 2;

/** A call of the program on one node, on sockets named by their indices. */
export type Call = { readonly node: number } & (
  | { readonly act: "sync"; readonly room: string }
  | Extract<Step, { readonly act: "join" | "leave" | "react" }>
  | Extract<Step, { readonly act: "joinAll" | "leaveAll" | "emit" | "request" }>
);

type RemoteAct = Extract<Call, { readonly act: "joinAll" | "leaveAll" }>;

/**
 * What the documents promise about the calls between two moments at which nothing is under way. Calls of one node are in
 * order, those of different nodes in none, and a node hears a room for certain if it heard it at the beginning, if it
 * has awaited `synced`, or if the caller itself has put the socket there.
 */
export class Model {
  readonly #clients: readonly Client[];
  readonly #isOrdered: boolean;
  /** The rooms of each socket at the beginning. */
  readonly #initial: readonly ReadonlySet<string>[];
  readonly #calls: readonly Call[];
  /** Everything that each socket may be, in each room, at any time. */
  readonly #atAll: Map<string, number>[];
  readonly #applied = new Map<string, number>();

  constructor(
    clients: readonly Client[],
    isOrdered: boolean,
    initial: readonly ReadonlySet<string>[],
    calls: readonly Call[],
  ) {
    this.#clients = clients;
    this.#isOrdered = isOrdered;
    this.#initial = initial;
    this.#calls = calls;
    this.#atAll = initial.map(() => new Map());
    this.#spread();
  }

  /**
   * Whether a call of another node applies to a socket.
   *
   * @param index - the index of the call.
   */
  applies(socket: number, index: number): number {
    const key = `${socket} ${index}`;
    let applies = this.#applied.get(key);
    if (applies === undefined) {
      const { node, whom } = this.#calls[index] as Extract<Call, { readonly whom: Whom }>;
      const view = this.#view(socket, node, index);
      applies = appliesTo(whom, socket, this.#clients[socket]?.user ?? "", (room) => view.at(room));
      this.#applied.set(key, applies);
    }
    return applies;
  }

  /** What a socket is in a room at the end, if only one other node has changed that; otherwise everything. */
  atLast(socket: number, room: string): number {
    const writers = new Set<number>();
    for (const call of this.#calls) {
      if (call.act === "react" && call.socket === socket && call.room === room) return YES | NO;
      if ((call.act === "join" || call.act === "leave") && call.socket === socket && call.room === room)
        writers.add(call.node);
      if (isRemote(call) && call.room === room && this.#mayApply(call, socket)) writers.add(call.node);
    }
    const [writer] = writers;
    if (writers.size !== 1 || writer === this.#nodeOf(socket)) return YES | NO;
    const view = this.#view(socket, writer as number, this.#calls.length);
    view.confirm(room);
    return view.at(room);
  }

  /** The rooms in which a socket may be at any time. */
  roomsOf(socket: number): readonly string[] {
    return ["a", "b", "c"].filter((room) => (this.#at(socket, room) & YES) !== 0);
  }

  /** Finds everything that may be, by adding what may follow until nothing does. */
  #spread(): void {
    for (let isNew = true; isNew;) {
      isNew = false;
      for (const call of this.#calls) {
        for (const socket of this.#clients.keys()) {
          if (!("room" in call) || call.act === "sync") continue;
          const applies = isRemote(call) ? this.#mayApply(call, socket) : call.socket === socket;
          const before = this.#at(socket, call.room);
          const after = before | valueOf(call);
          if (!applies || after === before) continue;
          this.#atAll[socket]?.set(call.room, after);
          isNew = true;
        }
      }
    }
  }

  #view(socket: number, from: number, until: number): View {
    const view = new View((room) => this.#valueAtFirst(socket, room));
    const at = this.#nodeOf(socket);
    const hasForeign = (room: string): boolean => {
      return this.#calls.some((call) => isRemote(call) && call.room === room && this.#mayApply(call, socket));
    };
    this.#calls.forEach((call, index) => {
      if (!("room" in call)) return;
      if (call.act === "sync") {
        if (index >= until) return;
        if (call.node === from) view.confirm(call.room);
        if (call.node === at && !hasForeign(call.room)) view.synced(call.room);
      } else if (isRemote(call)) {
        if (call.node !== from) {
          if (this.#mayApply(call, socket)) view.disturb(call.room, valueOf(call));
        } else if (index >= until) {
          // Without an order, what the caller does later may still be earlier there.
          if (!this.#isOrdered && this.#mayApply(call, socket)) view.disturb(call.room, valueOf(call));
        } else {
          view.write(this.applies(socket, index), call.room, valueOf(call), this.#isOrdered);
        }
      } else if (call.socket === socket) {
        // What the socket's own program does is effective at once; what it does later may still be earlier there.
        if (call.act === "react" || index > until) view.disturb(call.room, valueOf(call));
        else view.writeThere(call.room, valueOf(call));
      }
    });
    return view;
  }

  #mayApply(call: RemoteAct, socket: number): boolean {
    return (
      (appliesTo(call.whom, socket, this.#clients[socket]?.user ?? "", (room) => this.#at(socket, room)) & YES) > 0
    );
  }

  #at(socket: number, room: string): number {
    return this.#atAll[socket]?.get(room) ?? this.#valueAtFirst(socket, room);
  }

  #valueAtFirst(socket: number, room: string): number {
    return this.#initial[socket]?.has(room) === true ? YES : NO;
  }

  #nodeOf(socket: number): number | undefined {
    return this.#clients[socket]?.node;
  }
}

/** The rooms of one socket, as the calls of one other node find them. */
class View {
  readonly #first: (room: string) => number;
  readonly #values = new Map<string, number>();
  /** What the calls of others may make of it at any time. */
  readonly #disturbed = new Map<string, number>();
  /** The writes of the caller that are in no order with what it does next. */
  readonly #pending = new Map<string, { values: number; isCertain: boolean }>();
  /** The rooms to which the caller has sent something that may still be under way. */
  readonly #written = new Set<string>();
  /** The last write of the socket's own program. */
  readonly #own = new Map<string, number>();

  constructor(first: (room: string) => number) {
    this.#first = first;
  }

  at(room: string): number {
    return this.#value(room) | (this.#disturbed.get(room) ?? 0) | (this.#pending.get(room)?.values ?? 0);
  }

  disturb(room: string, value: number): void {
    this.#disturbed.set(room, (this.#disturbed.get(room) ?? 0) | value);
  }

  /**
   * The caller writes.
   *
   * @param applies - whether the write is for the socket.
   */
  write(applies: number, room: string, value: number, isOrdered: boolean): void {
    if (applies === NO) return;
    this.#written.add(room);
    if (isOrdered) {
      this.#values.set(room, applies === YES ? value : this.#value(room) | value);
      return;
    }
    const pending = this.#pending.get(room);
    this.#pending.set(room, {
      values: (pending?.values ?? 0) | value,
      isCertain: (pending?.isCertain ?? true) && applies === YES,
    });
  }

  /** The caller knows that its writes have been carried out. */
  confirm(room: string): void {
    const pending = this.#pending.get(room);
    if (pending === undefined) return;
    this.#pending.delete(room);
    const { values, isCertain } = pending;
    const isKnown = isCertain && values !== (YES | NO) && !this.#own.has(room);
    this.#values.set(room, isKnown ? values : this.#value(room) | values);
  }

  /** The socket's own program writes. Its node hears the room only later. */
  writeThere(room: string, value: number): void {
    this.#own.set(room, value);
    const isCertain = value === NO && !this.#written.has(room);
    this.#values.set(room, isCertain ? NO : this.#value(room) | value);
  }

  /** The socket's own node hears the room, if the socket is in there. */
  synced(room: string): void {
    const own = this.#own.get(room);
    if (own !== undefined) this.#values.set(room, own);
  }

  #value(room: string): number {
    return this.#values.get(room) ?? this.#first(room);
  }
}

/** Whether a socket is meant, if it is in the rooms as `at` says. */
export function appliesTo(
  { rooms, sockets, users, exceptRooms, exceptSockets }: Whom,
  socket: number,
  user: string,
  at: (room: string) => number,
): number {
  if (exceptSockets.includes(socket)) return NO;
  const isNamed =
    rooms.length + sockets.length + users.length === 0 || sockets.includes(socket) || users.includes(user)
      ? YES
      : inAny(rooms.map(at));
  const isExcluded = inAny(exceptRooms.map(at));
  if (isNamed === NO || isExcluded === YES) return NO;
  return isNamed === YES && isExcluded === NO ? YES : YES | NO;
}

function inAny(values: readonly number[]): number {
  if (values.includes(YES)) return YES;
  return values.every((value) => value === NO) ? NO : YES | NO;
}

function valueOf({ act }: { readonly act: string }): number {
  return act.startsWith("leave") ? NO : YES;
}

function isRemote(call: Call): call is RemoteAct & Call {
  return call.act === "joinAll" || call.act === "leaveAll";
}
