import { createServer } from "node:http";
import { handler } from "./build/handler.js";
import { addChat } from "./chat.mjs";

const port = process.env.PORT ?? 3000;
const server = createServer(handler);
addChat(server);
server.listen(port, () => console.log(`http://localhost:${port}`));
