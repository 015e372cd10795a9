import { Hub, jsonCodec, type Position, type Socket, type Target } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import { memory, VirtualClock } from "roomcast/testing";
import type { GapReason, RecordNotice } from "../../../src/protocol/packet.ts";
import { settle } from "../../../src/testing/settle.ts";
import { Random } from "../../support/random.ts";
import { RecoveringClient, type HeardEvent, type RoomListener } from "./recovering-client.ts";

/** An event that was recorded, as the program knows it. */
interface Sent {
  readonly id: number;
  readonly room: string;
  readonly epoch: string;
  readonly at: number;
  /** The client whose socket was left out, and the id of this socket, which may be an earlier one. */
  readonly except: { readonly client: number; readonly socket: string } | undefined;
  /** Whether the members of the room "outcasts" were left out. */
  readonly exceptOutcasts: boolean;
}

const ROOMS = ["chat:a", "chat:b"];
/** A room of which only the newest event of each key counts. */
const PRICES = "prices";
const KEYS = ["EUR", "USD", "JPY"];
/** The prices that are sent without a key: a client without a position does not get them. */
const UNKEYED = "none";
const OUTCASTS = "outcasts";
const AGE = 60_000;

const GARBAGE: readonly unknown[] = [
  "nonsense",
  7,
  [],
  {},
  { stream: 5, at: 1 },
  { stream: "x".repeat(1_000), at: 1 },
  { stream: "made-up.socket", at: 3 },
  { stream: "", at: -1 },
];

const epochOf = ({ stream }: Pick<Position, "stream">): string => stream.split(".", 1)[0] as string;

/** What happened in a program, for the sum over all. */
export interface Tally {
  deliveries: number;
  recoveries: number;
  slow: number;
  readonly gaps: Record<GapReason, number>;
}

const NO_GAPS: Record<GapReason, number> = { trimmed: 0, epoch: 0, overrun: 0, hole: 0, unavailable: 0 };

/**
 * A random program of clients that come and go, read slowly, join and leave, and of a server that sends to their rooms. It
 * checks at each thing that a client hears what the client is promised.
 */
export class Program {
  readonly violations: string[] = [];
  readonly tally: Tally = { deliveries: 0, recoveries: 0, slow: 0, gaps: { ...NO_GAPS } };
  readonly #random: Random;
  readonly #clock = new VirtualClock();
  readonly #transport = memory();
  readonly #hub: Hub;
  readonly #size: number;
  readonly #maxBytes: number | undefined;
  readonly #clients: RecoveringClient[] = [];
  /** All sockets that each client ever had. */
  readonly #sockets: Socket[][] = [];
  readonly #sent: Sent[] = [];
  /** What each client has heard last of each key. */
  readonly #seen: Map<string, number>[] = [];
  #prices = 0;
  readonly #claimsGarbage = new Set<string>();
  /** Whether the records may have less than `size` events because of their age. */
  #hasAged = false;

