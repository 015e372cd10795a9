import { execFile } from "node:child_process";
import { onTestFinished, expect, test } from "vitest";
import { Installation } from "../../support/installation.ts";

test("a message crosses from one node to the other", async () => {
  const installation = await Installation.build(["ws", "nanoid", "redis"]);
  onTestFinished(() => installation.remove());
  const child = execFile(process.execPath, ["examples/cluster/server.js"], { cwd: installation.folder });
  let output = "";
  const shown = new Promise<void>((resolve) => {
    child.stdout?.on("data", (text: string) => {
      output += text;
      if (output.includes("Ctrl+C")) resolve();
    });
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
  });
  await Promise.race([shown, ended]);
  child.kill("SIGINT");
  expect(await ended).toBe(0);
  expect(output).toMatch(
    /On port \d+ a client says: Hello\nOn port \d+ a client heard: \{.*text: 'Hello', node: 'one' \}/,
  );
});
