import { within } from "../shared/deadline.ts";
import type { Connect, Session, SessionEvents } from "../shared/session.ts";
import { unwrap, wrap, type Downwards, type Upwards } from "./messages.ts";
import { routePrimary } from "./primary.ts";
import type { Peer, Router } from "./router.ts";

/** How long the primary may take to answer, in milliseconds: one that does not know the backplane never does. */
const WELCOME_TIMEOUT = 3_000;

let lastSession = 0;

/** Sessions of a worker with the primary. */
export function connectWorker(prefix: string): Connect {
  return async (events) => {
    const session = new WorkerSession(++lastSession, prefix, events);
    try {
      await within(
        WELCOME_TIMEOUT,
        "The primary process has to call setupPrimary() before it forks. Its answer",
        session.hello(),
      );
    } catch (error) {
      session.end();
      throw error;
    }
    return session;
  };
}

/** Sessions in the primary process itself. */
export function connectInPrimary(prefix: string): Connect {
  return async (events) => new PrimarySession(routePrimary(), prefix, events);
}

class WorkerSession implements Session {
  readonly #number: number;
  readonly #prefix: string;
  readonly #events: SessionEvents;
  readonly #pings = new Map<number, { readonly resolve: () => void; readonly reject: (error: unknown) => void }>();
  readonly #listener = (value: unknown): void => this.#received(value);
  readonly #disconnected = (): void => this.#events.fault(new Error("The primary process is gone."));
  #lastPing = 0;
  #welcomed: (() => void) | undefined;
  #refused: ((error: unknown) => void) | undefined;

  constructor(number: number, prefix: string, events: SessionEvents) {
    this.#number = number;
    this.#prefix = prefix;
    this.#events = events;
    process.on("message", this.#listener);
    process.once("disconnect", this.#disconnected);
  }

  hello(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#welcomed = resolve;
      this.#refused = reject;
      this.#send({ type: "hello", bytes: new Uint8Array(1) }).catch(reject);
    });
  }

  publish(channel: string, envelope: Uint8Array): Promise<void> {
    return this.#send({ type: "publish", channel: this.#prefix + channel, envelope });
  }

  async subscribe(channels: readonly string[]): Promise<void> {
    await this.#send({ type: "subscribe", channels: channels.map((channel) => this.#prefix + channel) });
    await this.ping();
  }

  unsubscribe(channels: readonly string[]): Promise<void> {
    return this.#send({ type: "unsubscribe", channels: channels.map((channel) => this.#prefix + channel) });
  }

  ping(): Promise<void> {
    const number = ++this.#lastPing;
    return new Promise((resolve, reject) => {
      this.#pings.set(number, { resolve, reject });
      this.#send({ type: "ping", number }).catch(reject);
    });
  }

  end(): void {
    process.off("message", this.#listener);
    process.off("disconnect", this.#disconnected);
    for (const { reject } of this.#pings.values()) reject(new Error("The session with the primary process has ended."));
    this.#send({ type: "bye" }).catch(() => {});
  }

  #send(message: Upwards): Promise<void> {
    return new Promise((resolve, reject) => {
      if (process.send === undefined || !process.connected) {
        reject(new Error("The primary process is gone."));
        return;
      }
      process.send(wrap(this.#number, message), undefined, undefined, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  #received(value: unknown): void {
    const wrapped = unwrap(value);
    if (wrapped?.session !== this.#number) return;
    const message = wrapped.message as Downwards;
    switch (message.type) {
      case "welcome":
        this.#welcomed?.();
        break;
      case "pong":
        this.#pings.get(message.number)?.resolve();
        this.#pings.delete(message.number);
        break;
      case "message":
        this.#events.message(message.channel.slice(this.#prefix.length), message.envelope);
        break;
      case "fault":
        this.#refused?.(new Error(message.reason));
        this.#events.fault(new Error(message.reason));
        break;
    }
  }
}

class PrimarySession implements Session, Peer {
  readonly #router: Router;
  readonly #prefix: string;
  readonly #events: SessionEvents;

  constructor(router: Router, prefix: string, events: SessionEvents) {
    this.#router = router;
    this.#prefix = prefix;
    this.#events = events;
  }

  deliver(channel: string, envelope: Uint8Array): void {
    // Not from inside the call of another hub in this process.
    setImmediate(() => this.#events.message(channel.slice(this.#prefix.length), envelope));
  }

  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    this.#router.publish(this, this.#prefix + channel, envelope);
  }

  async subscribe(channels: readonly string[]): Promise<void> {
    this.#router.subscribe(
      this,
      channels.map((channel) => this.#prefix + channel),
    );
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    this.#router.unsubscribe(
      this,
      channels.map((channel) => this.#prefix + channel),
    );
  }

  async ping(): Promise<void> {
    // Whoever asks is in the same process.
  }

  end(): void {
    this.#router.remove(this);
  }
}
