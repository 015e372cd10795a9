import { setMaxListeners } from "node:events";
import type { Backplane, BackplaneHandlers, BackplaneLog } from "../backplane.ts";
import { within } from "./deadline.ts";
import { later, watch } from "../../guard.ts";
import type { Connect, Session } from "./session.ts";
import { Subscriptions, type Answers } from "./subscriptions.ts";

// The time that connecting, the confirmation of all channels, and the answer to a ping may take, in milliseconds.
const CONNECT_TIMEOUT = 5_000;
const RESTORE_TIMEOUT = 30_000;
const PING_TIMEOUT = 4_000;

/**
 * The interval of pings to the engine, in milliseconds. Without them, a connection that was cut would not be noticed.
 */
const PING_INTERVAL = 2_000;

// The delay between attempts to connect, in milliseconds. It doubles each time, and is spread, so that not all nodes
// reconnect at once.
const LEAST_DELAY = 100;
const MOST_DELAY = 3_000;

/** The time that the engine may take for envelopes published before the end, in milliseconds. */
const CLOSE_TIMEOUT = 2_000;

/**
 * A backplane that keeps one session with its engine. At the first fault the session is ended, with everything that was
 * under way, and another one is started. Nothing of the old session is used again, so nothing can arrive late or twice.
 */
export class SupervisedBackplane implements Backplane {
  readonly ordered: boolean;
  readonly log?: BackplaneLog;
  readonly #connect: Connect;
  readonly #subscriptions: Subscriptions;
  readonly #publishing = new Set<Promise<unknown>>();
  readonly #guardian = { error: (error: unknown): void => this.#handlers?.down(error) };
  #handlers: BackplaneHandlers | undefined;
  #session: Session | undefined;
  /** Ends the session, or the attempt to start one. */
  #lifetime = new AbortController();
  #isDown = false;
  #isClosed = false;
  #attempts = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param hasLog - whether the sessions have a `log`. */
  constructor(ordered: boolean, connect: Connect, hasLog: boolean = false) {
    this.ordered = ordered;
    this.#connect = connect;
    this.#subscriptions = new Subscriptions({
      failed: (session, error) => this.#faulted(session, error),
      refused: (channel, error) => this.#handlers?.refused(channel, error),
    });
    if (!hasLog) return;
    this.log = {
      append: (...args) => this.#publish((session) => logOf(session).append(...args)),
      read: async (...args) => logOf(this.#connected()).read(...args),
      heads: async (...args) => logOf(this.#connected()).heads(...args),
      forget: async (...args) => logOf(this.#connected()).forget(...args),
    };
  }

  start(handlers: BackplaneHandlers): void {
    this.#handlers = handlers;
    watch(this.#guardian, this.#attempt());
  }

  publish(channel: string, envelope: Uint8Array): Promise<void> {
    return this.#publish((session) => session.publish(channel, envelope));
  }

  subscribe(channel: string): Promise<void> {
    return this.#subscriptions.add(channel);
  }

  unsubscribe(channel: string): void {
    this.#subscriptions.remove(channel);
  }

  async interested(channels: readonly string[]): Promise<readonly boolean[] | undefined> {
    return this.#connected().interested(channels);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await within(CLOSE_TIMEOUT, "The end", Promise.allSettled(this.#publishing)).catch(() => {});
    this.#subscriptions.close(new Error("The backplane was closed."));
    this.#session = undefined;
    this.#lifetime.abort(new Error("The backplane was closed."));
  }

  #connected(): Session {
    if (this.#session === undefined) throw new Error("The engine is not connected.");
    return this.#session;
  }

  /** Sends something that the end waits for. */
  async #publish<V>(send: (session: Session) => Promise<V>): Promise<V> {
    const published = send(this.#connected());
    this.#publishing.add(published);
    try {
      return await published;
    } finally {
      this.#publishing.delete(published);
    }
  }

  /** Tries to start a session. The promise never rejects. */
  async #attempt(): Promise<void> {
    const lifetime = new AbortController();
    const { signal } = lifetime;
    // Each socket of the session may listen to it.
    setMaxListeners(0, signal);
    this.#lifetime = lifetime;
    const answers: Answers = new Map();
    let session: Session | undefined;
    let isUp = false;
    try {
      const connecting = this.#connect(
        {
          message: (channel, envelope) => {
            if (this.#isClosed || signal.aborted) return;
            if (this.#subscriptions.has(channel)) this.#handlers?.message(channel, envelope);
          },
          recorded: (channel, record) => {
            if (this.#isClosed || signal.aborted) return;
            if (this.#subscriptions.has(channel)) this.#handlers?.recorded?.(channel, record);
          },
          fault: (error) => {
            if (isUp && session !== undefined) this.#faulted(session, error);
            // What the session was asked for may never settle.
            else lifetime.abort(error);
          },
        },
        signal,
      );
      session = await within(CONNECT_TIMEOUT, "Connecting to the engine", untilAborted(signal, connecting));
      // The hub may subscribe to more until this function goes on.
      while (!this.#subscriptions.isComplete(answers)) {
        const restored = this.#subscriptions.restore(session, answers);
        // oxlint-disable-next-line no-await-in-loop -- one round brings all channels but those
        await within(RESTORE_TIMEOUT, "Subscribing", untilAborted(signal, restored));
      }
      signal.throwIfAborted();
    } catch (error) {
      lifetime.abort();
      this.#subscriptions.suspend();
      this.#lost(error);
      return;
    }
    // The signal is aborted at the end of `close`.
    if (this.#isClosed) return;
    isUp = true;
    this.#session = session;
    this.#attempts = 0;
    this.#isDown = false;
    this.#subscriptions.resume(session, answers);
    this.#watch(session);
    this.#handlers?.up(session.maxBytes);
  }

  #faulted(session: Session, error: unknown): void {
    if (session !== this.#session) return;
    this.#session = undefined;
    clearTimeout(this.#timer);
    this.#lifetime.abort();
    this.#subscriptions.suspend();
    this.#lost(error);
  }

  #lost(error: unknown): void {
    if (this.#isClosed) return;
    const delay = Math.min(LEAST_DELAY * 2 ** this.#attempts++, MOST_DELAY) * (0.5 + Math.random());
    this.#timer = later(this.#guardian, delay, () => watch(this.#guardian, this.#attempt()));
    if (this.#isDown) return;
    this.#isDown = true;
    this.#handlers?.down(error);
  }

  #watch(session: Session): void {
    if (this.#isClosed) return;
    this.#timer = later(this.#guardian, PING_INTERVAL, () => watch(this.#guardian, this.#ping(session)));
  }

  async #ping(session: Session): Promise<void> {
    try {
      await within(PING_TIMEOUT, "The engine's answer to a ping", session.ping());
      if (session === this.#session) this.#watch(session);
    } catch (error) {
      this.#faulted(session, error);
    }
  }
}

function logOf({ log }: Session): BackplaneLog {
  if (log === undefined) throw new Error("The engine keeps no logs.");
  return log;
}

/** Waits for a promise no longer than until the signal is aborted. */
function untilAborted<V>(signal: AbortSignal, promise: Promise<V>): Promise<V> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return Promise.race([promise, aborted]);
}
