import { createDeferred, type Deferred } from "../../deferred.ts";
import { soon } from "../../guard.ts";
import type { Appended, BackplaneLog, LogEntry, LogLimits, LogPosition, LogRecord, LogTail } from "../backplane.ts";
import { within } from "../shared/deadline.ts";
import { RefusedLog } from "../shared/refused-log.ts";
import type { Connect, Refusals, Session, SessionReport } from "../shared/session.ts";
import { isOurs, readInSession, unwrap, wrap, type Answer, type MessageToPrimary, type Request } from "./messages.ts";
import { routePrimary } from "./primary.ts";
import type { Peer, Router } from "./router.ts";

/**
 * The time that the primary process may take to answer, in milliseconds. A primary process that did not call
 * `setupPrimary()` never answers.
 */
const WELCOME_TIMEOUT = 3_000;

const OLD_PRIMARY =
  "The primary process is of a release that keeps no records of rooms. Give all processes the same version of roomcast.";

/** The primary process refuses nothing. */
const NO_REFUSALS: Refusals = new Map();

let lastSession = 0;

/** Connects a worker with the primary process. */
export function connectWorker(prefix: string): Connect {
  return async (report, signal) => {
    const session = new WorkerSession(++lastSession, prefix, report);
    signal.addEventListener("abort", () => session.end(), { once: true });
    await within(
      WELCOME_TIMEOUT,
      "The primary process has to call setupPrimary() before it forks. Its answer",
      session.hello(),
    );
    return session;
  };
}

/** Connects a hub in the primary process itself. */
export function connectInPrimary(prefix: string): Connect {
  return async (report, signal) => {
    const session = new PrimarySession(routePrimary(), prefix, report);
    signal.addEventListener("abort", () => session.end(), { once: true });
    return session;
  };
}

class WorkerSession implements Session, BackplaneLog {
  readonly maxBytes: number = Infinity;
  log: BackplaneLog = this;
  readonly #number: number;
  readonly #prefix: string;
  readonly #report: SessionReport;
  readonly #pings = new Map<number, Deferred>();
  readonly #asked = new Map<number, Deferred<Answer>>();
  /** The functions that reject what has not left this process. */
  readonly #sending = new Set<(error: unknown) => void>();
  readonly #welcome = createDeferred();
  readonly #listener = (value: unknown): void => this.#received(value);
  readonly #disconnected = (): void => this.#report.fault(new Error("The primary process is gone."));
  #lastPing = 0;
  #lastAsked = 0;
  #isOver = false;

