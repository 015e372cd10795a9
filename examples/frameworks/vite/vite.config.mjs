import { chat } from "./chat.mjs";

export default { plugins: [chat] };
