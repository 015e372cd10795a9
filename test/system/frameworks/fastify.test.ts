import { expect, test } from "vitest";
import { documented, expectTwoPagesToChat, openPage, PATIENCE, fixtureOf, UNEXPECTED } from "./example.ts";

const fixture = fixtureOf("fastify");

test("two pages chat", { timeout: PATIENCE }, async () => {
  const { url, port, program } = await fixture.example.start();
  await expectTwoPagesToChat(fixture.browser, url);
  expect(program.output).not.toMatch(UNEXPECTED);
  expect(await fixture.example.outputOnTakenPort(port)).toContain("EADDRINUSE");
});

test("over HTTPS, and whatever a hook answers", { timeout: PATIENCE }, async () => {
  fixture.example.addCertificate();
  const hook =
    'app.addHook("onRequest", async ({ url }, reply) => {\n  if (url === "/chat") reply.code(403).send();\n});\n';
  fixture.example.edit("server.mjs", (text) => text.replace(/const app = .*\n/, documented("fastify", "https") + hook));
  const { port } = await fixture.example.start();
  const [page] = await expectTwoPagesToChat(fixture.browser, `https://localhost:${port}`);
  expect(page.url()).toMatch(/^https:/);
});

test(
  "a route sends to the room, and the application ends while pages are connected",
  { timeout: PATIENCE },
  async () => {
    fixture.example.edit("server.mjs", (text) =>
      text.replace("await app.listen", `${documented("fastify", "route")}${documented("fastify", "signal")}$&`),
    );
    const { url, program } = await fixture.example.start();
    const page = await openPage(fixture.browser, url);
    expect(await fetch(`${url}/news/Rain`).then((response) => response.text())).toBe("sent");
    await page.getByRole("listitem").getByText("Rain").waitFor();
    program.signal("SIGTERM");
    await program.ended();
    expect(program.isAlive).toBe(false);
  },
);
