import { resolve } from "node:path";
import files from "@fastify/static";
import fastify from "fastify";
import { Hub } from "roomcast";
import { ws } from "roomcast/transports/ws";

const app = fastify({ logger: true });
await app.register(files, { root: [resolve("public"), resolve("node_modules/roomcast/dist/client")] });

const hub = new Hub({ transport: ws({ server: app.server }), path: "/chat", joinable: (room) => room === "lobby" });
hub.handle("message", (text) => hub.to("lobby").emit("message", String(text)));
app.decorate("hub", hub);
app.addHook("preClose", () => hub.close());

await app.listen({ port: process.env.PORT ?? 3000 });
