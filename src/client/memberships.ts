import {
  isPassing,
  type ControlEvent,
  type Position,
  type RecordNotice,
  type RoomReply,
  type RoomRequest,
} from "../protocol/packet.ts";
import { checkName, ROOM } from "./arguments.ts";
import { delayAfter, type Delays } from "./backoff.ts";
import { dropped, remote, type ClientError } from "./errors.ts";
import type { ClientListeners } from "./listeners.ts";
import { DEFAULT_TIMEOUT, type Outbox, type Settle } from "./outbox.ts";
import type { Uplink } from "./uplink.ts";

/** A room that the client wants to be in. */
interface Membership {
  /** Those who want it: objects of the room or, without one, the client itself. */
  readonly holders: Set<object | undefined>;
  /** What those wait for who have called and got no answer, and the function that settles it. */
  wait?: Promise<unknown> | undefined;
  settle?: Settle;
  /** The request that asks for the room on this connection; `true` once the server has let the client in. */
  asked?: object | true | undefined;
  /** Whether the server sends what the client has missed: it has told the position, and has not answered. */
  past?: boolean;
}

/**
 * The rooms that the client wants to be in. A room stays wanted until the last of those who want it leaves, or the
 * server refuses; the client joins it on every new connection, and again after an error that is no refusal.
 */
export class Memberships {
  readonly #delays: Delays;
  readonly #listeners: ClientListeners;
  readonly #uplink: Pick<Uplink, "link">;
  readonly #outbox: Outbox;
  readonly #wanted = new Map<string, Membership>();
  /** The number of answers in a row with an error that is no refusal. */
  #failures = 0;
  /** The position in each recorded room that the client is in, or was in when it lost its connection. */
  readonly positions: Map<string, Position> = new Map<string, Position>();
  /** The rooms whose users somebody wants to know. Only `roomcast/client/presence` sets this. */
  declare presence?: string[];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(delays: Delays, listeners: ClientListeners, uplink: Pick<Uplink, "link">, outbox: Outbox) {
    this.#delays = delays;
    this.#listeners = listeners;
    this.#uplink = uplink;
    this.#outbox = outbox;
  }

