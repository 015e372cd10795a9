import { Buffer } from "node:buffer";

/** The headers of which the first counts when a client repeats them. The values of all others are joined. */
const SINGLE: ReadonlySet<string> = new Set([
  "age",
  "authorization",
  "content-length",
  "content-type",
  "etag",
  "expires",
  "from",
  "host",
  "if-modified-since",
  "if-unmodified-since",
  "last-modified",
  "location",
  "max-forwards",
  "proxy-authorization",
  "referer",
  "retry-after",
  "server",
  "user-agent",
]);

/** Adds a header of a request to those that came before it. Its name is in lower case. */
export function addHeader(headers: Record<string, string>, name: string, value: string): void {
  const earlier = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (earlier === undefined) headers[name] = value;
  else if (!SINGLE.has(name)) headers[name] = `${earlier}${name === "cookie" ? "; " : ", "}${value}`;
}

const BEYOND_ASCII = /[\u0080-\u00ff]/;

/**
 * Reads bytes that Node.js took for Latin-1 as UTF-8, which is what browsers and programs write today. uWebSockets.js
 * does the same.
 */
export function fromLatin1(text: string): string {
  return BEYOND_ASCII.test(text) ? Buffer.from(text, "latin1").toString() : text;
}
