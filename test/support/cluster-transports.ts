import { overSockets, type TransportSubject } from "roomcast/testing";
import { uws } from "roomcast/transports/uws";
import { ws } from "roomcast/transports/ws";
import { TRANSPORTS } from "./transports.ts";

/** What the hubs of a cluster are on, in turn: so most tests have both. */
export const CLUSTER_TRANSPORTS: readonly TransportSubject[] = TRANSPORTS.map((name) =>
  overSockets(name, name === "ws" ? ws : uws),
);
