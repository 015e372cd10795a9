import { expect, test } from "vitest";
import { documented, expectTwoPagesToChat, PATIENCE, fixtureOf, UNEXPECTED } from "./example.ts";

const fixture = fixtureOf("koa");

test("two pages chat", { timeout: PATIENCE }, async () => {
  const { url, port, program } = await fixture.example.start();
  await expectTwoPagesToChat(fixture.browser, url);
  expect(program.output).not.toMatch(UNEXPECTED);
  expect(await fixture.example.outputOnTakenPort(port)).toContain("EADDRINUSE");
});

test("over HTTPS, and whatever a middleware answers", { timeout: PATIENCE }, async () => {
  fixture.example.addCertificate();
  fixture.example.edit("server.mjs", (text) =>
    text
      .replace(/const server = .*\n/, documented("koa", "https"))
      .replace("const port", "app.use((context) => context.throw(403));\n$&"),
  );
  const { port } = await fixture.example.start();
  const [page] = await expectTwoPagesToChat(fixture.browser, `https://localhost:${port}`);
  expect(page.url()).toMatch(/^https:/);
});
