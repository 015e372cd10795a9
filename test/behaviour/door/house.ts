import { Hub, type ErrorContext, type HubOptions, type Refusal, type Socket, type Transport } from "roomcast";
import { memory, VirtualClock, type MemoryTransport } from "roomcast/testing";
import { uws } from "roomcast/transports/uws";
import { ws } from "roomcast/transports/ws";
import { onTestFinished } from "vitest";
import { Inbox } from "../../../src/testing/inbox.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { visitInMemory, visitOverNetwork, type Answer, type Request, type Visitor } from "./visitor.ts";

/** The transports with a network, and the one without. */
export const ALL_TRANSPORTS: readonly string[] = [...TRANSPORTS, "memory"];

const CREATE: Readonly<Record<string, () => Transport>> = { ws, uws, memory };

/** What the hub's `error` event told. */
export interface Failure {
  readonly error: unknown;
  readonly source: ErrorContext["source"];
}

/** A hub whose door is visited, in a time that stands still unless it is moved. */
export class House {
  readonly hub: Hub;
  readonly clock: VirtualClock = new VirtualClock();
  readonly connected: Inbox<Socket> = new Inbox<Socket>();
  readonly departures: Inbox<number> = new Inbox<number>();
  readonly refusals: Inbox<Refusal> = new Inbox<Refusal>();
  readonly failures: Inbox<Failure> = new Inbox<Failure>();
  readonly #transport: Transport;
  readonly #visitors: Visitor[] = [];
  #port = 0;

  /** A house for this test. */
  static async open(transport: string, options: HubOptions = {}): Promise<House> {
    const house = new House(transport, options);
    onTestFinished(() => house.#close());
    const { port } = await house.hub.listen({ host: "127.0.0.1" });
    house.#port = port;
    return house;
  }

  private constructor(transport: string, options: HubOptions) {
    this.#transport = (CREATE[transport] as () => Transport)();
    const { clock } = this;
    this.hub = new Hub({ welcome: false, heartbeat: false, clock, ...options, transport: this.#transport });
    this.hub.on("connection", (socket) => this.connected.push(socket));
    this.hub.on("disconnection", (_socket, { code }) => this.departures.push(code));
    this.hub.on("refusal", (refusal) => this.refusals.push(refusal));
    this.hub.on("error", (error, { source }) => this.failures.push({ error, source }));
  }

  get port(): number {
    return this.#port;
  }

  /** Somebody is at the door. */
  visit(request: Request = {}): Visitor {
    const visitor =
      this.#transport.name === "memory"
        ? visitInMemory(this.#transport as MemoryTransport, request)
        : visitOverNetwork(this.#port, request);
    this.#visitors.push(visitor);
    return visitor;
  }

  /** The answer that somebody gets who asks, and stays. */
  async ask(request: Request = {}): Promise<Answer | undefined> {
    return this.visit(request).answer;
  }

  /** The status that somebody gets who asks, and stays. */
  async status(request: Request = {}): Promise<number | undefined> {
    return (await this.ask(request))?.status;
  }

  /** Somebody who is in, both ends. */
  async enter(request: Request = {}): Promise<{ readonly visitor: Visitor; readonly socket: Socket }> {
    const visitor = this.visit(request);
    await visitor.answer;
    return { visitor, socket: (await this.connected.next()) as Socket };
  }

  /** Visits of one after the other, until one is answered with this status. */
  async until(status: number, request: Request = {}): Promise<Visitor> {
    const visitor = this.visit(request);
    return (await visitor.answer)?.status === status ? visitor : this.until(status, request);
  }

  async #close(): Promise<void> {
    for (const visitor of this.#visitors) visitor.vanish();
    await this.hub.close();
  }
}

/** A question that the application is asked, and answers when it likes. */
export class Question<T> {
  readonly #asked = new Inbox<(answer: T | Promise<T>) => void>();

  readonly ask = (): Promise<T> => new Promise((resolve) => this.#asked.push(resolve));

  /** Waits until it is asked, and returns the function that answers. */
  async asked(): Promise<(answer: T | Promise<T>) => void> {
    return (await this.#asked.next()) as (answer: T | Promise<T>) => void;
  }
}
