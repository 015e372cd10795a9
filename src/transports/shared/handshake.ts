/** The headers that tell whether a request asks for a WebSocket. */
interface AskingHeaders {
  readonly connection?: string | undefined;
  readonly "content-length"?: string | undefined;
  readonly "transfer-encoding"?: string | undefined;
  readonly upgrade?: string | undefined;
}

/**
 * Returns whether a request asks for a WebSocket, however badly. Any other request, such as one with `Upgrade: h2c` or
 * one with a body, is an ordinary one, and none of the hub's business.
 */
export function asksForWebSocket(method: string | undefined, headers: AskingHeaders): boolean {
  return (
    method?.toUpperCase() === "GET" &&
    hasToken(headers.upgrade, "websocket") &&
    hasToken(headers.connection, "upgrade") &&
    !hasBody(headers)
  );
}

function hasBody({ "content-length": length = "", "transfer-encoding": encoding = "" }: AskingHeaders): boolean {
  return encoding !== "" || !/^0*$/.test(length);
}

function hasToken(list: string | undefined, token: string): boolean {
  return list !== undefined && list.split(",").some((item) => item.trim().toLowerCase() === token);
}

/** Returns the path of a request, without its query. */
export function pathOf({ url = "/" }: { readonly url?: string | undefined }): string {
  const [path = ""] = url.split("?", 1);
  return path;
}

/** An answer to a request that cannot be a handshake of a hub. */
export interface HandshakeFault {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

const VERSION = { Upgrade: "websocket", "Sec-WebSocket-Version": "13" };

/** The answer to a request that asks for no WebSocket. */
export const NO_HANDSHAKE: HandshakeFault = { status: 426, message: "Upgrade Required", headers: VERSION };

/** The answer to a handshake for a path that no hub has. */
export const NOT_FOUND: HandshakeFault = {
  status: 404,
  message: "No hub of roomcast takes WebSocket connections at this path: see docs/TROUBLESHOOTING.md",
};

/** The answer to a handshake with a hub that has closed. */
export const CLOSED: HandshakeFault = { status: 503, message: "Service Unavailable" };

/** 16 bytes in Base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

const WRONG_VERSION: HandshakeFault = {
  status: 426,
  message: "Only version 13 of the WebSocket protocol",
  headers: VERSION,
};

const NO_KEY: HandshakeFault = { status: 400, message: "Sec-WebSocket-Key must be 16 bytes in Base64" };

/**
 * Returns what is wrong with a request that asks for a WebSocket (RFC 6455 section 4.2.1); `undefined` for a handshake.
 */
export function handshakeFault(headers: Readonly<Record<string, string>>): HandshakeFault | undefined {
  if (headers["sec-websocket-version"] !== "13") return WRONG_VERSION;
  return KEY.test(headers["sec-websocket-key"] ?? "") ? undefined : NO_KEY;
}
