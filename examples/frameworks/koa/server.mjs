import Koa from "koa";
import serve from "koa-static";
import { Hub } from "roomcast";
import { ws } from "roomcast/transports/ws";

const app = new Koa();
app.use(serve("public"));
app.use(serve("node_modules/roomcast/dist/client"));

const port = process.env.PORT ?? 3000;
const server = app.listen(port, () => console.log(`http://localhost:${port}`));

const hub = new Hub({ transport: ws({ server }), path: "/chat", joinable: (room) => room === "lobby" });
hub.handle("message", (text) => hub.to("lobby").emit("message", String(text)));
