import { serveHub } from "../serve-hub.ts";
import { createRecoveryHub } from "./recovery.ts";

await serveHub("examples/recovery", createRecoveryHub);
