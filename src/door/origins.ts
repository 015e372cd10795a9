import { HubError } from "../errors.ts";
import type { Handshake } from "../members/handshake.ts";

/**
 * The pages that may connect, by their origin. `"same"`: pages of the host that they connect to, and pages on a loopback
 * host, such as `localhost`, that connect to a loopback host. `"*"`: all pages. A list holds origins as clients send
 * them: `"https://example.com"`, without a path, and with the port only where it is not the scheme's default; it may
 * have the entry `"same"`, too. A function decides on each handshake.
 */
export type Origins = "same" | "*" | readonly string[] | ((origin: string, handshake: Handshake) => boolean);

/**
 * Returns whether a handshake of this origin may connect. A handshake without an `Origin` header is no browser's:
 * browsers send the header with every handshake (RFC 6455 section 4.1), and no page can remove it.
 *
 * @param hosts - the host that the client asked for, with each port that it may have.
 * @throws what the application's function throws, and {@link HubError} `ERR_HUB_OPTION` if it does not return a
 *   boolean.
 */
export function isWelcome(origins: Origins, handshake: Handshake, hosts: readonly string[]): boolean {
  const { origin } = handshake.headers;
  if (origins === "*" || origin === undefined) return true;
  if (origins === "same") {
    const mayBeLocal = !FORWARDED.some((name) => name in handshake.headers);
    return hosts.some((host) => isSame(origin, host) || (mayBeLocal && areLoopback(origin, host)));
  }
  if (typeof origins === "object") {
    return origins.some((entry) => (entry === "same" ? isWelcome(entry, handshake, hosts) : entry === origin));
  }
  const verdict: unknown = origins(origin, handshake);
  // A promise is truthy: an async function would let every page in.
  if (typeof verdict === "boolean") return verdict;
  throw new HubError("ERR_HUB_OPTION", 'The function "origins" must return true or false, and not a promise.');
}

/**
 * Returns whether the value is an {@link Origins}. A list with an entry that no browser sends is refused: it would
 * never match.
 */
export function isOrigins(value: unknown): boolean {
  if (typeof value === "function" || value === "same" || value === "*") return true;
  return Array.isArray(value) && value.every((entry) => typeof entry === "string" && isSerialised(entry));
}

/** An origin of a scheme, a host and perhaps a port, and nothing else. */
const HTTP_ORIGIN = /^(https?:)\/\/([^\s/?#@\\]+)$/i;
const HOST = /^[^\s/?#@\\]+$/;

/**
 * Returns whether the page has the origin of the host. The schemes are not compared: behind a proxy that ends TLS the
 * hub does not know that the page has `https:`. A host without a port therefore has the default port of the page's
 * scheme.
 */
function isSame(origin: string, host: string): boolean {
  const [, scheme = "", authority = ""] = HTTP_ORIGIN.exec(origin) ?? [];
  if (!HOST.test(host)) return false;
  const page = hostOf(scheme, authority);
  return page !== undefined && page === hostOf(scheme, host);
}

/**
 * Returns whether the page is on a loopback host and asked for one, on whatever ports. The development server of a page
 * has another port than the hub. A page of somebody else's has another host, and cannot ask for a loopback host with
 * a loopback origin, also not by a name of its own that resolves to a loopback address.
 */
function areLoopback(origin: string, host: string): boolean {
  const [, scheme = "", authority = ""] = HTTP_ORIGIN.exec(origin) ?? [];
  return HOST.test(host) && [authority, host].every((one) => LOOPBACK.test(hostOf(scheme, one) ?? ""));
}

/**
 * Headers by which proxies tell that they pass a request on. Such a request may come from anywhere, and its host may be
 * the name by which the proxy reaches the hub.
 */
const FORWARDED: readonly string[] = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
];

/** A host in its normal form that is this machine wherever it is looked up (RFC 6761 section 6.3). */
const LOOPBACK = /^(?:(?:[^:]+\.)?localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/;

/** Returns the host in its normal form: lower-case, without the default port of the scheme. */
function hostOf(scheme: string, authority: string): string | undefined {
  const url = `${scheme}//${authority}`;
  return URL.canParse(url) ? new URL(url).host : undefined;
}

/** Schemes whose origins have a host in its normal form. Some clients that are no browsers write the URL of the hub. */
const WITH_HOST: ReadonlySet<string> = new Set(["http:", "https:", "ws:", "wss:"]);
/** Schemes of URLs whose origin nobody sends. */
const PAGELESS: ReadonlySet<string> = new Set(["ftp:", "file:"]);
/** What stands for pages without an origin in some web views, in browsers, and for the pages of the hub's own host. */
const WORDS: ReadonlySet<string> = new Set(["file://", "null", "same"]);
/** Origins of extensions and of applications in a web view: `chrome-extension://…`, `capacitor://localhost`. */
const OTHER_ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+(:\d+)?$/;

/** Returns whether a client would write an origin like this (HTML, "serialization of an origin"). */
function isSerialised(origin: string): boolean {
  if (WORDS.has(origin)) return true;
  // In a URL, "*" is a letter like any other. Here it is meant as a pattern, which the list does not know.
  if (!URL.canParse(origin) || origin.includes("*")) return false;
  const { protocol, origin: serialised } = new URL(origin);
  if (WITH_HOST.has(protocol)) return serialised === origin;
  return !PAGELESS.has(protocol) && OTHER_ORIGIN.test(origin);
}
