import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test, type TestContext } from "vitest";

async function reportOf(t: TestContext, which: string): Promise<unknown> {
  const program = fileURLToPath(new URL("cluster-releases.mjs", import.meta.url));
  const child = fork(program, [which], { stdio: "ignore" });
  t.onTestFinished(() => void child.kill("SIGKILL"));
  const reported = once(child, "message").then(([report]) => report as unknown);
  return Promise.race([reported, once(child, "exit")]);
}

test("with a primary process of an earlier release, logs are refused, interest is unknown, and nothing else is disturbed", async (t) => {
  expect(await reportOf(t, "old primary")).toEqual({
    appended: "refused",
    read: expect.stringContaining("The primary process is of a release that keeps no records") as unknown,
    interested: "unknown",
    events: [],
  });
});

test("a worker of an earlier release hears what is published, and nothing of logs", async (t) => {
  expect(await reportOf(t, "old worker")).toEqual({
    appended: "appended",
    read: 1,
    interested: [true, false],
    events: [],
    types: ["welcome", "pong", "message"],
  });
});
