import { BlockList, isIP, SocketAddress } from "node:net";
import type { UpgradeInfo } from "../transports/transport.ts";
import { plainAddress } from "../checks/plain-address.ts";

/** The number of proxies in front of the hub, or their addresses and CIDR ranges. */
export type TrustProxy = number | readonly string[];

/** A request as the server or proxy that received it saw it. */
export interface SeenRequest {
  readonly remoteAddress: string;
  readonly secure: boolean;
  /**
   * The host that the client asked for, with the port if one was given; empty if none was. Where proxies tell of the
   * port in several ways, the same host follows with the other ports.
   */
  readonly hosts: readonly [string, ...string[]];
}

/** The most proxies in a row. A larger number is a mistake, and no more entries of a header are read. */
const MAX_PROXIES = 32;

/** Returns whether the value is a {@link TrustProxy}. */
export function isTrustProxy(value: unknown): boolean {
  if (typeof value === "number") return Number.isInteger(value) && value >= 1 && value <= MAX_PROXIES;
  return (
    Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === "string" && isRange(entry))
  );
}

/**
 * Reads the headers in which the trusted proxies describe the client. Nothing that clients write into the same headers
 * is believed.
 *
 * Every proxy adds one entry at the right end of `X-Forwarded-For`: the address from which it received the request. So
 * the list is read from the right: the first entry is by the nearest proxy, the next one by the proxy before that, and
 * what stands left of the outermost trusted proxy's entry is a claim of the client's, and is not read.
 */
export class Proxies {
  readonly #trust: TrustProxy | undefined;
  readonly #ranges: BlockList;

  constructor(trust: TrustProxy | undefined) {
    this.#trust = trust;
    this.#ranges = rangesOf(typeof trust === "object" ? trust : []);
  }

  /** Returns the request as the outermost trusted proxy saw it, or as this server sees it if none is trusted. */
  seen({ headers, remoteAddress, secure }: Pick<UpgradeInfo, "headers" | "remoteAddress" | "secure">): SeenRequest {
    const host = headers["host"] ?? "";
    if (!this.#trusts(remoteAddress, 0)) return { remoteAddress, secure, hosts: [host] };
    let address = remoteAddress;
    let hop = 0;
    for (const entry of entriesOf(headers["x-forwarded-for"])) {
      hop += 1;
      // Where the proxy wrote no address, as in `unknown`, its own is the last that is vouched for.
      const told = addressOf(entry);
      address = told ?? address;
      if (!this.#trusts(told, hop)) break;
    }
    return {
      remoteAddress: address,
      secure: isSecure(entryOf(headers["x-forwarded-proto"], hop)) ?? secure,
      hosts: hostsOf(entryOf(headers["x-forwarded-host"], hop), entryOf(headers["x-forwarded-port"], hop), host),
    };
  }

  #trusts(address: string | undefined, distance: number): boolean {
    if (this.#trust === undefined) return false;
    if (typeof this.#trust === "number") return distance < this.#trust;
    return address !== undefined && isIP(address) !== 0 && this.#ranges.check(address, familyOf(address));
  }
}

/**
 * Returns the entries from right to left, as many as may be read. An empty entry keeps its place: a proxy wrote it,
 * too. An absent header has one, because a proxy that does not tell the address may still tell the rest.
 */
function* entriesOf(header = ""): Generator<string> {
  let end = header.length;
  for (let count = 0; end >= 0 && count < MAX_PROXIES; count += 1) {
    const comma = end === 0 ? -1 : header.lastIndexOf(",", end - 1);
    yield header.slice(comma + 1, end).trim();
    end = comma;
  }
}

/**
 * Returns what the proxy at this hop wrote, or the first entry if there are fewer. Most proxies overwrite the header
 * with one value, and those behind them leave it alone. Pages cannot set these headers, and other clients gain nothing
 * by them: a client that can send them can as well leave out `Origin`.
 */
function entryOf(header: string | undefined, hop: number): string {
  let found = "";
  let distance = 0;
  for (const entry of entriesOf(header)) {
    found = entry;
    distance += 1;
    if (distance === hop) break;
  }
  return found;
}

/** The name, an IPv6 address in brackets included, and the port of a host. */
const HOST = /^(\[[^\]]*\]|[^:]+)(?::(\d*))?$/;

/**
 * Returns the host that a proxy names, or else the header `Host`. A host without a port has the default port, or the
 * proxy has left the port out, as nginx does with `$host`. In the second case, `X-Forwarded-Port` or `Host` may have it.
 * `Host` counts for its port only: with another name, it is the one by which the proxy reaches this server, and a page
 * of that name may be anybody's.
 */
function hostsOf(forwarded: string, port: string, host: string): SeenRequest["hosts"] {
  const told = forwarded || host;
  const [, name, toldPort] = HOST.exec(told) ?? [];
  if (name === undefined) return [told];
  const hosts: [string, ...string[]] = [told];
  if (toldPort === undefined && /^\d{1,5}$/.test(port)) hosts.push(`${name}:${port}`);
  const [, ownName] = HOST.exec(host) ?? [];
  if (host !== told && ownName?.toLowerCase() === name.toLowerCase()) hosts.push(host);
  return hosts;
}

function isSecure(protocol: string): boolean | undefined {
  if (/^(https|wss)$/i.test(protocol)) return true;
  return /^(http|ws)$/i.test(protocol) ? false : undefined;
}

/** The parts of `"[::1]:80"`, `[::1]` and `1.2.3.4:80`; a bare IPv6 address has no port. */
const WITH_PORT = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::\d{1,5})?$/i;

/** Returns the address in an entry, as the hub writes addresses; `undefined` if there is none. */
function addressOf(entry: string): string | undefined {
  const text = entry.startsWith('"') && entry.endsWith('"') ? entry.slice(1, -1) : entry;
  const [, bracketed, dotted] = WITH_PORT.exec(text) ?? [];
  return canonical(bracketed ?? dotted ?? text);
}

/**
 * Returns the short form of an address in lower case, an IPv4-mapped one as IPv4; `undefined` for anything else, such
 * as an address with a zone, which means something on this machine only.
 */
function canonical(address: string): string | undefined {
  if (isIP(address) === 0 || address.includes("%")) return undefined;
  return plainAddress(new SocketAddress({ address, family: familyOf(address) }).address);
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}

const RANGE = /^([^/]+)(?:\/(\d{1,3}))?$/;

/**
 * Returns whether an entry is an address or a CIDR range. A range of all addresses is refused: it would trust clients,
 * too.
 */
function isRange(entry: string): boolean {
  const [, address = "", length] = RANGE.exec(entry) ?? [];
  const plain = canonical(address);
  if (plain === undefined || length === undefined) return plain !== undefined;
  // Addresses are compared as IPv4: a range of IPv4-mapped addresses would match nothing.
  if (familyOf(plain) !== familyOf(address)) return false;
  return Number(length) >= 1 && Number(length) <= (familyOf(address) === "ipv6" ? 128 : 32);
}

function rangesOf(entries: readonly string[]): BlockList {
  const ranges = new BlockList();
  for (const entry of entries) {
    const [address = "", length] = entry.split("/", 2);
    const plain = canonical(address) ?? "";
    if (length === undefined) ranges.addAddress(plain, familyOf(plain));
    else ranges.addSubnet(plain, Number(length), familyOf(plain));
  }
  return ranges;
}
