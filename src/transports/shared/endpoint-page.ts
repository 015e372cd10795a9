import { NO_HANDSHAKE, type HandshakeFault } from "./handshake.ts";

const SENTENCE =
  'This is a WebSocket endpoint of roomcast and no page: connect to it with new WebSocket("ws://...") or roomcast/client, ' +
  "and if that fails, look into docs/TROUBLESHOOTING.md of the package roomcast.";

/** The page has nothing to load and nothing that runs, and nobody can take it for anything else. */
const HEADERS = {
  ...NO_HANDSHAKE.headers,
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  Vary: "Accept",
  "X-Content-Type-Options": "nosniff",
};

const TEXT: HandshakeFault = { ...NO_HANDSHAKE, message: `${SENTENCE}\n`, headers: HEADERS };

const PAGE: HandshakeFault = {
  ...NO_HANDSHAKE,
  message: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>WebSocket endpoint</title>
<p>${SENTENCE}</p>
</html>
`,
  headers: { ...HEADERS, "Content-Type": "text/html; charset=utf-8" },
};

/** An entry of `Accept` for HTML. Programs accept anything, and are shown text. */
const HTML = /(?:^|,)\s*text\/html\s*(?:$|[,;])/i;

/** Returns the answer of the hub's own server to a request that asks for no WebSocket. Whoever looks is told what it is. */
export function endpointPage(method: string | undefined, accept: string | undefined): HandshakeFault {
  if (method?.toUpperCase() !== "GET") return NO_HANDSHAKE;
  return HTML.test(accept ?? "") ? PAGE : TEXT;
}
