import { Buffer } from "node:buffer";
import type { Backplane, LogRecord } from "../../backplanes/backplane.ts";
import { roomOf } from "../../cluster/channels.ts";
import type { HistoryRule } from "../../history/options.ts";
import type { Hub } from "../../hub/hub.ts";
import type { Socket } from "../../hub/socket.ts";
import type { Target } from "../../hub/target.ts";
import { jsonCodec, type Codec } from "../../protocol/codec.ts";
import type { Clock } from "../../time/clock.ts";
import type { MemoryTransport } from "../../transports/memory/index.ts";
import type { MemoryWebSocket } from "../../transports/memory/web-socket.ts";
import type { Transport } from "../../transports/transport.ts";
import { Random } from "../random.ts";
import { Checker, type SimulationCounts } from "./checker.ts";
import type { Client, ClientListener, Dial, RecordListener } from "./client.ts";
import { chooseFaults, FAULTS, type Fault, type FaultKind } from "./fault.ts";
import { LibraryClient } from "./library-client.ts";
import { Network } from "./network.ts";
import { NodeProcess } from "./node-process.ts";
import { NodeTransport } from "./node-transport.ts";
import { PlainClient } from "./plain-client.ts";
import { SimulatedEngine, type Line } from "./simulated-engine.ts";
import { Timeline } from "./timeline.ts";
import { ClientList, PresenceChecker, type SimulatedPresence } from "./presence-checker.ts";
import { nobody } from "./nobody.ts";
import { VirtualGlobals } from "./virtual-globals.ts";

/** What the hub of a node is made with. */
export interface SimulatedNodeBasis {
  readonly transport: Transport;
  readonly clock: Clock;
  /** The connection with the engine; absent if the simulation has none. */
  readonly backplane?: Backplane;
}

/** What is simulated. */
export interface SimulationOptions {
  /** A whole number that decides everything that is left to chance. */
  readonly seed: number;
  /** Creates the hub of a node, each time that the node starts. Its `joinable` has to let everybody in. */
  readonly hub: (basis: SimulatedNodeBasis) => Hub;
  /** The rooms that clients join, each with the rule by which the hubs record it. */
  readonly rooms: Readonly<Record<string, HistoryRule>>;
  /** The number of nodes. Default: 3. */
  readonly nodes?: number;
  /** Whether the nodes have an engine. One node can do without. Default: `true`. */
  readonly engine?: boolean;
  /** The `codecs` of the hubs, which some clients use. Default: none but JSON. */
  readonly codecs?: readonly (Codec & { readonly protocol: string })[];
  /** The number of clients. Default: 5. */
  readonly clients?: number;
  /** The time for which there is work, and for which things go wrong, in virtual milliseconds. Default: 10,000. */
  readonly duration?: number;
  /** What goes wrong, as kinds or as a script. Default: faults of all kinds. */
  readonly faults?: readonly FaultKind[] | readonly Fault[];
  /** The mean time between two faults that are chosen, in virtual milliseconds. Default: 400. */
  readonly pause?: number;
  /** The most events that the engine keeps of a room, whatever its rule says. Default: no limit. */
  readonly mostEntries?: number;
  /**
   * Whether the `maxBytes` or `limits.replay` of the hubs may be too small for what is sent, so that they tell of gaps although
   * the rules do not. Default: `false`.
   */
  readonly isTight?: boolean;
  /**
   * Who is present in the rooms, if the hubs tell: they name all rooms in the option `presence`, and `authenticate` returns the
   * user whose id the query of the address has as `user`. Default: nobody is told.
   */
  readonly presence?: SimulatedPresence;
  /** Called now and then with the hub of some node, for what the application does by itself. */
  readonly work?: (hub: Hub, random: Random) => void;
  /** Whether everything that happens is written down. Default: `false`. */
  readonly journal?: boolean;
}

/** What came of a simulation. */
export interface SimulationOutcome {
  /** What must not be, in the order in which it was found; empty if all is well. */
  readonly violations: readonly string[];
  readonly counts: SimulationCounts;
  /** The script of what went wrong, which can be given as `faults` again. */
  readonly faults: readonly Fault[];
  /** How often listeners were told of users who came or went, and how often one of them was to act. */
  readonly presence: { readonly happenings: number; readonly acts: number };
  /** The reads of the engine. */
  readonly reads: number;
  /** Everything that happened, if that was asked for. */
  readonly journal: readonly string[];
}

