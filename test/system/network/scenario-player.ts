import { setImmediate as turn } from "node:timers/promises";
import { WebSocket } from "ws";
import { Application } from "./application.ts";
import { wantedRooms } from "./checks/rooms.ts";
import { Journal } from "./journal.ts";
import type { Page } from "./page.ts";
import { Proxy } from "./proxy.ts";
import { ROOMS, type Scenario, type Step } from "./scenario.ts";
import { Server } from "./server.ts";

/** How many state changes to wait for where connecting cannot succeed. */
const ATTEMPTS = 4;

/** Plays a scenario on a server, a client and the network between them. */
export class ScenarioPlayer {
  readonly journal: Journal;
  readonly server: Server;
  readonly application: Application;
  readonly proxy: Proxy;
  /** The connection on which the network fell silent; a later one is not concerned. */
  #deafSince: number | undefined;
  readonly #steps: readonly Step[];
  /** The ends of the clients of pages that were loaded again. */
  readonly #closing: Promise<void>[] = [];
  #fences = 0;
  #finalRooms: readonly string[] | undefined;
  #abandoned = 0;

  static async create(scenario: Scenario, page: Page): Promise<ScenarioPlayer> {
    const journal = new Journal();
    const server = new Server(journal, scenario);
    const proxy = await Proxy.to(await server.start());
    return new ScenarioPlayer(
      journal,
      server,
      proxy,
      new Application(journal, scenario, page, proxy.port),
      scenario.steps,
    );
  }

  private constructor(
    journal: Journal,
    server: Server,
    proxy: Proxy,
    application: Application,
    steps: readonly Step[],
  ) {
    this.#steps = steps;
    this.journal = journal;
    this.server = server;
    this.proxy = proxy;
    this.application = application;
  }

  /** The rooms that the client was in when everything had settled; `undefined` if it was closed by then. */
  get finalRooms(): readonly string[] | undefined {
    return this.#finalRooms;
  }

  /** How many WebSockets the client had replaced without closing them. */
  get abandoned(): number {
    return this.#abandoned;
  }

  async play(): Promise<void> {
    for (const step of this.#steps) {
      this.journal.note({ type: "step", step });
      await this.#perform(step);
      if (step.do === "close") break;
    }
  }

