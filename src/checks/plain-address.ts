const IPV4_MAPPED = "::ffff:";

/**
 * Turns an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) into plain IPv4. Other addresses stay as they are.
 *
 * All addresses that hubs see have this form.
 */
export function plainAddress(address: string): string {
  return address.startsWith(IPV4_MAPPED) && address.includes(".") ? address.slice(IPV4_MAPPED.length) : address;
}
