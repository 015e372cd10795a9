import { CloseCode } from "../../../src/protocol/close-codes.ts";
import type { Peer } from "./peer.ts";

/** What PROTOCOL.md, section 2.1, allows an answer to be; and, of uWebSockets.js, to another version of HTTP. */
function isDocumentedStatus(status: number): boolean {
  return status === 101 || (status >= 400 && status <= 499) || status === 503 || status === 505;
}

/** What PROTOCOL.md, section 7.1, has as codes that a server sends; 4321 is the application's. */
const CODES: ReadonlySet<number> = new Set([...Object.values(CloseCode), 1002, 4321]);

/** How the server has seen the connection to its end. */
export interface Ending {
  readonly outcomes: readonly string[];
  readonly complaints: readonly string[];
}

/** What the client has asked for. */
export interface Wishes {
  /** The codes of its own close frames, which are answered with the same. */
  readonly codes?: readonly number[];
  /** Whether the application may have terminated the connection: what it was writing is lost. */
  readonly isTerminated?: boolean;
}

export function endOf(peer: Peer, { codes = [], isTerminated = false }: Wishes = {}): Ending {
  const { closeCode, faults, isCut, pongs, statuses } = peer.transcript;
  const complaints = [...faults];
  for (const status of statuses) {
    if (!isDocumentedStatus(status)) complaints.push(`HTTP status ${status} is not documented.`);
  }
  if (closeCode !== undefined && !CODES.has(closeCode) && !codes.includes(closeCode)) {
    complaints.push(`Close code ${closeCode} is not documented.`);
  }
  if (isCut && peer.end === "fin" && !isTerminated) {
    complaints.push("The server ended the connection in the middle of something.");
  }
  const outcomes = statuses.map((status) => `status ${status}`);
  if (pongs > 0) outcomes.push("pong");
  if (closeCode !== undefined) outcomes.push(`close ${closeCode}`);
  else if (statuses.at(-1) === 101) outcomes.push("end without a close frame");
  return { outcomes, complaints };
}