  /** Repairs the network and waits until everything has come of the scenario that has to. */
  async recover(): Promise<void> {
    const { application, journal, server } = this;
    await this.#settle();
    // Only when what is sent again has arrived is it answered what was held back.
    while (!(await this.#fence())) await this.#settle();
    await journal.until("every promise to settle", () => {
      server.release();
      return application.isQuiet;
    });
    while (!(await this.#fence())) await this.#settle();
  }

  /** Ends everything, the client first. */
  async tearDown(): Promise<void> {
    const { application, journal, proxy, server } = this;
    this.#abandoned = application.sockets.made
      .slice(0, -1)
      .filter(({ readyState }) => readyState <= WebSocket.OPEN).length;
    // What is under way has to settle at the call, not when its time is up.
    for (const idempotent of [false, true]) {
      void application.request({ treatment: "ignore", idempotent, timeout: undefined, abort: "later" });
    }
    const closed = Promise.all([...this.#closing, application.client.close()]);
    await journal.until("every promise to settle", () => application.isQuiet);
    await journal.settled("the proxy to close", proxy.close());
    await journal.settled("the client to close", closed);
    const { made } = application.sockets;
    await journal.until("the end of every WebSocket", () => journal.of("gone").length === made.length);
    await journal.until("every disconnection", () => {
      return journal.of("disconnection").length === journal.of("connection").length;
    });
    await journal.settled("the server to close", server.close());
  }

  /**
   * A room of its own, because room operations have an order of their own, and a request that waits its turn behind
   * everything else; then one message to each room and to everybody: what arrives before the last one was not lost.
   *
   * Resolves with whether all that passed on one connection; of a closed client nothing is asked.
   */
  async #fence(): Promise<boolean> {
    const { application, journal, server } = this;
    const { client } = application;
    const { id } = client;
    this.#finalRooms = undefined;
    if (client.state === "closed") return true;
    this.#fences += 1;
    const joined = application.join(`fence ${this.#fences}`);
    const asked = {
      treatment: "answer",
      idempotent: false,
      timeout: undefined,
      abort: "never",
    } as const;
    const passing = Promise.all([joined, application.request(asked)]);
    await journal.settled("what is sent last", passing);
    const passed = await passing;
    const socket = server.hub.sockets.get(client.id ?? "");
    if (passed.includes(false) || client.id !== id || socket === undefined) return false;
    // Rooms at which the guard has failed are asked for again, after a while.
    await journal.poll("the client to be in its rooms", () => {
      return client.id !== id || [...wantedRooms(journal)].every((room) => socket.rooms.has(room));
    });
    if (client.id !== id) return false;
    this.#finalRooms = [...socket.rooms];
    for (const room of ROOMS) server.news(room);
    const last = server.news(undefined);
    const arrived = (): boolean => journal.of("received").some(({ m }) => m === last);
    await journal.until("the last news", () => client.id !== id || arrived());
    return arrived();
  }

  async #perform(step: Step): Promise<void> {
    const { application, proxy, server } = this;
    switch (step.do) {
      case "event":
        return application.event(step.size);
      case "request":
        return void application.request(step);
      case "bytes":
      case "abort":
        return application[step.do]();
      case "join":
      case "leave":
        return void application[step.do](...step.rooms);
      case "flood":
        return application.flood(step.events, step.requests);
      case "page":
        return application.page(step.event);
      case "reload":
        return void this.#closing.push(application.reload());
      case "clock":
        return application.clock(step.hours);
      case "close":
        return void application.client.close();
      case "news":
        return void server.news(step.room);
      case "ask":
      case "tellBytes":
      case "release":
      case "terminate":
        return server[step.do]();
      case "expel":
        return server.expel(step.code);
      case "restart":
        proxy.target = await server.restart();
        return undefined;
      case "cut":
      case "reset":
      case "detach":
        return proxy[step.do]();
      case "isolate":
        this.#deafSince = this.#connection;
        return proxy.isolate();
      case "stall":
        this.#deafSince = this.#connection;
        return proxy.stall(step.direction);
      case "resume":
        this.#deafSince = undefined;
        return proxy.resume();
      case "refuse":
      case "hang":
        proxy.welcome = step.do;
        return undefined;
      case "delay":
        return proxy.delay(step.ms);
      case "cutAfter":
      case "cutNextAfter":
        return proxy[step.do](step.direction, step.bytes);
      case "heal":
        return this.#heal();
      case "turn":
        return turn();
      case "notice":
        return this.#notice();
      case "settle":
        return this.#settle();
    }
  }

  /** The number of the client's connection. One that is not open may not have got to the network yet. */
  get #connection(): number | undefined {
    const { client, sockets } = this.application;
    return client.state === "open" ? sockets.made.length : undefined;
  }

  #heal(): void {
    this.#deafSince = undefined;
    this.proxy.heal();
    // While its page is away, a client keeps still.
    this.application.show();
  }

  async #settle(): Promise<void> {
    const { client } = this.application;
    this.#heal();
    await this.journal.until("the client to be open", () => client.state === "open" || client.state === "closed");
  }

  /** Waits for what the client will find out by itself: that its connection is dead, or that there is a new one. */
  async #notice(): Promise<void> {
    this.application.show();
    const { client } = this.application;
    if (client.state === "closed") return;
    if (client.state === "open") {
      if (this.#deafSince === undefined || this.#deafSince !== this.#connection) return;
      await this.journal.until("the loss to be noticed", () => client.state !== "open");
    } else if (this.proxy.welcome === "forward") {
      await this.journal.until("the client to be open", () => client.state === "open" || client.state === "closed");
    } else {
      const before = this.journal.of("state").length;
      await this.journal.until("attempts to connect", () => {
        // The last one before may have got through.
        return ["open", "closed"].includes(client.state) || this.journal.of("state").length >= before + ATTEMPTS;
      });
    }
  }
}
