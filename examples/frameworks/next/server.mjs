import { createServer } from "node:http";
import next from "next";
import { Hub } from "roomcast";
import { ws } from "roomcast/transports/ws";

const others = createServer(); // never listens
const app = next({ dev: process.env.NODE_ENV !== "production", httpServer: others });
await app.prepare();
const server = createServer(app.getRequestHandler());

const hub = new Hub({ transport: ws({ server }), path: "/chat", joinable: (room) => room === "lobby" });
hub.handle("message", (text) => hub.to("lobby").emit("message", String(text)));
server.on("upgrade", (request, socket, head) => {
  if (request.url.split("?", 1)[0] !== "/chat") others.emit("upgrade", request, socket, head);
});

const port = process.env.PORT ?? 3000;
server.listen(port, () => console.log(`http://localhost:${port}`));
