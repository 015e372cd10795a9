import { Receivers } from "../../../bench/receivers/receivers.ts";
import type {
  Client,
  ConnectPlan,
  Counting,
  ReceiversCommand,
  ReceiversReport,
  Tally,
  Violations,
} from "../../../bench/receivers/messages.ts";

type Report<T extends ReceiversReport["told"]> = Extract<ReceiversReport, { told: T }>;

/** Receivers in this process, and all that they have told. */
export class ToldReceivers {
  readonly reports: ReceiversReport[] = [];
  readonly #receivers: Receivers;
  #wake: () => void = () => {};

  constructor() {
    this.#receivers = new Receivers((report) => {
      this.reports.push(report);
      this.#wake();
    });
  }

  execute(command: ReceiversCommand): void {
    void this.#receivers.execute(command);
  }

  /** @throws what `failed` tells, as a rejection. */
  async connect(port: number, crowd: readonly Client[], plan: Partial<ConnectPlan> = {}): Promise<number> {
    const defaults = { dialect: "websocket", concurrency: 10, from: [], compression: false } as const;
    this.execute({ do: "connect", plan: { port, clients: crowd, ...defaults, ...plan } });
    return (await this.next("connected")).seconds;
  }

  begin(measurement: Partial<Counting> = {}): void {
    this.execute({ do: "begin", measurement: { reportEvery: 1e9, ...measurement } });
  }

  async end(sent: Readonly<Record<number, number>>, deliveries: number): Promise<Tally> {
    this.execute({ do: "end", sent, deliveries });
    return (await this.next("tally")).tally;
  }

  /** The next report of this kind that has not been looked at; the others before it are kept. */
  async next<T extends ReceiversReport["told"]>(told: T): Promise<Report<T>> {
    for (;;) {
      const failed = this.#take("failed");
      if (failed !== undefined) throw new Error(failed.reason);
      const report = this.#take(told);
      if (report !== undefined) return report;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#receivers.close();
  }

  #take<T extends ReceiversReport["told"]>(told: T): Report<T> | undefined {
    const index = this.reports.findIndex((report) => report.told === told);
    return index === -1 ? undefined : (this.reports.splice(index, 1)[0] as Report<T>);
  }
}

/** Nothing wrong, but for this. */
export function violations(found: Partial<Violations> = {}): Violations {
  const none = { missing: 0, duplicated: 0, reordered: 0, misrouted: 0, echoed: 0, malformed: 0, closed: 0 };
  return { ...none, ...found };
}

/** Clients 0 and up in room `r0`, who hear the same streams. */
export function clients(count: number, streams: readonly number[] = [0]): readonly Client[] {
  return Array.from({ length: count }, (_, id) => ({ id, rooms: ["r0"], streams }));
}
