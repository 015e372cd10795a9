import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../browser/browser.ts";
import { documented, Example, expectTwoPagesToChat, PATIENCE, UNEXPECTED } from "./example.ts";

const TSC = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url));

let example: Example;
let browser: Browser;

beforeAll(async () => {
  [example, browser] = await Promise.all([Example.install("hono"), launchBrowser()]);
}, PATIENCE);

afterAll(async () => {
  await browser.close();
  example.remove();
});

test("two pages chat", { timeout: PATIENCE }, async () => {
  const { url, port, program } = await example.start();
  await expectTwoPagesToChat(browser, url);
  expect(program.output).not.toMatch(UNEXPECTED);
  expect(await example.outputOnTakenPort(port)).toContain("EADDRINUSE");
});

test("the server compiles", { timeout: PATIENCE }, async () => {
  const args = [TSC, "--noEmit", "--strict", "--module", "nodenext", "--types", "node", "server.ts"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: example.folder });
  expect(stdout).toBe("");
});

test("over HTTPS, and whatever a middleware answers", { timeout: PATIENCE }, async () => {
  example.addCertificate();
  example.edit("server.ts", (text) =>
    text
      .replace(/const server = .*\n/, documented("hono", "https"))
      .replace("const port", 'app.use((context) => context.text("Forbidden", 403));\n$&'),
  );
  const { port } = await example.start();
  const [page] = await expectTwoPagesToChat(browser, `https://localhost:${port}`);
  expect(page.url()).toMatch(/^https:/);
});