  constructor(seed: number) {
    const random = new Random(seed);
    this.#random = random;
    this.#size = random.pick([3, 10, 50]);
    this.#maxBytes = random.chance(0.2) ? 8_000 : undefined;
    const replay = random.pick([0, 0, 2]);
    this.#hub = new Hub({
      transport: this.#transport,
      clock: this.#clock,
      heartbeat: false,
      codecs: [msgpackCodec],
      maxBufferedBytes: random.pick([8_192, 65_536]),
      joinable: random.chance(0.5) ? () => true : () => Promise.resolve(true),
      ...(random.chance(0.3) ? { limits: { replay: { perSecond: 2_000, burst: 4_000 } } } : {}),
      history: {
        rooms: {
          "chat:*": { size: this.#size, age: AGE, ...(replay === 0 ? {} : { replay }) },
          [PRICES]: { size: 5, age: AGE, keep: "latest", replay: "latest" },
        },
        ...(this.#maxBytes === undefined ? {} : { maxBytes: this.#maxBytes }),
      },
    });
    this.#hub.on("connection", (socket) => {
      const client = Number(socket.handshake.query.get("client"));
      this.#sockets[client]?.push(socket);
      if (isOutcast(client)) socket.join(OUTCASTS);
      // A library client has told its positions.
      if (socket.protocol !== "" && isPutIn(client)) socket.join(ROOMS);
    });
    this.#hub.on("disconnection", (_, { code }) => {
      if (code === 4101) this.tally.slow++;
    });
    this.#hub.handle("enter", ({ room, since }, socket) => socket.join(room, { since }));
    this.#hub.on("error", (error) => this.violations.push(`error: ${String(error)}`));
    for (let client = 0; client < random.between(2, 5); client++) {
      this.#sockets.push([]);
      this.#seen.push(new Map());
      const codec = [undefined, jsonCodec, msgpackCodec][random.between(0, 2)];
      this.#clients.push(new RecoveringClient(this.#transport, `/?client=${client}`, this.#listenerOf(client), codec));
    }
  }

  /** Runs the program. Everything that a client missed has reached it at the end. */
  async run(steps: number): Promise<void> {
    for (const client of this.#clients) client.connect();
    await settle();
    for (let step = 0; step < steps; step++) {
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      await this.#step();
      this.#checkBounds();
    }
    await this.#heal();
    this.tally.recoveries = this.#hub.stats().history?.recoveries ?? 0;
    await this.#hub.close();
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const client = random.pick(this.#clients);
    const room = random.pick(ROOMS);
    const act = random.weighted<() => unknown>([
      [30, () => this.#emit(room)],
      [3, () => this.#burst(room)],
      [10, () => this.#price()],
      [3, () => client.join(PRICES)],
      [1, () => client.leave(PRICES)],
      [12, () => client.join(room)],
      [4, () => client.join(room, undefined, "enter")],
      [1, () => this.#joinWithGarbage(client, room)],
      [3, () => client.leave(room)],
      [2, () => this.#leave(client, room)],
      [8, () => client.cut()],
      [2, () => this.#clients.forEach((other) => other.cut())],
      [20, () => this.#reconnect()],
      [5, () => client.pause()],
      [5, () => client.resume()],
      [3, () => this.#hub.to(room).volatile.emit("unrecorded")],
      [2, () => this.#hub.to(room).send('{"no":"packet"}')],
      [0.3, () => this.#hub.forget(random.chance(0.5) ? room : PRICES)],
      [2, () => this.#clock.advance(random.between(1, 2_000))],
      [0.2, () => this.#silence()],
      [30, () => settle()],
    ]);
    await act();
  }

  #reconnect(): void {
    for (const client of this.#clients) if (!client.isConnected && this.#random.chance(0.7)) this.#connect(client);
  }

  /** Connects a client anew. What it has asked for before may be lost. */
  #connect(client: RecoveringClient): void {
    for (const room of ROOMS) this.#claimsGarbage.delete(`${this.#clients.indexOf(client)} ${room}`);
    client.connect();
  }

  async #emit(room: string): Promise<void> {
    const random = this.#random;
    const id = this.#sent.length;
    const data = { id, text: "x".repeat(random.pick([0, 10, 500, 3_000])) };
    const exceptOutcasts = random.chance(0.15);
    let target: Target = this.#hub.to(room);
    let except: Sent["except"];
    if (random.chance(0.3)) {
      const client = random.between(0, this.#clients.length - 1);
      // An earlier socket of the client, too: a handler may still have it.
      const socket = this.#sockets[client]?.at(-random.between(1, 2));
      if (socket !== undefined) {
        except = { client, socket: socket.id };
        target = socket.to(room);
      }
    }
    if (exceptOutcasts) target = target.except(OUTCASTS);
    let at: number | undefined;
    if (random.chance(0.5)) ({ at } = await target.record("said", data));
    else target.emit("said", data);
    const { stream, at: last } = await this.#hub.history(room, { last: 1 });
    if (at !== undefined && at !== last) this.violations.push(`record() said ${at}, history() ${last}`);
    this.#sent.push({ id, room, epoch: epochOf({ stream }), at: last, except, exceptOutcasts });
  }

  async #burst(room: string): Promise<void> {
    for (let count = this.#random.between(5, 30); count > 0; count--) {
      // oxlint-disable-next-line no-await-in-loop -- in their order
      await this.#emit(room);
    }
  }

  #price(): void {
    const random = this.#random;
    const key = random.pick([...KEYS, UNKEYED]);
    const text = "x".repeat(random.pick([0, 1_000]));
    const target = key === UNKEYED ? this.#hub.to(PRICES) : this.#hub.to(PRICES).latest(key);
    target.emit("price", { key, price: ++this.#prices, text });
  }

  #joinWithGarbage(client: RecoveringClient, room: string): void {
    const index = this.#clients.indexOf(client);
    if (isPutIn(index) || client.since.has(room) || (client.states.get(room) ?? "out") !== "out") return;
    client.join(room, this.#random.pick(GARBAGE));
    if (client.states.get(room) === "asking") this.#claimsGarbage.add(`${index} ${room}`);
  }

  #leave(client: RecoveringClient, room: string): void {
    // A client that asks to leave meanwhile hears of both, and a plain one does not tell them apart.
    if (client.states.get(room) === "leaving") return;
    this.#sockets[this.#clients.indexOf(client)]?.at(-1)?.leave(room);
  }

  async #silence(): Promise<void> {
    this.#hasAged = true;
    await this.#clock.advance(AGE + 1);
  }

  async #heal(): Promise<void> {
    for (let round = 0; round < 2_000; round++) {
      for (const client of this.#clients) {
        client.resume();
        if (!client.isConnected) this.#connect(client);
      }
      // oxlint-disable-next-line no-await-in-loop -- one round after the other
      await settle();
      const { history } = this.#hub.stats();
      if (history?.waiting === 0 && this.#clients.every(({ isConnected }) => isConnected)) break;
      // oxlint-disable-next-line no-await-in-loop -- one round after the other
      await this.#clock.advance(500);
    }
    if (this.#hub.stats().history?.waiting !== 0) this.violations.push("somebody still waits for what was missed");
    for (const [index, client] of this.#clients.entries()) {
      if (client.states.get(PRICES) === "in") {
        // oxlint-disable-next-line no-await-in-loop -- the same for all
        const { events } = await this.#hub.history(PRICES);
        for (const { data } of events) this.#checkSeen(index, data as { readonly key: string; readonly price: number });
      }
      for (const room of ROOMS) {
        const state = client.states.get(room) ?? "out";
        const position = client.since.get(room);
        if (state === "asking" || state === "leaving") this.violations.push(`client ${index} got no answer`);
        if (state === "in" && position !== undefined) {
          this.#checkMissing(index, room, position, Number.POSITIVE_INFINITY, "at the end");
        }
      }
    }
  }

  #listenerOf(client: number): RoomListener {
    const said = (text: string): void => void this.violations.push(`client ${client}: ${text}`);
    return {
      noticed: (notice, before) => this.#noticed(client, notice, before, said),
      heard: (event, before) => this.#heard(client, event, before, said),
    };
  }

  #noticed(client: number, notice: RecordNotice, before: Position | undefined, said: (text: string) => void): void {
    const { room, stream, at, gap } = notice;
    if (stream.length > 256) said("a stream that is too long");
    if (room === PRICES) {
      if (before === undefined) this.#seen[client]?.clear();
      // It was told to load the whole, and may get no more than what is sent from now on.
      if (gap !== undefined) for (const key of KEYS) this.#seen[client]?.set(key, Number.POSITIVE_INFINITY);
      if (gap === undefined && before !== undefined && at < before.at) said(`prices from ${before.at} back to ${at}`);
      return;
    }
    const isGarbage = this.#claimsGarbage.delete(`${client} ${room}`);
    if (gap !== undefined) this.tally.gaps[gap]++;
    if (before === undefined) {
      // Where the server takes a client out that asks at the same time, the client has forgotten what it has told.
      if (!isPutIn(client) && gap !== (isGarbage ? "epoch" : undefined)) said(`a gap "${gap}" without a position`);
      return;
    }
    const isSame = epochOf(notice) === epochOf(before);
    if (gap === undefined) {
      if (!isSame) said("another record without a gap");
      else if (at < before.at) said(`from ${before.at} back to ${at} without a gap`);
      else this.#checkMissing(client, room, before, at + 1, "at a join");
    } else if (gap === "epoch") {
      if (isSame) said("a gap for another record, which is the same");
    } else {
      const mayBeShort = this.#hasAged || this.#maxBytes !== undefined;
      const head = this.#sent.findLast((sent) => sent.room === room && sent.epoch === epochOf(notice))?.at ?? 0;
      if (!isSame || (!mayBeShort && head + 1 - before.at <= this.#size)) said(`a gap "${gap}" with nothing missing`);
    }
  }

  #heard(client: number, event: HeardEvent, before: Position | undefined, said: (text: string) => void): void {
    this.tally.deliveries++;
    const { at = 0, room = "" } = event;
    if (room === PRICES) {
      const { key, price } = event.data as { readonly key: string; readonly price: number };
      if (at <= (before?.at ?? 0)) said(`price ${price} again, or too late`);
      this.#seen[client]?.set(key, Math.max(price, this.#seen[client]?.get(key) ?? 0));
      return;
    }
    const { id } = event.data as { readonly id: number };
    const sent = this.#sent[id] ?? { at, room, epoch: undefined, except: undefined, exceptOutcasts: false };
    if (before === undefined) said(`event ${id} before a position`);
    else if (sent.at !== at || sent.room !== room) said(`event ${id} at ${at} of ${room}`);
    else if (at <= before.at) said(`event ${id} again, or too late: ${at} after ${before.at}`);
    else this.#checkMissing(client, room, before, at, `at event ${id}`);
    if (sent.epoch !== undefined && before !== undefined && sent.epoch !== epochOf(before)) said("another record");
    // That two sockets are the same client's, the hub knows of those in the position alone.
    if (sent.except !== undefined && before !== undefined && before.stream.includes(sent.except.socket)) {
      said(`event ${id}, which left it out`);
    }
    if (sent.exceptOutcasts && isOutcast(client)) said(`event ${id}, which left its room out`);
  }

  /** Checks that a client knows this price, or a later one. */
  #checkSeen(client: number, { key, price }: { readonly key: string; readonly price: number }): void {
    const seen = this.#seen[client]?.get(key) ?? 0;
    if (key !== UNKEYED && seen < price)
      this.violations.push(`client ${client} has price ${seen} of ${key}, which is ${price}`);
  }

  /** Checks that nothing for the client lies behind its position and before another one. */
  #checkMissing(client: number, room: string, position: Position, end: number, when: string): void {
    const epoch = epochOf(position);
    const missing = this.#sent.filter(
      (sent) =>
        sent.room === room &&
        sent.epoch === epoch &&
        sent.at > position.at &&
        sent.at < end &&
        sent.except?.client !== client &&
        !(sent.exceptOutcasts && isOutcast(client)),
    );
    if (missing.length > 0) {
      this.violations.push(`client ${client} misses ${missing.map(({ at }) => at).join()} of ${room} ${when}`);
    }
  }

  #checkBounds(): void {
    const { history } = this.#hub.stats();
    if (history === undefined) return;
    if (history.entries > ROOMS.length * this.#size + 5) this.violations.push(`${history.entries} events are kept`);
    if (this.#maxBytes !== undefined && history.bytes > this.#maxBytes) {
      this.violations.push(`records take ${history.bytes} bytes`);
    }
  }
}

/** Every third client is put into the rooms by the server, if it can tell its positions. */
function isPutIn(client: number): boolean {
  return client % 3 === 2;
}

/** Every other client is in the room of those who are left out. */
function isOutcast(client: number): boolean {
  return client % 2 === 1;
}
