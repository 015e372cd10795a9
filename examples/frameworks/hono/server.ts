import { serve } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { Hub } from "roomcast";
import { ws } from "roomcast/transports/ws";

const app = new Hono();
app.use(serveStatic({ root: "public" }));
app.use(serveStatic({ root: "node_modules/roomcast/dist/client" }));

const port = Number(process.env.PORT ?? 3000);
const server = serve({ fetch: app.fetch, port }, () => console.log(`http://localhost:${port}`));

interface Events {
  client: { message: unknown };
  server: { message: string };
}

const hub = new Hub<Events>({ transport: ws({ server }), path: "/chat", joinable: (room) => room === "lobby" });
hub.handle("message", (text) => hub.to("lobby").emit("message", String(text)));
