import { HubError, ReplyError } from "./errors.ts";
import type { ResolvedOptions } from "./options.ts";
import type { UpgradeDecision, UpgradeInfo } from "./transport.ts";
import type { User } from "./event-types.ts";
import { WireErrorCode, type WireError } from "./protocol/packet.ts";

/** The upgrade request that a connection began with. */
export class Handshake {
  /** Path and query as the client sent them. */
  readonly url: string;
  /**
   * Lower-case names. Of those that a client repeated, values are joined with a comma, cookies with a semicolon; where
   * only one makes sense, as for `host` and `authorization`, the first counts.
   */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * IPv4 or IPv6 text; IPv4-mapped addresses as IPv4. Empty on a Unix domain socket. Behind a proxy it is the proxy's.
   */
  readonly remoteAddress: string;
  /** Whether the hub itself speaks TLS. Behind a proxy that ends TLS it is `false`. */
  readonly secure: boolean;
  /** The credentials that a client of `roomcast/client` sent; `undefined` for plain clients. They can be anything. */
  readonly auth: unknown;

  constructor({ url, headers, remoteAddress, secure }: Pick<UpgradeInfo, RequestField>, auth?: unknown) {
    this.url = url;
    this.headers = headers;
    this.remoteAddress = remoteAddress;
    this.secure = secure;
    this.auth = auth;
  }

  /** The URL's path, percent-encoded as it came. */
  get path(): string {
    return pathOf(this.url);
  }

  /** The URL's query, decoded; a new object at every read. */
  get query(): URLSearchParams {
    return new URLSearchParams(this.url.slice(this.path.length));
  }
}

type RequestField = "url" | "headers" | "remoteAddress" | "secure";

/** What an accepted decision carries to the opening of the connection. */
export interface Admission {
  readonly handshake: Handshake;
  readonly user: User | undefined;
}

/** Why a client is not let in. */
export interface Denial {
  /** What it is told. `undefined` if the server is to blame: it may try again. */
  readonly error: WireError | undefined;
}

type DoorOptions = Pick<ResolvedOptions, "authenticate" | "protocols">;

/** Decides who gets in. */
export class Door {
  readonly #authenticate: DoorOptions["authenticate"];
  readonly #library: readonly string[];
  /** Best first; those of the library go before the application's. */
  readonly #protocols: readonly string[];
  readonly #report: (error: unknown) => void;
  #open = true;

  /** `library` are the subprotocols of clients that will say who they are in `hub:hello`. */
  constructor({ authenticate, protocols }: DoorOptions, library: readonly string[], report: (error: unknown) => void) {
    this.#authenticate = authenticate;
    this.#library = library;
    this.#protocols = [...library, ...protocols];
    this.#report = report;
  }

  /** From now on everybody is refused, those included who are being authenticated. */
  shut(): void {
    this.#open = false;
  }

  /** The answer to a handshake. */
  decide(info: UpgradeInfo): UpgradeDecision | Promise<UpgradeDecision> {
    const protocol = this.#protocolFor(info);
    const handshake = new Handshake(info);
    if (!this.#open || this.#authenticate === undefined || this.#library.includes(protocol)) {
      return this.#answer(protocol, { handshake, user: undefined });
    }
    return this.judge(handshake).then((verdict) =>
      "error" in verdict ? unauthorized(verdict) : this.#answer(protocol, verdict),
    );
  }

  /** What `authenticate` says. Never rejects. */
  async judge(handshake: Handshake): Promise<Admission | Denial> {
    const authenticate = this.#authenticate;
    if (authenticate === undefined) return { handshake, user: undefined };
    try {
      const user = await authenticate(handshake);
      if (user === undefined || user === null || user === false) return UNAUTHORIZED;
      checkUser(user);
      return { handshake, user };
    } catch (error) {
      if (error instanceof ReplyError) return { error: { code: error.reason, message: error.message } };
      this.#report(error);
      return FAILED;
    }
  }

  #answer(protocol: string, admission: Admission): UpgradeDecision {
    if (!this.#open) return SHUT;
    return { accept: true, protocol, context: admission };
  }

  #protocolFor({ protocols }: UpgradeInfo): string {
    return this.#protocols.find((protocol) => protocols.includes(protocol)) ?? "";
  }
}

const UNAUTHORIZED: Denial = { error: { code: WireErrorCode.unauthorized, message: "Unauthorized" } };
const FAILED: Denial = { error: undefined };
const SHUT: UpgradeDecision = { accept: false, status: 503, message: "The server is shutting down" };

function unauthorized({ error }: Denial): UpgradeDecision {
  return { accept: false, status: 401, message: error?.message ?? "Unauthorized" };
}

function checkUser(user: unknown): asserts user is User {
  const { id } = user as Partial<User>;
  if (typeof id === "string" && id !== "") return;
  throw new HubError(
    "ERR_HUB_AUTHENTICATE",
    'The option "authenticate" must return a user with a non-empty string "id".',
  );
}

function pathOf(url: string): string {
  const end = url.indexOf("?");
  return end === -1 ? url : url.slice(0, end);
}
