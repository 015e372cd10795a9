import type { Browser, Page } from "playwright-core";
import { connect } from "roomcast/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { launchBrowser } from "../browser/browser.ts";
import { documented, Example, expectTwoPagesToChat, PATIENCE } from "./example.ts";
import { expectDevelopment, expectProduction } from "./vite-application.ts";

let example: Example;
let browser: Browser;

beforeAll(async () => {
  [example, browser] = await Promise.all([Example.install("sveltekit"), launchBrowser()]);
}, PATIENCE);

afterAll(async () => {
  await browser.close();
  example.remove();
}, PATIENCE);

test("two pages chat while they are edited", { timeout: PATIENCE }, async () => {
  const page = "src/routes/+page.svelte";
  await expect(expectDevelopment(example, browser, page)).resolves.toHaveLength(2);
});

test("two pages of the built application chat", { timeout: PATIENCE }, async () => {
  await expect(expectProduction(example, browser)).resolves.toBeUndefined();
});

test("the hub knows users by the cookies of a hook, and endpoints reach it", { timeout: PATIENCE }, async () => {
  example.write("src/hooks.server.js", documented("sveltekit", "handle"));
  example.write("src/routes/news/+server.js", documented("sveltekit", "endpoint"));
  example.edit("chat.mjs", (text) =>
    text
      .replace("new Hub({", (start) => start + documented("sveltekit", "authenticate"))
      .replace("(text) => hub", "(text, { user }) => hub")
      .replace("String(text)", "`${user.id}: ${text}`")
      .replace("server.once", (start) => documented("sveltekit", "global") + start),
  );
  await example.npm("run", "build");
  const { url } = await example.start();

  const [ann, bob] = await expectTwoPagesToChat(browser, url);
  const said = [`${await visitor(ann)}: Hello from Ann`, `${await visitor(bob)}: Hello from Bob`];
  expect(await ann.getByRole("listitem").allTextContents()).toStrictEqual(said);

  await fetch(`${url}/news`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: "Tea is ready.",
  });
  for (const page of [ann, bob]) await page.getByText("Tea is ready.").waitFor({ timeout: PATIENCE });

  const stranger = connect(`${url}/chat`, { WebSocket });
  const refused = new Promise((resolve) => stranger.on("hub:state", resolve));
  expect(await refused).toMatchObject({ state: "closed", code: 4001 });
});

/** The id that the hook has given the visitor of a page. */
async function visitor(page: Page): Promise<string | undefined> {
  const cookies = await page.context().cookies();
  return cookies.find(({ name }) => name === "visitor")?.value;
}
