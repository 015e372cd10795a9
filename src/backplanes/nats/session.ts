import type { ConnectionOptions, NatsConnection, Subscription } from "@nats-io/transport-node";
import { watch } from "../../guard.ts";
import type { Connect, Session, SessionReport } from "../shared/session.ts";
import { subjectOf } from "./subject.ts";

/** Connects sessions that each have a connection of their own. */
export function connectOwn(
  connect: (options: ConnectionOptions) => Promise<NatsConnection>,
  options: ConnectionOptions,
  prefix: string,
): Connect {
  return async (report) => {
    // Envelopes that the library keeps for its next connection would arrive late.
    const connection = await connect({ ...options, noEcho: true, reconnect: false });
    const session = new NatsSession(connection, prefix, report, () => {
      connection.close().catch(() => {});
    });
    watch({ error: (error) => report.fault(error) }, watchOwn(connection, report));
    return session;
  };
}

/** Connects sessions on a connection of the application. Each lasts from one disconnection to the next. */
export function connectShared(connection: NatsConnection, prefix: string): Connect {
  return async (report) => {
    if (connection.isClosed()) throw new Error("The application has closed the connection to NATS.");
    await connection.flush();
    const statuses = connection.status();
    const session = new NatsSession(connection, prefix, report, () => {
      statuses[Symbol.asyncIterator]()
        .return?.()
        .catch(() => {});
    });
    watch({ error: (error) => report.fault(error) }, watchShared(statuses, report));
    return session;
  };
}

async function watchOwn(connection: NatsConnection, report: SessionReport): Promise<void> {
  const error = await connection.closed();
  report.fault(error ?? new Error("The connection to NATS was closed."));
}

async function watchShared(statuses: ReturnType<NatsConnection["status"]>, report: SessionReport): Promise<void> {
  for await (const { type } of statuses) {
    if (type === "disconnect" || type === "close")
      report.fault(new Error(`The connection to NATS is broken (${type}).`));
  }
  report.fault(new Error("The connection to NATS was closed."));
}

class NatsSession implements Session {
  readonly #connection: NatsConnection;
  readonly #prefix: string;
  readonly #report: SessionReport;
  readonly #leave: () => void;
  readonly #subscriptions = new Map<string, Subscription>();
  /** The flush under way, which resolves when the server has taken everything before it. There is one at a time. */
  #flushing: Promise<void> = Promise.resolve();
  /** The flush after the one under way, for envelopes that were published since that one began. */
  #next: Promise<void> | undefined;
  #abort: ((error: unknown) => void) | undefined;
  #isOver = false;

  constructor(connection: NatsConnection, prefix: string, report: SessionReport, leave: () => void) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#report = report;
    this.#leave = leave;
  }

  publish(channel: string, envelope: Uint8Array): Promise<void> {
    try {
      this.#connection.publish(subjectOf(this.#prefix, channel), envelope);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.ping();
  }

  async subscribe(channels: readonly string[]): Promise<void> {
    for (const channel of channels) {
      const subscription = this.#connection.subscribe(subjectOf(this.#prefix, channel), {
        callback: (error, message) => {
          if (this.#isOver) return;
          if (error === null) this.#report.message(channel, message.data);
          else this.#report.fault(error);
        },
      });
      this.#subscriptions.set(channel, subscription);
    }
    await this.ping();
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    for (const channel of channels) {
      this.#subscriptions.get(channel)?.unsubscribe();
      this.#subscriptions.delete(channel);
    }
  }

  ping(): Promise<void> {
    this.#next ??= this.#flushAfter(this.#flushing);
    return this.#next;
  }

  end(): void {
    this.#isOver = true;
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
    this.#abort?.(new Error("The connection to NATS has ended."));
    this.#leave();
  }

  async #flushAfter(before: Promise<void>): Promise<void> {
    await before.catch(() => {});
    this.#flushing = this.#flush();
    this.#next = undefined;
    await this.#flushing;
  }

  /** Asks the server for an answer. It answers in order, so by then it has taken everything that was sent before. */
  #flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isOver) reject(new Error("The connection to NATS has ended."));
      this.#abort = reject;
      this.#connection.flush().then(resolve, reject);
    });
  }
}