  constructor(number: number, prefix: string, report: SessionReport) {
    this.#number = number;
    this.#prefix = prefix;
    this.#report = report;
    process.on("message", this.#listener);
    process.once("disconnect", this.#disconnected);
  }

  /** Opens the session. */
  hello(): Promise<void> {
    this.#send({ type: "hello", bytes: new Uint8Array(1), log: true }).catch(this.#welcome.reject);
    return this.#welcome.promise;
  }

  publish(channel: string, envelope: Uint8Array): Promise<void> {
    return this.#send({ type: "publish", channel: this.#prefix + channel, envelope });
  }

  async subscribe(channels: readonly string[]): Promise<Refusals> {
    await this.#send({ type: "subscribe", channels: channels.map((channel) => this.#prefix + channel) });
    await this.ping();
    return NO_REFUSALS;
  }

  unsubscribe(channels: readonly string[]): Promise<void> {
    return this.#send({ type: "unsubscribe", channels: channels.map((channel) => this.#prefix + channel) });
  }

  ping(): Promise<void> {
    const number = ++this.#lastPing;
    const pong = createDeferred();
    this.#pings.set(number, pong);
    this.#send({ type: "ping", number }).catch(pong.reject);
    return pong.promise;
  }

  append(
    channel: string,
    entries: readonly LogEntry[],
    limits: LogLimits,
    retry?: LogPosition,
  ): Promise<readonly Appended[]> {
    return this.#ask({ type: "append", channel: this.#prefix + channel, entries, limits, retry });
  }

  read(channel: string, after: LogPosition, most: number): Promise<LogTail | undefined> {
    return this.#ask({ type: "read", channel: this.#prefix + channel, after, most });
  }

  heads(channels: readonly string[]): Promise<readonly (LogPosition | undefined)[]> {
    return this.#ask({ type: "heads", channels: channels.map((channel) => this.#prefix + channel) });
  }

  forget(channel: string): Promise<void> {
    return this.#ask({ type: "forget", channel: this.#prefix + channel });
  }

  async interested(channels: readonly string[]): Promise<readonly boolean[] | undefined> {
    // A primary process of a release without logs answers no requests.
    if (this.log !== this) return undefined;
    return this.#ask({ type: "interested", channels: channels.map((channel) => this.#prefix + channel) });
  }

  end(): void {
    process.off("message", this.#listener);
    process.off("disconnect", this.#disconnected);
    this.#send({ type: "bye" }).catch(() => {});
    this.#isOver = true;
    for (const { reject } of [this.#welcome, ...this.#pings.values(), ...this.#asked.values()]) reject(ended());
    for (const reject of this.#sending) reject(ended());
  }

  async #ask<A extends Answer | void>(request: Unnumbered<Request>): Promise<A> {
    const number = ++this.#lastAsked;
    const answered = createDeferred<Answer>();
    this.#asked.set(number, answered);
    this.#send({ ...request, number }).catch(answered.reject);
    return (await answered.promise) as A;
  }

  #send(message: MessageToPrimary): Promise<void> {
    return new Promise((resolve, reject) => {
      if (process.send === undefined || !process.connected || this.#isOver) {
        reject(this.#isOver ? ended() : new Error("The primary process is gone."));
        return;
      }
      this.#sending.add(reject);
      process.send(wrap(this.#number, message), undefined, undefined, (error) => {
        this.#sending.delete(reject);
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  #received(value: unknown): void {
    const wrapped = isOurs(value) ? unwrap(value, readInSession) : undefined;
    if (wrapped?.session !== this.#number) return;
    const { message } = wrapped;
    if (message === undefined) {
      this.#report.fault(new Error("A message of the primary process cannot be read."));
      return;
    }
    switch (message.type) {
      case "welcome":
        if (message.log !== true) this.log = new RefusedLog(new Error(OLD_PRIMARY));
        this.#welcome.resolve();
        break;
      case "pong":
        this.#pings.get(message.number)?.resolve();
        this.#pings.delete(message.number);
        break;
      case "message":
        this.#report.message(message.channel.slice(this.#prefix.length), message.envelope);
        break;
      case "recorded":
        this.#report.recorded(message.channel.slice(this.#prefix.length), message.record);
        break;
      case "answer":
        this.#asked.get(message.number)?.resolve(message.answer);
        this.#asked.delete(message.number);
        break;
      case "fault":
        this.#welcome.reject(new Error(message.reason));
        this.#report.fault(new Error(message.reason));
        break;
    }
  }
}

/** A request without its number. */
type Unnumbered<R> = R extends unknown ? Omit<R, "number"> : never;

class PrimarySession implements Session, BackplaneLog, Peer {
  readonly maxBytes: number = Infinity;
  readonly log: BackplaneLog = this;
  readonly #router: Router;
  readonly #prefix: string;
  readonly #report: SessionReport;
  #isOver = false;

  constructor(router: Router, prefix: string, report: SessionReport) {
    this.#router = router;
    this.#prefix = prefix;
    this.#report = report;
  }

  deliver(channel: string, envelope: Uint8Array): void {
    // The publisher may be another hub in this process, whose call must not deliver directly.
    const guardian = { error: (error: unknown): void => this.#report.fault(error) };
    soon(guardian, () => this.#report.message(channel.slice(this.#prefix.length), envelope));
  }

  record(channel: string, record: LogRecord): void {
    const guardian = { error: (error: unknown): void => this.#report.fault(error) };
    soon(guardian, () => this.#report.recorded(channel.slice(this.#prefix.length), record));
  }

  async append(
    channel: string,
    entries: readonly LogEntry[],
    limits: LogLimits,
    retry?: LogPosition,
  ): Promise<readonly Appended[]> {
    return this.#router.append(this.#prefix + channel, entries, limits, retry);
  }

  async read(channel: string, after: LogPosition, most: number): Promise<LogTail | undefined> {
    return this.#router.log.read(this.#prefix + channel, after, most);
  }

  async heads(channels: readonly string[]): Promise<readonly (LogPosition | undefined)[]> {
    return channels.map((channel) => this.#router.log.headOf(this.#prefix + channel));
  }

  async forget(channel: string): Promise<void> {
    this.#router.log.forget(this.#prefix + channel);
  }

  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    this.#router.publish(this, this.#prefix + channel, envelope);
  }

  async subscribe(channels: readonly string[]): Promise<Refusals> {
    // The router would keep this session for ever.
    if (this.#isOver) throw ended();
    this.#router.subscribe(
      this,
      channels.map((channel) => this.#prefix + channel),
    );
    return NO_REFUSALS;
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    this.#router.unsubscribe(
      this,
      channels.map((channel) => this.#prefix + channel),
    );
  }

  async interested(channels: readonly string[]): Promise<readonly boolean[]> {
    return this.#router.areSubscribed(channels.map((channel) => this.#prefix + channel));
  }

  async ping(): Promise<void> {
    // The router is in this process, and always there.
  }

  end(): void {
    this.#isOver = true;
    this.#router.remove(this);
  }
}

function ended(): Error {
  return new Error("The session with the primary process has ended.");
}
