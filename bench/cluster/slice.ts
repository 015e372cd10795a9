import { Child } from "../coordinator/child.ts";
import { nodesOf, roomsOf, SIZE, type Case } from "./cases.ts";
import { Engine } from "./engine.ts";
import type { ClientsCommand, ClientsReport, NodeCommand, NodeReport } from "./messages.ts";
import { CLUSTER_PEERS, type ClusterPeerName } from "./peers.ts";

/** What one peer did with one case. Times in microseconds. */
export interface ClusterFigures {
  /** Processor time of all nodes for one delivery. */
  readonly cpu: number;
  /** Processor time of the engine for one delivery. */
  readonly engineCpu: number;
  /** Deliveries a second. */
  readonly throughput: number;
  /** What the engine sent to the nodes, to the bodies that the nodes with members needed of each other. */
  readonly bytes: number;
  /** How much later a message arrives at members on another node than at those on its own: medians. */
  readonly added?: number;
  /** Of the engine alone. */
  readonly roundTrip?: number;
  /** Messages that were missing, twice, out of order or in the wrong room. */
  readonly faults: number;
}

/** Messages that a node may be ahead of the slowest client. */
const WINDOW = 1_000;

/** For latency: so many messages, one every so many milliseconds. */
const TIMED = 100;
const PAUSE = 10;

/** A client that gets nothing for so long has lost something, in milliseconds. */
const PATIENCE = 3_000;

type NodeProcess = Child<NodeCommand, NodeReport>;

/** One engine, its nodes and their clients: all of them fresh, for one peer and one case. */
export class ClusterSlice {
  readonly #each: Case;
  readonly #engine: Engine;
  readonly #nodes: readonly NodeProcess[];
  readonly #clients: Child<ClientsCommand, ClientsReport>;
  #progress: Extract<ClientsReport, { readonly told: "progress" }> | undefined;
  /** Of each node. */
  #sent = 0;

  static async measure(peer: ClusterPeerName, each: Case, nodes: number, seconds: number): Promise<ClusterFigures> {
    const slice = new ClusterSlice(peer, each, nodes, await Engine.start());
    try {
      return await slice.#measure(peer, Math.ceil(each.messages * seconds));
    } finally {
      await slice.#stop();
    }
  }

  private constructor(peer: ClusterPeerName, each: Case, nodes: number, engine: Engine) {
    this.#each = each;
    this.#engine = engine;
    this.#nodes = Array.from({ length: nodes }, (_, number) => {
      const args = [peer, engine.url, String(number)];
      return new Child<NodeCommand, NodeReport>(
        `node ${number}`,
        new URL("node.js", import.meta.url),
        args,
        undefined,
        [],
      );
    });
    this.#clients = new Child("clients", new URL("clients.js", import.meta.url), [], undefined, []);
  }

  async #measure(peer: ClusterPeerName, count: number): Promise<ClusterFigures> {
    const listening = await Promise.all(this.#nodes.map((node) => node.next(["listening"])));
    const connected = this.#clients.next(["connected"]);
    this.#clients.onreport = (report) => {
      if (report.told === "progress") this.#take(report);
    };
    const ports = listening.map(({ port }) => port);
    this.#clients.send({ do: "connect", ports, each: this.#each, dialect: CLUSTER_PEERS[peer].dialect });
    await connected;
    await Promise.all(this.#nodes.map((node) => answered(node, { do: "settle" }, "settled")));

    await this.#send(Math.ceil(count / 4), WINDOW, 0);
    const before = await this.#meters();
    const start = process.hrtime.bigint();
    await this.#send(count, WINDOW, 0);
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    const after = await this.#meters();
    const deliveries = count * this.#nodes.length * this.#audience;

    const delay = this.#each.timed ? await this.#delay() : undefined;
    return {
      cpu: (after.nodes - before.nodes) / deliveries,
      engineCpu: (after.engine - before.engine) / deliveries,
      throughput: deliveries / seconds,
      bytes: (after.output - before.output) / this.#needed(count),
      ...delay,
      faults: this.#progress?.faults ?? 0,
    };
  }

  async #delay(): Promise<Required<Pick<ClusterFigures, "added" | "roundTrip">>> {
    const roundTrip = await this.#engine.roundTrip();
    await answered(this.#clients, { do: "forget" }, "forgotten");
    await this.#send(TIMED, TIMED, PAUSE);
    const { near, far } = await answered(this.#clients, { do: "latency" }, "latency");
    return { added: far - near, roundTrip };
  }

  /** Members of a room, on all nodes. */
  get #audience(): number {
    return this.#each.nodesOfRoom * this.#each.members;
  }

  /** Bytes of all bodies, once for each node that has members and is not their publisher. */
  #needed(count: number): number {
    let needed = 0;
    for (const publisher of this.#nodes.keys()) {
      const rooms = roomsOf(this.#each, publisher, this.#nodes.length);
      for (const room of rooms) {
        const others = nodesOf(this.#each, room, this.#nodes.length).filter((node) => node !== publisher).length;
        needed += (others * count * SIZE) / rooms.length;
      }
    }
    return needed;
  }

  /** Every node sends so many, and all have arrived. */
  async #send(count: number, window: number, pause: number): Promise<void> {
    const perTurn = pause > 0 ? 1 : this.#each.perTurn;
    this.#sent += count;
    await Promise.all(
      this.#nodes.map((node, publisher) => {
        const rooms = roomsOf(this.#each, publisher, this.#nodes.length);
        return answered(node, { do: "send", rooms, perTurn, count, window, pause }, "sent", 60);
      }),
    );
    let last = -1;
    let deadline = Date.now() + PATIENCE;
    for (;;) {
      await this.#clients.next(["progress"]);
      const received = this.#progress?.received ?? [];
      if (received.every((messages) => messages >= this.#sent * this.#audience)) return;
      const total = received.reduce((sum, messages) => sum + messages, 0);
      if (total > last) deadline = Date.now() + PATIENCE;
      last = total;
      if (Date.now() > deadline) throw new Error(`Of ${this.#sent} messages of each node some have not arrived.`);
    }
  }

  #take(progress: Extract<ClientsReport, { readonly told: "progress" }>): void {
    this.#progress = progress;
    for (const [number, node] of this.#nodes.entries()) {
      node.send({ do: "credit", arrived: Math.floor((progress.received[number] ?? 0) / this.#audience) });
    }
  }

  async #meters(): Promise<{ readonly nodes: number; readonly engine: number; readonly output: number }> {
    const meters = await Promise.all(this.#nodes.map((node) => answered(node, { do: "meter" }, "meter")));
    const nodes = meters.reduce((sum, { user, system }) => sum + user + system, 0);
    return { nodes, engine: this.#engine.cpu(), output: await this.#engine.output() };
  }

  async #stop(): Promise<void> {
    await Promise.all([this.#clients, ...this.#nodes].map((child) => child.stop()));
    await this.#engine.stop();
  }
}

async function answered<Command extends object, Report extends { readonly told: string }, Kind extends Report["told"]>(
  child: Child<Command, Report>,
  command: Command,
  kind: Kind,
  seconds = 0,
): Promise<Extract<Report, { readonly told: Kind }>> {
  const answer = child.next([kind], seconds);
  child.send(command);
  return answer;
}
