import vue from "@vitejs/plugin-vue";
import { chat } from "./chat.mjs";

export default { plugins: [chat, vue()] };
