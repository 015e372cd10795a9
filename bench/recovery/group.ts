import { Engine } from "../cluster/engine.ts";
import { Child } from "../coordinator/child.ts";
import type { ContestantName } from "./contestants.ts";
import type { Tally } from "./journal.ts";
import type { ClientsCommand, ClientsReport, Cut, ServerCommand, ServerReport } from "./messages.ts";

/** How the servers of a group are set up. */
interface Setup {
  /** What hubs are on. */
  readonly transport: string;
  /** Number of servers. Several have a Redis server of their own between them. */
  readonly nodes: number;
}

/** What is sent, and what becomes of the connections meanwhile. */
interface RecoveryPlan {
  readonly rooms: readonly string[];
  /** Messages a second to each room. */
  readonly rate: number;
  readonly seconds: number;
  readonly cuts: readonly Cut[];
}

/** So long the clients may take to come back after the end, in seconds. */
const RETURN_SECONDS = 60;

type ServerChild = Child<ServerCommand, ServerReport>;

/** One contestant: its servers, and the clients with their network, in processes of their own. */
export class Group {
  readonly contestant: ContestantName;
  readonly #engine: Engine | undefined;
  readonly #servers: readonly ServerChild[];
  readonly #clients: Child<ClientsCommand, ClientsReport>;

  static async start(contestant: ContestantName, setup: Setup): Promise<Group> {
    return new Group(contestant, setup, setup.nodes > 1 ? await Engine.start() : undefined);
  }

  private constructor(contestant: ContestantName, { transport, nodes }: Setup, engine: Engine | undefined) {
    this.contestant = contestant;
    this.#engine = engine;
    const args = [contestant, transport, engine?.url ?? ""];
    this.#servers = Array.from(
      { length: nodes },
      (): ServerChild =>
        new Child(`server of ${contestant}`, new URL("server.js", import.meta.url), args, undefined, []),
    );
    this.#clients = new Child(
      `clients of ${contestant}`,
      new URL("clients.js", import.meta.url),
      [contestant],
      undefined,
      [],
    );
    // Each waits for the others.
    const children = [...this.#servers, this.#clients];
    for (const child of children) child.onfailure = (error) => children.forEach((other) => other.abandon(error));
  }

  /** The ids of the processes that are known. */
  get pids(): readonly number[] {
    return [...this.#servers, this.#clients].map(({ pid }) => pid).filter((pid) => pid !== undefined);
  }

  /** Resolves when all clients are in their rooms, and the servers hear each other. */
  async join(rooms: readonly (readonly string[])[]): Promise<void> {
    const listening = await Promise.all(this.#servers.map((server) => server.next(["listening"])));
    await this.#askServers("begun", () => ({ do: "begin", rooms: [...new Set(rooms.flat())] }));
    const joined = this.#clients.next(["joined"], RETURN_SECONDS);
    this.#clients.send({ do: "connect", ports: listening.map(({ port }) => port), rooms });
    await joined;
    await this.#askServers("settled", () => ({ do: "settle" }));
  }

  /** Sends and cuts, and resolves when the clients are back and have what they get. */
  async recover({ rooms, rate, seconds, cuts }: RecoveryPlan): Promise<Tally> {
    const { length } = this.#servers;
    const sending = this.#askServers(
      "sent",
      (node) => ({ do: "send", rooms: rooms.filter((_, room) => room % length === node), rate, seconds }),
      seconds,
    );
    this.#clients.send({ do: "cut", cuts });
    const sent = Object.assign({}, ...(await sending).map((report) => report.sent)) as Readonly<Record<string, number>>;
    const told = this.#clients.next(["tally"], RETURN_SECONDS);
    this.#clients.send({ do: "end", sent });
    return (await told).tally;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#servers, this.#clients].map((child) => child.stop()));
    await this.#engine?.stop();
  }

  #askServers<Kind extends ServerReport["told"]>(
    kind: Kind,
    commandOf: (node: number) => ServerCommand,
    seconds = 0,
  ): Promise<Extract<ServerReport, { readonly told: Kind }>[]> {
    const answers = this.#servers.map((server) => server.next([kind], seconds));
    for (const [node, server] of this.#servers.entries()) server.send(commandOf(node));
    return Promise.all(answers);
  }
}
