import react from "@vitejs/plugin-react";
import { chat } from "./chat.mjs";

export default { plugins: [chat, react()] };
