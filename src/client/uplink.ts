import type { Close, CloseCode } from "../protocol/close-codes.ts";
import { PROTOCOL_VERSION, type Bye, type ControlEvent, type Hello, type Welcome } from "../protocol/packet.ts";
import { Backoff } from "./backoff.ts";
import { ClientError, messageOf } from "./errors.ts";
import type { ClientState, StateChange } from "./events.ts";
import { ABNORMAL, Link, type LinkParts, type LinkReport } from "./link.ts";
import type { ClientListeners } from "./listeners.ts";
import { delayOf, type ResolvedConnectOptions } from "./options.ts";
import { watchSurroundings } from "./surroundings.ts";

/** The code of a connection that this end has closed because it is not needed. */
export const NORMAL: typeof CloseCode.normal = 1000;

/** The receiver of what happens on the uplink. */
export interface UplinkReport extends Pick<LinkReport, "event" | "reply"> {
  changed(change: StateChange): void;
  /** Returns the client's positions in the rooms that it does not ask for itself. */
  since(): Hello["since"];
}

/**
 * The client's way to the server: one connection after the other, until the server, the network or the program ends it.
 */
export class Uplink {
  readonly #options: ResolvedConnectOptions & LinkParts;
  readonly #listeners: ClientListeners;
  readonly #report: UplinkReport;
  #backoff: Backoff | undefined;
  #watch: AbortController | undefined;
  /** The state. Only this class changes this field and the next ones; a getter for each would cost bytes. */
  state: ClientState = "closed";
  /** What the server has said first on the connection, while it is open. */
  welcome: Welcome | undefined;
  /** The close code and reason of the connection, once the client was closed. */
  ending: Partial<Close> = { code: NORMAL, reason: "" };
  /** An earlier socket, whose node remembers the requests of this client that may be repeated. */
  #home: string | undefined;
  /** The connection of the current attempt. */
  #link: Link | undefined;
  /** The end of the connection that {@link close} has closed. */
  #gone: Promise<void> | undefined;
  /** Whether the server determined the current delay. */
  #isHinted = false;
  /** The number of attempts that were begun or given up. The result of an earlier attempt is ignored. */
  #attempt = 0;
  /** The timer of the current attempt, or of the wait for the next one. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ResolvedConnectOptions & LinkParts, listeners: ClientListeners, report: UplinkReport) {
    this.#options = options;
    this.#listeners = listeners;
    this.#report = report;
    if (options.start) this.open();
  }

  /** The connection on which messages can be sent, if there is one. */
  get link(): Link | false | undefined {
    return this.welcome && this.#link?.isOpen && this.#link;
  }

  /** Connects if the state is `closed`. */
  open(): void {
    if (this.state !== "closed") return;
    const { reconnect } = this.#options;
    this.#backoff = reconnect ? new Backoff(reconnect) : undefined;
    this.#watch = new AbortController();
    watchSurroundings(
      () => {
        this.#link?.check();
        if (this.state !== "waiting" || !this.#isHinted) this.retry();
      },
      (page) => {
        this.#link?.drop("The network or page was lost.");
        // What the page begins now would run into its end, or go on when nobody waits for it any more.
        if (page) this.#giveUp();
      },
      this.#watch.signal,
    );
    void this.#connect();
  }

  /** Connects at once if there is no open connection, even if another attempt is under way: that may hang. */
  retry(): void {
    if (this.state !== "closed" && !this.welcome) void this.#connect();
  }

  /**
   * Closes the client. Resolves when the connection has ended.
   *
   * @throws the error that `WebSocket.close` throws, as a rejection.
   */
  async close(code: number, reason: string): Promise<void> {
    if (this.state !== "closed") {
      this.#gone = this.#link?.close(code, reason);
      this.#link = this.#backoff = undefined;
      this.#end({ code, reason });
    }
    return this.#gone;
  }

  async #connect(): Promise<void> {
    const { auth, codec, connectTimeout } = this.#options;
    this.#giveUp();
    const current = this.#attempt;
    const ended = (close: Close, bye?: Bye): void => {
      if (current === this.#attempt) this.#end(close, bye);
    };
    if (this.state !== "connecting") this.#change({ state: "connecting" });
    // The caller of `connect` has no listeners yet, so nothing may happen synchronously.
    await Promise.resolve();
    if (current !== this.#attempt) return;
    this.#timer = setTimeout(() => {
      ended({ code: ABNORMAL, reason: `No welcome within ${connectTimeout} ms, with auth().` });
    }, connectTimeout);
    let hello: string | Uint8Array | undefined;
    try {
      hello = codec.encode({
        event: "hub:hello" satisfies typeof ControlEvent.hello,
        data: {
          protocol: PROTOCOL_VERSION,
          auth: await (typeof auth === "function" ? auth() : auth),
          home: this.#home,
          since: this.#report.since(),
        } satisfies Hello,
      });
      if (current !== this.#attempt) return;
      this.#link = new Link(this.#options, hello, this.#listeners, {
        ...this.#report,
        welcome: (welcome) => {
          clearTimeout(this.#timer);
          this.welcome = welcome;
          this.#home = welcome.home || welcome.id;
          this.#backoff?.opened();
          this.#change({ state: "open" });
        },
        ended,
      });
    } catch (cause) {
      if (current !== this.#attempt) return;
      let reason = String(cause);
      // The URL, the subprotocol or the page's policy is wrong, so the next attempt would fail too.
      if (hello) this.#backoff = undefined;
      else {
        reason = `auth() failed: ${messageOf(cause)}`;
        this.#listeners.report(new ClientError("ERR_CLIENT_AUTH", reason, { cause }));
      }
      ended({ code: ABNORMAL, reason });
    }
  }

  /** Follows the end of a connection or an attempt. Without a back-off, or when it says so, the client is closed. */
  #end(close: Close, bye?: Bye): void {
    const delay = this.#backoff?.ended(close.code, bye);
    this.#giveUp();
    if (delay === undefined) {
      this.ending = close;
      this.#watch?.abort();
      this.#change({ state: "closed", ...close });
    } else {
      this.#isHinted = !!bye;
      this.#timer = setTimeout(() => void this.#connect(), delayOf(delay));
      this.#change({ state: "waiting", ...close, delay });
    }
  }

  /** Gives up the current attempt, its connection or the wait. */
  #giveUp(): void {
    this.#attempt++;
    this.#isHinted = false;
    clearTimeout(this.#timer);
    this.#link?.drop();
    this.#link = this.welcome = undefined;
  }

  #change(change: Omit<StateChange, "previous">): void {
    const previous = this.state;
    this.state = change.state;
    this.#report.changed({ ...change, previous });
  }
}
