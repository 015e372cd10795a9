import { isCount, isFunction, isInteger, MAX_DELAY, type Options } from "../checks/option-rules.ts";
import { areTokens } from "../checks/tokens.ts";
import type { HubTypes, UserOf } from "../event-types.ts";
import type { Handshake } from "../members/handshake.ts";
import { isOrigins, type Origins } from "./origins.ts";
import { isTrustProxy, type TrustProxy } from "./proxies.ts";

type MaybePromise<V> = V | Promise<V>;

/** The settings that decide which clients may connect. */
export interface DoorSettings<T extends HubTypes = HubTypes> {
  /**
   * The origins whose pages may connect: `"same"` as the host that the page asks for, `"*"` for all, a list such as
   * `["same", "https://example.com"]`, or a function that decides. Others get HTTP status 403. Clients that are no
   * browsers send no `Origin` header, and are not asked.
   *
   * Default: `"same"`, which on loopback hosts does not compare the ports. Otherwise every page that a user looks at could
   * connect with that user's cookies.
   */
  readonly origins: Origins;

  /**
   * The proxies in front of the server, whose `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host` and
   * `X-Forwarded-Port` are believed: how many stand in a row, or their addresses and CIDR ranges. Default: none.
   */
  readonly trustProxy: TrustProxy | undefined;

  /**
   * The most connections at once, handshakes included, and those that have ended but whose descriptor may not be free (on
   * `uws` for up to six seconds). Others get HTTP status 503. Default: no limit.
   */
  readonly maxConnections: number | undefined;

  /**
   * The most connections at once from one address, or one /64 of IPv6. Others get HTTP status 429. Behind a proxy it
   * needs `trustProxy`; without it, it limits nobody on a Unix domain socket. Default: no limit.
   */
  readonly maxConnectionsPerAddress: number | undefined;

  /**
   * Decides whether any client may connect now, before `authenticate`: for shedding load. With `false`,
   * `{ retryAfter }` in milliseconds, or by throwing, the client gets HTTP status 503 and is told when to try again.
   *
   * Default: everybody may.
   */
  readonly admit: ((handshake: Handshake) => MaybePromise<boolean | { readonly retryAfter: number }>) | undefined;

  /**
   * Decides whether a client may connect, before the handshake is answered. Returns the user, who becomes
   * `socket.user`; with `undefined`, `null` or `false`, or by throwing, the client gets HTTP status 401. What it throws
   * also reaches the hub's `error` event.
   *
   * Default: everybody may, and `socket.user` is `undefined`.
   */
  readonly authenticate: ((handshake: Handshake) => MaybePromise<UserOf<T> | undefined | null | false>) | undefined;

  /**
   * The WebSocket subprotocols that the application speaks, best first. The first one that the client offers too is
   * agreed on; a client that offers none of them is let in without. Default: none.
   */
  readonly protocols: readonly string[];

  /**
   * The time that a client may take until it is let in, `admit` and `authenticate` included, in milliseconds: at the
   * handshake, where the answer then is HTTP status 503, and, for a library client, from the opening of its connection,
   * which then is closed with 4102. A server of the hub's own on `ws` waits as long for the request itself.
   * Default: 10,000.
   */
  readonly handshakeTimeout: number;
}

export const doorOptions: Options<DoorSettings> = {
  origins: {
    default: "same",
    rule: [
      '"same", "*", a function, or an array of origins as browsers send them, such as "https://example.com"',
      isOrigins,
    ],
  },
  trustProxy: {
    default: undefined,
    rule: [
      "the number of proxies in front, or an array of their addresses and CIDR ranges; " +
        "true would believe what any client writes",
      isTrustProxy,
    ],
  },
  maxConnections: { default: undefined, rule: ["a whole number from 1", isCount] },
  maxConnectionsPerAddress: { default: undefined, rule: ["a whole number from 1", isCount] },
  admit: { default: undefined, rule: ["a function", isFunction] },
  authenticate: { default: undefined, rule: ["a function", isFunction] },
  protocols: {
    default: [],
    rule: ["an array of subprotocol names (RFC 6455 section 4.1: tokens)", areTokens],
  },
  handshakeTimeout: {
    default: 10_000,
    rule: [`a whole number of milliseconds from 1 to ${MAX_DELAY}`, (value) => isInteger(value, 1, MAX_DELAY)],
  },
};
