import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("a worker that sends what cannot be read has an outage, its primary process warns once, and others notice nothing", async (t) => {
  const child = fork(fileURLToPath(new URL("broken-worker.mjs", import.meta.url)), { stdio: "ignore" });
  t.onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "exit").then((ending) => ({ ending }));
  const reported = once(child, "message").then(([report]) => report as unknown);
  expect(await Promise.race([reported, ended])).toEqual({
    // The messages that name a session are answered there.
    faults: 17,
    warnings: ["HUB_UNREADABLE_MESSAGE"],
    errors: ["ERR_HUB_BACKPLANE"],
    others: [[], []],
  });
  expect(await ended).toEqual({ ending: [0, null] });
});
