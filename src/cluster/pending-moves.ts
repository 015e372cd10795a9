import { createDeferred, type Deferred } from "../deferred.ts";
import { HubError } from "../errors.ts";
import { watch, type Guardian } from "../guard.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { ALL_NODES, isNodeChannel } from "./channels.ts";

/** The longest time that a move may be under way, where its order with a question is not certain, in milliseconds. */
const PATIENCE = 1_000;

/** The shortest time between two questions to all nodes, each of which answers, in milliseconds. */
const INTERVAL = 50;

export interface PendingMovesParts {
  readonly clock: Clock;
  readonly guardian: Guardian;
  /** Whether messages of one node on several channels arrive in order. */
  readonly isOrdered: boolean;
  /** Whether all other nodes are known, so that answers can be awaited from some of them alone. */
  readonly isAcquainted: () => boolean;
  /**
   * Asks the nodes that hear these channels to confirm that they hear all rooms of their sockets. Resolves when they
   * have, when they are gone, or when the time for that is over, with the rooms that some of them cannot hear.
   */
  readonly ask: (channels: readonly string[]) => Promise<readonly string[]>;
}

/** The moves that are confirmed together. */
interface Round {
  /** The channels of the nodes whose sockets were moved, by room. */
  readonly rooms: Map<string, Set<string>>;
  /** Resolves with the rooms that some nodes cannot hear. */
  readonly done: Deferred<readonly string[]>;
}

/**
 * The rooms that this node has moved sockets of other nodes into or out of, until those nodes have confirmed it. A node
 * hears a room only some time after its first member has joined it there. Until then, what this node sends to the room
 * goes to those nodes by a channel that they hear already, so that nothing which follows a join is lost.
 *
 * One question is under way at a time, and confirms everything that was moved before it, so that many moves cost no more
 * answers than a few.
 */
export class PendingMoves {
  readonly #parts: PendingMovesParts;
  #asked: Round | undefined;
  #next: Round | undefined;
  #timer: Timer | undefined;
  /** The time from which all nodes may be asked again. */
  #earliest = 0;
  #isStopped = false;

  constructor(parts: PendingMovesParts) {
    this.#parts = parts;
  }

  /** Notes that sockets behind these channels were moved into or out of rooms. */
  add(rooms: readonly string[], routes: readonly string[]): void {
    this.#next ??= { rooms: new Map<string, Set<string>>(), done: createDeferred<readonly string[]>() };
    for (const room of rooms) {
      let channels = this.#next.rooms.get(room);
      if (channels === undefined) this.#next.rooms.set(room, (channels = new Set<string>()));
      for (const route of routes) channels.add(isNodeChannel(route) ? route : ALL_NODES);
    }
    if (this.#asked === undefined) watch(this.#parts.guardian, this.#askAll());
  }

  /** Returns the channels by which a message to these channels and rooms leaves. */
  widened(routes: readonly string[], rooms: readonly string[]): readonly string[] {
    if (this.#asked === undefined || !this.#parts.isOrdered) return routes;
    const channels = new Set(routes);
    for (const round of [this.#asked, this.#next]) {
      for (const room of rooms) for (const channel of round?.rooms.get(room) ?? []) channels.add(channel);
    }
    return [...channels];
  }

  /**
   * Resolves when everything that was moved until now is confirmed, or what was moved into or out of one room.
   *
   * @throws {HubError} `ERR_HUB_BACKPLANE` where another node cannot hear the room; as a rejection.
   */
  async settled(room?: string): Promise<void> {
    const pending = [this.#asked, this.#next].flatMap((round) => {
      return round === undefined || (room !== undefined && !round.rooms.has(room)) ? [] : [refusedOf(round)];
    });
    const refused = (await Promise.all(pending)).flat().find((name) => room === undefined || name === room);
    if (refused === undefined) return;
    const message = `Another node has sockets in the room "${refused}" and does not hear it: the engine refuses it there.`;
    throw new HubError("ERR_HUB_BACKPLANE", message);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    for (const round of [this.#asked, this.#next]) {
      round?.done.reject(new HubError("ERR_HUB_CLOSED", "The hub was closed."));
    }
  }

  async #askAll(): Promise<void> {
    const { clock, isAcquainted, isOrdered, ask } = this.#parts;
    while (this.#next !== undefined && !this.#isStopped) {
      const round = this.#next;
      this.#asked = round;
      this.#next = undefined;
      const channels = new Set<string>();
      for (const some of round.rooms.values()) for (const channel of some) channels.add(channel);
      const isForSome = isAcquainted() && !channels.has(ALL_NODES);
      if (!isForSome) {
        const delay = Math.max(isOrdered ? 0 : PATIENCE, this.#earliest - clock.now());
        // oxlint-disable-next-line no-await-in-loop -- one question is under way at a time
        if (delay > 0) await this.#pass(delay);
        this.#earliest = clock.now() + INTERVAL;
      }
      // oxlint-disable-next-line no-await-in-loop
      round.done.resolve(await ask(isForSome ? [...channels] : [ALL_NODES]));
    }
    this.#asked = undefined;
  }

  #pass(delay: number): Promise<void> {
    return new Promise((resolve) => {
      this.#timer = this.#parts.clock.setTimeout(resolve, delay);
    });
  }
}

/** Resolves with the rooms of a round that some nodes cannot hear. */
async function refusedOf({ rooms, done }: Round): Promise<readonly string[]> {
  const refused = await done.promise;
  return refused.filter((room) => rooms.has(room));
}
