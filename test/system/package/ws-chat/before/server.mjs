import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";

const page = readFileSync("index.html");
const server = createServer((_, response) => response.setHeader("Content-Type", "text/html").end(page));
const wss = new WebSocketServer({ server });

function broadcast(message, sender) {
  const text = JSON.stringify(message);
  for (const client of wss.clients) {
    if (client !== sender && client.readyState === WebSocket.OPEN) client.send(text);
  }
}

wss.on("connection", (socket) => {
  socket.isAlive = true;
  socket.on("pong", () => (socket.isAlive = true));
  socket.on("error", console.error);
  socket.on("message", (data) => {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    switch (message.type) {
      case "enter":
        socket.name = message.name;
        broadcast({ type: "entered", name: socket.name }, socket);
        break;
      case "say":
        broadcast({ type: "said", name: socket.name, text: message.text });
        break;
    }
  });
  socket.on("close", () => broadcast({ type: "left", name: socket.name }));
});

const interval = setInterval(() => {
  for (const socket of wss.clients) {
    if (!socket.isAlive) socket.terminate();
    socket.isAlive = false;
    socket.ping();
  }
}, 30_000);
wss.on("close", () => clearInterval(interval));

server.listen(8080, () => console.log("http://localhost:8080"));
