/**
 * Returns the subscriber that has the address: the address itself for IPv4, its /64 prefix for IPv6. Every subscriber
 * is given at least a /64 (RFC 6177), 2^64 addresses to connect from: a limit for each address would be no limit.
 */
export function subscriberOf(address: string): string {
  if (!address.includes(":")) return address;
  const [left = [], right] = address.split("::", 2).map(groupsOf);
  const zeros = right === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: zeros }, () => "0"), ...(right ?? [])];
  return `${groups.slice(0, 4).join(":")}::/64`;
}

/** Returns the groups of a part of an IPv6 address; an IPv4 address at its end stands for two groups. */
function groupsOf(part: string): string[] {
  if (part === "") return [];
  return part.split(":").flatMap((group) => (group.includes(".") ? [group, ""] : [group]));
}
