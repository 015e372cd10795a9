import type { WebSocket } from "ws";
import { now } from "../stamp.ts";
import type { Application, FaultyPeer, Peer, PeerServer } from "./peer.ts";
import { startWsLoop, type Broadcast, type Members } from "./ws-loop.ts";

/** One delivery of so many goes wrong. */
const EVERY = 10_000;

/** How often, and for how long, the server does nothing, in milliseconds. */
const PAUSE_EVERY = 1_000;
const PAUSE = 200;

/** What happens to the delivery that goes wrong. */
type Fault = (socket: WebSocket, message: string, members: Members, everybody: ReadonlySet<WebSocket>) => void;

/** Servers that are broken on purpose, and otherwise like the control. */
export const faultyPeers: Readonly<Record<FaultyPeer, Peer>> = {
  drops: withFault("leaves out one delivery in 10,000", () => {}),
  duplicates: withFault("sends one delivery in 10,000 twice", (socket, message) => {
    socket.send(message);
    socket.send(message);
  }),
  misroutes: withFault("sends one delivery in 10,000 to a client outside of the room", (_, message, members, all) => {
    for (const outsider of all) {
      if (!members.has(outsider)) {
        outsider.send(message);
        return;
      }
    }
  }),
  pauses: {
    dialect: "websocket",
    settings: { fault: "does nothing for 200 ms in every second" },
    start: startPausing,
  },
};

function withFault(description: string, fault: Fault): Peer {
  return {
    dialect: "websocket",
    settings: { fault: description },
    start: (application) => startWsLoop(application, (everybody) => broken(fault, everybody)),
  };
}

/** Counts, so that the same load goes wrong in the same places. */
function broken(fault: Fault, everybody: ReadonlySet<WebSocket>): Broadcast {
  let deliveries = 0;
  return (members, message, sender) => {
    for (const socket of members) {
      if (socket === sender) continue;
      if (++deliveries % EVERY === 0) fault(socket, message, members, everybody);
      else socket.send(message);
    }
  };
}

async function startPausing(application: Application): Promise<PeerServer> {
  const server = await startWsLoop(application, () => broken((socket, message) => socket.send(message), new Set()));
  const timer = setInterval(() => {
    const end = now() + PAUSE * 1000;
    while (now() < end);
  }, PAUSE_EVERY);
  return {
    ...server,
    close: () => {
      clearInterval(timer);
      return server.close();
    },
  };
}
