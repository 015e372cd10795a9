import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import { Hub, ReplyError, type HubOptions, type Socket } from "roomcast";
import type { Journal } from "./journal.ts";
import { createDeferred } from "../../../src/deferred.ts";
import { Random } from "../../support/random.ts";
import { FORBIDDEN_ROOM, type Scenario, type Treatment } from "./scenario.ts";

/** What the client sends: `n` numbers its calls. */
export interface Sent {
  readonly n: number;
  readonly treatment?: Treatment;
}

/** How often the server asks for a sign of life and how long it waits, in milliseconds. */
export const HEARTBEAT: { readonly interval: number; readonly timeout: number } = { interval: 100, timeout: 80 };

/** The server's side of a scenario. It can be restarted, and then runs on another port and knows nothing. */
export class Server {
  readonly #journal: Journal;
  readonly #scenario: Scenario;
  readonly #hubs: Hub[] = [];
  readonly #closing: Promise<void>[] = [];
  #held: (() => void)[] = [];
  #ignored: (() => void)[] = [];
  #lastM = 0;

  constructor(journal: Journal, scenario: Scenario) {
    this.#journal = journal;
    this.#scenario = scenario;
  }

  /** The one that runs now. */
  get hub(): Hub {
    return this.#hubs.at(-1) as Hub;
  }

  /** Resolves with the port. */
  async start(): Promise<number> {
    const { transport, hasUsers, guard, seed, waitingBytes } = this.#scenario;
    const random = new Random(seed);
    const options: HubOptions = {
      transport,
      heartbeat: HEARTBEAT,
      limits: { ...(waitingBytes !== undefined && { waitingBytes }) },
      joinable: (room) => {
        const verdict = room !== FORBIDDEN_ROOM;
        if (guard === "quick") return verdict;
        if (guard === "failing" && random.chance(0.3)) throw new GuardError("The guard fails.");
        return random.chance(0.5) ? turn(verdict) : delay(random.between(1, 20), verdict);
      },
    };
    const hub = new Hub(hasUsers ? { ...options, authenticate: ({ auth }) => ({ id: String(auth) }) } : options);
    const run = this.#hubs.push(hub);
    hub.on("connection", ({ id }) => this.#journal.note({ type: "connection", id, run }));
    hub.on("disconnection", ({ id }) => this.#journal.note({ type: "disconnection", id, run }));
    hub.on("message", (socket, bytes) => this.#handle(Number(Buffer.from(bytes).toString()), socket, run));
    hub.on("error", (error) => this.#journal.note({ type: "failed", error }));
    hub.handle("event", ({ n }: Sent, socket) => this.#handle(n, socket, run));
    hub.handle("request", ({ n, treatment }: Sent, socket) => {
      this.#handle(n, socket, run);
      return this.#answer(n, treatment);
    });
    const { port } = await hub.listen({ host: "127.0.0.1" });
    return port;
  }

  /** The old one closes meanwhile. */
  async restart(): Promise<number> {
    this.#closing.push(this.hub.close());
    return this.start();
  }

  /** An event to everybody in a room, or to everybody. Returns its number. */
  news(room: string | undefined): number {
    const m = (this.#lastM += 1);
    const { hub } = this;
    const recipients = room === undefined ? hub.sockets.values() : (hub.rooms.get(room)?.values() ?? []);
    for (const { id } of recipients) this.#journal.note({ type: "told", m, id, isQuestion: false });
    (room === undefined ? hub : hub.to(room)).emit("news", m);
    return m;
  }

  ask(): void {
    for (const socket of this.hub.sockets.values()) {
      const m = this.#tell(socket, true);
      socket.request("question", m, { timeout: 1_000_000 }).then(
        (outcome: unknown) => this.#journal.note({ type: "askedFor", m, outcome }),
        ({ code }: { readonly code?: string }) => this.#journal.note({ type: "askedFor", m, outcome: code }),
      );
    }
  }

  tellBytes(): void {
    for (const socket of this.hub.sockets.values()) socket.send(Buffer.from(String(this.#tell(socket))));
  }

  expel(code: number): void {
    for (const socket of this.hub.sockets.values()) socket.close(code);
  }

  terminate(): void {
    for (const socket of this.hub.sockets.values()) socket.terminate();
  }

  /** Answers what was held back. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    for (const answer of held) answer();
  }

  async close(): Promise<void> {
    for (const answer of [...this.#held, ...this.#ignored]) answer();
    await Promise.all([...this.#closing, this.hub.close()]);
  }

  /** What the hubs hold on to though nobody is connected. */
  get remains(): readonly string[] {
    return this.#hubs.flatMap(({ sockets, rooms }, index) => {
      return sockets.size + rooms.size === 0 ? [] : [`run ${index + 1}: ${sockets.size} sockets, ${rooms.size} rooms`];
    });
  }

  #tell({ id }: Socket, isQuestion = false): number {
    const m = (this.#lastM += 1);
    this.#journal.note({ type: "told", m, id, isQuestion });
    return m;
  }

  #handle(n: number, { id, rooms }: Socket, run: number): void {
    this.#journal.note({ type: "handled", n, id, run, rooms: [...rooms] });
  }

  async #answer(n: number, treatment: Treatment | undefined): Promise<number> {
    if (treatment === "refuse") throw new ReplyError("no", `Not ${n}`);
    if (treatment === "hold" || treatment === "ignore") {
      const { promise, resolve } = createDeferred();
      (treatment === "hold" ? this.#held : this.#ignored).push(resolve);
      await promise;
    }
    return answerTo(n);
  }
}

/** What the guard of the rooms throws now and then. */
export class GuardError extends Error {}

/** What the server answers request number `n` with. */
export function answerTo(n: number): number {
  return n * 1000 + 7;
}
