import adapter from "@sveltejs/adapter-node";
import { sveltekit } from "@sveltejs/kit/vite";
import { chat } from "./chat.mjs";

export default { plugins: [chat, sveltekit({ adapter: adapter() })] };
