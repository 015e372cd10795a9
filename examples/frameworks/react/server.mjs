import { createServer } from "node:http";
import sirv from "sirv";
import { addChat } from "./chat.mjs";

const port = process.env.PORT ?? 3000;
const server = createServer(sirv("dist"));
addChat(server);
server.listen(port, () => console.log(`http://localhost:${port}`));
