import type { Random } from "../../support/random.ts";
import type { Journal } from "./journal.ts";
import type { Participant } from "./participant.ts";
import type { Order, Program } from "./program.ts";

/** The rooms that are recorded. */
export const ROOMS: readonly string[] = ["chat:a", "chat:b", "chat:c"];

/** A room that some events leave out. */
const OUTCASTS = "outcasts";

/** The lengths of texts, the frequent ones more than once. Clients that stand still become too slow for the long ones. */
const LENGTHS = [...Array.from({ length: 13 }, () => 20), 500, 500, 500, 8_000];

/** Returns whether a client is in the room that some events leave out. */
export function isOutcast(client: number): boolean {
  return client % 5 === 0;
}

/** The events of a run: each has a number, and is written down before a program is told to send it. */
export class Events {
  readonly #random: Random;
  readonly #journal: Journal;
  readonly #participants: readonly Participant[];
  #last = 0;

  constructor(random: Random, journal: Journal, participants: readonly Participant[]) {
    this.#random = random;
    this.#journal = journal;
    this.#participants = participants;
  }

  /** Returns an order to send an event to some room, which may leave out somebody. */
  any({ name }: Program): Order {
    const random = this.#random;
    const room = random.pick(ROOMS);
    const exceptSockets: { readonly client: number; readonly socket: string }[] = [];
    if (random.chance(0.1)) {
      const { index: client, sockets } = random.pick(this.#participants);
      // An earlier socket of the client, too: a handler may still have it.
      const socket = sockets.at(-random.between(1, 2));
      if (socket !== undefined) exceptSockets.push({ client, socket });
    }
    const isPastOutcasts = random.chance(0.05);
    const clients = this.#participants.map(({ index }) => index);
    const exceptMembers = isPastOutcasts ? clients.filter((client) => isOutcast(client)) : [];
    const id = ++this.#last;
    this.#journal.note({ type: "sent", id, room, source: name, exceptSockets, exceptMembers });
    return {
      id,
      room,
      isRecorded: random.chance(0.5),
      exceptSockets: exceptSockets.map(({ socket }) => socket),
      exceptRooms: isPastOutcasts ? [OUTCASTS] : [],
      text: "x".repeat(random.pick(LENGTHS)),
    };
  }

  /** Returns an order to record an event that leaves out nobody. */
  probe({ name }: Program, room: string): Order {
    const id = ++this.#last;
    this.#journal.note({ type: "sent", id, room, source: name, exceptSockets: [], exceptMembers: [] });
    return { id, room, isRecorded: true, exceptSockets: [], exceptRooms: [], text: "" };
  }
}