  /** @throws {ClientError} as a rejection. */
  async join(rooms: readonly string[], holder?: object): Promise<void> {
    for (const room of rooms) checkName(room, ROOM);
    const joined = rooms.map((room) => {
      const membership: Membership = this.#wanted.get(room) ?? { holders: new Set() };
      this.#wanted.set(room, membership);
      membership.holders.add(holder);
      // The server may have taken the client out again.
      if (membership.asked === true) membership.asked = undefined;
      return (membership.wait ??= new Promise<void>((resolve, reject) => {
        membership.settle = this.#outbox.add(
          { event: `join ${room}`, message: null, repeatable: true, timeout: DEFAULT_TIMEOUT },
          (error) => (error ? reject(error) : resolve()),
        );
      }).finally(() => (membership.wait = undefined)));
    });
    this.ask(rooms);
    await Promise.all(joined);
  }

  /**
   * Leaves rooms for one of those who want them; without one, for all.
   *
   * @throws {ClientError} as a rejection.
   */
  async leave(rooms: readonly string[], holder?: object): Promise<void> {
    await Promise.all(
      rooms.map(async (room) => {
        checkName(room, ROOM);
        const membership = this.#wanted.get(room);
        membership?.holders.delete(holder);
        if (holder && membership?.holders.size) return;
        membership?.settle?.(dropped(room));
        this.#forget(room);
        // Rooms end with their connection.
        if (this.#uplink.link)
          await this.#outbox.expect(
            {
              event: "hub:leave" satisfies typeof ControlEvent.leave,
              data: { room } satisfies RoomRequest,
              repeatable: false,
              timeout: DEFAULT_TIMEOUT,
            },
            () => this.positions.delete(room),
          );
      }),
    );
  }

  /** Stops asking on a connection that has ended. */
  disconnected(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const membership of this.#wanted.values()) membership.asked = undefined;
  }

  /**
   * Asks for rooms, by default for all that are wanted.
   *
   * @param isMeant - tells which of them: by default those for which the server was not asked on this connection. A room that
   *   is not wanted has no membership.
   */
  ask(
    rooms: Iterable<string> = this.#wanted.keys(),
    isMeant = (membership?: Membership): unknown => !membership?.asked,
  ): void {
    const left = [...rooms].filter((room) => isMeant(this.#wanted.get(room)));
    // A request with many rooms would be too large for a server that takes small messages only.
    while (this.#uplink.link && left.length) this.#askFor(left.splice(0, 16));
  }

  /** Follows what the server tells of its own accord, and tells the listeners. */
  notice(event: string, data: unknown): void {
    const { gap, room } = data as RecordNotice;
    const membership = this.#wanted.get(room);
    if (event === ("hub:left" satisfies typeof ControlEvent.left)) {
      this.positions.delete(room);
      // A request that is on its way will have an answer.
      if (membership?.asked === true) this.#wanted.delete(room);
    } else if (event === ("hub:record" satisfies typeof ControlEvent.record)) {
      this.positions.set(room, data as RecordNotice);
      // What comes before the answer was missed.
      if (membership) membership.past = typeof membership.asked === "object";
      if (!gap) return;
      event = "hub:gap";
      data = { room, reason: gap };
    }
    this.#listeners.dispatch(event, data, room);
  }

  /**
   * Moves the position in a room to an event.
   *
   * @returns whether the event is one that the client had missed.
   */
  moved(room = "", at?: number): boolean {
    const position = this.positions.get(room);
    if (at && position) this.positions.set(room, { ...position, at });
    return !!(at && this.#wanted.get(room)?.past);
  }

  /**
   * Returns the positions in some rooms, by default in those that the client does not ask for itself: the server takes no
   * more than the last hundred.
   */
  since(isMeant = (room: string): boolean => !this.#wanted.has(room)): Record<string, Position> | undefined {
    const positions = [...this.positions].filter(([room]) => isMeant(room)).slice(-100);
    return positions[0] && Object.fromEntries(positions);
  }

  #forget(room: string): void {
    this.#wanted.delete(room);
    this.positions.delete(room);
  }

  #askFor(rooms: readonly string[]): void {
    const isAsked = (room: string): boolean => rooms.includes(room);
    const asked: RoomRequest = { rooms, presence: this.presence?.filter(isAsked), since: this.since(isAsked) };
    for (const [room, membership] of this.#wanted) if (isAsked(room)) membership.asked = asked;
    this.#outbox.add(
      { event: "hub:join" satisfies typeof ControlEvent.join, data: asked, repeatable: false },
      (failure, reply) => {
        // Without an answer of the server, the next connection asks again.
        if (failure && !(failure as ClientError).reason) return;
        let passing: ClientError | undefined;
        for (const [room, membership] of this.#wanted) {
          if (membership.asked !== asked) continue;
          const refused = (reply as Partial<RoomReply> | undefined)?.refused?.find?.((each) => each?.room === room);
          const error = refused ? remote(refused) : (failure as ClientError);
          membership.asked = !error || undefined;
          membership.past = false;
          // Whoever waits for a room that is asked for again goes on waiting.
          if (error && isPassing(error.reason as string)) passing = error;
          else {
            const isHeard = membership.settle?.(error);
            if (error) {
              this.#forget(room);
              if (!isHeard || membership.holders.size > 1) this.#listeners.report(error);
            }
          }
        }
        if (passing) {
          if (!this.#failures) this.#listeners.report(passing);
          // Requests that fail together are one failure.
          this.#timer ??= setTimeout(
            () => {
              this.#timer = undefined;
              this.ask();
            },
            delayAfter(this.#failures++, this.#delays),
          );
        } else this.#failures = 0;
      },
    );
  }
}
