import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { documented, expectTwoPagesToChat, PATIENCE, fixtureOf, UNEXPECTED } from "./example.ts";

const TSC = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url));

const fixture = fixtureOf("hono");

test("two pages chat", { timeout: PATIENCE }, async () => {
  const { url, port, program } = await fixture.example.start();
  await expectTwoPagesToChat(fixture.browser, url);
  expect(program.output).not.toMatch(UNEXPECTED);
  expect(await fixture.example.outputOnTakenPort(port)).toContain("EADDRINUSE");
});

test("the server compiles", { timeout: PATIENCE }, async () => {
  const args = [TSC, "--noEmit", "--strict", "--module", "nodenext", "--types", "node", "server.ts"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: fixture.example.folder });
  expect(stdout).toBe("");
});

test("over HTTPS, and whatever a middleware answers", { timeout: PATIENCE }, async () => {
  fixture.example.addCertificate();
  fixture.example.edit("server.ts", (text) =>
    text
      .replace(/const server = .*\n/, documented("hono", "https"))
      .replace("const port", 'app.use((context) => context.text("Forbidden", 403));\n$&'),
  );
  const { port } = await fixture.example.start();
  const [page] = await expectTwoPagesToChat(fixture.browser, `https://localhost:${port}`);
  expect(page.url()).toMatch(/^https:/);
});
