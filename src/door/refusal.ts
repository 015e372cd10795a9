import type { Handshake } from "../members/handshake.ts";
import type { UpgradeDecision } from "../transports/transport.ts";
import type { Denial } from "./authenticator.ts";

/** Why a client was not let in. */
export type RefusalReason =
  /** The hub is being drained or closed. */
  | "draining"
  /** A page of another origin than `origins` allows. */
  | "origin"
  /** `maxConnections` are there. */
  | "capacity"
  /** `maxConnectionsPerAddress` are there from its address. */
  | "address-capacity"
  /** `admit` said no. */
  | "admit"
  /** `authenticate` said no. */
  | "unauthorized"
  /** `authenticate` failed. */
  | "failed"
  /** It, or `authenticate`, took longer than `handshakeTimeout`. */
  | "timeout";

/** A client that was not let in. */
export interface Refusal {
  /** The HTTP status that it got, or, after its `hub:hello`, the close code. */
  readonly status: number;
  readonly reason: RefusalReason;
  readonly handshake: Handshake;
}

/** After how many seconds a client may try again where nobody says otherwise. */
const RETRY_AFTER = 5;

interface Answer {
  readonly status: number;
  readonly message: string;
}

const ANSWERS: Readonly<Record<RefusalReason, Answer>> = {
  draining: { status: 503, message: "The server is shutting down" },
  origin: { status: 403, message: "This origin may not connect" },
  capacity: { status: 503, message: "The server is full" },
  "address-capacity": { status: 429, message: "Too many connections from this address" },
  admit: { status: 503, message: "The server takes nobody now" },
  unauthorized: { status: 401, message: "Unauthorized" },
  failed: { status: 401, message: "Unauthorized" },
  timeout: { status: 503, message: "The server took too long to decide" },
};

/** The HTTP answer. 429 and 503 say when to try again (RFC 9110 section 10.2.3, RFC 6585 section 4). */
export function refusalDecision(
  reason: RefusalReason,
  denial?: Denial,
): Extract<UpgradeDecision, { readonly accept: false }> {
  const { status, message } = ANSWERS[reason];
  const words = denial?.error?.message ?? message;
  if (status !== 429 && status !== 503) return { accept: false, status, message: words };
  const seconds = denial?.retryAfter === undefined ? RETRY_AFTER : Math.ceil(denial.retryAfter / 1_000);
  return { accept: false, status, message: words, headers: { "Retry-After": String(seconds) } };
}
