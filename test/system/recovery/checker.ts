import type { GapReason, Position } from "roomcast";
import type { Entry } from "./journal.ts";

type EntryOf<K extends Entry["type"]> = Extract<Entry, { readonly type: K }>;
type Sent = EntryOf<"sent">;

/** What a client has heard of a room from one position that it was told on, up to a gap or its end. */
interface Stretch {
  epoch: string;
  /** Why something may be missing before it. */
  readonly gap: GapReason | undefined;
  /** The position behind which the stretch begins. */
  readonly start: number;
  /** The position that it has reached. */
  end: number;
  /** The events by their place. */
  readonly events: Map<number, number>;
}

/** A client in a room, from the first position that it was told until it leaves. */
interface Membership {
  readonly client: number;
  readonly room: string;
  /** The numbers of the entries with which it has begun, with which its last gap came, and with which it was to end. */
  readonly begun: number;
  lastGap: number;
  leaving: number;
  readonly stretches: Stretch[];
  /** The stretch in which each event was heard. */
  readonly heard: Map<number, Stretch>;
}

/** What a journal tells. */
export interface Finding {
  /** What must not be, in words. */
  readonly violations: readonly string[];
  readonly deliveries: number;
  /** The number of gaps that clients were told, by their reason. */
  readonly gaps: Readonly<Record<string, number>>;
  /** The number of epochs of all rooms. */
  readonly epochs: number;
}

/** The epoch in a position. Only the tests of the hub itself may look into it. */
function epochOf({ stream }: Position): string {
  return stream.split(".", 1)[0] as string;
}

/**
 * Looks in a journal for what must not be:
 *
 * - I1 loss: an event that is known to be recorded lies between two positions of a client without a gap, the client did not
 *   get it, and it does not leave the client out;
 * - I2 once: a client gets an event twice between two gaps, or its position goes back;
 * - I3 order: two events are at the same place of a record, an event is at two places, or epochs follow each other in
 *   different orders;
 * - I4 gap: a gap for a reason that nothing has caused;
 * - I5 acknowledged: an event that was sent when a client was a member, and of which is known that it was recorded or that a
 *   gap stands for it, came neither to the client nor was followed by a gap;
 * - I6 exceptions: a client gets an event that leaves it out.
 */
export function check(entries: readonly Entry[]): Finding {
  const checker = new Checker();
  for (const [index, entry] of entries.entries()) checker.take(entry, index);
  return checker.finish();
}

class Checker {
  readonly #violations: string[] = [];
  readonly #gaps: Partial<Record<GapReason, number>> = {};
  readonly #sent = new Map<number, Sent>();
  /** The number of the entry by which each event was sent. */
  readonly #sentAt = new Map<number, number>();
  readonly #recorded: EntryOf<"recorded">[] = [];
  /** The reasons for which there may be gaps by now. */
  readonly #caused = new Set<string>();
  /** The events by room, epoch and place. */
  readonly #places = new Map<string, Map<string, Map<number, number>>>();
  /** The place of each event, by epoch. */
  readonly #placeOf = new Map<string, number>();
  readonly #present = new Map<string, Membership>();
  readonly #memberships: Membership[] = [];
  #deliveries = 0;

  take(entry: Entry, index: number): void {
    switch (entry.type) {
      case "sent":
        this.#sent.set(entry.id, entry);
        this.#sentAt.set(entry.id, index);
        break;
      case "recorded":
        this.#recorded.push(entry);
        break;
      case "fault":
        for (const cause of entry.causes) this.#caused.add(cause);
        break;
      case "noticed":
        this.#notice(entry, index);
        break;
      case "heard":
        this.#hear(entry);
        break;
      case "leaving": {
        const membership = this.#present.get(keyOf(entry));
        if (membership !== undefined) membership.leaving = index;
        break;
      }
      case "left":
        this.#present.delete(keyOf(entry));
        break;
      case "failed":
        this.#violations.push(entry.what);
    }
  }

