import { BlockList, isIP, SocketAddress } from "node:net";
import type { UpgradeInfo } from "../transports/transport.ts";
import { plainAddress } from "../transports/shared/upgrade-info.ts";

/** How many proxies stand in front of the hub, or which addresses and CIDR ranges are theirs. */
export type TrustProxy = number | readonly string[];

/** What a request looked like to whoever received it. */
export interface SeenRequest {
  readonly remoteAddress: string;
  readonly secure: boolean;
  /** As the client asked for it, with the port if that was given; empty if it did not say. */
  readonly host: string;
}

/** More proxies in a row than anybody has: a larger number is a mistake. */
const MAX_PROXIES = 32;

/** Whether the value is a {@link TrustProxy}. */
export function isTrustProxy(value: unknown): boolean {
  if (typeof value === "number") return Number.isInteger(value) && value >= 1 && value <= MAX_PROXIES;
  return (
    Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === "string" && isRange(entry))
  );
}

/**
 * Reads what the trusted proxies tell of the client. Of what clients write into the same headers nothing is believed.
 *
 * Every proxy adds one entry at the right end of `X-Forwarded-For`: the address that the request came to it from. So the
 * list is read from the right: the first entry there is by the nearest proxy, the next one by the proxy before that, and
 * what stands left of the outermost trusted proxy's entry is a claim of the client's.
 */
export class Proxies {
  readonly #trust: TrustProxy | undefined;
  readonly #ranges: BlockList;

  constructor(trust: TrustProxy | undefined) {
    this.#trust = trust;
    this.#ranges = rangesOf(typeof trust === "object" ? trust : []);
  }

  /** What the request looked like to the outermost trusted proxy; without trust, as it is. */
  seen({ headers, remoteAddress, secure }: Pick<UpgradeInfo, "headers" | "remoteAddress" | "secure">): SeenRequest {
    const host = headers["host"] ?? "";
    if (!this.#trusts(remoteAddress, 0)) return { remoteAddress, secure, host };
    /** The address at distance 0 is the nearest proxy's; the one at distance n was added by the n-th proxy. */
    const addresses = [remoteAddress, ...entriesOf(headers["x-forwarded-for"]).map(addressOf)];
    let distance = 0;
    while (distance < addresses.length - 1 && this.#trusts(addresses[distance], distance)) distance += 1;
    // A proxy that tells nothing of the address may still tell the rest.
    const hop = Math.max(distance, 1);
    return {
      remoteAddress: lastKnown(addresses, distance),
      secure: isSecure(entryOf(headers["x-forwarded-proto"], hop)) ?? secure,
      host: entryOf(headers["x-forwarded-host"], hop) || host,
    };
  }

  #trusts(address: string | undefined, distance: number): boolean {
    if (this.#trust === undefined) return false;
    if (typeof this.#trust === "number") return distance < this.#trust;
    return address !== undefined && isIP(address) !== 0 && this.#ranges.check(address, familyOf(address));
  }
}

/**
 * The address at this distance. Where the proxy wrote none, as in `unknown`, the address of that proxy itself is the last
 * that is vouched for: left of it are the client's claims.
 */
function lastKnown(addresses: readonly (string | undefined)[], distance: number): string {
  for (let index = distance; index >= 0; index -= 1) {
    const address = addresses[index];
    if (address !== undefined) return address;
  }
  return "";
}

/** From right to left. An empty entry keeps its place: it is some proxy's, too. */
function entriesOf(header: string | undefined): readonly string[] {
  if (header === undefined) return [];
  return header
    .split(",")
    .map((entry) => entry.trim())
    .toReversed();
}

/**
 * What the proxy at this hop wrote; the first entry where there are fewer. Most proxies write one value over what they
 * get, and those behind them leave it alone. Pages cannot set these headers, and other clients gain nothing by them: who
 * can send them can as well leave out `Origin`.
 */
function entryOf(header: string | undefined, hop: number): string {
  const entries = entriesOf(header);
  return entries[Math.min(hop, entries.length) - 1] ?? "";
}

function isSecure(protocol: string): boolean | undefined {
  if (/^(https|wss)$/i.test(protocol)) return true;
  return /^(http|ws)$/i.test(protocol) ? false : undefined;
}

/** The parts of `"[::1]:80"`, `[::1]` and `1.2.3.4:80`; a bare IPv6 address has no port. */
const WITH_PORT = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::\d{1,5})?$/i;

/** The address in an entry, as the hub writes addresses; `undefined` if there is none. */
function addressOf(entry: string): string | undefined {
  const text = entry.startsWith('"') && entry.endsWith('"') ? entry.slice(1, -1) : entry;
  const [, bracketed, dotted] = WITH_PORT.exec(text) ?? [];
  return canonical(bracketed ?? dotted ?? text);
}

/** The short form of an address in lower case, IPv4-mapped ones as IPv4. One with a zone means something here only. */
function canonical(address: string): string | undefined {
  if (isIP(address) === 0 || address.includes("%")) return undefined;
  return plainAddress(new SocketAddress({ address, family: familyOf(address) }).address);
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}

const RANGE = /^([^/]+)(?:\/(\d{1,3}))?$/;

/** Whether it is an address or a CIDR range. One of everybody would make proxies of the clients, too. */
function isRange(entry: string): boolean {
  const [, address = "", length] = RANGE.exec(entry) ?? [];
  const plain = canonical(address);
  if (plain === undefined || length === undefined) return plain !== undefined;
  // What is asked about is written as IPv4: a range of IPv4-mapped addresses would match nothing.
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
