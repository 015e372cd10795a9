import { isThenable } from "../checks/is-thenable.ts";
import { isFunction, isObject, type Options } from "../checks/option-rules.ts";
import { HubError, ReplyError } from "../errors.ts";
import { watch, type Guardian } from "../guard.ts";
import { MAX_ROOMS_PER_REQUEST, WireErrorCode } from "../protocol/packet.ts";
import { roomNames } from "../rooms/rooms.ts";
import type { Clock } from "../time/clock.ts";

/** Decides whether a client may join or leave a room by itself. */
export type Joinable<S> = (room: string, socket: S) => boolean | PromiseLike<boolean>;

/** The settings of the room requests of clients. */
export interface RoomRequestSettings<S> {
  /**
   * Decides whether a client may join, and leave, a room by itself, as `client.join(room)` asks. If it refuses, or
   * throws a {@link ReplyError}, the client is told. Where it returns a promise, it is asked about up to 100 rooms of a
   * client at a time; they are joined and left in the order in which the client asked.
   *
   * Default: no client may; only the server assigns rooms.
   */
  readonly joinable: Joinable<S> | undefined;
}

export const roomRequestOptions: Options<RoomRequestSettings<never>> = {
  joinable: { default: undefined, rule: ["a function", isFunction] },
};

/** The part of a socket that a room request looks at. */
interface RoomSocket {
  readonly isOpen: boolean;
}

/** What a client asks for when it joins a room. */
interface JoinWish {
  /** The position that the client has given, whatever it is. */
  readonly since: unknown;
  /** Whether it wants to know who is there. */
  readonly presence: boolean;
}

/** Puts sockets into rooms, and takes them out. */
export interface RoomMovement<S> {
  /**
   * Puts a socket into a room.
   *
   * @param wish - what the client has asked for.
   * @param entered - called once the socket is in the room, or with `false` if it was taken out before.
   * @throws an error that refuses the room.
   */
  enter(socket: S, room: string, wish: JoinWish, entered: (isIn: boolean) => void): void;
  exit(socket: S, room: string): void;
}

/**
 * The most rooms of one client that `joinable` decides about at a time: all those of one message. So a client at the usual
 * limit of rooms is in all of them, while what it sent waits, if each decision takes less than half a second.
 */
const AT_ONCE = MAX_ROOMS_PER_REQUEST;

/** Says which rooms of a request for several were refused, and why. The others were joined, or left. */
export class RefusedRooms extends Error {
  override readonly name = "RefusedRooms";
  /** The errors, by room. */
  readonly failures: ReadonlyMap<string, unknown>;

  constructor(failures: ReadonlyMap<string, unknown>) {
    super("Some rooms were refused.");
    this.failures = failures;
  }
}

/** Refuses what is no name of a room, or no list of names. */
export class InvalidRoomError extends ReplyError {
  constructor(message: string) {
    super(WireErrorCode.invalidData, message);
  }
}

/** The refusal of `joinable`: one for all, because a trace of calls would say nothing, and cost more than the decision. */
const NOT_JOINABLE = new ReplyError(WireErrorCode.notJoinable, "This room cannot be joined or left so.");

/** What `joinable` has said about a room, or the error that refuses the room. */
type Verdict = boolean | { readonly error: unknown };

/** Called once a room is joined or left, or with the error that refuses it. */
type Acted = (refusal?: { readonly error: unknown }) => void;

/** A request, and how far it has come. */
interface RoomRequest {
  readonly rooms: readonly string[];
  /** The verdicts on the rooms, as far as they are known. */
  readonly verdicts: (Verdict | undefined)[];
  /** The errors of the rooms that were refused. */
  readonly failures: Map<string, unknown>;
  /** Number of rooms that `joinable` was asked about. */
  asked: number;
  /** Number of rooms that were joined, left or refused. */
  done: number;
  /** The time of the request, in milliseconds; `-Infinity` once nothing waits for it. */
  since: number;
  /** Joins or leaves a room. */
  act(room: string, acted: Acted): void;
  /** Called when the request was carried out; absent while it is begun. */
  finished?: () => void;
}

