import { Hub } from "roomcast";
import { redis } from "roomcast/backplanes/redis";

// One server of the chat. What it sends to the room reaches the members on all of them.
const [, , name = "", url = "", port = "0"] = process.argv;
const hub = new Hub({ backplane: redis({ url }), cluster: { name } });

hub.on("connection", (socket) => socket.join("lobby"));
hub.handle("chat", (text, socket) => hub.to("lobby").emit("chat", { from: socket.id, text, node: name }));
hub.on("error", (error, { source }) => console.error(name, source, error));

const address = await hub.listen(Number(port));
await hub.synced();
process.send?.(address.port);

process.once("disconnect", () => void hub.close());
