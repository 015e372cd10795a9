import type {
  ConnectionOptions,
  Msg,
  MsgHdrs,
  NatsConnection,
  PermissionViolationError,
  QueuedIterator,
  Status,
  Subscription,
} from "@nats-io/transport-node";
import { soon, watch } from "../../guard.ts";
import type { Connect, Refusals, Session, SessionReport } from "../shared/session.ts";
import { dial } from "./dial.ts";
import { JetStream, type StreamSettings } from "./jet-stream.ts";
import { NatsLog, type SeenMessages } from "./log.ts";
import { RefusedError, Requests } from "./requests.ts";
import { NOBODY, subjectOf } from "./subject.ts";

/** The time that one of several servers may take until the next one is tried, in milliseconds. */
const DIAL_TIMEOUT = 2_000;

/** What the sessions of a backplane have in common. */
export interface SessionSettings {
  /** The first token of all subjects. */
  readonly prefix: string;
  readonly streams: StreamSettings;
  /** Creates headers of a message. */
  readonly createHeaders: () => MsgHdrs;
  readonly seen: SeenMessages;
}

/** Connects sessions that each have a connection of their own. */
export function connectOwn(
  connect: (options: ConnectionOptions) => Promise<NatsConnection>,
  options: ConnectionOptions,
  settings: SessionSettings,
): Connect {
  let learnt: readonly string[] = [];
  return async (report, signal) => {
    const servers = [...new Set([options.servers ?? [], learnt].flat())];
    // Envelopes that the library keeps for its next connection would arrive late.
    const connection = await dial(signal, (signalOfNext) => {
      const own = { servers, noEcho: true, reconnect: false };
      return connect({ timeout: DIAL_TIMEOUT, ...options, ...tlsFirst(options, signalOfNext), ...own });
    });
    const session = new NatsSession(connection, settings, report, () => {
      connection.close().catch(() => {});
    });
    endWith(signal, session);
    const guardian = { error: (error: unknown): void => report.fault(error) };
    const learn = (addresses: readonly string[]): void => {
      if (options.ignoreClusterUpdates !== true) learnt = addresses;
    };
    watch(guardian, watchStatuses(connection, session, learn));
    watch(guardian, watchOwn(connection, report));
    return session;
  };
}

/**
 * Returns settings of a connection that begins with TLS, and nothing for another one. The package copies them for each
 * server that it tries, and hands them on to Node.js.
 *
 * @param signalOfNext - returns the signal that ends the next socket.
 */
function tlsFirst({ tls }: ConnectionOptions, signalOfNext: () => AbortSignal): Pick<ConnectionOptions, "tls"> {
  if (tls?.handshakeFirst !== true) return {};
  const settings = {
    ...tls,
    get signal(): AbortSignal {
      return signalOfNext();
    },
  };
  return { tls: settings };
}

