import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../browser/browser.ts";
import { documented, Example, expectTwoPagesToChat, openPage, PATIENCE, UNEXPECTED } from "./example.ts";

let example: Example;
let browser: Browser;

beforeAll(async () => {
  [example, browser] = await Promise.all([Example.install("fastify"), launchBrowser()]);
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

test("over HTTPS, and whatever a hook answers", { timeout: PATIENCE }, async () => {
  example.addCertificate();
  const hook =
    'app.addHook("onRequest", async ({ url }, reply) => {\n  if (url === "/chat") reply.code(403).send();\n});\n';
  example.edit("server.mjs", (text) => text.replace(/const app = .*\n/, documented("fastify", "https") + hook));
  const { port } = await example.start();
  const [page] = await expectTwoPagesToChat(browser, `https://localhost:${port}`);
  expect(page.url()).toMatch(/^https:/);
});

test(
  "a route sends to the room, and the application ends while pages are connected",
  { timeout: PATIENCE },
  async () => {
    example.edit("server.mjs", (text) =>
      text.replace("await app.listen", `${documented("fastify", "route")}${documented("fastify", "signal")}$&`),
    );
    const { url, program } = await example.start();
    const page = await openPage(browser, url);
    expect(await fetch(`${url}/news/Rain`).then((response) => response.text())).toBe("sent");
    await page.getByRole("listitem").getByText("Rain").waitFor();
    program.signal("SIGTERM");
    await program.ended();
    expect(program.isAlive).toBe(false);
  },
);
