import { setImmediate as turn } from "node:timers/promises";
import { Hub, type Backplane, type BackplaneHandlers, type Socket } from "roomcast";
import { memory, MemoryEngine, type MemoryTransport } from "roomcast/testing";

/** The room whose users are measured. */
export const ROOM = "stadium";

/** Shorter than usual, so that a run does not take minutes: what it costs is told for each lease. */
export const LEASE = 3_000;
export const GRACE = 1_000;

/** The default of the option `full`. */
export const FULL = 200;

/** The channel on which nodes give signs of life. */
const ALL_NODES = "nodes";

/** A backplane that counts what its node publishes. */
class MeteredBackplane implements Backplane {
  readonly ordered = true;
  /** Bytes of signs of life. */
  signs = 0;
  /** All other bytes. */
  told = 0;
  readonly #inner: Backplane;

  constructor(inner: Backplane) {
    this.#inner = inner;
  }

  start(handlers: BackplaneHandlers): void {
    this.#inner.start(handlers);
  }

  publish(channel: string, envelope: Uint8Array): Promise<void> {
    if (channel === ALL_NODES) this.signs += envelope.byteLength;
    else this.told += envelope.byteLength;
    return this.#inner.publish(channel, envelope);
  }

  subscribe(channel: string): Promise<void> {
    return this.#inner.subscribe(channel);
  }

  unsubscribe(channel: string): void {
    this.#inner.unsubscribe(channel);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** A node, whose clients are the users that their addresses name. */
class Node {
  readonly hub: Hub;
  readonly transport: MemoryTransport = memory();
  readonly backplane: MeteredBackplane;

  constructor(engine: MemoryEngine, rooms: readonly string[]) {
    this.backplane = new MeteredBackplane(engine.backplane());
    this.hub = new Hub({
      transport: this.transport,
      backplane: this.backplane,
      cluster: { lease: LEASE },
      presence: { rooms, grace: GRACE },
      authenticate: ({ query }) => ({ id: query.get("user") ?? "" }),
      heartbeat: false,
      welcome: false,
    });
    // At the end, nodes close while others speak to them.
    this.hub.on("error", () => {});
  }

  /** Connects a client. Resolves with its socket. */
  async connect(
    user: string,
  ): Promise<{ readonly socket: Socket; readonly client: ReturnType<MemoryTransport["connect"]> }> {
    const connected = new Promise<Socket>((resolve) => {
      this.hub.once("connection", resolve);
    });
    const client = this.transport.connect(`/?user=${user}`);
    return { socket: await connected, client };
  }
}

/** Three nodes on an engine in memory, and what they publish. */
export class Nodes {
  readonly all: Node[];
  readonly #engine = new MemoryEngine();
  readonly #rooms: readonly string[];

  /** @param rooms - those with presence. */
  constructor(rooms: readonly string[]) {
    this.#rooms = rooms;
    this.all = [1, 2, 3].map(() => this.#start());
  }

  /** Connects users, the same number on each node. */
  async fill(users: number): Promise<void> {
    for (let user = 0; user < users; user++) await this.at(user).connect(`user-${String(user).padStart(5, "0")}`);
  }

  at(index: number): Node {
    return this.all[index % this.all.length] as Node;
  }

  /** Starts another node. */
  add(): Node {
    const node = this.#start();
    this.all.push(node);
    return node;
  }

  /** Bytes that all nodes have published, but for signs of life. */
  get told(): number {
    return this.all.reduce((sum, { backplane }) => sum + backplane.told, 0);
  }

  /** Resolves when every node knows so many users. */
  async agree(users: number): Promise<void> {
    while (this.all.some(({ hub }) => hub.presence(ROOM).size !== users)) await turn();
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map(({ hub }) => hub.close({ within: 0 })));
  }

  #start(): Node {
    return new Node(this.#engine, this.#rooms);
  }
}
