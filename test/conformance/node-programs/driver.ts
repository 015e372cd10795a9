import { Hub, type Replies, type Socket, type Target } from "roomcast";
import { memory, VirtualClock, type MemoryTransport } from "roomcast/testing";
import { SlowEngine } from "./engine.ts";
import { appliesTo, Model, NO, YES, type Call } from "./model.ts";
import type { Client, Program, Step, Whom } from "./program.ts";

/** A step of time that is longer than several ways, in milliseconds. */
const STEP = 50;

/** The time by which everything has arrived or never will, in milliseconds. */
const PATIENCE = 60_000;

const ROOMS = ["a", "b", "c"];

/** A message that was sent, and who has heard it. */
interface Sent {
  readonly node: number;
  readonly whom: Whom;
  readonly isRequest: boolean;
  /** The index of its call since everything had arrived. */
  readonly index: number;
  /** The sockets of the sender's node that were meant at the call. */
  readonly meantHere: ReadonlySet<number>;
}

/** Runs one program on several hubs, and compares what the clients hear with the model. */
export class Driver {
  readonly #program: Program;
  readonly #clients: readonly Client[];
  readonly #clock = new VirtualClock();
  readonly #engine: SlowEngine;
  readonly #transports: readonly MemoryTransport[];
  readonly #hubs: readonly Hub[];
  readonly #sockets: Socket[] = [];
  /** The numbers of the messages that each client has heard since everything had arrived. */
  readonly #heard: number[][] = [];
  /** The rooms that each socket joins at its next message. */
  readonly #reactions: string[][] = [];
  readonly #complaints: string[] = [];
  #initial: readonly ReadonlySet<string>[] = [];
  #calls: Call[] = [];
  #sent = new Map<number, Sent>();
  /** The sockets whose replies have come, by the number of the request. */
  readonly #answered = new Map<number, readonly number[]>();
  #pending = 0;
  #lastNumber = 0;

  constructor(program: Program) {
    this.#program = program;
    const { nodes, delays, isOrdered } = program;
    this.#clients = program.clients.map((client) => ({ ...client, node: client.node % nodes }));
    this.#engine = new SlowEngine(this.#clock, delays, isOrdered);
    this.#transports = Array.from({ length: nodes }, () => memory());
    this.#hubs = this.#transports.map((transport) => this.#createHub(transport));
  }

  /** Resolves with whatever contradicts the promises. */
  async run(): Promise<readonly string[]> {
    for (const { node, user } of this.#clients) {
      // oxlint-disable-next-line no-await-in-loop -- sockets are known by the order of their connections
      await this.#connect(node, user);
    }
    for (const [index, { rooms }] of this.#clients.entries()) this.#sockets[index]?.join(rooms);
    await this.#settle();
    for (const step of this.#program.steps) {
      // oxlint-disable-next-line no-await-in-loop -- a program is a sequence
      await this.#step(step);
    }
    await this.#settle();
    return this.#complaints;
  }

  #createHub(transport: MemoryTransport): Hub {
    const hub = new Hub({
      transport,
      clock: this.#clock,
      backplane: this.#engine.backplane(),
      // Signs of life would only make programs longer. Rooms are let go while the program runs.
      cluster: { lease: 24 * 3600 * 1000, grace: 20 },
      heartbeat: false,
      welcome: false,
      authenticate: ({ query }) => ({ id: query.get("user") ?? "" }),
    });
    hub.on("connection", (socket) => this.#sockets.push(socket));
    hub.on("error", (error) => this.#complaints.push(`an error: ${String(error)}`));
    return hub;
  }

  async #connect(node: number, user: string): Promise<void> {
    const index = this.#heard.push([]) - 1;
    this.#reactions.push([]);
    const client = (this.#transports[node] as MemoryTransport).connect(`/?user=${user}`);
    client.addEventListener("message", (event) => {
      const text = String((event as MessageEvent).data);
      const { data, id } = JSON.parse(text) as { readonly data: number; readonly id?: number };
      this.#heard[index]?.push(data);
      for (const room of this.#reactions[index]?.splice(0) ?? []) this.#sockets[index]?.join(room);
      if (id !== undefined) client.send(JSON.stringify({ reply: id, data: index }));
    });
    await this.#clock.advance(0);
  }

  async #step(step: Step): Promise<void> {
    switch (step.act) {
      case "join":
      case "leave":
        return this.#change(step.act, this.#indexOf(step.socket), step.room);
      case "joinAll":
      case "leaveAll":
        return this.#changeAll(step.act, this.#callerOf(step.node), this.#named(step.whom), step.room);
      case "emit":
      case "request":
        return this.#send(step.act, this.#callerOf(step.node), this.#named(step.whom));
      case "react":
        return this.#react(this.#indexOf(step.socket), step.room);
      case "sync":
        return this.#sync();
      case "pass":
        return this.#clock.advance(step.time);
      case "settle":
        return this.#settle();
    }
  }

  #change(act: "join" | "leave", socket: number, room: string): void {
    this.#socket(socket)[act](room);
    this.#calls.push({ act, node: this.#nodeOf(socket), socket, room });
  }

  #changeAll(act: "joinAll" | "leaveAll", node: number, whom: Whom, room: string): void {
    this.#target(node, whom)[act === "joinAll" ? "join" : "leave"](room);
    this.#calls.push({ act, node, whom, room });
  }

