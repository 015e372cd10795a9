import type { Member } from "./member.ts";

/** How lost clients are found. Both in milliseconds. */
export interface HeartbeatOptions {
  /** How often every client is asked for a sign of life. */
  readonly interval: number;
  /** How long an answer may take; at most `interval`. A lost client is found within `interval + timeout`. */
  readonly timeout: number;
}

/**
 * One clock for all connections: no timer for each.
 *
 * Every `interval` it pings all members; those who gave no sign of life by `timeout` later are lost. A member that came
 * between the two was not asked, so it is not missed.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #members: ReadonlyMap<string, Member>;
  readonly #ping: (member: Member) => void;
  readonly #lost: (member: Member) => void;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  /** `ping` asks a member for a sign of life; `lost` hears of those who gave none. */
  constructor(
    options: HeartbeatOptions,
    members: ReadonlyMap<string, Member>,
    ping: (member: Member) => void,
    lost: (member: Member) => void,
  ) {
    this.#options = options;
    this.#members = members;
    this.#ping = ping;
    this.#lost = lost;
  }

  start(): void {
    this.#timer = setTimeout(this.#ask, this.#options.interval).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  readonly #ask = (): void => {
    for (const member of this.#members.values()) {
      member.alive = false;
      this.#ping(member);
    }
    this.#timer = setTimeout(this.#judgeSoon, this.#options.timeout).unref();
  };

  /** After a pause of the server's own, timers come before what clients sent meanwhile: that has to be read first. */
  readonly #judgeSoon = (): void => {
    this.#immediate = setImmediate(this.#judge);
  };

  readonly #judge = (): void => {
    for (const member of this.#members.values()) if (!member.alive) this.#lost(member);
    this.#timer = setTimeout(this.#ask, this.#options.interval - this.#options.timeout).unref();
  };
}
