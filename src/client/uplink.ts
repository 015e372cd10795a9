import { ControlEvent, PROTOCOL_VERSION, type Hello } from "../protocol/packet.ts";
import { Backoff } from "./backoff.ts";
import { ClientError } from "./errors.ts";
import type { ClientState, StateChange } from "./events.ts";
import { Link, type Ending, type LinkHandlers } from "./link.ts";
import { delayOf, type ResolvedOptions } from "./options.ts";
import { watchSurroundings } from "./surroundings.ts";
import { ABNORMAL } from "./words.ts";

/** Whom the uplink tells. */
export interface UplinkHandlers extends Omit<LinkHandlers, "welcome" | "ended"> {
  changed(change: StateChange): void;
}

const AUTH_FAILED = "auth() failed";

/** The way to the server: one connection after the other, as long as the server, the network and the program will. */
export class Uplink {
  readonly #options: ResolvedOptions;
  readonly #handlers: UplinkHandlers;
  readonly #backoff: Backoff | undefined;
  readonly #watch = new AbortController();
  readonly #ended: Promise<void>;
  #conclude: () => void = () => {};
  /** Written here only, like the next. A getter for each would cost bytes. */
  state: ClientState = "connecting";
  /** Of the connection, while it is open. */
  id: string | undefined;
  /** How it ended, once it is closed. */
  ending: Partial<Ending> = {};
  #link: Link | undefined;
  /** Whether it was the server that said how long to wait. */
  #isHinted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the attempts: what an earlier one waited for is void. */
  #attempt = 0;

  constructor(options: ResolvedOptions, handlers: UplinkHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#backoff = options.reconnect ? new Backoff(options.reconnect) : undefined;
    this.#ended = new Promise((resolve) => {
      this.#conclude = resolve;
    });
    watchSurroundings(
      () => {
        this.#link?.check();
        if (!this.#isHinted) this.retry();
      },
      () => this.#link?.drop("Offline"),
      this.#watch.signal,
    );
    void this.#connect();
  }

  /** What can be sent on; `undefined` while there is nothing. */
  get link(): Link | undefined {
    return this.id !== undefined && this.#link?.isOpen === true ? this.#link : undefined;
  }

  /** While waiting: tries at once. */
  retry(): void {
    if (this.state === "waiting") void this.#connect();
  }

  /**
   * Closes for good. Resolves when the connection has ended.
   *
   * @throws what `WebSocket.close` throws, as a rejection.
   */
  async close(code: number, reason: string): Promise<void> {
    if (this.state !== "closed") {
      this.#link?.close(code, reason);
      this.#finish({ code, reason });
      if (this.#link === undefined) this.#conclude();
    }
    return this.#ended;
  }

  async #connect(): Promise<void> {
    clearTimeout(this.#timer);
    const { auth, codec } = this.#options;
    const current = ++this.#attempt;
    let hello: string | Uint8Array;
    if (this.state !== "connecting") this.#change({ state: "connecting" });
    try {
      // Not now: whoever connects has no listeners yet.
      await Promise.resolve();
      const data: Hello = { protocol: PROTOCOL_VERSION, auth: await (typeof auth === "function" ? auth() : auth) };
      hello = codec.encode({ event: ControlEvent.hello, data });
    } catch (cause) {
      if (current !== this.#attempt) return;
      this.#handlers.failed(new ClientError("ERR_CLIENT_AUTH", AUTH_FAILED, { cause }));
      this.#end({ code: ABNORMAL, reason: AUTH_FAILED });
      return;
    }
    if (current === this.#attempt) this.#open(hello);
  }

  #open(hello: string | Uint8Array): void {
    try {
      this.#link = new Link(this.#options, hello, {
        ...this.#handlers,
        welcome: ({ id }) => {
          this.id = id;
          this.#backoff?.opened();
          this.#change({ state: "open" });
        },
        ended: (ending) => this.#end(ending),
      });
    } catch (error) {
      // The URL, the protocol or the page's policy: all as bad at the next attempt.
      this.#finish({ code: ABNORMAL, reason: String(error) });
      this.#conclude();
    }
  }

  #end(ending: Ending): void {
    this.#link = undefined;
    this.id = undefined;
    if (this.state !== "closed") {
      const { code, reason, bye } = ending;
      const delay = this.#backoff?.ended(code, bye);
      if (delay === undefined) {
        this.#finish(ending);
      } else {
        this.#isHinted = bye !== undefined;
        this.#timer = setTimeout(() => void this.#connect(), delayOf(delay));
        this.#change({ state: "waiting", code, reason, delay });
        return;
      }
    }
    this.#conclude();
  }

  /** From here on nothing happens any more, but for the end of the connection. */
  #finish({ code, reason }: Ending): void {
    this.#attempt++;
    this.id = undefined;
    this.ending = { code, reason };
    clearTimeout(this.#timer);
    this.#watch.abort();
    this.#change({ state: "closed", code, reason });
  }

  #change(change: Omit<StateChange, "previous">): void {
    const previous = this.state;
    this.state = change.state;
    this.#handlers.changed({ ...change, previous });
  }
}
