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

/** An answer to a request that asks for a WebSocket and is no handshake. */
export interface HandshakeFault {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** 16 bytes in Base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

const WRONG_VERSION: HandshakeFault = {
  status: 426,
  message: "Only version 13 of the WebSocket protocol",
  headers: { Upgrade: "websocket", "Sec-WebSocket-Version": "13" },
};

const NO_KEY: HandshakeFault = { status: 400, message: "Sec-WebSocket-Key must be 16 bytes in Base64" };

/**
 * Returns what is wrong with a request that asks for a WebSocket (RFC 6455 section 4.2.1); `undefined` for a handshake.
 */
export function handshakeFault(headers: Readonly<Record<string, string>>): HandshakeFault | undefined {
  if (headers["sec-websocket-version"] !== "13") return WRONG_VERSION;
  return KEY.test(headers["sec-websocket-key"] ?? "") ? undefined : NO_KEY;
}
