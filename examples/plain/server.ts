import { serveHub } from "../serve-hub.ts";
import { createPlainHub } from "./plain.ts";

await serveHub("examples/plain", createPlainHub);
