import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("a worker that sends what cannot be read disturbs neither its primary process nor other workers", async (t) => {
  const child = fork(fileURLToPath(new URL("broken-worker.mjs", import.meta.url)), { stdio: "ignore" });
  t.onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "exit").then((ending) => ({ ending }));
  const reported = once(child, "message").then(([report]) => report as unknown);
  // The messages that name a session are answered there.
  expect(await Promise.race([reported, ended])).toEqual({ faults: 11, warnings: ["HUB_UNREADABLE_MESSAGE"] });
  expect(await ended).toEqual({ ending: [0, null] });
});
