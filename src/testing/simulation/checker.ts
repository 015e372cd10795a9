import type { HistoryRule } from "../../history/options.ts";
import type { GapReason, Position, RecordNotice } from "../../protocol/packet.ts";
import type { RecordListener, HeardEvent } from "./client.ts";

/** An event of the simulation, as it was sent. */
export interface SentEvent {
  readonly id: number;
  readonly room: string;
  /** The life of the node that sent it. */
  readonly node: string;
  readonly key: string | undefined;
  /** The socket that was left out; `undefined` for none. */
  readonly exceptSocket: string | undefined;
  /** Whether the members of the room of outcasts were left out. */
  readonly exceptOutcasts: boolean;
}

/** What became of the promise of `record()`; `"unasked"` for an event that was sent by `emit`. */
type Fate = { readonly at: number } | "rejected" | "pending" | "unasked";

/**
 * An entry of the record of a room: an event, or a hole. `"maybe"` is a hole that stands for nothing, because everything that
 * its node has sent by then is in the record; who cannot know that may tell of it.
 */
type Entry = SentEvent | "hole" | "maybe" | undefined;

/** The record of a room between two losses. */
interface Epoch {
  /** The entries by their position. */
  readonly entries: Entry[];
  /** The last event of each node. */
  readonly last: Map<string, number>;
  /** The position of the newest event of each key. */
  readonly newest: Map<string, number>;
}

interface Room {
  readonly rule: HistoryRule;
  readonly epochs: Map<string, Epoch>;
  /** The records that nodes have begun before the log of the room did, which goes on with them. */
  readonly aliases: Map<string, string>;
  /** The number of the last entry of each node. */
  readonly numbers: Map<string, number>;
  newest: string;
  /** Whether anything has happened that may have ended the newest epoch. */
  mayEnd: boolean;
  /** The time of the last entry. */
  since: number;
}

/** How far one client is in one room. */
interface Progress {
  /** The events that it has heard, each with the count at that time. */
  readonly heard: Map<number, number>;
  /** The number of its gaps and connections. */
  count: number;
  /** The count after the last gap, and at the beginning of the present connection. */
  gapAt: number;
  connectedAt: number;
  /** The end of the record when it came without a position or was told of a gap: what is before that is a bonus. */
  begunAt: number;
  /** Whether the server has taken it out, so that it is sent only what its node had sent before, until it hears of that. */
  isTakenOut: boolean;
}

/** What a simulation has counted. */
export interface SimulationCounts {
  /** Events that clients have heard. */
  deliveries: number;
  /** Positions that began without a gap where the client had one before. */
  recoveries: number;
  /** Clients that were disconnected because they read too slowly. */
  slow: number;
  /** Gaps that clients were told of, by their reason. */
  readonly gaps: Partial<Record<GapReason, number>>;
}

export interface CheckerParts {
  readonly rooms: Readonly<Record<string, HistoryRule>>;
  readonly now: () => number;
  /** The most entries that are kept of a room, whatever its rule says; less only if {@link isTight}. */
  readonly mostEntries: number;
  /** Whether nodes may keep, or replay, less than the rules say. */
  readonly isTight: boolean;
  readonly outcasts: (client: number) => boolean;
  readonly violated: (what: string) => void;
}

/** Knows what was sent and recorded, and compares it with what clients hear. The invariants are those of decision 45. */
export class Checker {
  readonly counts: SimulationCounts = { deliveries: 0, recoveries: 0, slow: 0, gaps: {} };
  readonly #parts: CheckerParts;
  readonly #rooms = new Map<string, Room>();
  readonly #progress: Map<string, Progress>[] = [];
  readonly #sent: SentEvent[] = [];
  readonly #fates: Fate[] = [];
  /** The record that each event was in first. */
  readonly #recorded = new Map<number, string>();
  /** The number of events when the last hole of each node was recorded in each room. */
  readonly #holes = new Map<string, number>();
  #wasSilent = false;
  /** The time until which the engine cannot be expected to be there. */
  #troubleUntil = 0;

