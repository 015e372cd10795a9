import { CloseCode } from "../protocol/close-codes.ts";
import type { EventPacket, ReplyPacket, WireError } from "../protocol/packet.ts";
import { Backoff } from "./backoff.ts";
import { ClientError } from "./errors.ts";
import type { ClientState, StateChange } from "./events.ts";
import { Link, type Ending } from "./link.ts";
import { attempt } from "./listeners.ts";
import type { ResolvedOptions } from "./options.ts";
import { watchSurroundings } from "./surroundings.ts";

/** Whom the uplink tells. */
export interface UplinkHandlers {
  /** There is a connection, and nothing was sent on it yet. The change to `open` follows. */
  opened(link: Link): void;
  /** It is gone. The change to `waiting` or `closed` follows. */
  lost(): void;
  changed(change: StateChange): void;
  event(packet: EventPacket, link: Link): void;
  reply(packet: ReplyPacket): void;
  message(message: string | Uint8Array): void;
  refused(error: WireError): void;
  failed(error: ClientError): void;
}

/** The way to the server: one connection after the other, as long as the server, the network and the program will. */
export class Uplink {
  readonly #url: string;
  readonly #options: ResolvedOptions;
  readonly #handlers: UplinkHandlers;
  readonly #backoff: Backoff | undefined;
  readonly #stopWatching: () => void;
  readonly #ended: Promise<void>;
  #conclude: () => void = () => {};
  #state: ClientState = "connecting";
  #id: string | undefined;
  #link: Link | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the attempts: what an earlier one waited for is void. */
  #attempt = 0;

  constructor(url: string, options: ResolvedOptions, handlers: UplinkHandlers) {
    this.#url = url;
    this.#options = options;
    this.#handlers = handlers;
    this.#backoff = options.reconnect === false ? undefined : new Backoff(options.reconnect);
    this.#ended = new Promise((resolve) => {
      this.#conclude = resolve;
    });
    this.#stopWatching = watchSurroundings(
      () => {
        this.#link?.check();
        this.retry();
      },
      () => this.#link?.drop("The network is gone"),
    );
    // Not now: the caller has no listeners yet.
    queueMicrotask(() => this.#connect());
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Of the connection, while it is open. */
  get id(): string | undefined {
    return this.#id;
  }

  /** What can be sent on; `undefined` while there is nothing. */
  get link(): Link | undefined {
    return this.#id !== undefined && this.#link?.isOpen === true ? this.#link : undefined;
  }

  /** While waiting: tries at once. */
  retry(): void {
    if (this.#state === "waiting") this.#connect();
  }

  /** Closes for good. Resolves when the connection has ended. */
  close(code: number, reason: string): Promise<void> {
    if (this.#state !== "closed") {
      const link = this.#link;
      this.#finish(code, reason);
      if (link === undefined) this.#conclude();
      else link.close(code, reason);
    }
    return this.#ended;
  }

  #connect(): void {
    if (this.#state === "closed") return;
    clearTimeout(this.#timer);
    const { auth } = this.#options;
    const current = ++this.#attempt;
    if (this.#state !== "connecting") this.#change({ state: "connecting" });
    attempt(
      () => (typeof auth === "function" ? (auth as () => unknown)() : auth),
      (credentials) => {
        if (current === this.#attempt) this.#open(credentials);
      },
      (cause) => {
        if (current !== this.#attempt) return;
        this.#handlers.failed(new ClientError("ERR_CLIENT_AUTH", "auth() failed to return credentials.", { cause }));
        this.#end({ code: CloseCode.abnormal, reason: "No credentials", bye: undefined });
      },
    );
  }

  #open(auth: unknown): void {
    const handlers = this.#handlers;
    try {
      const link: Link = new Link({ ...this.#options, url: this.#url }, auth, {
        welcome: ({ id }) => {
          this.#id = id;
          this.#backoff?.opened();
          handlers.opened(link);
          if (this.#link === link) this.#change({ state: "open" });
        },
        event: (packet) => handlers.event(packet, link),
        reply: (packet) => handlers.reply(packet),
        message: (message) => handlers.message(message),
        refused: (error) => handlers.refused(error),
        ended: (ending) => this.#end(ending),
      });
      this.#link = link;
    } catch (error) {
      this.#end({ code: CloseCode.abnormal, reason: String(error), bye: undefined });
    }
  }

  #end({ code, reason, bye }: Ending): void {
    this.#link = undefined;
    this.#id = undefined;
    if (this.#state !== "closed") {
      this.#handlers.lost();
      const delay = this.#backoff?.ended(code, bye);
      if (delay === undefined) {
        this.#finish(code, reason);
      } else {
        this.#timer = setTimeout(() => this.#connect(), delay);
        this.#change({ state: "waiting", code, reason, delay });
        return;
      }
    }
    this.#conclude();
  }

  /** From here on nothing happens any more, but for the end of the connection. */
  #finish(code: number, reason: string): void {
    this.#attempt++;
    this.#id = undefined;
    clearTimeout(this.#timer);
    this.#stopWatching();
    this.#change({ state: "closed", code, reason });
  }

  #change(change: Omit<StateChange, "previous">): void {
    const previous = this.#state;
    this.#state = change.state;
    this.#handlers.changed({ ...change, previous });
  }
}
