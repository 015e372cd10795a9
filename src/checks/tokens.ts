/** Returns whether the value is an array of tokens (RFC 9110 section 5.6.2), of which subprotocols are made. */
export function areTokens(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(item));
}
