import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { expectTwoPagesToChat, openPage, PATIENCE, fixtureOf } from "./example.ts";
import { expectDevelopment, expectProduction, listenOnPort } from "./vite-application.ts";

const fixture = fixtureOf("vite");

test("two pages chat while their page is edited", { timeout: PATIENCE }, async () => {
  await expect(expectDevelopment(fixture.example, fixture.browser, "index.html")).resolves.toHaveLength(2);
});

test("an edit of the hub restarts the server", { timeout: PATIENCE }, async () => {
  listenOnPort(fixture.example);
  const { url, program } = await fixture.example.start("dev");
  const ann = await openPage(fixture.browser, url);
  fixture.example.edit("chat.mjs", (text) => text.replace("String(text)", "String(text).toUpperCase()"));
  await expect.poll(() => program.output, { timeout: PATIENCE }).toContain("server restarted");
  const bob = await openPage(fixture.browser, url);
  const heard = async (): Promise<boolean> => {
    await bob.getByRole("textbox").fill("hello");
    await bob.getByRole("button").click();
    return ann.getByText("HELLO").first().isVisible();
  };
  // Again and again, because this page comes back when it likes.
  await expect.poll(heard, { timeout: PATIENCE }).toBe(true);
});

test("two pages of the built application chat, also under `vite preview`", { timeout: PATIENCE }, async () => {
  await expectProduction(fixture.example, fixture.browser);
  fixture.example.edit("vite.config.mjs", (text) =>
    text.replace("plugins:", "preview: { port: Number(process.env.PORT), strictPort: true }, plugins:"),
  );
  const { url } = await fixture.example.start("preview");
  await expect(expectTwoPagesToChat(fixture.browser, url)).resolves.toHaveLength(2);
});

test("Vite starts in middleware mode, as Vitest does it", { timeout: PATIENCE }, async () => {
  const program = `
    import { createServer } from "vite";
    const server = await createServer({ server: { middlewareMode: true } });
    await server.close();
  `;
  const args = ["--input-type=module", "--eval", program];
  const running = promisify(execFile)(process.execPath, args, { cwd: fixture.example.folder });
  await expect(running).resolves.toMatchObject({ stderr: "" });
});
