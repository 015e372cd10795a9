import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../browser/browser.ts";
import { documented, Example, expectChat, expectTwoPagesToChat, openPage, PATIENCE, UNEXPECTED } from "./example.ts";

/** An application as many are. */
const SERVER = `import express from "express";

const app = express();
app.use(express.static("public"));

const port = process.env.PORT ?? 3000;
app.listen(port, (error) => {
  if (error) throw error;
  console.log(\`http://localhost:\${port}\`);
});
`;
const PAGE = "<h1>Welcome</h1>\n";

let example: Example;
let browser: Browser;
let before: string;
let lines: Readonly<Record<string, number>>;

beforeAll(async () => {
  browser = await launchBrowser();
  const files = { "server.mjs": SERVER, "public/index.html": PAGE };
  example = await Example.installWithoutChat("express", files, { start: "node server.mjs" });
  before = await example.during("start", ({ url }) => fetch(url).then((response) => response.text()));
  lines = await example.addChat();
}, PATIENCE);

afterAll(async () => {
  await browser.close();
  example.remove();
}, PATIENCE);

test("an application gets a chat by one command and few lines", { timeout: PATIENCE }, async () => {
  expect(before).toBe(PAGE);
  expect(lines).toMatchObject({ "server.mjs": 6, "public/index.html": 25 });
  const { url, port, program } = await example.start();
  await expectTwoPagesToChat(browser, url);
  expect(program.output).not.toMatch(UNEXPECTED);
  expect(await example.outputOnTakenPort(port)).toContain("EADDRINUSE");
});

test("over HTTPS, and whatever a middleware answers", { timeout: PATIENCE }, async () => {
  example.addCertificate();
  example.edit("server.mjs", (text) =>
    text
      .replace(/const server = (?:.*\n)*?\}\);\n/, documented("express", "https"))
      .replace("const port", 'app.use((request, response) => response.status(403).send("Forbidden"));\n$&'),
  );
  const { port } = await example.start();
  const [page] = await expectTwoPagesToChat(browser, `https://localhost:${port}`);
  expect(page.url()).toMatch(/^https:/);
});

test("authenticate reads the session of the page", { timeout: PATIENCE }, async () => {
  const { url, program } = await example.start("session");
  const stranger = await browser.newPage();
  const refusal = stranger.waitForEvent("pageerror");
  await stranger.goto(url);
  expect((await refusal).message).toContain("unauthorized");
  await stranger.close();

  const ann = await openPage(browser, `${url}/login/ann`);
  const bob = await openPage(browser, `${url}/login/bob`);
  await expectChat([ann, bob], "Hello");
  expect(await bob.getByRole("listitem").allInnerTexts()).toStrictEqual(["ann: Hello"]);
  expect(program.output).not.toMatch(UNEXPECTED);
});
