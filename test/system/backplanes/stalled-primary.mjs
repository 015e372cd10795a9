// A primary process with two nodes as its workers, which tell on the standard output what happens to them. When a worker gets
// the signal SIGUSR2, it fills its pipe to the primary process, and joins a room whose subscription then cannot leave.
import cluster from "node:cluster";
import { cluster as backplane, setupPrimary } from "../../../dist/backplanes/cluster/index.js";
import { Hub } from "../../../dist/index.js";
import { memory } from "../../../dist/testing/index.js";

const ROOMS = ["meanwhile", "afterwards"];

function tell(event) {
  console.log(JSON.stringify({ role: process.env.ROLE, pid: process.pid, event }));
}

async function work() {
  const transport = memory();
  const hub = new Hub({ transport, backplane: backplane(), welcome: false, heartbeat: false });
  const connected = new Promise((resolve) => hub.on("connection", resolve));
  transport.connect().addEventListener("message", ({ data }) => tell(`heard ${data}`));
  const socket = await connected;
  hub.onNode("synced", () => {
    for (const room of ROOMS) hub.to(room).send(room);
  });
  hub.onNode("large", () => {});
  process.on("SIGUSR2", () => {
    hub.emitToNodes("large", "m".repeat(4_000_000));
    setTimeout(() => {
      socket.join("meanwhile");
      tell("full");
    }, 100);
  });
  hub.on("error", async ({ code }) => {
    tell(code);
    await hub.synced();
    socket.join("afterwards");
    await hub.synced("afterwards");
    tell("synced");
    // The other worker may not be there yet.
    if (process.env.ROLE === "one") setInterval(() => hub.emitToNodes("synced"), 50);
  });
  await hub.synced();
  while (hub.nodes.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  tell("ready");
}

if (cluster.isPrimary) {
  setupPrimary();
  for (const role of ["one", "two"]) cluster.fork({ ROLE: role });
  process.on("disconnect", () => process.exit());
} else {
  await work();
}
