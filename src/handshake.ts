import { HubError } from "./errors.ts";
import type { ResolvedOptions } from "./options.ts";
import type { UpgradeDecision, UpgradeInfo } from "./transport.ts";
import type { User } from "./event-types.ts";

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

  constructor({ url, headers, remoteAddress, secure }: UpgradeInfo) {
    this.url = url;
    this.headers = headers;
    this.remoteAddress = remoteAddress;
    this.secure = secure;
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

/** What an accepted decision carries to the opening of the connection. */
export interface Admission {
  readonly handshake: Handshake;
  readonly user: User | undefined;
}

type DoorOptions = Pick<ResolvedOptions, "authenticate" | "protocols">;

/** Decides who gets in. */
export class Door {
  readonly #options: DoorOptions;
  readonly #report: (error: unknown) => void;
  #open = true;

  constructor(options: DoorOptions, report: (error: unknown) => void) {
    this.#options = options;
    this.#report = report;
  }

  /** From now on everybody is refused, those included who are being authenticated. */
  shut(): void {
    this.#open = false;
  }

  decide(info: UpgradeInfo): UpgradeDecision | Promise<UpgradeDecision> {
    const { authenticate } = this.#options;
    const handshake = new Handshake(info);
    if (!this.#open || authenticate === undefined) return this.#answer(info, { handshake, user: undefined });
    return this.#authenticate(authenticate, handshake).then((user) =>
      user === undefined ? UNAUTHORIZED : this.#answer(info, { handshake, user }),
    );
  }

  async #authenticate(
    authenticate: (handshake: Handshake) => unknown,
    handshake: Handshake,
  ): Promise<User | undefined> {
    try {
      const user = await authenticate(handshake);
      if (user === undefined || user === null || user === false) return undefined;
      checkUser(user);
      return user;
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }

  #answer(info: UpgradeInfo, admission: Admission): UpgradeDecision {
    if (!this.#open) return SHUT;
    return { accept: true, protocol: this.#protocolFor(info), context: admission };
  }

  #protocolFor(info: UpgradeInfo): string {
    return this.#options.protocols.find((protocol) => info.protocols.includes(protocol)) ?? "";
  }
}

const UNAUTHORIZED: UpgradeDecision = { accept: false, status: 401, message: "Unauthorized" };
const SHUT: UpgradeDecision = { accept: false, status: 503, message: "The server is shutting down" };

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
