import type { Handshake } from "../members/handshake.ts";
import type { UpgradeDecision } from "../transports/transport.ts";
import type { WireError } from "../protocol/packet.ts";

/**
 * The reason why a client was not let in.
 *
 * - `draining`: the hub is being drained or closed.
 * - `origin`: a page of another origin than `origins` allows.
 * - `capacity`: there are `maxConnections` already.
 * - `address-capacity`: there are `maxConnectionsPerAddress` from its address already.
 * - `abuse`: eight connections from its address were closed with 4005 a moment ago.
 * - `admit`: `admit` said no, or failed.
 * - `unauthorized`: `authenticate` said no.
 * - `expired`: the credentials were good, and have expired, perhaps on their way.
 * - `failed`: `authenticate` failed.
 * - `timeout`: the client, or `authenticate`, took longer than `handshakeTimeout`.
 */
export type RefusalReason =
  | "draining"
  | "origin"
  | "capacity"
  | "address-capacity"
  | "abuse"
  | "admit"
  | "unauthorized"
  | "expired"
  | "failed"
  | "timeout";

/** The reason why a client is not let in, and the answer to the client. */
export interface Denial {
  readonly reason: RefusalReason;
  /** The error that is sent to the client; `undefined` if the server is to blame, and then the client may try again. */
  readonly error?: WireError | undefined;
  /** The delay after which the client may try again, in milliseconds. */
  readonly retryAfter?: number | undefined;
}

/** A client that was not let in. */
export interface Refusal {
  /** The HTTP status that the client got, or the close code after its `hub:hello`. */
  readonly status: number;
  readonly reason: RefusalReason;
  readonly handshake: Handshake;
  /**
   * The host that the client asked for, for the reason `origin`, with which `origins: "same"` compares; empty if it
   * named none. With `trustProxy`, it is the host that the proxy names.
   */
  readonly host?: string;
  /** A sentence that says what would let the page in, for the reason `origin`. */
  readonly advice?: string;
}

/** The default delay after which a client may try again, in seconds. */
const RETRY_AFTER = 5;

interface HttpAnswer {
  readonly status: number;
  readonly message: string;
}

const ANSWERS: Readonly<Record<RefusalReason, HttpAnswer>> = {
  draining: { status: 503, message: "The server is shutting down" },
  origin: { status: 403, message: "This origin may not connect: see docs/TROUBLESHOOTING.md of roomcast" },
  capacity: { status: 503, message: "The server is full" },
  "address-capacity": { status: 429, message: "Too many connections from this address" },
  abuse: { status: 429, message: "Connections from this address were abused" },
  admit: { status: 503, message: "The server takes nobody now" },
  unauthorized: { status: 401, message: "Unauthorized" },
  expired: { status: 401, message: "The credentials have expired" },
  failed: { status: 401, message: "Unauthorized" },
  timeout: { status: 503, message: "The server took too long to decide" },
};

/**
 * Returns the HTTP answer to a refused client. 429 and 503 say when to try again (RFC 9110 section 10.2.3, RFC 6585
 * section 4).
 */
export function refusalDecision(
  reason: RefusalReason,
  denial?: Denial,
): Extract<UpgradeDecision, { readonly accept: false }> {
  const { status, message } = ANSWERS[reason];
  const words = denial?.error?.message.toWellFormed() ?? message;
  if (status !== 429 && status !== 503) return { accept: false, status, message: words };
  const seconds = denial?.retryAfter === undefined ? RETRY_AFTER : Math.ceil(denial.retryAfter / 1_000);
  return { accept: false, status, message: words, headers: { "Retry-After": String(seconds) } };
}
