import { crossws } from "./crossws.ts";
import { faultyPeers } from "./faulty.ts";
import { floor } from "./floor.ts";
import { hubOnUws, hubOnWs } from "./hub.ts";
import type { Peer, PeerName } from "./peer.ts";
import { socketIoOnUws, socketIoOnWs } from "./socket-io.ts";
import { uwsPublish } from "./uws-publish.ts";
import { wsLoop } from "./ws-loop.ts";

/** All peers. Each loads its library when it is started, so that one that cannot be loaded stops no other. */
export const PEERS: Readonly<Record<PeerName, Peer>> = {
  "ws loop": wsLoop,
  "uws publish": uwsPublish,
  "hub on ws": hubOnWs,
  "hub on uws": hubOnUws,
  "socket.io ws": socketIoOnWs,
  "socket.io uws": socketIoOnUws,
  crossws,
  floor,
  ...faultyPeers,
};
