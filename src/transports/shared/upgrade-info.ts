const IPV4_MAPPED = "::ffff:";

/** A remote address as the hub shows it: IPv4-mapped IPv6 addresses (RFC 4291 section 2.5.5.2) as plain IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith(IPV4_MAPPED) && address.includes(".") ? address.slice(IPV4_MAPPED.length) : address;
}

/** The items of a `Sec-WebSocket-Protocol` header (RFC 6455 section 11.3.4). */
export function offeredProtocols(header: string | undefined): readonly string[] {
  if (header === undefined) return [];
  return header
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
