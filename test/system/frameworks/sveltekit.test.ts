import type { Page } from "playwright-core";
import { connect } from "roomcast/client";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { documented, expectTwoPagesToChat, PATIENCE, fixtureOf } from "./example.ts";
import { expectDevelopment, expectProduction } from "./vite-application.ts";

const fixture = fixtureOf("sveltekit");

test("two pages chat while they are edited", { timeout: PATIENCE }, async () => {
  const page = "src/routes/+page.svelte";
  await expect(expectDevelopment(fixture.example, fixture.browser, page)).resolves.toHaveLength(2);
});

test("two pages of the built application chat", { timeout: PATIENCE }, async () => {
  await expect(expectProduction(fixture.example, fixture.browser)).resolves.toBeUndefined();
});

test("the hub knows users by the cookies of a hook, and endpoints reach it", { timeout: PATIENCE }, async () => {
  fixture.example.write("src/hooks.server.js", documented("sveltekit", "handle"));
  fixture.example.write("src/routes/news/+server.js", documented("sveltekit", "endpoint"));
  fixture.example.edit("chat.mjs", (text) =>
    text
      .replace("new Hub({", (start) => start + documented("sveltekit", "authenticate"))
      .replace("(text) => hub", "(text, { user }) => hub")
      .replace("String(text)", "`${user.id}: ${text}`")
      .replace("server.once", (start) => documented("sveltekit", "global") + start),
  );
  await fixture.example.npm("run", "build");
  const { url } = await fixture.example.start();

  const [ann, bob] = await expectTwoPagesToChat(fixture.browser, url);
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