const EVENT = "simulation";
const ENTER = "simulation:enter";
const OUTCASTS = "simulation:outcasts";
const KEYS = ["EUR", "USD", "JPY", undefined];
const MOST_VIOLATIONS = 20;

/** The time in which everything comes to rest after the last fault: heartbeats, leases and delays of clients. */
const REST = 60_000;

/** The time that a drain takes at most, and over which clients come back. */
const DRAIN = 3_000;

/** What a client may give as a position. */
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

/** One life of a node, from its start to its end. */
interface Life {
  readonly name: string;
  readonly process: NodeProcess;
  readonly transport: NodeTransport;
  readonly line: Line | undefined;
  readonly hub: Hub;
  readonly connections: Set<MemoryWebSocket>;
  isLeaving: boolean;
}

interface ClientSocket {
  readonly life: Life;
  readonly socket: Socket;
}

/**
 * A cluster in virtual time: real hubs, an engine, a network and clients, with what can go wrong, decided by a seed. It checks
 * that every member of a recorded room hears every event once and in order, or is told of a gap for which there is a reason.
 * The same seed is the same run, step by step.
 *
 * @example
 * const { violations } = await new Simulation({
 *   seed: 1,
 *   rooms: { lobby: { size: 100, age: 60_000 } },
 *   hub: (basis) => createChat(basis),
 * }).run();
 */
export class Simulation {
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #timeline = new Timeline();
  readonly #network: Network;
  readonly #engine: SimulatedEngine | undefined;
  readonly #checker: Checker;
  readonly #presence: PresenceChecker | undefined;
  /** The lists of users that each client has, by room. */
  readonly #lists: Map<string, ClientList>[] = [];
  readonly #nobody: MemoryTransport;
  /** The nodes, each with its present life. */
  readonly #nodes: (Life | undefined)[];
  readonly #clients: Client[] = [];
  readonly #sockets: ClientSocket[][] = [];
  readonly #rooms: readonly string[];
  readonly #faults: readonly Fault[];
  readonly #violations: string[] = [];
  readonly #journal: string[] = [];
  readonly #names = new Map<Line, string>();
  readonly #epochs = new Map<string, string>();
  readonly #age: number;
  #lives = 0;
  #end: number;
  #quietUntil = 0;
  #isOver = false;

