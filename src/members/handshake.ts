/** The fields that a {@link Handshake} is made of. */
export interface HandshakeFields {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly remoteAddress: string;
  readonly secure: boolean;
}

/** The upgrade request that a connection began with. */
export class Handshake implements HandshakeFields {
  /** Path and query as the client sent them. */
  readonly url: string;
  /**
   * Headers by their lower-case names. The values of a repeated header are joined with a comma, those of cookies with a
   * semicolon; where only one makes sense, as for `host` and `authorization`, the first counts.
   */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The client's address as IPv4 or IPv6 text; IPv4-mapped addresses as IPv4. The text is empty on a Unix domain
   * socket. Behind a proxy, the address is the proxy's unless `trustProxy` is set.
   */
  readonly remoteAddress: string;
  /** Whether the client speaks TLS. Behind a proxy that ends TLS it is `false`, unless `trustProxy` is set. */
  readonly secure: boolean;
  /** The credentials that a client of `roomcast/client` sent; `undefined` for plain clients. They can be any value. */
  readonly auth: unknown;

  constructor({ url, headers, remoteAddress, secure }: HandshakeFields, auth?: unknown) {
    this.url = url;
    this.headers = headers;
    this.remoteAddress = remoteAddress;
    this.secure = secure;
    this.auth = auth;
  }

  /** The URL's path, percent-encoded as the client sent it. */
  get path(): string {
    const end = this.url.indexOf("?");
    return end === -1 ? this.url : this.url.slice(0, end);
  }

  /** The URL's query, decoded; a new object at every read. */
  get query(): URLSearchParams {
    return new URLSearchParams(this.url.slice(this.path.length));
  }
}