/** The requests of one client, in their order, until they are carried out. */
interface Line {
  requests: RoomRequest[];
  /** The place of the first request that was not carried out. */
  first: number;
  /** The place of the first request with rooms that `joinable` was not asked about. */
  next: number;
  /** Number of questions that `joinable` has not answered. */
  open: number;
  /** Whether a room is being joined: the client is sent what it has missed there. */
  isActing: boolean;
}

/**
 * The requests of clients to join and leave rooms by themselves: `hub:join` and `hub:leave`.
 *
 * Requests of one client take effect in the order in which they came, and their rooms in the order in which they are
 * named, however long `joinable` takes for each.
 */
export class RoomRequests<S extends RoomSocket> {
  readonly #joinable: Joinable<S>;
  readonly #movement: RoomMovement<S>;
  readonly #maxLength: number;
  readonly #guardian: Guardian;
  readonly #clock: Clock;
  /** The requests of each client that wait for `joinable`. They end with their client, whether or not it answers. */
  readonly #lines = new WeakMap<S, Line>();

  /** @param maxLength - the length of the longest name of a room. */
  constructor(
    joinable: Joinable<S> = () => false,
    movement: RoomMovement<S>,
    maxLength: number,
    clock: Clock,
    guardian: Guardian,
  ) {
    this.#guardian = guardian;
    this.#movement = movement;
    this.#joinable = joinable;
    this.#maxLength = maxLength;
    this.#clock = clock;
  }

  /**
   * Returns the time since which it is not decided which rooms a client is in, in milliseconds; `undefined` if it is. The
   * oldest request counts, because the others take effect after it.
   */
  undecidedSince(socket: S): number | undefined {
    const line = this.#lines.get(socket);
    return line?.requests[line.first]?.since;
  }

  /** Makes the requests that a client has now as old as can be, so that nothing waits for them any more. */
  age(socket: S): void {
    for (const request of this.#lines.get(socket)?.requests ?? []) request.since = -Infinity;
  }

  /** Handles `hub:join`. */
  readonly join = (data: unknown, socket: S): Promise<void> | void => {
    const { presence, since, rooms } = (data ?? {}) as Readonly<Record<string, unknown>>;
    const sinceIn = (room: string): unknown => {
      if (rooms === undefined) return since;
      return isObject(since) && Object.hasOwn(since, room) ? since[room] : undefined;
    };
    return this.#begin(data, socket, (room, acted) => {
      const isWatched = presence === true || (Array.isArray(presence) && presence.includes(room));
      const wish: JoinWish = { since: sinceIn(room), presence: isWatched };
      this.#movement.enter(socket, room, wish, (isIn) => acted(isIn ? undefined : { error: NOT_JOINABLE }));
    });
  };

  /** Handles `hub:leave`. */
  readonly leave = (data: unknown, socket: S): Promise<void> | void => {
    return this.#begin(data, socket, (room, acted) => {
      this.#movement.exit(socket, room);
      acted();
    });
  };

  /** @throws the error that refused the room, or {@link RefusedRooms} if the request may name several. */
  #begin(data: unknown, socket: S, act: RoomRequest["act"]): Promise<void> | void {
    const { room, rooms } = (data ?? {}) as { readonly room?: unknown; readonly rooms?: unknown };
    const isOfOne = rooms === undefined;
    const names = isOfOne ? [room as string] : namesIn(rooms);
    const since = this.#clock.now();
    const request: RoomRequest = { rooms: names, verdicts: [], failures: new Map(), asked: 0, done: 0, since, act };
    const line = this.#lines.get(socket) ?? { requests: [], first: 0, next: 0, open: 0, isActing: false };
    line.requests.push(request);
    this.#proceed(line, socket);
    if (isCarriedOut(request)) {
      conclude(request, isOfOne);
      return;
    }
    this.#lines.set(socket, line);
    return new Promise((resolve, reject) => {
      request.finished = () => {
        try {
          conclude(request, isOfOne);
          resolve();
        } catch (error) {
          reject(error);
        }
      };
    });
  }

  /** Asks about as many rooms as it may at a time, in their order. */
  #proceed(line: Line, socket: S): void {
    while (line.open < AT_ONCE) {
      const request = line.requests[line.next];
      if (request === undefined) break;
      const place = request.asked++;
      if (request.asked === request.rooms.length) line.next++;
      this.#ask(line, request, place, socket);
    }
    if (line.first === line.requests.length) this.#lines.delete(socket);
  }

  #ask(line: Line, request: RoomRequest, place: number, socket: S): void {
    const decided = (verdict: Verdict): void => {
      request.verdicts[place] = verdict;
      carryOut(line);
    };
    try {
      const room = nameOf(request.rooms[place], this.#maxLength);
      // A client that has gone away leaves no work behind.
      const verdict: unknown = socket.isOpen && this.#joinable(room, socket);
      if (!isThenable(verdict)) {
        decided(Boolean(verdict));
        return;
      }
      line.open++;
      const answered = (answer: Verdict): void => {
        line.open--;
        decided(answer);
        this.#proceed(line, socket);
      };
      watch(
        this.#guardian,
        Promise.resolve(verdict).then(
          (answer: unknown) => answered(Boolean(answer)),
          (error: unknown) => answered({ error }),
        ),
      );
    } catch (error) {
      decided({ error });
    }
  }
}

