import {
  isPassing,
  type MAX_ROOMS_PER_REQUEST,
  type ControlEvent,
  type RoomReply,
  type RoomRequest,
} from "../protocol/packet.ts";
import { checkName, ROOM } from "./arguments.ts";
import { delayAfter, type Delays } from "./backoff.ts";
import { dropped, remote, type ClientError } from "./errors.ts";
import { DEFAULT_TIMEOUT, type Outbox, type Settle } from "./outbox.ts";
import type { Uplink } from "./uplink.ts";

/** What the memberships need of the client. */
export interface MembershipParts {
  readonly delays: Delays;
  readonly uplink: Pick<Uplink, "link" | "state">;
  readonly outbox: Outbox;
  /** Sends a request, which rejects when its connection ends. */
  ask(event: string, request: RoomRequest, timeout?: number): Promise<unknown>;
  /** Called with the error when a room could not be joined and somebody does not wait for it. */
  failed(error: ClientError): void;
}

/** A room that the client wants to be in. */
interface Membership {
  /** Those who want it, the client itself and objects of the room, with the calls that wait for the server. */
  readonly holders: Map<object, Set<Settle>>;
  /** The latest request to join the room on this connection, unless the room is to be asked for. */
  asked?: object | undefined;
}

/**
 * The rooms that the client wants to be in. A room stays wanted until the last of those who want it leaves, or the
 * server refuses; the client joins it on every new connection, and again after an error that is no refusal.
 */
export class Memberships {
  readonly #parts: MembershipParts;
  readonly #wanted = new Map<string, Membership>();
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  /** @throws {ClientError} as a rejection. */
  async join(holder: object, rooms: readonly string[]): Promise<void> {
    for (const room of rooms) checkName(room, ROOM);
    const joined = rooms.map((room) => {
      const { holders } = this.#wanted.get(room) ?? { holders: new Map<object, Set<Settle>>() };
      const waits = holders.get(holder) ?? new Set();
      this.#wanted.set(room, { holders: holders.set(holder, waits) });
      const wait = { event: `join ${room}`, timeout: DEFAULT_TIMEOUT };
      return this.#parts.outbox.expect(wait, (settle) => waits.add(settle));
    });
    this.#ask();
    await Promise.all(joined);
  }

  /** @throws {ClientError} as a rejection. */
  async leave(holder: object, rooms: readonly string[]): Promise<void> {
    await Promise.all(
      rooms.map(async (room) => {
        checkName(room, ROOM);
        const holders = this.#wanted.get(room)?.holders;
        for (const settle of holders?.get(holder) ?? []) settle(dropped(room));
        holders?.delete(holder);
        if (holders?.size) return;
        this.#wanted.delete(room);
        // Rooms end with their connection.
        if (!this.#parts.uplink.link) return;
        try {
          await this.#parts.ask("hub:leave" satisfies typeof ControlEvent.leave, { room }, DEFAULT_TIMEOUT);
        } catch (error) {
          if ((error as ClientError).code !== "ERR_CLIENT_DISCONNECTED") throw error;
        }
      }),
    );
  }

  /** Joins all rooms on a new connection. */
  opened(): void {
    this.#failures = 0;
    this.#ask();
  }

  /** Stops asking on a connection that has ended. */
  disconnected(): void {
    clearTimeout(this.#timer);
    for (const membership of this.#wanted.values()) membership.asked = undefined;
  }

  /** Asks for all rooms that are to be asked for. */
  #ask(): void {
    const rooms: string[] = [];
    for (const [room, { asked }] of this.#wanted) if (!asked) rooms.push(room);
    while (this.#parts.uplink.link && rooms.length)
      void this.#askFor(rooms.splice(0, 100 satisfies typeof MAX_ROOMS_PER_REQUEST));
  }

  async #askFor(rooms: readonly string[]): Promise<void> {
    const asked = {};
    for (const room of rooms) (this.#wanted.get(room) as Membership).asked = asked;
    const errors = new Map<string, ClientError>();
    try {
      const reply = await this.#parts.ask("hub:join" satisfies typeof ControlEvent.join, { rooms });
      for (const refused of (reply as RoomReply | undefined)?.refused ?? []) errors.set(refused.room, remote(refused));
    } catch (error) {
      // Without an answer of the server, the next connection asks again.
      if (!(error as ClientError).reason) return;
      for (const each of rooms) errors.set(each, error as ClientError);
    }
    for (const each of rooms) {
      const membership = this.#wanted.get(each);
      if (membership?.asked === asked) this.#decided(each, membership, errors.get(each));
    }
  }

  #decided(room: string, membership: Membership, error: ClientError | undefined): void {
    const { holders } = membership;
    // Whoever waits for a room that is asked for again goes on waiting.
    let told = 0;
    if (error && isPassing(error.reason as string)) {
      membership.asked = undefined;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#ask(), delayAfter(this.#failures++, this.#parts.delays));
    } else {
      if (error) this.#wanted.delete(room);
      else this.#failures = 0;
      for (const waits of holders.values()) {
        for (const settle of waits) if (settle(error)) told++;
        waits.clear();
      }
    }
    if (error && told < holders.size) this.#parts.failed(error);
  }
}
