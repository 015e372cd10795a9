// Two workers of node:cluster whose hubs begin to listen at the same time. The workers of Vitest are no workers of
// node:cluster.
import cluster from "node:cluster";
import { once } from "node:events";
import { Hub } from "../../../../dist/index.js";

/** The number of hubs in each worker. */
const HUBS = 5;

if (cluster.isPrimary) {
  cluster.on("exit", (_worker, code) => {
    if (code !== 0) process.exit(1);
  });
  const workers = [cluster.fork(), cluster.fork()];
  await Promise.all(workers.map((worker) => once(worker, "message")));
  const told = workers.map(async (worker) => (await once(worker, "message"))[0]);
  for (const worker of workers) worker.send("listen");
  console.log(JSON.stringify((await Promise.all(told)).flat()));
  cluster.disconnect();
} else {
  const hubs = Array.from({ length: HUBS }, () => new Hub({ transport: "uws" }));
  process.send("ready");
  await once(process, "message");
  const addresses = await Promise.all(hubs.map((hub) => hub.listen({ host: "127.0.0.1" })));
  process.send(addresses.map(({ port }) => port));
  process.once("disconnect", () => {
    for (const hub of hubs) void hub.close();
  });
}
