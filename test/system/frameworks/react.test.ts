import { expect, test } from "vitest";
import { PATIENCE, fixtureOf } from "./example.ts";
import { expectDevelopment, expectProduction } from "./vite-application.ts";

const fixture = fixtureOf("react");

test("two pages chat while their component is edited", { timeout: PATIENCE }, async () => {
  const pages = await expectDevelopment(fixture.example, fixture.browser, "chat.jsx");
  for (const page of pages) {
    const messages = await page.getByRole("listitem").allTextContents();
    expect(messages).toStrictEqual(["Hello from Ann", "Hello from Bob", "Goodbye"]);
  }
});

test("two pages of the built application chat", { timeout: PATIENCE }, async () => {
  await expect(expectProduction(fixture.example, fixture.browser)).resolves.toBeUndefined();
});
