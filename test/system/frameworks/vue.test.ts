import { expect, test } from "vitest";
import { PATIENCE, fixtureOf } from "./example.ts";
import { expectDevelopment, expectProduction } from "./vite-application.ts";

const fixture = fixtureOf("vue");

test("two pages chat while their component is edited", { timeout: PATIENCE }, async () => {
  await expect(expectDevelopment(fixture.example, fixture.browser, "Chat.vue")).resolves.toHaveLength(2);
});

test("two pages of the built application chat", { timeout: PATIENCE }, async () => {
  await expect(expectProduction(fixture.example, fixture.browser)).resolves.toBeUndefined();
});
