import { overSockets, type TransportSubject } from "roomcast/testing";
import { uws } from "roomcast/transports/uws";
import { ws } from "roomcast/transports/ws";
import { TRANSPORTS } from "./transports.ts";

/** The transports of the hubs of a cluster, in turn, so that most tests have both. */
export const CLUSTER_TRANSPORTS: readonly TransportSubject[] = TRANSPORTS.map((name) =>
  overSockets(name, name === "ws" ? ws : uws),
);
