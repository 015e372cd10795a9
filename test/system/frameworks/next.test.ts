import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { launchBrowser } from "../browser/browser.ts";
import {
  documented,
  Example,
  expectChat,
  expectTwoPagesToChat,
  PATIENCE,
  UNEXPECTED,
  type Running,
} from "./example.ts";

/** An application as the tools of Next.js make it. */
const FILES = {
  "app/layout.jsx": `export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
`,
  "app/page.jsx": `export default function Page() {
  return <h1>Welcome</h1>;
}
`,
};
const SCRIPTS = { dev: "next dev", build: "next build", start: "next start" };

/** A page for all paths, that of the hub included. */
const CATCH_ALL = `export default async function Page() {
  return <h1>Any path</h1>;
}
`;

let example: Example;
let browser: Browser;
let before: string;
let lines: Readonly<Record<string, number>>;

beforeAll(async () => {
  browser = await launchBrowser();
  example = await Example.installWithoutChat("next", FILES, SCRIPTS);
  before = await example.during("dev", ({ url }) => textOf(url));
  lines = await example.addChat();
}, PATIENCE);

afterAll(async () => {
  await browser.close();
  example.remove();
}, PATIENCE);

function textOf(url: string): Promise<string> {
  return fetch(url).then((response) => response.text());
}

/** How a connection with the hub ends after Next.js has answered a request. */
async function endAfterRequest({ port, url }: Running): Promise<number> {
  await textOf(url);
  return new Promise((resolve) => {
    const client = new WebSocket(`ws://localhost:${port}/chat`).on("close", resolve).on("error", () => {});
    onTestFinished(() => client.terminate());
  });
}

/**
 * Edits the page of the example, again after a while: a page does not hear of an edit that comes before it listens for
 * edits. The returned function says whether pages show the latest and are in the room.
 */
function editor(pages: readonly Page[]): () => Promise<boolean> {
  let editedAt = 0;
  return async () => {
    if (Date.now() - editedAt > 10_000) {
      editedAt = Date.now();
      example.edit("app/page.jsx", (text) => text.replace(/(<h1>.*<\/h1>)?<ul>/, `<h1>Edit ${editedAt}</h1><ul>`));
    }
    const found = pages.map(async (page) => {
      const isEdited = await page.getByRole("heading", { name: `Edit ${editedAt}` }).isVisible();
      return isEdited && page.getByRole("button", { name: "Send" }).isEnabled();
    });
    return (await Promise.all(found)).every(Boolean);
  };
}

test("an application gets a chat by one command and few lines", { timeout: PATIENCE }, async () => {
  expect(before).toContain("<h1>Welcome</h1>");
  expect(lines).toStrictEqual({ "package.json": 2, "server.mjs": 15, "app/layout.jsx": 0, "app/page.jsx": 27 });
  const { url, program } = await example.start("dev");
  const [ann, bob] = await expectTwoPagesToChat(browser, url);

  await expect.poll(editor([ann, bob]), { interval: 200, timeout: 120_000 }).toBe(true);
  await expectChat([ann, bob], "Hello again");
  expect(program.output).not.toMatch(UNEXPECTED);
});

describe("in production, with a page for all paths", () => {
  beforeAll(async () => {
    example.write("app/[...path]/page.jsx", CATCH_ALL);
    await example.npm("run", "build");
  }, PATIENCE);

  test("two pages chat", { timeout: PATIENCE }, async () => {
    const { url, port, program } = await example.start();
    expect(await textOf(`${url}/chat`)).toContain("Any path");
    await expectTwoPagesToChat(browser, url);
    expect(program.output).not.toMatch(UNEXPECTED);
    expect(await example.outputOnTakenPort(port)).toContain("EADDRINUSE");
  });

  test("two pages chat over HTTPS", { timeout: PATIENCE }, async () => {
    example.addCertificate();
    example.edit("server.mjs", (text) => text.replace(/const server = .*\n/, documented("next", "https")));
    const { port } = await example.start();
    const [page] = await expectTwoPagesToChat(browser, `https://localhost:${port}`);
    expect(page.url()).toMatch(/^https:/);
  });

  test("a server that Next.js finds by itself would lose the connections", { timeout: PATIENCE }, async () => {
    example.edit("server.mjs", (text) =>
      text.replace(", httpServer: others", "").replace(/server\.on(?:.*\n)*?\}\);\n/, ""),
    );
    expect(await endAfterRequest(await example.start())).toBe(1006);
  });
});