/** Carries out the requests of a client in their order, as far as their verdicts are known. */
function carryOut(line: Line): void {
  for (;;) {
    const request = line.requests[line.first];
    if (request === undefined || line.isActing) break;
    if (isCarriedOut(request)) {
      line.first++;
      request.finished?.();
      continue;
    }
    const verdict = request.verdicts[request.done];
    if (verdict === undefined) break;
    decide(line, request, request.rooms[request.done] as string, verdict);
  }
  // The places of requests that were carried out must not outnumber the others.
  if (line.first > line.requests.length >> 1) {
    line.requests = line.requests.slice(line.first);
    line.next -= line.first;
    line.first = 0;
  }
}

function decide(line: Line, request: RoomRequest, room: string, verdict: Verdict): void {
  let isLater = false;
  const acted: Acted = (refusal) => {
    if (refusal !== undefined) request.failures.set(room, refusal.error);
    request.done++;
    line.isActing = false;
    if (isLater) carryOut(line);
  };
  if (verdict !== true) {
    acted(verdict === false ? { error: NOT_JOINABLE } : verdict);
    return;
  }
  line.isActing = true;
  try {
    request.act(room, acted);
  } catch (error) {
    acted({ error });
  }
  isLater = true;
}

function isCarriedOut({ done, rooms }: RoomRequest): boolean {
  return done === rooms.length;
}

/** @throws the error that refused the only room of a request, or {@link RefusedRooms}. */
function conclude({ failures }: RoomRequest, isOfOne: boolean): void {
  if (failures.size === 0) return;
  if (!isOfOne) throw new RefusedRooms(failures);
  for (const error of failures.values()) throw error;
}

/**
 * Returns each name once: there is one answer for a room.
 *
 * @throws {InvalidRoomError} for what is no list of a few names.
 */
function namesIn(rooms: unknown): readonly string[] {
  const areNames = Array.isArray(rooms) && rooms.every((room) => typeof room === "string");
  if (areNames && rooms.length > 0 && rooms.length <= MAX_ROOMS_PER_REQUEST) return [...new Set<string>(rooms)];
  throw new InvalidRoomError(`"rooms" must be a list of 1 to ${MAX_ROOMS_PER_REQUEST} names.`);
}

/**
 * Returns the name of a room that a client asked for.
 *
 * @throws {InvalidRoomError} that tells the client what is wrong.
 */
function nameOf(room: unknown, maxLength: number): string {
  try {
    const [name] = roomNames([[room as string]], maxLength);
    return name as string;
  } catch (error) {
    throw error instanceof HubError ? new InvalidRoomError(error.message) : error;
  }
}
