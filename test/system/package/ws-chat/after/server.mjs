import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Hub } from "roomcast";
import { ws } from "roomcast/transports/ws";

const page = readFileSync("index.html");
const server = createServer((_, response) => response.setHeader("Content-Type", "text/html").end(page));
const hub = new Hub({ transport: ws({ server }) });

hub.handle("enter", ({ name }, socket) => {
  socket.data.name = name;
  socket.broadcast.emit("entered", { name });
});
hub.handle("say", ({ text }, socket) => hub.emit("said", { name: socket.data.name, text }));
hub.on("disconnection", (socket) => hub.emit("left", { name: socket.data.name }));

server.listen(8080, () => console.log("http://localhost:8080"));
