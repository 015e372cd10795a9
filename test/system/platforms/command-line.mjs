// Plays the scenario in a program: on Node.js, Bun and Deno. The first argument has the URLs, the second may be `ws`.
import process from "node:process";
import { play } from "./scenario.mjs";

const [urls, library] = process.argv.slice(2);
const WebSocket = library === "ws" ? (await import("ws")).WebSocket : undefined;
console.log(JSON.stringify(await play(JSON.parse(urls), WebSocket)));
