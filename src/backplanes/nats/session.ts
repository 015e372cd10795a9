import type { ConnectionOptions, NatsConnection, Subscription } from "@nats-io/transport-node";
import { watch } from "../../guard.ts";
import type { Connect, Session, SessionReport } from "../shared/session.ts";
import { dial } from "./dial.ts";
import { subjectOf } from "./subject.ts";

/** The time that one of several servers may take until the next one is tried, in milliseconds. */
const DIAL_TIMEOUT = 2_000;

/** Connects sessions that each have a connection of their own. */
export function connectOwn(
  connect: (options: ConnectionOptions) => Promise<NatsConnection>,
  options: ConnectionOptions,
  prefix: string,
): Connect {
  let learnt: readonly string[] = [];
  return async (report, signal) => {
    const servers = [...new Set([options.servers ?? [], learnt].flat())];
    // Envelopes that the library keeps for its next connection would arrive late.
    const connection = await dial(signal, () => {
      // The package hands these settings on to Node.js.
      const tls = options.tls ? { tls: { ...options.tls, signal } } : undefined;
      return connect({ timeout: DIAL_TIMEOUT, ...options, ...tls, servers, noEcho: true, reconnect: false });
    });
    const session = new NatsSession(connection, prefix, report, () => {
      connection.close().catch(() => {});
    });
    endWith(signal, session);
    watch({ error: (error) => report.fault(error) }, watchOwn(connection, report));
    const learn = (addresses: readonly string[]): void => {
      learnt = addresses;
    };
    if (options.ignoreClusterUpdates !== true) {
      watch({ error: (error) => report.fault(error) }, watchServers(connection, learn));
    }
    return session;
  };
}

/** Connects sessions on a connection of the application. Each lasts from one disconnection to the next. */
export function connectShared(connection: NatsConnection, prefix: string): Connect {
  return async (report, signal) => {
    if (connection.isClosed()) throw new Error("The application has closed the connection to NATS.");
    await connection.flush();
    const statuses = connection.status();
    const session = new NatsSession(connection, prefix, report, () => {
      statuses[Symbol.asyncIterator]()
        .return?.()
        .catch(() => {});
    });
    endWith(signal, session);
    watch({ error: (error) => report.fault(error) }, watchShared(statuses, report));
    return session;
  };
}

/** Ends a session when the signal is aborted, at once if it is already. */
function endWith(signal: AbortSignal, session: NatsSession): void {
  signal.addEventListener("abort", () => session.end(), { once: true });
  if (signal.aborted) session.end();
}

async function watchOwn(connection: NatsConnection, report: SessionReport): Promise<void> {
  const error = await connection.closed();
  report.fault(error ?? new Error("The connection to NATS was closed."));
}

/** Tells the addresses of the servers of the cluster, now and whenever they change. */
async function watchServers(connection: NatsConnection, learn: (addresses: readonly string[]) => void): Promise<void> {
  learn(connection.info?.connect_urls ?? []);
  for await (const { type } of connection.status()) {
    if (type === "update") learn(connection.info?.connect_urls ?? []);
  }
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