  #react(socket: number, room: string): void {
    this.#reactions[socket]?.push(room);
    this.#calls.push({ act: "react", node: this.#nodeOf(socket), socket, room });
  }

  async #sync(): Promise<void> {
    const last = this.#calls.findLast(isMove);
    if (last === undefined) return;
    const { node, room } = last;
    await this.#until(this.#hub(node).synced(room));
    this.#calls.push({ act: "sync", node, room });
  }

  #send(act: "emit" | "request", node: number, whom: Whom): void {
    const number = ++this.#lastNumber;
    const meantHere = new Set([...this.#sockets.keys()].filter((socket) => this.#isMeantHere(socket, node, whom)));
    const isRequest = act === "request";
    this.#sent.set(number, { node, whom, isRequest, index: this.#calls.length, meantHere });
    this.#calls.push({ act, node, whom });
    const target = this.#target(node, whom);
    if (isRequest) void this.#ask(target, number);
    else target.emit("message", number);
  }

  async #ask(target: Target, number: number): Promise<void> {
    this.#pending++;
    const { replies, failures, silent }: Replies<unknown> = await target.request("request", number, {
      timeout: PATIENCE / 2,
    });
    this.#pending--;
    const answered = [...replies.keys()].map((id) => this.#sockets.findIndex((socket) => socket.id === id));
    this.#answered.set(number, answered);
    this.#expect(`the failures of ${number}`, [...failures.keys(), ...silent], []);
  }

  /** Lets everything arrive, and compares. */
  async #settle(): Promise<void> {
    const end = this.#clock.now() + PATIENCE;
    do {
      // oxlint-disable-next-line no-await-in-loop
      await this.#clock.advance(STEP);
    } while (this.#clock.now() < end && (this.#engine.isBusy || this.#pending > 0));
    this.#expect("what is under way in the end", [this.#engine.isBusy, this.#pending], [false, 0]);
    this.#compare();
    this.#initial = this.#sockets.map(({ rooms }) => new Set(rooms));
    this.#calls = [];
    this.#sent = new Map();
    for (const heard of this.#heard) heard.length = 0;
    for (const reactions of this.#reactions) reactions.length = 0;
  }

  /** Lets time pass until a promise has resolved, and no longer. */
  async #until(promise: Promise<void>): Promise<void> {
    const pending = new Set([promise]);
    const end = this.#clock.now() + PATIENCE;
    promise.then(
      () => pending.delete(promise),
      (error: unknown) => this.#complaints.push(`synced() has failed: ${String(error)}`),
    );
    do {
      // oxlint-disable-next-line no-await-in-loop
      await this.#clock.advance(1);
    } while (pending.size > 0 && this.#clock.now() < end);
    this.#expect("what synced() waits for in the end", pending.size, 0);
  }

  #compare(): void {
    const model = new Model(this.#clients, this.#program.isOrdered, this.#initial, this.#calls);
    for (const socket of this.#sockets.keys()) {
      for (const [number, sent] of this.#sent) {
        this.#compareCount(model, socket, number, sent);
        if (sent.isRequest) this.#compareReply(model, socket, number, sent);
      }
      for (const node of this.#hubs.keys()) this.#compareOrder(model, socket, node);
      for (const room of ROOMS) {
        const isIn = this.#socket(socket).rooms.has(room) ? YES : NO;
        if ((model.atLast(socket, room) & isIn) === 0) {
          this.#complaints.push(`socket ${socket} is ${isIn === YES ? "" : "not "}in the room ${room}`);
        }
      }
    }
  }

  #expected(model: Model, socket: number, { node, index, meantHere }: Sent): number {
    if (this.#nodeOf(socket) !== node) return model.applies(socket, index);
    return meantHere.has(socket) ? YES : NO;
  }

  /** A reply is missing only where the request came for a socket that need not have been asked. */
  #compareReply(model: Model, socket: number, number: number, sent: Sent): void {
    const isAnswered = this.#answered.get(number)?.includes(socket) === true;
    const isHeard = this.#heard[socket]?.includes(number) === true;
    const isOpen = !this.#program.isOrdered && this.#expected(model, socket, sent) === (YES | NO);
    if (isAnswered !== isHeard && !(isHeard && isOpen)) this.#expect(`the reply to ${number}`, isAnswered, isHeard);
  }

  #compareCount(model: Model, socket: number, number: number, sent: Sent): void {
    const count = this.#heard[socket]?.filter((heard) => heard === number).length ?? 0;
    const expected = this.#expected(model, socket, sent);
    const isRight = count === 0 ? (expected & NO) !== 0 : count === 1 && (expected & YES) !== 0;
    const times = expected === YES ? "once" : expected === NO ? "never" : "once at most";
    if (!isRight) this.#complaints.push(`socket ${socket} has heard ${number} ${count} times instead of ${times}`);
  }

  /**
   * What one node sends is in order. Without an engine that keeps it, this holds for what goes to one room, also in
   * unions, if the socket is in no other room of these.
   */
  #compareOrder(model: Model, socket: number, node: number): void {
    const rooms = model.roomsOf(socket);
    const streams = new Map<string, number[]>();
    for (const number of this.#heard[socket] ?? []) {
      const { node: from, whom, isRequest } = this.#sent.get(number) as Sent;
      const stream =
        this.#program.isOrdered || from === this.#nodeOf(socket) ? "all" : streamOf(whom, isRequest, rooms);
      if (from !== node || stream === undefined) continue;
      const numbers = streams.get(stream);
      if (numbers === undefined) streams.set(stream, [number]);
      else numbers.push(number);
    }
    for (const [stream, numbers] of streams) {
      const ordered = numbers.toSorted((one, other) => one - other);
      this.#expect(`what socket ${socket} has heard from node ${node} (${stream})`, numbers, ordered);
    }
  }

  #expect(what: string, actual: unknown, expected: unknown): void {
    const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
    if (is !== should) this.#complaints.push(`${what}: ${is} instead of ${should}`);
  }

  #target(node: number, { rooms, sockets, users, exceptRooms, exceptSockets }: Whom): Target {
    let target = this.#hub(node).except(exceptRooms, ...exceptSockets.map((socket) => this.#socket(socket)));
    if (rooms.length > 0) target = target.to(rooms);
    for (const socket of sockets) target = target.toSocket(this.#socket(socket).id);
    for (const user of users) target = target.toUser(user);
    return target;
  }

  #isMeantHere(socket: number, node: number, whom: Whom): boolean {
    if (this.#nodeOf(socket) !== node) return false;
    const { rooms } = this.#socket(socket);
    return appliesTo(whom, socket, this.#clients[socket]?.user ?? "", (room) => (rooms.has(room) ? YES : NO)) === YES;
  }

  /** Returns the audience with its sockets named by their indices. */
  #named({ sockets, exceptSockets, ...rest }: Whom): Whom {
    return {
      ...rest,
      sockets: sockets.map((socket) => this.#indexOf(socket)),
      exceptSockets: exceptSockets.map((socket) => this.#indexOf(socket)),
    };
  }

  #indexOf(number: number): number {
    return number % this.#sockets.length;
  }

  #callerOf(number: number): number {
    return number % Math.min(this.#program.callers, this.#hubs.length);
  }

  #nodeOf(socket: number): number {
    return this.#clients[socket]?.node ?? 0;
  }

  #hub(node: number): Hub {
    return this.#hubs[node] as Hub;
  }

  #socket(index: number): Socket {
    return this.#sockets[index] as Socket;
  }
}

/** The stream whose order holds in any engine; `undefined` for a message in none. */
function streamOf(whom: Whom, isRequest: boolean, roomsOfSocket: readonly string[]): string | undefined {
  const { rooms, sockets, users } = whom;
  if (sockets.length + users.length > 0) return undefined;
  if (rooms.length === 0) return "everybody";
  if (rooms.length === 1) return rooms[0];
  const [room, ...others] = rooms.filter((name) => roomsOfSocket.includes(name));
  return isRequest || others.length > 0 ? undefined : room;
}

function isMove(call: Call): call is Extract<Call, { readonly act: "join" | "leave" | "joinAll" | "leaveAll" }> {
  return "room" in call && call.act !== "react" && call.act !== "sync";
}