/** Connects sessions on a connection of the application. Each lasts from one disconnection to the next. */
export function connectShared(connection: NatsConnection, settings: SessionSettings): Connect {
  return async (report, signal) => {
    if (connection.isClosed()) throw new Error("The application has closed the connection to NATS.");
    await connection.flush();
    // A loop over them can only be left when there is another one, which may be never.
    const statuses = connection.status() as QueuedIterator<Status>;
    const session = new NatsSession(connection, settings, report, () => statuses.stop());
    endWith(signal, session);
    const guardian = { error: (error: unknown): void => report.fault(error) };
    watch(guardian, watchShared(statuses, session, report));
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

/**
 * Tells the session what the server says of commands, and the addresses of the servers of the cluster, now and whenever
 * they change. The server answers no command but for those that it refuses.
 */
async function watchStatuses(
  connection: NatsConnection,
  session: NatsSession,
  learn: (addresses: readonly string[]) => void,
): Promise<void> {
  learn(connection.info?.connect_urls ?? []);
  for await (const status of connection.status()) {
    if (status.type === "error") session.failed(status.error);
    if (status.type === "update") learn(connection.info?.connect_urls ?? []);
  }
}

async function watchShared(
  statuses: QueuedIterator<Status>,
  session: NatsSession,
  report: SessionReport,
): Promise<void> {
  for await (const status of statuses) {
    const { type } = status;
    if (type === "error") session.failed(status.error);
    if (type === "disconnect" || type === "close")
      report.fault(new Error(`The connection to NATS is broken (${type}).`));
  }
  report.fault(new Error("The connection to NATS was closed."));
}

/** An envelope that the server has not confirmed. */
interface Publication {
  readonly subject: string;
  refusal: Error | undefined;
}

/** Subscriptions that the server has not confirmed. */
interface Subscribing {
  /** What the server has said to those that it does not permit. */
  readonly refusals: Map<string, Error>;
  /** What it has said to those that are too many, once for each. */
  readonly excesses: Error[];
}

class NatsSession implements Session {
  readonly maxBytes: number;
  readonly log: NatsLog;
  readonly #requests: Requests;
  readonly #connection: NatsConnection;
  readonly #prefix: string;
  readonly #report: SessionReport;
  readonly #leave: () => void;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #publications = new Set<Publication>();
  #subscribing: Subscribing | undefined;
  /** The flush under way, which resolves when the server has taken everything before it. There is one at a time. */
  #flushing: Promise<void> = Promise.resolve();
  /** The flush after the one under way, for envelopes that were published since that one began. */
  #next: Promise<void> | undefined;
  #abort: ((error: unknown) => void) | undefined;
  #isOver = false;

  constructor(connection: NatsConnection, settings: SessionSettings, report: SessionReport, leave: () => void) {
    const { prefix, streams, createHeaders, seen } = settings;
    this.maxBytes = connection.info?.max_payload ?? Infinity;
    this.#requests = new Requests(connection, prefix);
    const jetStream = new JetStream(this.#requests, prefix, streams);
    this.log = new NatsLog({ jetStream, prefix, maxBytes: this.maxBytes, createHeaders, seen });
    this.#connection = connection;
    this.#prefix = prefix;
    this.#report = report;
    this.#leave = leave;
  }

  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    const publication: Publication = { subject: subjectOf(this.#prefix, channel), refusal: undefined };
    this.#connection.publish(publication.subject, envelope);
    this.#publications.add(publication);
    try {
      await this.ping();
    } finally {
      this.#publications.delete(publication);
    }
    if (publication.refusal !== undefined) throw publication.refusal;
  }

  async subscribe(channels: readonly string[]): Promise<Refusals> {
    const refusals = new Map<string, Error>();
    const excesses: Error[] = [];
    const subscribing = { refusals, excesses };
    this.#subscribing = subscribing;
    for (const channel of channels) {
      const subscription = this.#connection.subscribe(subjectOf(this.#prefix, channel), {
        callback: (error, message) => {
          if (this.#isOver) return;
          if (error === null) this.#received(channel, message);
          else if (this.#subscribing === subscribing) refusals.set(channel, error);
          // A permission was taken away. The next session finds out which are left.
          else this.#report.fault(error);
        },
      });
      this.#subscriptions.set(channel, subscription);
    }
    try {
      await this.ping();
    } finally {
      this.#subscribing = undefined;
    }
    // The server takes what it permits in its order until there are too many.
    const permitted = channels.filter((channel) => !refusals.has(channel));
    for (const excess of excesses) {
      const channel = permitted.pop();
      if (channel !== undefined) refusals.set(channel, excess);
    }
    await this.unsubscribe([...refusals.keys()]);
    return refusals;
  }

  /** Takes an error of the server. */
  failed(error: Error): void {
    if (isPermissionViolation(error)) {
      // The package tells a subscription of its own errors.
      if (error.operation !== "publish") return;
      this.#requests.forbidden(error);
      for (const publication of this.#publications) {
        if (publication.subject === error.subject) publication.refusal = error;
      }
    } else if (/maximum subscriptions exceeded/i.test(error.message)) {
      this.#subscribing?.excesses.push(error);
    }
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    for (const channel of channels) {
      this.#subscriptions.get(channel)?.unsubscribe();
      this.#subscriptions.delete(channel);
    }
  }

  async interested(channels: readonly string[]): Promise<readonly boolean[] | undefined> {
    const nobody = `${this.#prefix}.${NOBODY}`;
    const subjects = channels.map((channel) => subjectOf(this.#prefix, channel));
    try {
      const deserted = await this.#requests.deserted([nobody, ...subjects], () => this.ping());
      // With a subscriber to everything, or to what other clusters of servers may have, no subject is deserted.
      return deserted.has(nobody) ? subjects.map((subject) => !deserted.has(subject)) : undefined;
    } catch (error) {
      if (error instanceof RefusedError) return undefined;
      throw error;
    }
  }

  ping(): Promise<void> {
    this.#next ??= this.#flushAfter(this.#flushing);
    return this.#next;
  }

  end(): void {
    this.#isOver = true;
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
    const ended = new Error("The connection to NATS has ended.");
    this.#requests.end(ended);
    this.#abort?.(ended);
    this.#leave();
  }

  #received(channel: string, message: Msg): void {
    // Another node has asked whether anybody hears this channel: see `interested`. No envelope is empty.
    if (message.data.byteLength === 0 && message.headers === undefined) return;
    const records = this.log.received(channel, message);
    if (records === undefined) this.#report.message(channel, message.data);
    else for (const record of records) this.#report.recorded(channel, record);
  }

  async #flushAfter(before: Promise<void>): Promise<void> {
    await before.catch(() => {});
    this.#flushing = this.#flush();
    this.#next = undefined;
    await this.#flushing;
  }

  /**
   * Asks the server for an answer. It answers in order, so by then it has taken or refused everything that was sent
   * before.
   */
  #flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isOver) reject(new Error("The connection to NATS has ended."));
      this.#abort = reject;
      // The package hands over refusals later than answers, but before the next turn.
      this.#connection.flush().then(() => soon({ error: reject }, resolve), reject);
    });
  }
}

function isPermissionViolation(error: Error): error is PermissionViolationError {
  return error.name === "PermissionViolationError";
}
