import type { Close } from "../protocol/close-codes.ts";
import { type ControlEvent, PROTOCOL_VERSION, type Bye, type Hello } from "../protocol/packet.ts";
import { Backoff } from "./backoff.ts";
import { ClientError } from "./errors.ts";
import type { ClientState, StateChange } from "./events.ts";
import { ABNORMAL, Link, type LinkReport } from "./link.ts";
import { delayOf, type ResolvedConnectOptions } from "./options.ts";
import { watchSurroundings } from "./surroundings.ts";

/** The receiver of what happens on the uplink. */
export interface UplinkReport extends Omit<LinkReport, "welcome" | "ended"> {
  changed(change: StateChange): void;
}

/**
 * The client's way to the server: one connection after the other, until the server, the network or the program ends it.
 */
export class Uplink {
  readonly #options: ResolvedConnectOptions;
  readonly #report: UplinkReport;
  readonly #backoff: Backoff | undefined;
  readonly #watch = new AbortController();
  #conclude: (() => void) | undefined;
  readonly #ended = new Promise<void>((resolve) => {
    this.#conclude = resolve;
  });
  /** The state. Only this class changes this field and the next ones; a getter for each would cost bytes. */
  state: ClientState = "connecting";
  /** The id of the connection, while it is open. */
  id: string | undefined;
  /** The close code and reason of the connection, once the state is `closed`. */
  ending: Partial<Close> = {};
  #link: Link | undefined;
  /** Whether the server determined the current delay. */
  #isHinted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The number of attempts to connect. The result of an earlier attempt is ignored. */
  #attempt = 0;

  constructor(options: ResolvedConnectOptions, report: UplinkReport) {
    this.#options = options;
    this.#report = report;
    this.#backoff = options.reconnect ? new Backoff(options.reconnect) : undefined;
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

  /** The connection on which messages can be sent, if there is one. */
  get link(): Link | undefined {
    return this.id && this.#link?.isOpen ? this.#link : undefined;
  }

  /** Connects at once if the state is `waiting`. */
  retry(): void {
    if (this.state === "waiting") void this.#connect();
  }

  /**
   * Closes the client for good. Resolves when the connection has ended.
   *
   * @throws the error that `WebSocket.close` throws, as a rejection.
   */
  async close(code: number, reason: string): Promise<void> {
    if (this.state !== "closed") {
      this.#link?.close(code, reason);
      this.#finish({ code, reason });
      if (!this.#link) this.#conclude?.();
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
      // The caller of `connect` has no listeners yet, so nothing may happen synchronously.
      await Promise.resolve();
      const data: Hello = { protocol: PROTOCOL_VERSION, auth: await (typeof auth === "function" ? auth() : auth) };
      hello = codec.encode({ event: "hub:hello" satisfies typeof ControlEvent.hello, data });
    } catch (cause) {
      if (current !== this.#attempt) return;
      const error = new ClientError("ERR_CLIENT_AUTH", "auth failed", { cause });
      this.#report.failed(error);
      this.#end({ code: ABNORMAL, reason: error.message });
      return;
    }
    if (current === this.#attempt) this.#open(hello);
  }

  #open(hello: string | Uint8Array): void {
    try {
      this.#link = new Link(this.#options, hello, {
        ...this.#report,
        welcome: ({ id }) => {
          this.id = id;
          this.#backoff?.opened();
          this.#change({ state: "open" });
        },
        ended: this.#end,
      });
    } catch (error) {
      // The URL, the subprotocol or the page's policy is wrong, so the next attempt would fail too.
      this.#finish({ code: ABNORMAL, reason: String(error) });
      this.#conclude?.();
    }
  }

  readonly #end = (close: Close, bye?: Bye): void => {
    this.#link = undefined;
    this.id = undefined;
    if (this.state !== "closed") {
      const delay = this.#backoff?.ended(close.code, bye);
      if (delay === undefined) {
        this.#finish(close);
      } else {
        this.#isHinted = !!bye;
        this.#timer = setTimeout(() => void this.#connect(), delayOf(delay));
        this.#change({ state: "waiting", ...close, delay });
        return;
      }
    }
    this.#conclude?.();
  };

  /** Ends everything but the wait for the connection's end. */
  #finish(close: Close): void {
    this.#attempt++;
    this.id = undefined;
    this.ending = close;
    clearTimeout(this.#timer);
    this.#watch.abort();
    this.#change({ state: "closed", ...close });
  }

  #change(change: Omit<StateChange, "previous">): void {
    const previous = this.state;
    this.state = change.state;
    this.#report.changed({ ...change, previous });
  }
}
