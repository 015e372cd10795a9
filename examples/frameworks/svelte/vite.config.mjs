import { svelte } from "@sveltejs/vite-plugin-svelte";
import { chat } from "./chat.mjs";

export default { plugins: [chat, svelte()] };
