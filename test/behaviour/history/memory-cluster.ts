import { Hub, type Backplane, type HubOptions, type Socket } from "roomcast";
import { memory, MemoryEngine, VirtualClock, type MemoryTransport } from "roomcast/testing";
import { onTestFinished } from "vitest";
import type { Position, RecordNotice } from "../../../src/protocol/packet.ts";
import { settle } from "../../../src/testing/settle.ts";
import { recording, type SeenPacket } from "./peer.ts";

/** Nodes on an engine in memory, in virtual time. */
export class MemoryCluster {
  readonly engine: MemoryEngine = new MemoryEngine();
  readonly clock: VirtualClock = new VirtualClock();

  /** @param wrap - changes the backplane. */
  node(options: HubOptions = recording(), wrap = (backplane: Backplane): Backplane => backplane): Node {
    return new Node({ ...options, clock: this.clock, backplane: wrap(this.engine.backplane()) });
  }

  /** Lets time pass, and waits until nothing is left to do. */
  async passed(time: number): Promise<void> {
    await this.clock.advance(time);
    await settle();
  }
}

/** A node, and the errors that it has reported. */
export class Node {
  readonly hub: Hub;
  readonly errors: string[] = [];
  readonly sockets: Socket[] = [];
  readonly #transport: MemoryTransport = memory();

  constructor(options: HubOptions) {
    this.hub = new Hub({ heartbeat: false, welcome: false, ...options, transport: this.#transport });
    onTestFinished(() => this.hub.close({ within: 0 }));
    this.hub.on("error", (error) => this.errors.push((error as Error).message));
    this.hub.on("connection", (socket) => this.sockets.push(socket));
  }

  async connect(url = "/"): Promise<Client> {
    const client = new Client(this.#transport, url);
    await settle();
    return client;
  }

  /** Connects clients, and puts them into a room. */
  async members(room: string, count: number): Promise<readonly Client[]> {
    const clients: Client[] = [];
    for (let index = 0; index < count; index++) {
      // oxlint-disable-next-line no-await-in-loop -- the sockets have the order of the clients
      const client = await this.connect();
      // oxlint-disable-next-line no-await-in-loop
      await client.join(room);
      client.take();
      clients.push(client);
    }
    return clients;
  }
}

/** A client that notes what it hears. */
export class Client {
  readonly heard: SeenPacket[] = [];
  /** The code with which it was closed. */
  closed: number | undefined;
  readonly #socket: ReturnType<MemoryTransport["connect"]>;

  constructor(transport: MemoryTransport, url = "/") {
    this.#socket = transport.connect(url);
    this.#socket.addEventListener("message", (message) => {
      this.heard.push(JSON.parse((message as MessageEvent).data as string) as SeenPacket);
    });
    this.#socket.addEventListener(
      "close",
      (event) => (this.closed = (event as Event & { readonly code: number }).code),
    );
  }

  async join(room: string, since?: Position, presence?: boolean): Promise<void> {
    this.say("hub:join", { room, since, presence });
    await settle();
  }

  /** Sends a request. */
  say(event: string, data: unknown): void {
    this.#socket.send(JSON.stringify({ event, id: 1, data }));
  }

  close(): void {
    this.#socket.close();
  }

  /** Takes what was heard, in short. */
  take(): readonly unknown[] {
    return this.heard.splice(0).map(({ event, data, reply, error }) => {
      if (event === "hub:record") return (data as RecordNotice).gap ?? "position";
      if (event === "hub:left") return "left";
      return reply === undefined ? data : (error?.code ?? "joined");
    });
  }

  /** Takes the data of events. */
  events(): readonly unknown[] {
    return this.heard.splice(0).flatMap(({ event, data }) => (event === "said" ? [data] : []));
  }

  /** The position that it was told last. */
  position(): Position {
    const notice = this.heard.findLast(({ event }) => event === "hub:record");
    const { stream = "", at = 0 } = (notice?.data ?? {}) as Partial<Position>;
    const last = this.heard.findLast((packet) => packet.at !== undefined)?.at ?? 0;
    return { stream, at: Math.max(at, last) };
  }
}
