import { fileURLToPath } from "node:url";
import express from "express";
import { Hub } from "roomcast";
import { ws } from "roomcast/transports/ws";

const client = fileURLToPath(import.meta.resolve("roomcast/client/bundle"));
const port = process.env.PORT ?? 3000;

const app = express();
app.use(express.static("public"));
app.get("/roomcast.js", (request, response) => response.sendFile(client));

const server = app.listen(port, (error) => {
  if (error) throw error;
  console.log(`http://localhost:${port}`);
});

const hub = new Hub({ transport: ws({ server }), path: "/chat", joinable: (room) => room === "lobby" });
hub.handle("message", (text) => hub.to("lobby").emit("message", text));