  finish(): Finding {
    for (const membership of this.#memberships) this.#checkLoss(membership);
    this.#checkSettled();
    this.#checkEpochs();
    let epochs = 0;
    for (const ofRoom of this.#places.values()) epochs += ofRoom.size;
    return { violations: this.#violations, deliveries: this.#deliveries, gaps: this.#gaps, epochs };
  }

  #notice({ client, room, position, gap }: EntryOf<"noticed">, index: number): void {
    const who = `client ${client} in ${room}`;
    const key = keyOf({ client, room });
    const epoch = epochOf(position);
    const { at } = position;
    let membership = this.#present.get(key);
    if (gap !== undefined) {
      this.#gaps[gap] = (this.#gaps[gap] ?? 0) + 1;
      // A client that was let in without the engine has no position in the log yet.
      const isSequel = gap === "epoch" && membership?.stretches.at(-1)?.gap === "unavailable";
      if (!this.#caused.has(gap) && !isSequel) {
        this.#violations.push(`I4: ${who} is told of a gap "${gap}" that nothing has caused`);
      }
    }
    if (membership === undefined) {
      membership = { client, room, begun: index, lastGap: -1, leaving: -1, stretches: [], heard: new Map() };
      this.#present.set(key, membership);
      this.#memberships.push(membership);
    } else if (gap === undefined) {
      const stretch = membership.stretches.at(-1) as Stretch;
      // Before a room has a log there is nothing that could be missing in it. What comes first may leave the client out.
      if (stretch.end === 0) stretch.epoch = epoch;
      if (stretch.epoch !== epoch) this.#violations.push(`I1: ${who} goes on in another epoch without a gap`);
      else if (at < stretch.end) this.#violations.push(`I2: ${who} is taken back from ${stretch.end} to ${at}`);
      else stretch.end = at;
      return;
    } else {
      membership.lastGap = index;
    }
    membership.stretches.push({ epoch, gap, start: at, end: at, events: new Map() });
  }

  #hear({ client, room, position, id }: EntryOf<"heard">): void {
    this.#deliveries++;
    const who = `client ${client} in ${room}`;
    const what = `event ${id}`;
    const epoch = epochOf(position);
    const { at, stream } = position;
    const sent = this.#sent.get(id);
    if (sent?.room !== room) this.#violations.push(`${who} gets ${what}, which was not sent to the room`);
    else {
      // That two sockets are the same client's, the hub knows of those in the position alone.
      const isLeftOut = sent.exceptSockets.some(({ socket }) => stream.split(".").includes(socket, 1));
      if (isLeftOut || sent.exceptMembers.includes(client)) {
        this.#violations.push(`I6: ${who} gets ${what}, which leaves it out`);
      }
    }
    this.#place(room, epoch, at, id);
    const membership = this.#present.get(keyOf({ client, room }));
    const stretch = membership?.stretches.at(-1);
    if (membership === undefined || stretch === undefined) {
      this.#violations.push(`I1: ${who} gets ${what} before it has a position`);
      return;
    }
    if (stretch.epoch !== epoch) this.#violations.push(`I1: ${who} gets ${what} of another epoch without a gap`);
    if (membership.heard.get(id) === stretch) this.#violations.push(`I2: ${who} gets ${what} twice`);
    else if (at <= stretch.end) this.#violations.push(`I2: ${who} gets ${what} at ${at}, and was at ${stretch.end}`);
    stretch.events.set(at, id);
    stretch.end = Math.max(stretch.end, at);
    if (!membership.heard.has(id)) membership.heard.set(id, stretch);
  }

  /** I3: one place has one event, and one event has one place. */
  #place(room: string, epoch: string, at: number, id: number): void {
    let ofRoom = this.#places.get(room);
    if (ofRoom === undefined) this.#places.set(room, (ofRoom = new Map()));
    let places = ofRoom.get(epoch);
    if (places === undefined) ofRoom.set(epoch, (places = new Map()));
    const other = places.get(at);
    if (other !== undefined && other !== id) {
      this.#violations.push(`I3: the events ${other} and ${id} are both at ${at} of ${room} in the epoch ${epoch}`);
    }
    places.set(at, id);
    const place = this.#placeOf.get(`${epoch} ${id}`);
    if (place !== undefined && place !== at) {
      this.#violations.push(`I3: event ${id} of ${room} is at ${place} and at ${at} of the epoch ${epoch}`);
    }
    this.#placeOf.set(`${epoch} ${id}`, at);
  }

