import { Child } from "../coordinator/child.ts";
import type { ContestantName } from "./contestants.ts";
import type { Tally } from "./journal.ts";
import type { ClientsCommand, ClientsReport, Cut, ServerCommand, ServerReport } from "./messages.ts";

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

/** One contestant: a server, and the clients with their network, in processes of their own. */
export class Group {
  readonly contestant: ContestantName;
  readonly #server: Child<ServerCommand, ServerReport>;
  readonly #clients: Child<ClientsCommand, ClientsReport>;

  constructor(contestant: ContestantName, transport: string) {
    this.contestant = contestant;
    const start = <Command extends object, Report extends { readonly told: string }>(
      name: string,
      args: readonly string[],
    ): Child<Command, Report> =>
      new Child(`${name} of ${contestant}`, new URL(`${name}.js`, import.meta.url), args, undefined, []);
    this.#server = start("server", [contestant, transport]);
    this.#clients = start("clients", [contestant]);
    // Each waits for the other.
    this.#server.onfailure = (error) => this.#clients.abandon(error);
    this.#clients.onfailure = (error) => this.#server.abandon(error);
  }

  /** The processes' ids. */
  get pids(): readonly number[] {
    return [this.#server.pid, this.#clients.pid].filter((pid) => pid !== undefined);
  }

  /** Resolves when all clients are in their rooms. */
  async join(rooms: readonly (readonly string[])[]): Promise<void> {
    const { port } = await this.#server.next(["listening"]);
    const joined = this.#clients.next(["joined"], RETURN_SECONDS);
    this.#clients.send({ do: "connect", ports: [port], rooms });
    await joined;
  }

  /** Sends and cuts, and resolves when the clients are back and have what they get. */
  async recover({ rooms, rate, seconds, cuts }: RecoveryPlan): Promise<Tally> {
    const finished = this.#server.next(["sent"], seconds);
    this.#server.send({ do: "send", rooms, rate, seconds });
    this.#clients.send({ do: "cut", cuts });
    const { sent } = await finished;
    const told = this.#clients.next(["tally"], RETURN_SECONDS);
    this.#clients.send({ do: "end", sent });
    return (await told).tally;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server.stop(), this.#clients.stop()]);
  }
}
