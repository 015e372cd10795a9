/** The extension of RFC 7692. */
const DEFLATE = "permessage-deflate";

/** The parameters that the library can keep, with their values. It answers with `no_context_takeover` for both ends. */
const KEPT: ReadonlyMap<string, RegExp> = new Map([
  ["server_no_context_takeover", /^$/],
  ["client_no_context_takeover", /^$/],
  ["client_max_window_bits", /^(?:|"?(?:[89]|1[0-5])"?)$/],
]);

/**
 * Chooses among the extensions that a client offers.
 *
 * The library takes any offer of permessage-deflate, even with parameters that it does not keep: it compresses with
 * windows of 32 KiB whatever `server_max_window_bits` says, and such a client cannot inflate that.
 *
 * @param offers - the value of `Sec-WebSocket-Extensions`.
 * @returns the offer for the library, or an empty string if messages go uncompressed.
 */
export function acceptableOffer(offers: string | undefined): string {
  return offers?.split(",").some(isKept) === true ? DEFLATE : "";
}

function isKept(offer: string): boolean {
  const [name, ...parameters] = offer.split(";").map((part) => part.trim());
  if (name !== DEFLATE) return false;
  const names = new Set<string>();
  return parameters.every((parameter) => {
    const [key = "", value = ""] = parameter.split("=", 2).map((part) => part.trim());
    const isFirst = !names.has(key);
    names.add(key);
    return isFirst && KEPT.get(key)?.test(value) === true;
  });
}
