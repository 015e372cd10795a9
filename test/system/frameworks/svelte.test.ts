import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../browser/browser.ts";
import { Example, PATIENCE } from "./example.ts";
import { expectDevelopment, expectProduction } from "./vite-application.ts";

let example: Example;
let browser: Browser;

beforeAll(async () => {
  [example, browser] = await Promise.all([Example.install("svelte"), launchBrowser()]);
}, PATIENCE);

afterAll(async () => {
  await browser.close();
  example.remove();
}, PATIENCE);

test("two pages chat while their component is edited", { timeout: PATIENCE }, async () => {
  await expect(expectDevelopment(example, browser, "Chat.svelte")).resolves.toHaveLength(2);
});

test("two pages of the built application chat", { timeout: PATIENCE }, async () => {
  await expect(expectProduction(example, browser)).resolves.toBeUndefined();
});
