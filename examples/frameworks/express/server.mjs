import express from "express";
import { Hub } from "roomcast";
import { ws } from "roomcast/transports/ws";

const app = express();
app.use(express.static("public"));
app.use(express.static("node_modules/roomcast/dist/client"));

const port = process.env.PORT ?? 3000;
const server = app.listen(port, (error) => {
  if (error) throw error;
  console.log(`http://localhost:${port}`);
});

const hub = new Hub({ transport: ws({ server }), path: "/chat", joinable: (room) => room === "lobby" });
hub.handle("message", (text) => hub.to("lobby").emit("message", String(text)));
