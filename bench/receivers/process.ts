import type { ReceiversCommand } from "./messages.ts";
import { Receivers } from "./receivers.ts";

const receivers = new Receivers((report) => process.send?.(report));
process.on("message", (command: ReceiversCommand) => void receivers.execute(command));
// The coordinator is gone, or has had enough of this process.
process.on("disconnect", () => receivers.close());
