import { isPassing, type ControlEvent, type RoomReply, type RoomRequest } from "../protocol/packet.ts";
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
}

/**
 * The rooms that the client wants to be in. A room stays wanted until the last of those who want it leaves, or the
 * server refuses; the client joins it on every new connection, and again after an error that is no refusal.
 */
export class Memberships {
  readonly #delays: Delays;
  readonly #uplink: Pick<Uplink, "link">;
  readonly #outbox: Outbox;
  readonly #listeners: ClientListeners;
  readonly #wanted = new Map<string, Membership>();
  /** The number of answers in a row with an error that is no refusal. */
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(delays: Delays, uplink: Pick<Uplink, "link">, outbox: Outbox, listeners: ClientListeners) {
    this.#delays = delays;
    this.#uplink = uplink;
    this.#outbox = outbox;
    this.#listeners = listeners;
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
      return (membership.wait ??= this.#outbox
        .expect(
          { event: `join ${room}`, message: null, repeatable: true, timeout: DEFAULT_TIMEOUT },
          (settle) => (membership.settle = settle),
        )
        .finally(() => (membership.wait = undefined)));
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
        this.#wanted.delete(room);
        // Rooms end with their connection.
        if (this.#uplink.link)
          await this.#outbox.expect({
            event: "hub:leave" satisfies typeof ControlEvent.leave,
            data: { room } satisfies RoomRequest,
            repeatable: false,
            timeout: DEFAULT_TIMEOUT,
          });
      }),
    );
  }

  /** Stops asking on a connection that has ended. */
  disconnected(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const membership of this.#wanted.values()) membership.asked = undefined;
  }

  /** Asks for those of the rooms, by default of all, that are to be asked for on this connection. */
  ask(rooms: Iterable<string> = this.#wanted.keys()): void {
    const left = [...rooms].filter((room) => !this.#wanted.get(room)?.asked);
    // A request with many rooms would be too large for a server that takes small messages only.
    while (this.#uplink.link && left.length) this.#askFor(left.splice(0, 16));
  }

  #askFor(rooms: readonly string[]): void {
    const asked = {};
    for (const room of rooms) (this.#wanted.get(room) as Membership).asked = asked;
    const request = { event: "hub:join" satisfies typeof ControlEvent.join, data: { rooms }, repeatable: false };
    this.#outbox.add(request, (failure, reply) => {
      // Without an answer of the server, the next connection asks again.
      if (failure && !(failure as ClientError).reason) return;
      let passing: ClientError | undefined;
      for (const room of rooms) {
        const membership = this.#wanted.get(room);
        const refused = [(reply as RoomReply | undefined)?.refused].flat().find((each) => each?.room === room);
        const error = refused ? remote(refused) : (failure as ClientError);
        if (membership?.asked !== asked) continue;
        membership.asked = !error || undefined;
        // Whoever waits for a room that is asked for again goes on waiting.
        if (error && isPassing(error.reason as string)) passing = error;
        else {
          const isHeard = membership.settle?.(error);
          if (error) {
            this.#wanted.delete(room);
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
    });
  }
}
