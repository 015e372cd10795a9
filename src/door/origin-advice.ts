import type { Handshake } from "../members/handshake.ts";
import { isWelcome, type Origins } from "./origins.ts";

const LIST = 'list its origin in the option "origins".';
const PASS_ON_HOST = "let it pass on the header Host unchanged (nginx: proxy_set_header Host $http_host;)";

/** Sentences for the operator of a hub that has refused a page. None has a word of the client's. */
const ADVICE = {
  unlisted: `To allow the page, ${LIST}`,
  function: 'The function "origins" did not return true for it.',
  hostless: `A page of this kind has no host, so "same" never allows it. To allow it, ${LIST}`,
  untrusted:
    "The header X-Forwarded-Host names the host of the page, but it is not believed. If a proxy of yours has sent it, " +
    'and nobody can reach the server past the proxy, let "trustProxy" include that proxy.',
  overruled:
    'The header Host names the host of the page, but X-Forwarded-Host names another, and "trustProxy" believes it. ' +
    "Correct this header in the proxy, or leave it out there.",
  port:
    `Only the port differs. If a proxy in front has changed or left out the port, ${PASS_ON_HOST}; or let it send ` +
    `X-Forwarded-Port, and set "trustProxy". If the page does have another port, ${LIST}`,
  foreign: `If the page is yours, and a proxy in front has changed the host, ${PASS_ON_HOST}. Otherwise, ${LIST}`,
} as const;

/** The most entries of `X-Forwarded-Host` that are looked at. */
const MOST_CLAIMS = 4;

/**
 * Returns what would let a page in that was refused.
 *
 * @param hosts - the hosts with which its origin was compared.
 */
export function adviceOn(origins: Origins, handshake: Handshake, hosts: readonly string[]): string {
  if (typeof origins === "function") return ADVICE.function;
  if (!origins.includes("same")) return ADVICE.unlisted;
  const page = nameIn(handshake.headers["origin"] ?? "");
  if (page === undefined) return ADVICE.hostless;
  if (isWelcome("same", handshake, [handshake.headers["host"] ?? ""])) return ADVICE.overruled;
  const forwarded = handshake.headers["x-forwarded-host"];
  const claims = forwarded?.split(",", MOST_CLAIMS).map((claim) => claim.trim()) ?? [];
  if (isWelcome("same", handshake, claims)) return ADVICE.untrusted;
  return hosts.some((host) => nameIn(`http://${host}`) === page) ? ADVICE.port : ADVICE.foreign;
}

/** Returns the name of the host of a page, without its port. */
function nameIn(origin: string): string | undefined {
  if (!/^https?:/i.test(origin) || !URL.canParse(origin)) return undefined;
  return new URL(origin).hostname;
}