  constructor(options: SimulationOptions) {
    const { seed, rooms, nodes = 3, engine = true, clients = 5, duration = 10_000, pause = 400, faults } = options;
    const { mostEntries = Number.MAX_SAFE_INTEGER, isTight = false } = options;
    const random = new Random(seed);
    this.#options = options;
    this.#random = random.fork();
    this.#rooms = Object.keys(rooms);
    this.#age = Math.max(...Object.values(rooms).map(({ age }) => age));
    this.#network = new Network(this.#timeline, random.fork());
    this.#end = duration;
    this.#checker = new Checker({
      rooms,
      now: () => this.#timeline.now,
      mostEntries,
      isTight,
      outcasts: isOutcast,
      violated: (what) => this.#violated(what),
    });
    const { presence } = options;
    this.#presence =
      presence &&
      new PresenceChecker({
        presence,
        now: () => this.#timeline.now,
        lives: () => new Set(this.#nodes.flatMap((life) => (life === undefined ? [] : [life.name]))),
        violated: (what) => this.#violated(what),
      });
    const weather = random.fork();
    const script = random.fork();
    this.#engine = engine
      ? new SimulatedEngine({
          timeline: this.#timeline,
          network: this.#network,
          random: weather,
          mostEntries,
          observer: {
            appended: (channel, record, by) => this.#appended(channel, record, by),
            ended: (channel) => this.#checker.mayEnd(roomOf(channel)),
          },
        })
      : undefined;
    this.#faults = isScript(faults) ? faults : chooseFaults(script, this.#kinds(faults), duration, pause);
    this.#nodes = Array.from({ length: nodes }, () => undefined);
    for (let client = 0; client < clients; client++) this.#addClient(client, random.fork());
    this.#nobody = nobody(this.#network.carry);
  }

  /**
   * Runs the simulation, once. While it runs, nothing else in the process should do anything: timers, times and random numbers
   * are the simulation's.
   *
   * @returns a promise that rejects with what the application or the simulation itself has thrown.
   */
  async run(): Promise<SimulationOutcome> {
    const globals = new VirtualGlobals(this.#timeline, this.#random.fork());
    const runUntil = (time: number): Promise<void> => this.#timeline.run(time, globals);
    const { world } = this.#timeline;
    for (const index of this.#nodes.keys()) this.#timeline.schedule(() => this.#start(index), 0, world);
    for (const client of this.#clients) this.#timeline.schedule(() => client.start(), this.#random.next() * 500, world);
    for (const fault of this.#faults) this.#timeline.schedule(() => this.#befall(fault), fault.time, world);
    this.#timeline.schedule(() => this.#work(), 300, world);
    // oxlint-disable-next-line no-await-in-loop -- a silence puts the end off
    while (this.#timeline.now < this.#end) await runUntil(this.#end);
    this.#timeline.schedule(() => this.#heal(), 0, world);
    await runUntil(this.#timeline.now + REST);
    // R11: what was last has no successor that would show its loss.
    this.#checkClients();
    // A room that has been silent for so long is compared no more.
    for (const life of this.#nodes) if (life?.line !== undefined) life.line.toLose = life.line.wordsToLose = 0;
    for (const room of this.#rooms) {
      const life = this.#nodes[0];
      if (life !== undefined) this.#timeline.schedule(() => this.#emit(life, room), 0, life.process);
    }
    await runUntil(this.#timeline.now + REST);
    this.#checkEnd();
    for (const life of this.#nodes) life?.process.kill();
    return {
      violations: this.#violations,
      counts: this.#checker.counts,
      faults: this.#faults,
      presence: { happenings: this.#presence?.happenings ?? 0, acts: this.#presence?.acts ?? 0 },
      reads: this.#engine?.reads ?? 0,
      journal: this.#journal,
    };
  }

  #kinds(kinds: readonly FaultKind[] = this.#presence === undefined ? RECORD_FAULTS : FAULTS): readonly FaultKind[] {
    return this.#engine === undefined ? kinds.filter((kind) => !ENGINE_FAULTS.has(kind)) : kinds;
  }

  #violated(what: string): void {
    this.#note(() => `VIOLATION: ${what}`);
    if (this.#violations.length < MOST_VIOLATIONS) this.#violations.push(`${this.#timeline.now.toFixed(1)}: ${what}`);
  }

  #note(what: () => string): void {
    if (this.#options.journal === true) this.#journal.push(`${this.#timeline.now.toFixed(3)} ${what()}`);
  }

  #start(index: number): void {
    const process = new NodeProcess(this.#timeline);
    this.#timeline.schedule(
      () => {
        const transport = new NodeTransport(process, this.#network.carry);
        const line = this.#engine?.backplane(process);
        const basis = { transport, clock: process, ...(line === undefined ? {} : { backplane: line }) };
        const hub = this.#options.hub(basis);
        const name = `node ${index} life ${++this.#lives}`;
        if (line !== undefined) this.#names.set(line, name);
        const life: Life = { name, process, transport, line, hub, connections: new Set(), isLeaving: false };
        this.#note(() => `${name} starts`);
        this.#attend(life);
        this.#nodes[index] = life;
      },
      0,
      process,
    );
  }

  /** Puts clients where they belong, and looks for errors. */
  #attend(life: Life): void {
    const { hub } = life;
    hub.on("connection", (socket) => {
      const client = Number(socket.handshake.query.get("client") ?? NaN);
      if (Number.isNaN(client)) return;
      this.#checker.owns(client, socket.id);
      this.#sockets[client]?.push({ life, socket });
      if (isOutcast(client)) socket.join(OUTCASTS);
      // A library client has told its positions.
      if (socket.protocol !== "" && isPutIn(client)) socket.join(this.#rooms);
    });
    hub.on("disconnection", (_, { code }) => {
      if (code === 4101) this.#checker.counts.slow++;
    });
    hub.on("error", (error, { source }) => {
      if (source !== "backplane") this.#violated(`${life.name}: the error ${String(error)} from ${source}`);
    });
    if (this.#presence !== undefined) this.#attendPresence(life, this.#presence);
    hub.handle(ENTER, ({ room, since }: { room: string; since: unknown }, socket) => socket.join(room, { since }));
  }

  /** Compares who is in the rooms with what the listeners of a node are told. */
  #attendPresence(life: Life, presence: PresenceChecker): void {
    const { hub, name } = life;
    hub.on("room", ({ type, room, socket }) => {
      if (socket === undefined || !this.#rooms.includes(room)) return;
      const user = socket.handshake.query.get("user") ?? "";
      if (type === "joined") {
        presence.entered(room, user, socket, name);
        // Clients of the library do not ask here, and those cannot that the server puts into the room.
        socket.presence(room).watch();
      } else presence.exited(room, user, socket);
    });
    for (const room of this.#rooms) {
      for (const effect of ["in", "out", "change"] as const) {
        hub.presence(room).on(effect, ({ id: user }, { mine, key }) => {
          this.#note(() => `${name}: ${user} ${effect} of ${room}${mine ? ", mine" : ""}`);
          const isOwn = hub.node === undefined || key.startsWith(hub.node.id);
          const isCut = hub.node !== undefined && hub.backplaneState !== "connected";
          presence.happened({ node: name, room, effect, user, mine, key, isCut, isOwn });
        });
      }
    }
  }

  #addClient(index: number, random: Random): void {
    const codec = random.pick([undefined, jsonCodec, ...(this.#options.codecs ?? [])]);
    const listener = this.#listing(index, this.#journaled(index, this.#checker.listenerOf(index)));
    const { users } = this.#options.presence ?? {};
    const user = users === undefined ? "" : `&user=user${index % users}`;
    const common = { url: `/?client=${index}${user}`, dial: this.#dial, listener, codec };
    this.#sockets.push([]);
    this.#clients.push(
      codec !== undefined && random.chance(0.5)
        ? new LibraryClient({ ...common, event: EVENT, isPutIn: isPutIn(index) })
        : new PlainClient({
            ...common,
            random,
            joinEvent: random.chance(0.2) ? ENTER : "hub:join",
            asksPresence: users !== undefined,
          }),
    );
  }

  /** Keeps the lists of users of a client. */
  #listing(client: number, listener: RecordListener): ClientListener {
    const lists = new Map<string, ClientList>();
    this.#lists[client] = lists;
    return {
      ...listener,
      connected: () => {
        lists.clear();
        listener.connected();
      },
      left: (room) => {
        lists.delete(room);
        listener.left(room);
      },
      presence: (notice) => {
        const list = lists.get(notice.room) ?? new ClientList();
        lists.set(notice.room, list);
        const fault = list.take(notice);
        this.#note(() => `client ${client} is told ${JSON.stringify(notice)}`);
        if (fault !== undefined) this.#violated(`client ${client} in ${notice.room}: ${fault}`);
      },
    };
  }

  #journaled(client: number, listener: RecordListener): RecordListener {
    if (this.#options.journal !== true) return listener;
    const at = (position: { readonly stream: string; readonly at: number } | undefined): string => {
      return position === undefined
        ? "nowhere"
        : `${this.#epochName(position.stream.split(".", 1)[0] ?? "")} ${position.at}`;
    };
    return {
      noticed: (notice, before) => {
        this.#note(() => `client ${client} at ${at(notice)} of ${notice.room} from ${at(before)}, gap: ${notice.gap}`);
        listener.noticed(notice, before);
      },
      heard: (event, before) => {
        const { simulation } = event.data as { readonly simulation: number };
        this.#note(() => `client ${client} hears ${simulation} at ${event.at} of ${event.room} from ${at(before)}`);
        listener.heard(event, before);
      },
      connected: () => {
        this.#note(() => `client ${client} connects`);
        listener.connected();
      },
      claimed: (room) => listener.claimed(room),
      left: (room) => {
        this.#note(() => `client ${client} is out of ${room}`);
        listener.left(room);
      },
      failed: (what) => listener.failed(what),
    };
  }

  /** Returns the name of an epoch that is the same in every run. */
  #epochName(epoch: string): string {
    let name = this.#epochs.get(epoch);
    if (name === undefined) this.#epochs.set(epoch, (name = `epoch ${this.#epochs.size + 1}`));
    return name;
  }

  readonly #dial: Dial = (url, protocols) => {
    const open = this.#nodes.filter((life) => life !== undefined && !life.isLeaving);
    const life = open.length === 0 ? undefined : this.#random.pick(open);
    if (life === undefined) return this.#nobody.connect(url, { protocols });
    const socket = life.transport.connect(url, protocols);
    life.connections.add(socket);
    socket.addEventListener("close", () => life.connections.delete(socket));
    return socket;
  };

  #appended(channel: string, { at, envelope, epoch, hole, number }: LogRecord, by: Line | undefined): void {
    const room = roomOf(channel);
    if (room === undefined) return;
    const id = hole === true ? undefined : idIn(envelope);
    const node = by && this.#names.get(by);
    this.#note(() => `${room} has ${id ?? "a hole"} at ${this.#epochName(epoch)} ${at}, number ${number} of ${node}`);
    this.#checker.appended(room, epoch, at, id, node, number);
  }

  /** Does something, and goes on with that later. */
  #work(): void {
    if (this.#isOver) return;
    const random = this.#random;
    for (let count = random.pick([1, 1, 2, 5]); count > 0; count--) this.#act();
    const pause = Math.max(0, this.#quietUntil - this.#timeline.now) + random.pick([0.5, 5, 60]) * random.next();
    this.#timeline.schedule(() => this.#work(), pause, this.#timeline.world);
  }

  #act(): void {
    const random = this.#random;
    const client = random.pick(this.#clients);
    const room = random.pick(this.#rooms);
    const life = random.pick(this.#nodes);
    const act = random.weighted<() => void>([
      [60, () => this.#say(room, 1)],
      [4, () => this.#say(room, random.between(5, 30))],
      [14, () => client.join(room)],
      [2, () => client.leave(room)],
      [1, () => this.#takeOut(client, room)],
      [2, () => life?.process.defer(() => life.hub.to(room).volatile.emit("unrecorded"))],
      [2, () => life?.process.defer(() => life.hub.to(room).send('{"no":"packet"}'))],
      [2, () => life?.process.defer(() => this.#options.work?.(life.hub, random))],
      [2, () => this.#checkBounds()],
    ]);
    act();
  }

  /** Has a node send events to a room. */
  #say(room: string, count: number): void {
    const random = this.#random;
    const life = random.pick(this.#nodes);
    for (let index = 0; index < count; index++) life?.process.defer(() => this.#emit(life, room));
  }

  #emit(life: Life, room: string): void {
    const random = this.#random;
    const checker = this.#checker;
    if (life.isLeaving) return;
    const { hub, name: node } = life;
    const id = checker.nextId;
    const data = { simulation: id, text: "x".repeat(random.pick([0, 10, 500, 3_000])) };
    let target: Target = hub.to(room);
    let exceptSocket: string | undefined;
    if (random.chance(0.3)) {
      const client = random.between(0, this.#clients.length - 1);
      // An earlier socket of the client, too: a handler may still have it.
      const left = this.#sockets[client]?.at(-random.between(1, 2));
      if (left?.life === life) {
        exceptSocket = left.socket.id;
        target = left.socket.to(room);
      }
    }
    const exceptOutcasts = random.chance(0.15);
    if (exceptOutcasts) target = target.except(OUTCASTS);
    const key = this.#options.rooms[room]?.keep === "latest" ? random.pick(KEYS) : undefined;
    if (key !== undefined) target = target.latest(key);
    const isAsked = random.chance(0.5);
    checker.sent({ id, room, node, key, exceptSocket, exceptOutcasts }, isAsked);
    this.#note(() => `${node} sends ${id} to ${room}`);
    if (!isAsked) target.emit(EVENT, data);
    else {
      target.record(EVENT, data).then(
        ({ at }) => checker.settled(id, { at }),
        () => checker.settled(id, "rejected"),
      );
    }
    if (this.#engine === undefined) void this.#recordHere(life, room, id);
  }

  /** Without an engine, the record of the only node is the truth. */
  async #recordHere({ hub, name }: Life, room: string, id: number): Promise<void> {
    const { stream, at } = await hub.history(room, { last: 1 });
    const epoch = stream.split(".", 1)[0] as string;
    this.#note(() => `${room} has ${id} at ${this.#epochName(epoch)} ${at}`);
    this.#checker.appended(room, epoch, at, id, name, id + 1);
  }

  #takeOut(client: Client, room: string): void {
    // A client that asks to leave meanwhile hears of both, and a plain one does not tell them apart.
    if (client.stateOf(room) === "leaving") return;
    const index = this.#clients.indexOf(client);
    const last = this.#sockets[index]?.at(-1);
    last?.life.process.defer(() => {
      this.#checker.takenOut(index, room);
      last.socket.leave(room);
    });
  }

  /** Has something go wrong. */
  #befall({ kind, target, extent }: Fault): void {
    this.#note(() => `FAULT: ${kind}`);
    const index = Math.floor(target * this.#nodes.length);
    const life = this.#nodes[index];
    const client = this.#clients[Math.floor(target * this.#clients.length)];
    const room = this.#rooms[Math.floor(target * this.#rooms.length)] as string;
    const engine = this.#engine;
    const { now } = this.#timeline;
    const faults: Readonly<Record<FaultKind, () => unknown>> = {
      cut: () => client?.cut(),
      "cut-all": () => this.#clients.forEach((each) => each.cut()),
      "half-open": () => client?.abandon(),
      slow: () => {
        client?.pause();
        this.#later(() => client?.resume(), extent * 3_000);
      },
      reload: () => client?.reload(),
      leave: () => {
        client?.leave(room);
        this.#later(() => client?.join(room), extent * 2_000);
      },
      forge: () => {
        const isNew = client?.positionOf(room) === undefined;
        if (isNew) client?.join(room, GARBAGE[Math.floor(extent * GARBAGE.length)]);
      },
      kill: () => {
        this.#presence?.mourned();
        this.#kill(index, extent * 3_000);
      },
      freeze: () => {
        life?.process.freeze();
        this.#trouble(now + extent * 8_000);
        this.#later(() => life?.process.thaw(), extent * 8_000);
      },
      drain: () => this.#drain(index, life),
      forget: () => {
        life?.process.defer(() => {
          if (engine === undefined) this.#checker.mayEnd(room);
          if (!life.isLeaving) life.hub.forget(room).catch(() => {});
        });
      },
      silence: () => {
        this.#checker.wasSilent();
        this.#quietUntil = now + this.#age + 1_000;
        this.#end = Math.max(this.#end, this.#quietUntil + 2_000);
      },
      delay: () => {
        this.#presence?.trouble(now + extent * 3_000);
        this.#network.slowness = 0.2;
        this.#later(() => (this.#network.slowness = 0), extent * 3_000);
      },
      partition: () => {
        this.#trouble(now + extent * 9_000);
        life?.line?.partition(extent * 9_000);
      },
      disconnect: () => {
        this.#trouble(now);
        life?.line?.cut();
      },
      refuse: () => {
        if (engine === undefined) return;
        engine.weather.refusal = 0.3;
        this.#later(() => (engine.weather.refusal = 0), extent * 2_000);
      },
      "lose-message": () => {
        this.#presence?.trouble(now + 10_000);
        if (life?.line !== undefined) life.line.toLose += 1 + Math.floor(extent * 3);
      },
      "lose-word": () => {
        this.#presence?.trouble(now + 5_000);
        if (life?.line !== undefined) life.line.wordsToLose += 1 + Math.floor(extent * 3);
      },
      outage: () => this.#failEngine(extent * 9_000),
      "restart-empty": () => {
        this.#failEngine(extent * 1_000);
        engine?.flush();
      },
      "restart-shorter": () => {
        this.#failEngine(extent * 1_000);
        engine?.loseTails(() => this.#random.between(0, Math.ceil(extent * 6)));
      },
      flush: () => engine?.flush(),
      evict: () => engine?.evict(room),
    };
    faults[kind]();
  }

  #later(act: () => void, delay: number): void {
    this.#timeline.schedule(act, delay, this.#timeline.world);
  }

  /** Notes that nodes cannot hear each other until then, and may not have noticed that they can for a while. */
  #trouble(until: number): void {
    this.#checker.trouble(until + 10_000);
    this.#presence?.trouble(until);
  }

  #failEngine(duration: number): void {
    this.#trouble(this.#timeline.now + duration);
    this.#engine?.fail(duration);
  }

  #kill(index: number, downtime: number): void {
    const life = this.#nodes[index];
    if (life === undefined) return;
    this.#nodes[index] = undefined;
    // Without an engine, the records end with the only process.
    if (this.#engine === undefined) this.#checker.mayEnd();
    life.process.kill();
    this.#presence?.died(life.name);
    life.line?.kill();
    for (const connection of life.connections) connection.terminate();
    this.#later(() => this.#nodes[index] ?? this.#start(index), downtime);
  }

  #drain(index: number, life: Life | undefined): void {
    const drain = async ({ hub }: Life): Promise<void> => {
      await hub.drain({ within: DRAIN });
      if (this.#nodes[index] === life) this.#kill(index, 100);
    };
    life?.process.defer(() => {
      if (life.isLeaving) return;
      life.isLeaving = true;
      this.#presence?.drained(DRAIN);
      void drain(life);
    });
  }

  /** Ends everything that goes wrong. */
  #heal(): void {
    this.#isOver = true;
    this.#note(() => "FAULTS END");
    if (Object.values(this.#options.rooms).some(({ age }) => age <= REST)) this.#checker.wasSilent();
    this.#network.slowness = 0;
    this.#engine?.heal();
    for (const [index, life] of this.#nodes.entries()) {
      life?.process.thaw();
      if (life === undefined) this.#later(() => this.#nodes[index] ?? this.#start(index), 10);
    }
    for (const client of this.#clients) client.resume();
  }

  /** I7. */
  #checkBounds(): void {
    const most = Object.values(this.#options.rooms).reduce((sum, { size }) => sum + size, 0);
    for (const life of this.#nodes) {
      const { history } = life?.hub.stats() ?? {};
      if (history !== undefined && history.entries > most) this.#violated(`${history.entries} events are kept`);
    }
  }

  #checkEnd(): void {
    this.#checkBounds();
    for (const life of this.#nodes) {
      if (life === undefined) this.#violated("a node is not there at the end");
      else if (life.hub.stats().history?.waiting !== 0) this.#violated(`somebody still waits on ${life.name}`);
    }
    for (const [index, client] of this.#clients.entries()) {
      if (!client.isConnected) this.#violated(`client ${index} has no connection at the end`);
      for (const room of this.#rooms) {
        const state = client.stateOf(room);
        if (state === "asking" || state === "leaving") this.#violated(`client ${index} got no answer in ${room}`);
        if (state === "in") this.#checker.checkRecord(index, room, client.positionOf(room));
      }
    }
    this.#checkClients();
    this.#checkPresence();
    this.#checker.checkSent((node) => this.#nodes.some((life) => life?.name === node));
    // I7: a node reads a room once for each thing that goes wrong, and not one time after the other.
    const most = this.#lives * this.#rooms.length * (this.#faults.length + 3);
    const { reads = 0 } = this.#engine ?? {};
    if (reads > most) this.#violated(`the engine was read ${reads} times`);
  }

  /** I8. */
  #checkPresence(): void {
    const presence = this.#presence;
    if (presence === undefined) return;
    for (const room of this.#rooms) {
      for (const life of this.#nodes) if (life) presence.compare(life.name, room, life.hub.presence(room).users.keys());
      for (const [index, client] of this.#clients.entries()) {
        if (client.stateOf(room) !== "in") continue;
        const list = this.#lists[index]?.get(room);
        if (list === undefined) this.#violated(`client ${index} was told nobody in ${room}`);
        else if (list.isCounted) presence.compareCount(`client ${index}`, room, list.count);
        else presence.compare(`client ${index}`, room, list.users);
      }
    }
    presence.checkEnd();
  }

  #checkClients(): void {
    for (const [index, client] of this.#clients.entries()) {
      for (const room of this.#rooms) {
        const position = client.positionOf(room);
        if (client.stateOf(room) === "in" && position !== undefined) this.#checker.checkRest(index, room, position);
      }
    }
  }
}

/** The faults of records. */
const RECORD_FAULTS: readonly FaultKind[] = FAULTS.filter((kind) => kind !== "lose-word");

/** The faults that only an engine has. */
const ENGINE_FAULTS: ReadonlySet<FaultKind> = new Set([
  "partition",
  "disconnect",
  "refuse",
  "lose-message",
  "lose-word",
  "outage",
  "restart-empty",
  "restart-shorter",
  "flush",
  "evict",
]);

function isScript(faults: readonly FaultKind[] | readonly Fault[] | undefined): faults is readonly Fault[] {
  return typeof faults?.[0] === "object";
}

/** Every third client is put into the rooms by the server, if it can tell its positions. */
function isPutIn(client: number): boolean {
  return client % 3 === 2;
}

/** Every other client is in the room of those who are left out. */
function isOutcast(client: number): boolean {
  return client % 2 === 1;
}

const ID = '"simulation":';

/** Returns the number of the event in an envelope, which has it in JSON. */
function idIn(envelope: Uint8Array): number | undefined {
  const bytes = Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength);
  const place = bytes.indexOf(ID);
  return place === -1
    ? undefined
    : Number.parseInt(bytes.toString("latin1", place + ID.length, place + ID.length + 12), 10);
}
