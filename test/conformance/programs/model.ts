import type { Message, Whom } from "./program.ts";

/** What one client is to see, and what else is to be true of its socket. */
export class ModelSocket {
  open: boolean = true;
  readonly rooms: Set<string> = new Set();
  /** All that was sent to it, in the order of the calls. */
  readonly log: string[] = [];
  /** So much of the log has arrived for certain. */
  arrived: number = 0;
  /** So much of the log may have been written; the rest was still waiting for the end of the turn. */
  written: number = 0;
  /** How the server has ended it: a code, or 1006 for `terminate`. */
  serverCode: number | undefined;
  /** How its client has ended it, at first and then again: with codes, or 1006 for vanishing. */
  readonly clientCodes: number[] = [];

  /** The codes that its client may see at the end; none while it has not been ended by anybody. */
  get codes(): readonly number[] {
    return this.serverCode === undefined ? this.clientCodes : [this.serverCode, ...this.clientCodes];
  }

  /** The log its client sees has at least and at most so many of the entries, from the first on. */
  get bounds(): readonly [least: number, most: number] {
    const all = this.log.length;
    if (this.clientCodes.length > 0) return [this.arrived, all];
    return this.serverCode === TERMINATED ? [this.arrived, this.written] : [all, all];
  }
}

export const TERMINATED = 1006;

/** From this size on a message does not wait for the end of the turn. */
const WRITTEN_EARLY = 32_768;

/**
 * The guarantees of a hub, as simply as they can be said: sending is appending to the logs of those who are meant at
 * that moment.
 */
export class Model {
  readonly sockets: ModelSocket[] = [];
  #turnEnd: NodeJS.Immediate | undefined;

  connect(): void {
    this.sockets.push(new ModelSocket());
  }

  join(index: number, rooms: readonly string[]): void {
    const socket = this.#at(index);
    if (socket.open) for (const room of rooms) socket.rooms.add(room);
  }

  leave(index: number, rooms: readonly string[]): void {
    const socket = this.#at(index);
    if (socket.open) for (const room of rooms) socket.rooms.delete(room);
  }

  send(index: number, entry: string, { size }: Message): void {
    const socket = this.#at(index);
    if (!socket.open) return;
    socket.log.push(entry);
    if (size >= WRITTEN_EARLY) socket.written = socket.log.length;
    if (this.#turnEnd === undefined) this.#turnEnd = setImmediate(() => this.#written());
  }

  /** The server ends the socket. */
  close(index: number, code: number): void {
    const socket = this.#at(index);
    if (!socket.open) return;
    socket.open = false;
    socket.serverCode = code;
  }

  /** The client ends the socket; the server will hear of it. */
  clientEnds(index: number, code: number): void {
    this.#at(index).clientCodes.push(code);
  }

  /** The server has heard of an end; returns whether the code is right. */
  ended(index: number, code: number): boolean {
    const socket = this.#at(index);
    socket.open = false;
    return socket.serverCode === undefined ? socket.clientCodes.includes(code) : code === socket.serverCode;
  }

  /** So much of the log has arrived: the client has answered it. */
  confirm(index: number, count: number): void {
    const socket = this.#at(index);
    socket.arrived = Math.max(socket.arrived, count);
  }

  /** Who is meant: by index, in the order of connecting. */
  resolve({ sender, rooms, sockets, exceptRooms = [], exceptSocket }: Whom): readonly number[] {
    return this.open.filter((index) => {
      const inAny = (names: readonly string[]): boolean => names.some((name) => this.#at(index).rooms.has(name));
      const everybody = rooms === undefined && sockets === undefined;
      const named = everybody || inAny(rooms ?? []) || (sockets ?? []).includes(index);
      return named && index !== sender && index !== exceptSocket && !inAny(exceptRooms);
    });
  }

  /** The indices of the sockets that are open. */
  get open(): readonly number[] {
    return [...this.sockets.keys()].filter((index) => this.#at(index).open);
  }

  /** Every room that has members, with them. */
  get rooms(): Readonly<Record<string, readonly number[]>> {
    const names = [...new Set(this.open.flatMap((index) => [...this.#at(index).rooms]))].toSorted();
    return Object.fromEntries(names.map((name) => [name, this.resolve({ rooms: [name] })]));
  }

  /** At the end of a turn of the event loop, what waits for sockets that are still open is written. */
  #written(): void {
    this.#turnEnd = undefined;
    for (const socket of this.sockets) if (socket.open) socket.written = socket.log.length;
  }

  #at(index: number): ModelSocket {
    return this.sockets[index] as ModelSocket;
  }
}
