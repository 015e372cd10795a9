/** What is known of an error: platforms differ in how much they tell, and where. */
export interface PlatformError {
  readonly message?: string;
  readonly error?: PlatformError | undefined;
  readonly cause?: PlatformError | undefined;
}

/** Returns why a connection could not be opened, as far as the event `error` of the platform tells it. */
export type Explain = (event: PlatformError) => string;

/** The reasons, by a part of what the platform says of this kind of failure alone. */
const REASONS: Readonly<Record<string, string>> = {
  REFUSED: "Nothing listens at this address: is the server running, and the port right?",
  getaddrinfo: "The host was not found: is its name right, and is there a network?",
  certificate: "The server's certificate is not trusted.",
  "wrong version number": "The server speaks no TLS: is it ws: instead of wss:?",
  protocol: "No subprotocol was agreed on: is this a roomcast hub, and does the proxy pass Sec-WebSocket-Protocol?",
  "response: 401": "The server does not let this client in.",
  "response: 403": "The server takes no connections from this origin: see its option `origins`.",
  "response: 404": "Nothing takes WebSocket connections at this path: is the path of the URL that of the hub?",
  "response: 426": "The server saw no WebSocket handshake: does the proxy pass Upgrade and Connection?",
  "response: 429": "This address has too many connections, or was closed for abuse.",
  "response: 503": "The server is full or shutting down, or took too long to decide.",
};

/** Explains in a sentence what the WebSocket of `ws`, or that of Node.js, says in its event `error`. */
export const explain: Explain = (event) => {
  let said = "";
  let trace: PlatformError | undefined = event;
  for (; trace !== undefined && trace !== null; trace = trace.error ?? trace.cause) {
    const { message } = trace;
    if (message && !said.endsWith(message)) said += ` ${message}`;
  }
  const [, reason = "The connection could not be opened."] =
    Object.entries(REASONS).find(([part]) => said.toLowerCase().includes(part.toLowerCase())) ?? [];
  return reason + said;
};
