import { bodyOf, roomName } from "./cases.ts";
import type { NodeCommand, NodeReport } from "./messages.ts";
import { CLUSTER_PEERS, type ClusterPeerName } from "./peers.ts";

// One server of the cluster, in a process of its own.
const [, , peer = "", engine = "", number = ""] = process.argv;
const node = await CLUSTER_PEERS[peer as ClusterPeerName].start(engine);
const publisher = Number(number);
const sent: number[] = [];
let arrived = 0;
let credited = (): void => {};

process.on("message", (command: NodeCommand) => void obey(command));
tell({ told: "listening", port: node.port });

async function obey(command: NodeCommand): Promise<void> {
  switch (command.do) {
    case "settle":
      await node.settled();
      tell({ told: "settled" });
      break;
    case "send":
      await send(command);
      tell({ told: "sent" });
      break;
    case "credit":
      arrived = command.arrived;
      credited();
      break;
    case "meter":
      tell({ told: "meter", ...process.cpuUsage() });
      break;
  }
}

/** `pause` milliseconds lie between two turns; without one they follow each other as the receivers allow. */
async function send({
  rooms,
  perTurn,
  count,
  window,
  pause,
}: Extract<NodeCommand, { readonly do: "send" }>): Promise<void> {
  const before = sent.reduce((sum, messages) => sum + messages, 0);
  for (let done = 0; done < count;) {
    const ahead = before + done - window;
    await allowed(() => arrived > ahead);
    for (let turn = 0; turn < perTurn && done < count; turn++, done++) {
      const room = rooms[done % rooms.length] ?? 0;
      const next = sent[room] ?? 0;
      sent[room] = next + 1;
      node.publish(roomName(room), bodyOf(publisher, room, next));
    }
    await new Promise<void>((resolve) => {
      if (pause > 0) setTimeout(resolve, pause);
      else setImmediate(resolve);
    });
  }
}

/** Waits until the receivers allow it. */
async function allowed(isThere: () => boolean): Promise<void> {
  while (!isThere()) {
    await new Promise<void>((resolve) => {
      credited = resolve;
    });
  }
}

function tell(report: NodeReport): void {
  process.send?.(report);
}
