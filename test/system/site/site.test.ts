import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../browser/browser.ts";
import { Site } from "./site.ts";

/** npm installs 150 packages, and VitePress renders 300 pages twice. */
const BUILDING = 900_000;

/** The number of tables that are wider than their boxes. */
const SCROLLING_TABLES =
  "[...document.querySelectorAll('.vp-doc table')].filter((table) => table.scrollWidth > table.clientWidth).length";

/** The width of a phone. */
const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 } };

let site: Site;
let browser: Browser;
let context: BrowserContext | undefined;

/** What the pages have asked for, by the answer: 0 for what is not on loopback, and is not let through. */
const asked: { readonly url: string; readonly status: number }[] = [];

beforeAll(async () => {
  [site, browser] = await Promise.all([Site.build(), launchBrowser()]);
}, BUILDING);

afterEach(() => context?.close());

afterAll(async () => {
  await browser?.close();
  await site?.close();
}, BUILDING);

async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  context = await browser.newContext({ colorScheme: "light", ...options });
  context.setDefaultTimeout(BUILDING);
  await context.route(
    (url) => url.origin !== site.url,
    (route) => {
      asked.push({ url: route.request().url(), status: 0 });
      return route.abort();
    },
  );
  const page = await context.newPage();
  page.on("response", (response) => asked.push({ url: response.url(), status: response.status() }));
  await page.goto(site.url + path);
  return page;
}

/** The targets of the links in a part of the page. */
const linksIn = (part: string): string =>
  `[...document.querySelectorAll("${part} a")].map((link) => link.getAttribute("href"))`;

test("the search finds an option in the reference, and opens it", { timeout: BUILDING }, async () => {
  const page = await open("/");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("searchbox").fill("maxBufferedBytes");
  const hit = page.locator("#localsearch-list a").filter({ hasText: "HubOptions" }).first();
  await hit.click();
  await page.waitForURL(/\/reference\/roomcast\/interfaces\/HubOptions\.html#maxbufferedbytes$/);
  await expect.poll(() => page.locator("h1").innerText()).toContain("HubOptions");
  expect(await page.locator(".vp-doc").innerText()).toContain("Default: 4 MiB.");
});

test("the switch makes pages dark, and they stay so", { timeout: BUILDING }, async () => {
  const page = await open("/ERRORS.html");
  const shade = (): Promise<string> => page.evaluate("getComputedStyle(document.body).backgroundColor");
  expect(await shade()).toBe("rgb(255, 255, 255)");
  await page.getByRole("switch").first().click();
  await expect.poll(shade).toBe("rgb(27, 27, 31)");
  await page.goto(`${site.url}/API.html`);
  expect(await shade()).toBe("rgb(27, 27, 31)");
});

test("no page is wider than a phone, and tables scroll inside their own box", { timeout: BUILDING }, async () => {
  const written = site.pages.filter((path) => !/^\/(?:reference|decisions)\//.test(path));
  const generated = [
    "/reference/",
    "/reference/roomcast/classes/Hub.html",
    "/reference/roomcast/client/classes/ClientError.html",
  ];
  expect(written).toContain("/API.html");
  const page = await open("/", PHONE);
  const widths: (readonly [string, number])[] = [];
  let scrolling = 0;
  for (const path of [...written, ...generated]) {
    await page.goto(site.url + path);
    widths.push([path, await page.evaluate<number>("document.documentElement.scrollWidth")]);
    scrolling += await page.evaluate<number>(SCROLLING_TABLES);
  }
  expect(widths.filter(([, width]) => width > 390)).toStrictEqual([]);
  expect(scrolling).toBeGreaterThan(5);
});

test("the menu of a phone leads to every document and decision", { timeout: BUILDING }, async () => {
  const page = await open("/", PHONE);
  const links = await page.evaluate<string[]>(linksIn(".VPSidebar"));
  const pages = site.pages.filter((path) => !path.startsWith("/reference/") && path !== "/index.html");
  expect(links.toSorted()).toStrictEqual(pages.toSorted());
});

test(
  "names of what is exported lead to the reference, and links out of the site are text",
  { timeout: BUILDING },
  async () => {
    const page = await open("/API.html");
    const link = page.locator(".vp-doc a", { hasText: /^HubOptions$/ }).first();
    expect(await link.getAttribute("href")).toBe("/reference/roomcast/interfaces/HubOptions.html");
    await page.goto(`${site.url}/project/README.html`);
    const targets = await page.evaluate<string[]>(linksIn(".vp-doc"));
    expect(targets).toContain("/API.html");
    expect(targets.filter((target) => !/^(?:https?:|#|\/)/.test(target))).toStrictEqual([]);
  },
);

test("all that pages ask for is on the site", () => {
  expect(asked.length).toBeGreaterThan(50);
  expect(asked.filter(({ status }) => status !== 200)).toStrictEqual([]);
});

test("the configuration compiles", { timeout: BUILDING }, async () => {
  expect(await site.run("node_modules/.bin/tsc", "-p", "docs")).toBe("");
});
