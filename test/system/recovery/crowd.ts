import { setTimeout as sleep } from "node:timers/promises";
import { jsonCodec } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import type { Random } from "../../support/random.ts";
import { isOutcast, ROOMS } from "./events.ts";
import type { Journal } from "./journal.ts";
import { LibraryClient } from "./library-client.ts";
import type { Participant } from "./participant.ts";
import { PlainClient } from "./plain-client.ts";
import type { Program } from "./program.ts";

/** Number of clients. */
const CLIENTS = 60;

/** An event that must reach all members of its room. */
export interface Probe {
  readonly room: string;
  readonly id: number;
}

/** The clients of a run: plain ones and such with the library, in both codecs. Each is in all rooms but one. */
export class Crowd {
  readonly participants: readonly Participant[];
  readonly #random: Random;
  readonly #journal: Journal;

  /** @param serving - returns the nodes that take clients. */
  constructor(random: Random, journal: Journal, serving: () => readonly Program[]) {
    this.#random = random;
    this.#journal = journal;
    this.participants = Array.from({ length: CLIENTS }, (_, index) => {
      const address = (): string => {
        const nodes = serving();
        // While there is none, a client tries in vain.
        const path = nodes.length === 0 ? "/nowhere" : random.pick(nodes).socketPath;
        return `ws+unix:${path}:/${isOutcast(index) ? "?outcast" : ""}`;
      };
      const codec = [undefined, msgpackCodec, jsonCodec, msgpackCodec][index % 4];
      const parts = { index, journal, address, codec };
      return index % 4 < 2 ? new PlainClient(parts) : new LibraryClient(parts);
    });
  }

  /** Number of pairs of a client and a room that it is in. */
  get memberships(): number {
    return this.participants.length * (ROOMS.length - 1);
  }

  /** Number of connections that were closed because their clients read too slowly. */
  get slowness(): number {
    return this.participants.reduce((sum, { slowness }) => sum + slowness, 0);
  }

  open(): void {
    for (const participant of this.participants) {
      for (const [number, room] of ROOMS.entries()) {
        if (number !== participant.index % ROOMS.length) participant.join(room);
      }
      participant.open();
    }
  }

  /** Does something to one of the clients. */
  disturb(): void {
    const random = this.#random;
    const participant = random.pick(this.participants);
    random.weighted<() => void>([
      [5, () => participant.cut()],
      [2, () => participant.reload()],
      [2, () => void this.#stall(participant)],
      [1, () => void this.#stepOut(participant)],
    ])();
  }

  resume(): void {
    for (const participant of this.participants) participant.resume();
  }

  /** Returns, in words, who has not heard what. */
  missing(probes: readonly Probe[]): readonly string[] {
    return this.participants.flatMap(({ index, rooms }) => {
      return probes
        .filter(({ room, id }) => rooms.has(room) && !this.#journal.hasHeard(index, id))
        .map(({ room, id }) => `client ${index} in ${room} does not get event ${id} at the end`);
    });
  }

  close(): void {
    for (const participant of this.participants) participant.close();
  }

  /** A client reads nothing for a while. */
  async #stall(participant: Participant): Promise<void> {
    participant.pause();
    await sleep(this.#random.between(100, 3_000));
    participant.resume();
  }

  /** A client leaves a room, and comes back. */
  async #stepOut(participant: Participant): Promise<void> {
    const room = this.#random.pick(ROOMS);
    if (!participant.rooms.has(room)) return;
    await participant.leave(room);
    await sleep(this.#random.between(0, 300));
    participant.join(room);
  }
}
