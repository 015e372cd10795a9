import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { Hub } from "../../hub/hub.ts";
import type { ErrorContext } from "../../hub/events.ts";
import type { HubOptions } from "../../hub/options.ts";
import type { Socket } from "../../hub/socket.ts";
import type { Close } from "../../protocol/close-codes.ts";
import type { Transport } from "../../transports/transport.ts";
import { Inbox } from "../inbox.ts";
import { rawRequest, UPGRADE_HEADERS, type RawClient } from "../raw-client.ts";
import type { SuiteClient, SuiteConnectOptions } from "../suite-client.ts";
import type { TransportSubject } from "../transport-subject.ts";
import { ClientFixture, RawClientFixture } from "./client-fixture.ts";
import { Wire } from "./wire.ts";

/** The arguments of the hub's `disconnection` event. */
export interface Departure extends Close {
  readonly socket: Socket;
}

/** The arguments of the hub's `error` event. */
export interface Failure {
  readonly error: unknown;
  readonly context: ErrorContext;
}

/** The header by which the fixture finds the socket of a client. */
const TICKET = "x-suite-ticket";

/** A listening hub on the transport under test, and its clients. */
export class HubFixture {
  readonly hub: Hub;
  readonly wire: Wire;
  /** The sockets in the order of their `connection` events. */
  readonly connected: Socket[] = [];
  readonly departures: Inbox<Departure> = new Inbox<Departure>();
  readonly failures: Inbox<Failure> = new Inbox<Failure>();
  readonly #subject: TransportSubject;
  readonly #transport: Transport;
  readonly #clients: (SuiteClient | RawClient)[] = [];
  readonly #expected = new Map<string, (socket: Socket) => void>();
  #port = 0;
  #tickets = 0;

  static async open(subject: TransportSubject, options: HubOptions): Promise<HubFixture> {
    const fixture = new HubFixture(subject, options);
    const { port } = await fixture.hub.listen({ host: "127.0.0.1" });
    fixture.#port = port;
    return fixture;
  }

  private constructor(subject: TransportSubject, options: HubOptions) {
    this.#subject = subject;
    this.#transport = subject.create();
    const { codec, compression } = subject;
    this.wire = new Wire(codec);
    this.hub = new Hub({
      welcome: false,
      heartbeat: false,
      compression,
      codec,
      ...options,
      transport: this.#transport,
    });
    this.hub.on("connection", (socket) => {
      this.connected.push(socket);
      this.#expected.get(socket.handshake.headers[TICKET] ?? "")?.(socket);
    });
    this.hub.on("disconnection", (socket, { code, reason }) => this.departures.push({ socket, code, reason }));
    // Without a listener the hub would warn of pages that it refuses.
    this.hub.on("refusal", () => {});
    this.hub.on("error", (error, context) => this.failures.push({ error, context }));
  }

  /** Begins to connect a client, and does not wait for it. */
  dial(options: SuiteConnectOptions = {}): SuiteClient {
    const client = this.#subject.connect(this.#transport, this.#port, options);
    this.#clients.push(client);
    return client;
  }

  /** Connects a client, and waits until it is open and the hub has its socket. */
  async connect({ headers, ...options }: SuiteConnectOptions = {}): Promise<ClientFixture> {
    const [ticket, arrival] = this.#expect();
    const client = this.dial({ ...options, headers: { ...headers, [TICKET]: ticket } });
    await client.opened;
    return new ClientFixture(client, await arrival, this.wire);
  }

  /** Connects two clients at the same time. */
  pair(): Promise<[ClientFixture, ClientFixture]> {
    return Promise.all([this.connect(), this.connect()]);
  }

  /** Connects three clients at the same time. */
  trio(): Promise<[ClientFixture, ClientFixture, ClientFixture]> {
    return Promise.all([this.connect(), this.connect(), this.connect()]);
  }

  /** Opens a TCP connection and sends nothing. */
  async dialRaw(): Promise<RawClient> {
    assert.ok(this.#subject.connectRaw !== undefined);
    const client = await this.#subject.connectRaw(this.#port);
    this.#clients.push(client);
    return client;
  }

  /**
   * Connects a raw client.
   *
   * @param early - bytes that are sent together with the request.
   */
  async connectRaw(early: readonly Buffer[] = []): Promise<RawClientFixture> {
    const [ticket, arrival] = this.#expect();
    const client = await this.dialRaw();
    client.write(rawRequest("/", { ...UPGRADE_HEADERS, [TICKET]: ticket }), ...early);
    assert.equal((await client.response())?.status, 101);
    return new RawClientFixture(client, await arrival, this.wire);
  }

  /** Breaks the connections of all clients, and closes the hub. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.vanish();
    await this.hub.close();
  }

  #expect(): [ticket: string, arrival: Promise<Socket>] {
    const ticket = String(++this.#tickets);
    const arrival = new Promise<Socket>((resolve) => {
      this.#expected.set(ticket, resolve);
    });
    return [ticket, arrival];
  }
}

/** Calls every method of a socket that changes something. */
export function useUp(socket: Socket): void {
  socket.join("x", "z");
  socket.leave("x");
  socket.emit("never");
  socket.send("never");
  socket.close(4999);
  socket.terminate();
}
