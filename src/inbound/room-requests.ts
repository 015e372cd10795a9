import { isThenable } from "../checks/is-thenable.ts";
import { isFunction, type Options } from "../checks/option-rules.ts";
import { HubError, ReplyError } from "../errors.ts";
import { watch, type Guardian } from "../guard.ts";
import { WireErrorCode } from "../protocol/packet.ts";
import { roomNames } from "../rooms/rooms.ts";

/** Decides whether a client may join or leave a room by itself. */
export type Joinable<S> = (room: string, socket: S) => boolean | PromiseLike<boolean>;

/** The settings of the room requests of clients. */
export interface RoomRequestSettings<S> {
  /**
   * Decides whether a client may join, and leave, a room by itself, as `client.join(room)` asks. If it refuses, or
   * throws a {@link ReplyError}, the client is told.
   *
   * Default: no client may; only the server assigns rooms.
   */
  readonly joinable: Joinable<S> | undefined;
}

export const roomRequestOptions: Options<RoomRequestSettings<never>> = {
  joinable: { default: undefined, rule: ["a function", isFunction] },
};

/** The methods of a socket that a room request calls. */
interface RoomSocket {
  readonly isOpen: boolean;
  join(room: string): void;
  leave(room: string): void;
}

/**
 * The requests of clients to join and leave rooms by themselves: `hub:join` and `hub:leave`.
 *
 * Requests of one client take effect in the order in which they came, however long `joinable` takes for each.
 */
export class RoomRequests<S extends RoomSocket> {
  readonly #joinable: Joinable<S>;
  readonly #maxLength: number;
  /** The promise of the last request of each socket, which the next one waits for. */
  readonly #pending = new WeakMap<S, Promise<void>>();

  readonly #guardian: Guardian;

  /** @param maxLength - the length of the longest name of a room. */
  constructor(joinable: Joinable<S> = () => false, maxLength: number, guardian: Guardian) {
    this.#guardian = guardian;
    this.#joinable = joinable;
    this.#maxLength = maxLength;
  }

  /** Handles `hub:join`. */
  readonly join = (data: unknown, socket: S): Promise<void> | void => {
    return this.#ask(roomIn(data, this.#maxLength), socket, (room) => socket.join(room));
  };

  /** Handles `hub:leave`. */
  readonly leave = (data: unknown, socket: S): Promise<void> | void => {
    return this.#ask(roomIn(data, this.#maxLength), socket, (room) => socket.leave(room));
  };

  #ask(room: string, socket: S, change: (room: string) => void): Promise<void> | void {
    const before = this.#pending.get(socket);
    const allowed =
      before === undefined
        ? this.#joinable(room, socket)
        : // A client that goes away leaves no work behind.
          before.then(() => socket.isOpen && this.#joinable(room, socket));
    const conclude = (verdict: boolean): void => {
      if (!verdict) throw new ReplyError(WireErrorCode.notJoinable, "This room cannot be joined or left so.");
      change(room);
    };
    if (!isThenable(allowed)) return conclude(allowed);
    const done = Promise.resolve(allowed).then(conclude);
    watch(this.#guardian, this.#queue(socket, done));
    return done;
  }

  async #queue(socket: S, done: Promise<void>): Promise<void> {
    const settled = done.catch(() => {});
    this.#pending.set(socket, settled);
    await settled;
    if (this.#pending.get(socket) === settled) this.#pending.delete(socket);
  }
}

/**
 * Returns the room that a client asked for.
 *
 * @throws {ReplyError} that tells the client what is wrong.
 */
function roomIn(data: unknown, maxLength: number): string {
  const { room } = (data ?? {}) as { readonly room?: unknown };
  try {
    const [name] = roomNames([[room as string]], maxLength);
    return name as string;
  } catch (error) {
    throw error instanceof HubError ? new ReplyError(WireErrorCode.invalidData, error.message) : error;
  }
}
