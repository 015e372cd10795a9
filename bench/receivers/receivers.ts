import { now } from "../stamp.ts";
import { Arrivals } from "./arrivals.ts";
import { Connection } from "./connection.ts";
import type { ConnectPlan, Counting, ReceiversCommand, ReceiversReport, Sending } from "./messages.ts";
import { Pulse } from "./pulse.ts";
import { Sender } from "./sender.ts";
import { Senders } from "./senders.ts";

/** So many ticks of 10 ms without anything to read, two seconds, and what is missing will not come. */
const PATIENCE = 200;

/** Reports that nobody wants cost the server's process, which is told of them. */
const NEVER = 1e9;

type End = Extract<ReceiversCommand, { do: "end" }>;

/** All the clients of one server, and what they have received. */
export class Receivers {
  readonly #tell: (report: ReceiversReport) => void;
  readonly #arrivals = new Arrivals();
  readonly #connections = new Map<number, Connection>();
  #pulse: Pulse | undefined;
  #senders: Senders | undefined;
  #end: End | undefined;
  #reportEvery = NEVER;
  #reported = 0;

  constructor(tell: (report: ReceiversReport) => void) {
    this.#tell = tell;
  }

  /** Carries out a command; what comes of it is told. */
  async execute(command: ReceiversCommand): Promise<void> {
    try {
      if (command.do === "connect") await this.#connect(command.plan);
      else if (command.do === "begin") this.#begin(command.measurement);
      else if (command.do === "stall") for (const id of command.clients) this.#connection(id).stall(command.stalled);
      else this.#end = command;
    } catch (error) {
      this.#tell({ told: "failed", reason: (error as Error).message });
    }
  }

  /** Ends everything that would keep the process alive. */
  close(): void {
    this.#pulse?.stop();
    this.#senders?.stop();
    for (const connection of this.#connections.values()) connection.destroy();
    this.#connections.clear();
  }

  async #connect(plan: ConnectPlan): Promise<void> {
    const { clients, concurrency, from } = plan;
    const began = now();
    const waiting = clients.entries();
    const connectInTurn = async (): Promise<void> => {
      for (const [index, client] of waiting) {
        const connection = new Connection(client, plan, from[index % from.length], this.#arrivals);
        this.#connections.set(client.id, connection);
        await connection.open();
      }
    };
    try {
      await Promise.all(Array.from({ length: concurrency }, connectInTurn));
    } catch (error) {
      // The handshakes that are still under way fail with it, and nobody begins another.
      this.close();
      throw error;
    }
    this.#tell({ told: "connected", seconds: (now() - began) / 1e6 });
  }

  #begin({ reportEvery, senders }: Counting): void {
    this.#pulse?.stop();
    this.#senders?.stop();
    this.#end = undefined;
    this.#reportEvery = reportEvery;
    this.#reported = 0;
    this.#arrivals.begin();
    for (const connection of this.#connections.values()) {
      const own = senders?.senders.filter(({ client }) => client === connection.client.id) ?? [];
      connection.begin(own.map(({ stream }) => stream));
    }
    this.#pulse = new Pulse(this.#arrivals, () => this.#look());
    this.#reportLater();
    this.#senders = senders === undefined ? undefined : this.#startSending(senders);
  }

  #startSending(sending: Sending): Senders {
    const each = sending.senders.map(
      ({ client, stream, members }) => new Sender(this.#connection(client), stream, members, sending.size),
    );
    const senders = new Senders(each, this.#arrivals, (messages) => this.#tell({ told: "sent", ...messages }));
    senders.start(sending);
    return senders;
  }

  #reportLater(): void {
    this.#arrivals.when(this.#reported + this.#reportEvery, () => {
      this.#report();
      this.#reportLater();
    });
  }

  #report(): void {
    const { deliveries } = this.#arrivals;
    if (this.#reportEvery >= NEVER || deliveries === this.#reported) return;
    this.#tell({ told: "received", deliveries: deliveries - this.#reported });
    this.#reported = deliveries;
  }

  /** At every tick: tells the last few deliveries, and sees whether the end has come. */
  #look(): void {
    const { quiet } = this.#pulse as Pulse;
    if (quiet === 0) return;
    this.#report();
    // Even when all is there a quiet tick is waited for: what is there twice comes last.
    if (this.#end !== undefined && (this.#complete(this.#end) || quiet >= PATIENCE)) this.#tally(this.#end);
  }

  /**
   * Whether everything has arrived. Clients that are stalled now are left out: nothing is expected of them, and what the
   * others have to hear then follows from their streams.
   */
  #complete({ sent, deliveries }: End): boolean {
    const reading = [...this.#connections.values()].filter(({ stalled }) => !stalled);
    if (reading.length === this.#connections.size) return this.#arrivals.deliveries >= deliveries;
    return reading.every((connection) => connection.deliveries >= connection.ledger.owed(sent));
  }

  #tally({ sent }: End): void {
    const { load } = this.#pulse as Pulse;
    this.#pulse?.stop();
    this.#senders?.stop();
    this.#end = undefined;
    for (const { stalled, ledger } of this.#connections.values()) if (!stalled) ledger.settle(sent);
    const { deliveries, bytes, reads, first, last, violations, latencies } = this.#arrivals;
    this.#tell({
      told: "tally",
      tally: {
        deliveries,
        bytes,
        reads,
        first,
        last,
        violations: { ...violations },
        latencies: latencies.entries(),
        load,
      },
    });
    // Who leaves from now on is missing in what is measured next, even before it begins.
    violations.closed = 0;
  }

  #connection(id: number): Connection {
    const connection = this.#connections.get(id);
    if (connection === undefined) throw new Error(`There is no client ${id}.`);
    return connection;
  }
}
