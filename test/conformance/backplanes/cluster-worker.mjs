// The suite in a worker of node:cluster, whose backplanes reach each other through the primary process. By the runner of Node.js, as
// the workers of Vitest are no workers of node:cluster.
import cluster from "node:cluster";
import { after, describe, it } from "node:test";
import { cluster as clusterBackplane, setupPrimary } from "../../../dist/backplanes/cluster/index.js";
import { backplaneSuite, overSockets } from "../../../dist/testing/index.js";
import { uws } from "../../../dist/transports/uws/index.js";
import { ws } from "../../../dist/transports/ws/index.js";

if (cluster.isPrimary) {
  setupPrimary();
  cluster.on("exit", (_worker, code, signal) => process.exit(signal === null ? code : 1));
  cluster.fork();
} else {
  const transports = process.argv.slice(2).map((name) => overSockets(name, name === "ws" ? ws : uws));
  const subject = { name: "cluster", create: (prefix) => clusterBackplane({ prefix }), hasLog: true };
  backplaneSuite({ describe, it }, subject, transports);
  // What connects it with the primary would keep it alive.
  after(() => cluster.worker.disconnect());
}
