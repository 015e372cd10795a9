import type { Connection } from "../transports/transport.ts";
import type { Backlog } from "./backlog.ts";
import type { Batch } from "./batch.ts";

/** The state that delivery keeps for one socket. */
export interface Recipient {
  readonly connection: Connection;
  /** Whether anything may still be sent to this recipient. */
  open: boolean;
  /** The frames that will be written at the end of the turn. */
  pending: Batch | undefined;
  /** The frames that wait for the transport to drain; present exactly while the recipient is congested. */
  backlog: Backlog | undefined;
  /** Number of bytes handed to the transport that the client has not confirmed yet. Delivery only adds to it. */
  unconfirmedBytes: number;
}
