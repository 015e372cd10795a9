import { Child } from "./child.ts";
import type { Dialect, PeerName } from "../peers/peer.ts";
import type { Pinning } from "./pinning.ts";
import type { Counting, ReceiversCommand, ReceiversReport, Tally } from "../receivers/messages.ts";
import { segmentsSent } from "./segments.ts";
import type {
  Load,
  Memory,
  ServerCommand,
  ServerFigures,
  ServerOptions,
  ServerReport,
  Stream,
} from "../server/messages.ts";
import type { Observation, Stage } from "../stage.ts";

/** Receivers report four times while so much is in flight: often enough to keep it there, too seldom to cost anything. */
const REPORTS = 4;

const UNREPORTED: Counting = { reportEvery: Number.MAX_SAFE_INTEGER };

/** Handshakes a second that even a slow peer does. */
const SLOW_HANDSHAKES = 200;

/** This library cannot be used here. */
export class UnavailableError extends Error {}

/** How a stage is set up. */
export interface StageOptions extends ServerOptions {
  readonly dialect: Dialect;
  readonly pinning: Pinning;
  /** Options of Node.js for the server's process. */
  readonly flags: readonly string[];
}

/** A stage of two forked processes. */
export class ForkedStage implements Stage {
  readonly peer: PeerName;
  readonly #options: StageOptions;
  readonly #server: Child<ServerCommand, ServerReport>;
  readonly #receivers: Child<ReceiversCommand, ReceiversReport>;
  #port = 0;
  /** What a server keeps for clients that stall comes whenever it comes: from then on the sums need not agree. */
  #stalled = false;

  /** They start at once: see {@link opened}. */
  constructor(options: StageOptions) {
    const { peer, compression, size, recorded, pinning, flags } = options;
    const serverOptions: ServerOptions = { peer, compression, size, ...(recorded !== undefined && { recorded }) };
    this.peer = peer;
    this.#options = options;
    this.#server = new Child(
      "server",
      new URL("../server/process.js", import.meta.url),
      [JSON.stringify(serverOptions)],
      pinning.server,
      flags,
    );
    this.#receivers = new Child(
      "receivers",
      new URL("../receivers/process.js", import.meta.url),
      [],
      pinning.others,
      [],
    );
    this.#receivers.onreport = (report) => {
      if (report.told === "received") this.#server.send({ do: "credit", deliveries: report.deliveries });
      if (report.told === "failed") this.#receivers.fail(`failed: ${report.reason}`);
    };
    // Each waits for the other.
    this.#server.onfailure = (error) => this.#receivers.abandon(error);
    this.#receivers.onfailure = (error) => this.#server.abandon(error);
  }

  /**
   * Resolves when the peer listens.
   *
   * @throws UnavailableError - It cannot be used here.
   */
  async opened(): Promise<void> {
    const report = await this.#server.next(["listening", "unavailable"]);
    if (report.told === "unavailable") throw new UnavailableError(report.reason);
    this.#port = report.port;
  }

  async close(): Promise<void> {
    await Promise.all([this.#receivers.stop(), this.#server.stop()]);
  }

  get port(): number {
    return this.#port;
  }

  /** The processes' ids. */
  get pids(): readonly number[] {
    return [this.#server.pid, this.#receivers.pid].filter((pid) => pid !== undefined);
  }

  async connect(plan: Parameters<Stage["connect"]>[0]): Promise<{ seconds: number }> {
    const { dialect, compression, size, recorded } = this.#options;
    // What is recorded is longer by its position.
    const hasSize = !compression && recorded === undefined;
    const connected = this.#receivers.next(["connected"], plan.clients.length / SLOW_HANDSHAKES);
    this.#receivers.send({
      do: "connect",
      plan: { ...plan, port: this.#port, dialect, compression, ...(hasSize && { size }) },
    });
    const { seconds } = await connected;
    return { seconds };
  }

  async broadcast(load: Load): Promise<Observation> {
    const { pace, seconds } = load;
    // What is sent at a fixed rate waits for nobody.
    const reportEvery =
      pace.kind === "saturating" ? Math.max(1, Math.floor(pace.inFlight / REPORTS)) : UNREPORTED.reportEvery;
    const before = segmentsSent();
    const figures = this.#server.next(["figures"], seconds);
    this.#receivers.send({ do: "begin", measurement: { reportEvery } });
    this.#server.send({ do: "broadcast", load });
    const { figures: server } = await figures;
    const tally = await this.#tally(server);
    return { server, tally, segments: difference(before, segmentsSent()) };
  }

  async relay(counting: Required<Counting>): Promise<Observation> {
    const { senders, seconds } = counting.senders;
    const before = segmentsSent();
    this.#server.send({
      do: "begin",
      streams: senders.map(({ stream, members }) => streamOf(stream, members)),
    });
    const finished = this.#receivers.next(["sent"], seconds);
    this.#receivers.send({ do: "begin", measurement: counting });
    const { sent, deliveries } = await finished;
    const tally = await this.#tally({ sent, deliveries });
    const server = { ...(await this.#serverFigures()), sent, deliveries };
    // Each message of a client is one write of it, at most.
    const fromClients = Object.values(sent).reduce((sum, count) => sum + count, 0);
    const segments = difference(before, segmentsSent());
    return { server, tally, segments: segments && Math.max(0, segments - fromClients) };
  }

  async observe<R>(
    streams: readonly Stream[],
    action: () => Promise<R>,
  ): Promise<{ result: R; observation: Observation }> {
    this.#receivers.send({ do: "begin", measurement: UNREPORTED });
    this.#server.send({ do: "begin", streams });
    const result = await action();
    const server = await this.#serverFigures();
    const tally = await this.#tally(server);
    // Whoever causes this sends requests and is sent answers, which the system counts as well.
    return { result, observation: { server, tally, segments: undefined } };
  }

  stall(clients: readonly number[], stalled: boolean): Promise<void> {
    this.#stalled = true;
    this.#receivers.send({ do: "stall", clients, stalled });
    return Promise.resolve();
  }

  async memory(): Promise<Memory> {
    const told = this.#server.next(["memory"]);
    this.#server.send({ do: "memory" });
    return (await told).memory;
  }

  async #serverFigures(): Promise<ServerFigures> {
    const told = this.#server.next(["figures"]);
    this.#server.send({ do: "end" });
    return (await told).figures;
  }

  async #tally({ sent, deliveries }: Pick<ServerFigures, "sent" | "deliveries">): Promise<Tally> {
    const told = this.#receivers.next(["tally"]);
    this.#receivers.send({ do: "end", sent, deliveries });
    const { tally } = await told;
    return this.#stalled ? tally : reconciled(tally, deliveries);
  }
}

/**
 * The tally with what no single connection can notice: of a stream that a client hears only at times, nobody but the server
 * knows when it should. What it sent to too few is missing, what it sent to too many was misrouted.
 *
 * @param due - how many deliveries there should have been.
 */
export function reconciled(tally: Tally, due: number): Tally {
  const { deliveries, violations } = tally;
  const unnoticed = due - deliveries - violations.missing;
  return {
    ...tally,
    violations: {
      ...violations,
      missing: violations.missing + Math.max(0, unnoticed),
      misrouted: violations.misrouted + Math.max(0, -unnoticed),
    },
  };
}

/** What the sums need to know of a stream that clients send. */
function streamOf(id: number, members: number): Stream {
  return { id, rooms: [], except: [], members };
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before;
}