  /** I1: what anybody has heard, everybody has whose position has passed it. */
  #checkLoss(membership: Membership): void {
    const { client, room, begun, stretches, heard } = membership;
    for (const [number, stretch] of stretches.entries()) {
      const { epoch, start, end, events } = stretch;
      for (const [at, id] of this.#places.get(room)?.get(epoch) ?? []) {
        if (at <= start || at > end || events.has(at) || this.#isExcepted(client, id)) continue;
        // What was appended again in another epoch is not told again to those who have it, or came after it.
        const first = heard.get(id);
        if (first !== undefined && stretches.indexOf(first) < number) continue;
        if (number > 0 && (this.#sentAt.get(id) ?? 0) < begun) continue;
        this.#violations.push(
          `I1: client ${client} in ${room} misses event ${id}, at ${at} between ${start} and ${end}`,
        );
      }
    }
  }

  /** I5: what has come to the record, or what a gap stands for. */
  #checkSettled(): void {
    const settled = new Map<string, number>();
    for (const { id, at } of this.#recorded) {
      const sent = this.#sent.get(id);
      if (sent === undefined) continue;
      // One process appends to one room in the order of its calls.
      const key = `${sent.source} ${sent.room}`;
      settled.set(key, Math.max(settled.get(key) ?? -1, this.#sentAt.get(id) as number));
      this.#checkRecorded(sent, at);
    }
    const byRoom = this.#byRoom();
    for (const sent of this.#sent.values()) {
      const index = this.#sentAt.get(sent.id) as number;
      if (index > (settled.get(`${sent.source} ${sent.room}`) ?? -1)) continue;
      for (const membership of byRoom.get(sent.room) ?? []) {
        const { client, room, begun, lastGap, leaving, heard } = membership;
        if (begun > index || lastGap > index || leaving !== -1) continue;
        if (heard.has(sent.id) || this.#isExcepted(client, sent.id)) continue;
        this.#violations.push(`I5: client ${client} in ${room} never gets event ${sent.id}, and no gap stands for it`);
      }
    }
  }

  /** The place that was promised is that at which others have heard the event. */
  #checkRecorded({ id, room }: Sent, at: number): void {
    const ofRoom = this.#places.get(room);
    const [places] = ofRoom?.values() ?? [];
    // Which epoch was meant is only known if there was one.
    if (places === undefined || ofRoom?.size !== 1) return;
    const other = places.get(at);
    if (other !== undefined && other !== id) {
      this.#violations.push(`I5: event ${id} was recorded at ${at} of ${room}, where event ${other} is`);
    }
  }

  /** I3: epochs with events follow each other in one order. */
  #checkEpochs(): void {
    const byRoom = this.#byRoom();
    for (const [room, memberships] of byRoom) {
      const orders = memberships.map(({ stretches }) =>
        stretches
          // A node that does not know the new epoch yet may take a client back for a while, in which there is nothing new.
          .filter(({ events }) => events.size > 0)
          .map(({ epoch }) => epoch)
          .filter((epoch, index, all) => epoch !== all[index - 1]),
      );
      // Whatever comes first for all who have it to come is taken away, until nothing is left.
      let left = orders.filter((order) => order.length > 0);
      while (left.length > 0) {
        const later = new Set(left.flatMap((order) => order.slice(1)));
        const first = left.map(([epoch]) => epoch as string).find((epoch) => !later.has(epoch));
        if (first === undefined) {
          this.#violations.push(`I3: the epochs of ${room} follow each other in different orders`);
          break;
        }
        left = left.map((order) => (order[0] === first ? order.slice(1) : order)).filter((order) => order.length > 0);
      }
    }
  }

  #byRoom(): Map<string, Membership[]> {
    const byRoom = new Map<string, Membership[]>();
    for (const membership of this.#memberships) {
      const others = byRoom.get(membership.room);
      if (others === undefined) byRoom.set(membership.room, [membership]);
      else others.push(membership);
    }
    return byRoom;
  }

  #isExcepted(client: number, id: number): boolean {
    const sent = this.#sent.get(id);
    if (sent === undefined) return false;
    return sent.exceptMembers.includes(client) || sent.exceptSockets.some((except) => except.client === client);
  }
}

function keyOf({ client, room }: { readonly client: number; readonly room: string }): string {
  return `${client} ${room}`;
}
