import type { Browser, Page } from "playwright-core";
import { expect } from "vitest";
import { expectChat, expectTwoPagesToChat, PATIENCE, UNEXPECTED, type Example } from "./example.ts";

/**
 * Has two pages of a development server of Vite chat, adds a heading to the source of the page, and has the pages go on:
 * hub and hot module replacement share the port.
 *
 * @param path - the file with the list of messages.
 * @returns the pages.
 */
export async function expectDevelopment(
  example: Example,
  browser: Browser,
  path: string,
): Promise<readonly [Page, Page]> {
  listenOnPort(example);
  const { url, program } = await example.start("dev");
  const [ann, bob] = await expectTwoPagesToChat(browser, url);
  example.edit(path, (text) => text.replace("<ul>", "<h1>Lobby</h1>$&"));
  for (const page of [ann, bob]) {
    await page.getByRole("heading", { name: "Lobby" }).waitFor({ timeout: PATIENCE });
    // The page, or the component, may have begun anew.
    await page.getByRole("button").and(page.locator(":enabled")).waitFor({ timeout: PATIENCE });
  }
  await expectChat([ann, bob], "Goodbye");
  expect(program.output).not.toMatch(UNEXPECTED);
  return [ann, bob];
}

/** Has two pages of the built application chat. */
export async function expectProduction(example: Example, browser: Browser): Promise<void> {
  await example.npm("run", "build");
  const { url } = await example.start();
  await expectTwoPagesToChat(browser, url);
}

/** Has the development server of Vite listen on the port that the test asks for, and on no other. */
export function listenOnPort(example: Example): void {
  example.edit("vite.config.mjs", (text) =>
    text.replace("plugins:", "server: { port: Number(process.env.PORT), strictPort: true }, plugins:"),
  );
}
