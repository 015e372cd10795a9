// A node in a process of its own, which a test can kill or freeze.
import { Hub } from "../../../dist/index.js";

const [name, kind, address] = process.argv.slice(2);
const { [kind]: connect } = await import(`../../../dist/backplanes/${kind}/index.js`);
const backplane = connect(kind === "redis" ? { url: address } : { servers: address });
const hub = new Hub({ backplane, welcome: false, heartbeat: false, cluster: { name, lease: 1_500 } });
hub.on("connection", (socket) => socket.join("x"));
hub.on("error", () => {});
process.on("disconnect", () => process.exit());
const { port } = await hub.listen({ host: "127.0.0.1" });
await hub.synced();
process.send(port);
