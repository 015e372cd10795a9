import { Hub, type ErrorContext, type HubOptions, type Refusal, type Socket, type Transport } from "roomcast";
import { memory, VirtualClock, type MemoryTransport } from "roomcast/testing";
import { uws } from "roomcast/transports/uws";
import { ws } from "roomcast/transports/ws";
import { onTestFinished } from "vitest";
import { Inbox } from "../../../src/testing/inbox.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import {
  connectInMemory,
  connectOverNetwork,
  type HttpAnswer,
  type Request,
  type HandshakeClient,
} from "./handshake-client.ts";

/** The transports with a network, and the one without. */
export const ALL_TRANSPORTS: readonly string[] = [...TRANSPORTS, "memory"];

const CREATE: Readonly<Record<string, () => Transport>> = { ws, uws, memory };

/** What an `error` event of the hub reported. */
export interface Failure {
  readonly error: unknown;
  readonly source: ErrorContext["source"];
}

/** A hub for tests of handshakes, in a time that stands still until the test moves it. */
export class HandshakeFixture {
  readonly hub: Hub;
  readonly clock: VirtualClock = new VirtualClock();
  readonly connected: Inbox<Socket> = new Inbox<Socket>();
  readonly departures: Inbox<number> = new Inbox<number>();
  readonly refusals: Inbox<Refusal> = new Inbox<Refusal>();
  readonly failures: Inbox<Failure> = new Inbox<Failure>();
  readonly #transport: Transport;
  readonly #clients: HandshakeClient[] = [];
  #port = 0;

  /** Opens a hub until the test ends. */
  static async open(transport: string, options: HubOptions = {}): Promise<HandshakeFixture> {
    const fixture = new HandshakeFixture(transport, options);
    onTestFinished(() => fixture.#close());
    const { port } = await fixture.hub.listen({ host: "127.0.0.1" });
    fixture.#port = port;
    return fixture;
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

  /** Begins the handshake of a client. */
  connect(request: Request = {}): HandshakeClient {
    const client =
      this.#transport.name === "memory"
        ? connectInMemory(this.#transport as MemoryTransport, request)
        : connectOverNetwork(this.#port, request);
    this.#clients.push(client);
    return client;
  }

  /** Resolves with the answer to the handshake of a client, which stays connected. */
  async ask(request: Request = {}): Promise<HttpAnswer | undefined> {
    return this.connect(request).answer;
  }

  /** Resolves with the status of {@link ask}. */
  async status(request: Request = {}): Promise<number | undefined> {
    return (await this.ask(request))?.status;
  }

  /** Resolves with both ends of a client that is let in. */
  async accepted(request: Request = {}): Promise<{ readonly client: HandshakeClient; readonly socket: Socket }> {
    const client = this.connect(request);
    await client.answer;
    return { client, socket: (await this.connected.next()) as Socket };
  }

  /** Connects clients one after the other until one is answered with this status. */
  async connectUntil(status: number, request: Request = {}): Promise<HandshakeClient> {
    const client = this.connect(request);
    return (await client.answer)?.status === status ? client : this.connectUntil(status, request);
  }

  async #close(): Promise<void> {
    for (const client of this.#clients) client.vanish();
    await this.hub.close();
  }
}

/** A callback of the application's, such as `authenticate`, that a test answers when it wants to. */
export class Question<T> {
  readonly #asked = new Inbox<(answer: T | Promise<T>) => void>();

  readonly ask = (): Promise<T> => new Promise((resolve) => this.#asked.push(resolve));

  /** Waits until the hub calls it, and returns the function that answers. */
  async asked(): Promise<(answer: T | Promise<T>) => void> {
    return (await this.#asked.next()) as (answer: T | Promise<T>) => void;
  }
}
