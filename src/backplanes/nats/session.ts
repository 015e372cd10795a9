import type { ConnectionOptions, NatsConnection, Subscription } from "@nats-io/transport-node";
import type { Connect, Session, SessionEvents } from "../shared/session.ts";
import { subjectOf } from "./subject.ts";

/** Sessions on connections of their own: one for each. */
export function own(
  connect: (options: ConnectionOptions) => Promise<NatsConnection>,
  options: ConnectionOptions,
  prefix: string,
): Connect {
  return async (events) => {
    // What the library would keep for the next connection is late there.
    const connection = await connect({ ...options, noEcho: true, reconnect: false });
    const session = new NatsSession(connection, prefix, events, () => void connection.close().catch(() => {}));
    void watchOwn(connection, events);
    return session;
  };
}

/** Sessions on a connection of the application's, each from one disconnection to the next. */
export function borrowed(connection: NatsConnection, prefix: string): Connect {
  return async (events) => {
    if (connection.isClosed()) throw new Error("The application has closed the connection to NATS.");
    await connection.flush();
    const statuses = connection.status();
    const session = new NatsSession(connection, prefix, events, () => void statuses[Symbol.asyncIterator]().return?.());
    void watchBorrowed(statuses, events);
    return session;
  };
}

async function watchOwn(connection: NatsConnection, events: SessionEvents): Promise<void> {
  const error = await connection.closed();
  events.fault(error ?? new Error("The connection to NATS was closed."));
}

async function watchBorrowed(statuses: ReturnType<NatsConnection["status"]>, events: SessionEvents): Promise<void> {
  for await (const { type } of statuses) {
    if (type === "disconnect" || type === "close")
      events.fault(new Error(`The connection to NATS is broken (${type}).`));
  }
  events.fault(new Error("The connection to NATS was closed."));
}

class NatsSession implements Session {
  readonly #connection: NatsConnection;
  readonly #prefix: string;
  readonly #events: SessionEvents;
  readonly #leave: () => void;
  readonly #subscriptions = new Map<string, Subscription>();
  /** The question whether the server has everything so far; there is one at a time. */
  #asking: Promise<void> = Promise.resolve();
  /** The one after it, for what was published since. */
  #next: Promise<void> | undefined;
  #abort: ((error: unknown) => void) | undefined;
  #isOver = false;

  constructor(connection: NatsConnection, prefix: string, events: SessionEvents, leave: () => void) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#events = events;
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
          if (error === null) this.#events.message(channel, message.data);
          else this.#events.fault(error);
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
    this.#next ??= this.#askAfter(this.#asking);
    return this.#next;
  }

  end(): void {
    this.#isOver = true;
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
    this.#abort?.(new Error("The connection to NATS has ended."));
    this.#leave();
  }

  async #askAfter(before: Promise<void>): Promise<void> {
    await before.catch(() => {});
    this.#asking = this.#ask();
    this.#next = undefined;
    await this.#asking;
  }

  /** The server answers in order: what it has answered, it has taken. */
  #ask(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isOver) reject(new Error("The connection to NATS has ended."));
      this.#abort = reject;
      this.#connection.flush().then(resolve, reject);
    });
  }
}