  constructor(parts: CheckerParts) {
    this.#parts = parts;
    for (const [room, rule] of Object.entries(parts.rooms)) {
      this.#rooms.set(room, {
        rule,
        epochs: new Map(),
        aliases: new Map(),
        numbers: new Map(),
        newest: "",
        mayEnd: true,
        since: 0,
      });
    }
  }

  /** Returns the number of the next event. */
  get nextId(): number {
    return this.#sent.length;
  }

  sent(event: SentEvent, isAsked: boolean): void {
    this.#sent.push(event);
    this.#fates.push(isAsked ? "pending" : "unasked");
  }

  settled(id: number, fate: Fate): void {
    this.#fates[id] = fate;
  }

  /**
   * Notes an entry of a record.
   *
   * @param id - the event; `undefined` for a hole.
   * @param node - the life of the node that has appended it; `undefined` if it is left over from an earlier record.
   * @param number - its number among the entries of the node.
   */
  appended(
    room: string,
    epoch: string,
    at: number,
    id: number | undefined,
    node: string | undefined,
    number: number,
  ): void {
    const { now, violated } = this.#parts;
    const known = this.#rooms.get(room);
    if (known === undefined) return;
    let present = known.epochs.get(epoch);
    if (present === undefined) {
      // I4: a record ends for a reason.
      const isOld = now() - known.since >= known.rule.age;
      if (!known.mayEnd && !isOld) violated(`${room}: its record began anew without a reason`);
      present = { entries: [], last: new Map(), newest: new Map() };
      known.epochs.set(epoch, present);
      known.newest = epoch;
      known.mayEnd = false;
    }
    known.since = now();
    const isTold = node === undefined || number <= (known.numbers.get(node) ?? 0);
    const event = id === undefined ? (isTold ? "maybe" : "hole") : this.#sent[id];
    if (present.entries[at] !== undefined) violated(`${room}: two entries at ${at}`);
    present.entries[at] = event;
    if (!isTold) known.numbers.set(node, number);
    if (typeof event !== "object") {
      if (node !== undefined) this.#holes.set(`${room} ${node}`, this.nextId);
      return;
    }
    // R6: nothing is in a record twice. I3: it keeps the order of each node.
    const last = present.last.get(event.node) ?? -1;
    if (event.id <= last) violated(`${room}: event ${event.id} was recorded behind ${last}`);
    present.last.set(event.node, event.id);
    if (event.key !== undefined) present.newest.set(event.key, at);
    if (!this.#recorded.has(event.id)) this.#recorded.set(event.id, epoch);
  }

  /** Notes that something has happened by which the records of rooms may end; by default all. */
  mayEnd(room?: string): void {
    for (const [name, known] of this.#rooms) if (room === undefined || room === name) known.mayEnd = true;
  }

  /** Notes that nothing was sent for as long as records last. */
  wasSilent(): void {
    this.#wasSilent = true;
  }

  /** Notes that nodes may be without the engine until then. */
  trouble(until: number): void {
    this.#troubleUntil = Math.max(this.#troubleUntil, until);
  }

  /** Returns what listens to a client. */
  listenerOf(client: number): RecordListener {
    const { violated } = this.#parts;
    const progress = new Map<string, Progress>();
    const claimed = new Map<string, number>();
    const said = (what: string): void => violated(`client ${client}: ${what}`);
    const progressOf = (room: string): Progress => {
      let known = progress.get(room);
      if (known === undefined)
        progress.set(
          room,
          (known = { heard: new Map(), count: 0, gapAt: 0, connectedAt: 0, begunAt: 0, isTakenOut: false }),
        );
      return known;
    };
    this.#progress[client] = progress;
    return {
      noticed: (notice, before) => {
        const { gap, room } = notice;
        // Where the server takes a client out that asks at the same time, the client has forgotten what it has told.
        // Whoever comes while nobody can read the record is told so, with or without a position.
        if (gap !== undefined && gap !== "unavailable" && before === undefined && !claimed.has(room))
          said(`a gap in ${room} without a position`);
        // A position that is told once more, before the first is answered, comes too late, and so does one whose client was
        // taken out and put in again meanwhile.
        if (gap === undefined && before === undefined && claimed.has(room)) claimed.set(room, 2);
        const isRepeated = (claimed.get(room) ?? 0) > 1;
        this.#noticed(client, notice, before, progressOf(room), isRepeated, claimed.size < 2, said);
      },
      heard: (event, before) => this.#heard(client, event, before, progressOf(event.room), said),
      connected: () => {
        claimed.clear();
        for (const each of progress.values()) each.connectedAt = ++each.count;
      },
      claimed: (room) => claimed.set(room, (claimed.get(room) ?? 0) + 1),
      left: (room) => progress.delete(room),
      failed: said,
    };
  }

  /** Notes that the server takes a client out of a room. */
  takenOut(client: number, room: string): void {
    const progress = this.#progress[client]?.get(room);
    if (progress !== undefined) progress.isTakenOut = true;
  }

  /** Checks that nothing is missing, when everything has come to rest. */
  checkRest(client: number, room: string, position: Position): void {
    this.#checkMissing(client, room, position, Number.POSITIVE_INFINITY, (what) => {
      this.#parts.violated(`client ${client}: at rest, ${what}`);
    });
  }

  /** Checks that a client that is in a room is in the record that the room has at the end. */
  checkRecord(client: number, room: string, position: Position | undefined): void {
    const known = this.#rooms.get(room);
    if (known === undefined) return;
    const isThere = position !== undefined && (known.newest === "" || this.#epochOf(known, position) === known.newest);
    if (!isThere) this.#parts.violated(`client ${client}: not in the record of ${room} at the end`);
  }

  /** Checks what became of all events of these lives of nodes: I1 and I5 for those who send. */
  checkSent(isAlive: (node: string) => boolean): void {
    const { violated } = this.#parts;
    for (const { id, node, room } of this.#sent) {
      const fate = this.#fates[id] ?? "unasked";
      if (typeof fate === "object") {
        const isThere = [...(this.#rooms.get(room)?.epochs.values() ?? [])].some(({ entries }) => {
          const entry = entries[fate.at];
          return typeof entry === "object" && entry.id === id;
        });
        if (!isThere) violated(`event ${id} was said to be recorded at ${fate.at} of ${room}`);
      } else if (isAlive(node)) {
        if (fate === "pending") violated(`event ${id} has no answer`);
        const isCovered = this.#recorded.has(id) || (this.#holes.get(`${room} ${node}`) ?? -1) > id;
        if (!isCovered) violated(`event ${id} of ${room} was lost without a hole`);
      }
    }
  }

  #noticed(
    client: number,
    notice: RecordNotice,
    before: Position | undefined,
    progress: Progress,
    isRepeated: boolean,
    isAlone: boolean,
    said: (what: string) => void,
  ): void {
    const { room, stream, gap } = notice;
    if (stream.length > 256) said("a stream that is too long");
    const known = this.#rooms.get(room);
    if (known === undefined) return;
    if (gap !== undefined) {
      this.counts.gaps[gap] = (this.counts.gaps[gap] ?? 0) + 1;
      progress.gapAt = ++progress.count;
    }
    progress.isTakenOut = false;
    if (gap !== undefined || before === undefined) {
      progress.begunAt = (known.epochs.get(this.#epochOf(known, notice))?.entries.length ?? 1) - 1;
    }
    if (before === undefined) {
      progress.heard.clear();
      return;
    }
    // R13: before the room had a log, its record was one of the node alone, and nothing was in it.
    if (gap !== "epoch" && before.at === 0 && !known.epochs.has(this.#epochOf(known, before))) {
      known.aliases.set(epochOf(before), epochOf(notice));
    }
    // R9. Positions in several rooms may name more sockets than one stream has.
    const [, last = ""] = before.stream.split(".");
    if (isAlone && !stream.includes(last)) said(`a stream of ${room} that forgets who the client was`);
    if (gap === undefined) {
      this.counts.recoveries++;
      if (this.#epochOf(known, notice) !== this.#epochOf(known, before))
        said(`another record of ${room} without a gap`);
      else if (notice.at < before.at) said(`from ${before.at} back to ${notice.at} of ${room} without a gap`);
      else this.#checkMissing(client, room, before, notice.at + 1, said);
      return;
    }
    const reason = this.#reasonAgainst(known, gap, notice, before);
    if (reason !== undefined && !isRepeated)
      said(`a gap "${gap}" in ${room} from ${before.at} to ${notice.at}, but ${reason}`);
  }

  /** I4: returns why a gap has no reason; `undefined` if it has one. */
  #reasonAgainst(known: Room, gap: GapReason, notice: RecordNotice, before: Position): string | undefined {
    const { isTight, mostEntries, now } = this.#parts;
    const { epochs, rule } = known;
    const epoch = this.#epochOf(known, notice);
    const isSame = epoch === this.#epochOf(known, before);
    const { entries = [] } = epochs.get(epoch) ?? {};
    switch (gap) {
      case "epoch":
        // A client that is ahead of a node cannot have it read the engine as often as it likes.
        if (!isSame || (isTight && before.at > notice.at)) return undefined;
        // R13: a node that was not there cannot know that the record of another one went on in the log.
        return epochOf(notice) === epochOf(before) ? "the record is the same" : undefined;
      case "unavailable":
        return now() > this.#troubleUntil ? "the engine is there" : undefined;
      case "hole":
        for (let at = before.at + 1; at <= notice.at; at++)
          if (entries[at] === "hole" || entries[at] === "maybe") return undefined;
        return "no hole is there";
      default:
        if (!isSame) return "the record is another";
        if (isTight || this.#wasSilent || rule.keep === "latest") return undefined;
        return entries.length - before.at <= Math.min(rule.size, mostEntries) ? "nothing is missing" : undefined;
    }
  }

  #heard(
    client: number,
    { at, data, room }: HeardEvent,
    before: Position | undefined,
    progress: Progress,
    said: (what: string) => void,
  ): void {
    this.counts.deliveries++;
    const known = this.#rooms.get(room);
    const { simulation: id } = data as { readonly simulation: number };
    const event = this.#sent[id];
    if (known === undefined || event === undefined) {
      said(`event ${id}, which nobody has sent to ${room}`);
      return;
    }
    if (before === undefined) {
      said(`event ${id} of ${room} before a position`);
      return;
    }
    const epoch = this.#epochOf(known, before);
    // I3: everybody hears the same at one place.
    if (known.epochs.get(epoch)?.entries[at] !== event) said(`event ${id} at ${at} of ${room}, where it is not`);
    if (at <= before.at) said(`event ${id} of ${room} again, or too late: ${at} after ${before.at}`);
    else if (!progress.isTakenOut) this.#checkMissing(client, room, before, at, said);
    // I2: an event comes again only over a gap, and only to a client that has joined again.
    const earlier = progress.heard.get(id);
    if (earlier !== undefined && (earlier >= progress.gapAt || earlier >= progress.connectedAt)) {
      said(`event ${id} of ${room} twice`);
    }
    progress.heard.set(id, progress.count);
    // I6. That two sockets are the same client's, the hub knows of those in the position alone.
    if (event.exceptSocket !== undefined && before.stream.includes(event.exceptSocket)) {
      said(`event ${id} of ${room}, which left it out`);
    }
    if (event.exceptOutcasts && this.#parts.outcasts(client)) said(`event ${id} of ${room}, which left its room out`);
  }

  /** I1: checks that nothing for the client lies behind its position and before another one. */
  #checkMissing(client: number, room: string, before: Position, end: number, said: (what: string) => void): void {
    const known = this.#rooms.get(room);
    const name = known && this.#epochOf(known, before);
    const epoch = known?.epochs.get(name ?? "");
    if (known === undefined || epoch === undefined) return;
    const { entries, newest } = epoch;
    const epochs = [...known.epochs.values()];
    const later = epochs.slice(epochs.indexOf(epoch) + 1);
    const { begunAt = 0 } = this.#progress[client]?.get(room) ?? {};
    const most = Math.min(end, entries.length);
    for (let at = before.at + 1; at < most; at++) {
      const entry = entries[at];
      if (entry === "hole" && at > begunAt) said(`nothing told of the hole at ${at} of ${room}`);
      if (typeof entry !== "object" || this.#isExcepted(client, entry, before)) continue;
      // R12: who was told of the gap between the two records does not get it again.
      if (this.#recorded.get(entry.id) !== name) continue;
      const { id, key } = entry;
      // For a slow reader the newest takes the place of what waits, also if it is in another record.
      const isNewer =
        key !== undefined && ((newest.get(key) ?? 0) > at || later.some((other) => other.newest.has(key)));
      const isSuperseded = known.rule.keep === "latest" && isNewer;
      const isOld = known.rule.replay === "latest" && key === undefined && at <= begunAt;
      if (isSuperseded || isOld) continue;
      said(`event ${id} at ${at} of ${room} is missing`);
    }
  }

  /** Returns the record that a position is in. */
  #epochOf({ aliases }: Room, position: Pick<Position, "stream">): string {
    const epoch = epochOf(position);
    return aliases.get(epoch) ?? epoch;
  }

  #isExcepted(client: number, { exceptOutcasts, exceptSocket }: SentEvent, { stream }: Position): boolean {
    if (exceptOutcasts && this.#parts.outcasts(client)) return true;
    return exceptSocket !== undefined && (stream.includes(exceptSocket) || this.#isOwn(client, exceptSocket));
  }

  /** The sockets that each client ever had. */
  readonly #sockets = new Map<string, number>();

  /** Notes that a socket is a client's. */
  owns(client: number, socket: string): void {
    this.#sockets.set(socket, client);
  }

  #isOwn(client: number, socket: string): boolean {
    return this.#sockets.get(socket) === client;
  }
}

/** Returns the part of a position that names the record. */
function epochOf({ stream }: Pick<Position, "stream">): string {
  return stream.split(".", 1)[0] as string;
}
