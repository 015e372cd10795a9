/** What is known of an error: platforms differ in how much they tell, and where. */
export interface PlatformError {
  readonly message?: string | undefined;
  /** That of a `close` without a close frame, in which React Native tells what others tell in `error`. */
  readonly reason?: string | undefined;
  /** A number where it is a `DOMException`'s, which says nothing. */
  readonly code?: unknown;
  readonly error?: PlatformError | undefined;
  readonly cause?: PlatformError | undefined;
}

/** Returns why a connection could not be opened; `undefined` if an event `error` or `close` does not tell it. */
export type Explain = (event: PlatformError) => string | undefined;

const MORE = " See docs/TROUBLESHOOTING.md of roomcast.";

/** The reasons, by what the platforms say of this kind of failure alone. The first that fits counts. */
const REASONS: Readonly<Record<string, string>> = {
  "getaddrinfo|ENOTFOUND|dns error|unable to resolve host|hostname could not be found":
    "The host was not found: is its name right, and is there a network?",
  "REFUSED|tcp connect error|failed to connect to \\S*:\\d":
    "Nothing listens at this address: is the server running, and the port right?",
  "certificate|cert path": "The server's certificate is not trusted.",
  "wrong.version.number|InvalidContentType|TLS packet header": "The server speaks no TLS: is it ws: instead of wss:?",
  "subprotocol|client protocol|sent protocols":
    "No subprotocol was agreed on: is this a roomcast hub, and does the proxy pass Sec-WebSocket-Protocol?" + MORE,
  "status 401": "The server does not let this client in.",
  "status 403": "The server takes no connections from this origin: see its option `origins`." + MORE,
  "status 404": "Nothing takes WebSocket connections at this path: is the path of the URL that of the hub?" + MORE,
  "status 426": "The server saw no WebSocket handshake: does the proxy pass Upgrade and Connection?" + MORE,
  "status 429": "This address has too many connections, or was closed for abuse.",
  "status 503": "The server is full or shutting down, or took too long to decide.",
};

/** The most errors that are asked for what caused them. */
const MOST_CAUSES = 10;

/** Explains in a sentence what the WebSocket of `ws`, or that of a platform other than browsers, tells of a failure. */
export const explain: Explain = (event) => {
  let said = "";
  let trace: PlatformError | undefined = event;
  // A cause may lead back to what it caused.
  for (let depth = 0; depth < MOST_CAUSES && trace; depth++, trace = trace.error ?? trace.cause) {
    for (const part of [trace.message, trace.reason, trace.code]) {
      if (typeof part === "string" && part && !said.includes(part)) said += ` ${part}`;
    }
  }
  if (!said) return undefined;
  const [, status] = /\b(?:response|code)\b.*\b([1-5]\d\d)\b/i.exec(said) ?? [];
  const [, reason = "The connection was not opened."] =
    Object.entries(REASONS).find(([pattern]) => new RegExp(pattern, "i").test(`${said} status ${status}`)) ?? [];
  // The client's own word for it says nothing more.
  return reason.includes(said) ? reason : reason + said;
};
