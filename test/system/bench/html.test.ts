import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { htmlOf } from "../../../bench/report/html.ts";
import type { Results, Row } from "../../../bench/results.ts";
import { launchBrowser } from "../browser/browser.ts";
import { NO_VIOLATIONS } from "../../../bench/receivers/messages.ts";
import { sampleResults } from "../../support/bench/sample-results.ts";

const WIDTHS = [360, 768, 1600];

const HOSTILE = `</style></title><script>document.title="hacked"</script><img src=x onerror="document.title='hacked'">'"&`;

let browser: Browser;
/** Of the sample run; for tests that only look at it. */
let sample: Page;

beforeAll(async () => {
  browser = await launchBrowser();
  sample = await browser.newPage();
  await sample.setContent(htmlOf(sampleResults()));
});

afterAll(() => browser.close());

async function show(text: string, width = 1024): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  onTestFinished(() => page.close());
  await page.setContent(text);
  return page;
}

function resultsWith(rows: readonly Row[]): Results {
  return { ...sampleResults(), rows };
}

function rowsOf(scenario: string): readonly Row[] {
  return sampleResults().rows.filter((row) => row.scenario === scenario);
}

function withChanges(rows: readonly Row[], changes: (row: Row) => Partial<Row>): readonly Row[] {
  return rows.map((row) => Object.assign(row, changes(row)));
}

async function sections(results: Results): Promise<unknown> {
  const page = await show(htmlOf(results));
  return page.evaluate(`[...document.querySelectorAll("main > section[id]")].map(({ id }) => id)`);
}

interface Line {
  readonly words: readonly string[];
  readonly bars: number;
  readonly dots: number;
}

/** What stands on the line of a peer in a chart: its name and the other words, from left to right, and what is drawn. */
async function lineOf(panel: Locator, peer: string): Promise<Line> {
  const places = async (kind: string): Promise<{ across: number; down: number; words: string | null }[]> => {
    const elements = await panel.locator(`svg.chart ${kind}:visible`).all();
    return Promise.all(
      elements.map(async (element) => {
        const { x = 0, y = 0, height = 0 } = (await element.boundingBox()) ?? {};
        return { across: x, down: y + height / 2, words: await element.textContent() };
      }),
    );
  };
  const [texts, bars, dots] = await Promise.all(["text", "rect", "circle"].map(places));
  const line = texts?.find(({ words }) => words === peer)?.down ?? Number.NaN;
  const beside = (all: typeof texts = []): typeof all => all.filter(({ down }) => Math.abs(down - line) < 4);
  const words = beside(texts).toSorted((a, b) => a.across - b.across);
  return { words: words.map((text) => text.words ?? ""), bars: beside(bars).length, dots: beside(dots).length };
}

async function verdictOf(panel: string, peer: string): Promise<string | undefined> {
  const { words } = await lineOf(sample.locator("#ratios .panel", { hasText: panel }), peer);
  return words.at(-1);
}

describe("the page of a run", () => {
  it("needs nothing else: no script, no address", () => {
    const text = htmlOf(sampleResults());
    expect(text).not.toMatch(/https?:/);
    expect(text).not.toMatch(/NaN|Infinity|undefined|\[object/);
    expect(text).not.toMatch(/<script|<link|<iframe|<img|@import|url\(|\son\w+=/i);
  });

  it("asks nothing of the network", async () => {
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.setContent(htmlOf(sampleResults()), { waitUntil: "networkidle" });
    expect(requests).toEqual([]);
  });

  it("is well-formed: every element is closed by its own end tag", async () => {
    const page = await show("");
    const source = htmlOf(sampleResults());
    const body = source
      .slice(source.indexOf("<body>"), source.indexOf("</body>") + "</body>".length)
      .replaceAll("&nbsp;", " ");
    const errors = await page.evaluate(`(() => {
      const parsed = new DOMParser().parseFromString(${JSON.stringify(body)}, "application/xml");
      return [...parsed.querySelectorAll("parsererror")].map((error) => error.textContent);
    })()`);
    expect(errors).toEqual([]);
  });

  it("has unique ids, and every drawing a title, a description and a table of its numbers", async () => {
    expect(
      await sample.evaluate(`(() => {
        const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
        return ids.filter((id, index) => ids.indexOf(id) !== index);
      })()`),
    ).toEqual([]);
    const charts = sample.locator("svg.chart");
    expect(await charts.count()).toBeGreaterThan(20);
    expect(
      await sample.evaluate(`[...document.querySelectorAll("svg.chart")].filter((chart) =>
        ["labelledby", "describedby"].some((word) =>
          !document.getElementById(chart.getAttribute("aria-" + word))?.textContent.trim()) ||
        chart.closest(".group").querySelector("details.numbers td") === null).length`),
    ).toBe(0);
  });

  it.each(WIDTHS)("does not scroll sideways at %d pixels, and no letters lie on others", async (width) => {
    const page = await show(htmlOf(sampleResults()), width);
    await page.evaluate(`document.querySelectorAll("details").forEach((details) => (details.open = true))`);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    const { outside, overlapping, compared } = (await page.evaluate(`(() => {
      const outside = [], overlapping = [];
      let compared = 0;
      for (const chart of document.querySelectorAll("svg.chart")) {
        // Of a chart that has a narrow and a wide form, only one is shown.
        if (chart.getBoundingClientRect().width === 0) continue;
        const texts = [...chart.querySelectorAll("text")].map((text) => [text.textContent.trim(), text.getBoundingClientRect()]);
        for (const [index, [name, box]] of texts.entries()) {
          if (box.left < 0 || box.right > innerWidth) outside.push(chart.querySelector("title").textContent + ": " + name);
          for (const [other, next] of texts.slice(index + 1)) {
            compared++;
            const across = Math.min(box.right, next.right) - Math.max(box.left, next.left);
            const down = Math.min(box.bottom, next.bottom) - Math.max(box.top, next.top);
            // Boxes are taller than letters.
            if (across > 0 && down > 4) overlapping.push(chart.querySelector("title").textContent + ": " + name + " | " + other);
          }
        }
      }
      return { outside, overlapping, compared };
    })()`)) as { outside: string[]; overlapping: string[]; compared: number };
    expect(outside).toEqual([]);
    expect(overlapping).toEqual([]);
    expect(compared).toBeGreaterThan(1_000);
  });

  it("shows limit, value and result of every gate on a phone", async () => {
    const page = await show(htmlOf(sampleResults()), 390);
    const cells = page.locator("#gates tbody tr td:is(:nth-child(2), :nth-child(3), :last-child)");
    const boxes = await Promise.all((await cells.all()).map((cell) => cell.boundingBox()));
    expect(boxes).toHaveLength(3 * sampleResults().gates.length);
    for (const box of boxes) expect((box?.x ?? Infinity) + (box?.width ?? 0)).toBeLessThanOrEqual(390);
  });

  it.each(["light", "dark"] as const)("has letters with a contrast of 4.5 on a %s ground", async (colorScheme) => {
    const page = await browser.newPage({ colorScheme });
    onTestFinished(() => page.close());
    await page.setContent(htmlOf(sampleResults()));
    const pale = await page.evaluate(`(() => {
      const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      const luminance = (colour) => {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) =>
          value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      };
      const ground = luminance(getComputedStyle(document.body).backgroundColor);
      const contrast = (other) => (Math.max(ground, other) + 0.05) / (Math.min(ground, other) + 0.05);
      const pale = new Set();
      for (const element of document.querySelectorAll("body *")) {
        if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "")) continue;
        if (element.matches("title, desc, pre *")) continue;
        const style = getComputedStyle(element);
        const colour = element instanceof SVGElement ? style.fill : style.color;
        if (contrast(luminance(colour)) < 4.5) pale.add(element.getAttribute("class") + " " + colour);
      }
      return [...pale];
    })()`);
    expect(pale).toEqual([]);
  });

  it("says in one sentence what was found, from the numbers", async () => {
    expect(await sample.locator("h1").textContent()).toBe(
      "With 16 messages a turn, the hub on ws delivers for 0.065 of what a ws.send loop costs",
    );
    const worse = withChanges(rowsOf("burst"), ({ peer }) =>
      peer === "hub on ws" ? { ratio: { median: 1.4, low: 1.3, high: 1.5 }, verdict: "worse" } : {},
    );
    expect(await (await show(htmlOf(resultsWith(worse)))).locator("h1").textContent()).toContain(
      "hub on ws delivers for 1.40 of",
    );
  });

  it("claims nothing where there is no difference, and nothing where all is void", async () => {
    const rows = withChanges(rowsOf("burst"), ({ verdict }) => (verdict === "control" ? {} : { verdict: "same" }));
    expect(await (await show(htmlOf(resultsWith(rows)))).locator("h1").textContent()).toContain(
      "no difference is shown between the hub on ws and a ws.send loop",
    );
    const violations = { ...NO_VIOLATIONS, missing: 1 };
    const spoilt = withChanges(rows, () => ({ verdict: "void", violations }));
    const page = await show(htmlOf(resultsWith(spoilt)));
    expect(await page.locator("h1").textContent()).toBe("In this run no hub could be compared with the control");
    expect(await page.locator("svg.chart rect").count()).toBe(0);
  });

  it("shows what is void in words, never as a bar or a point", async () => {
    const bars = sample.locator("#ratios .panel", { hasText: "128 a turn" });
    const spoilt = await lineOf(bars, "socket.io uws");
    expect(spoilt).toEqual({ words: ["socket.io uws", "void: 3 missing and more"], bars: 0, dots: 0 });
    expect((await lineOf(bars, "hub on ws")).bars).toBe(1);
    // Two panels, CPU and writes: six peers with five points, but one of them void.
    expect(await sample.locator("#batching .wide g.mark > *").count()).toBe(2 * 29);
    const latencies = sample.locator("#latency .panel", { hasText: "At 90" });
    expect(await lineOf(latencies, "socket.io ws")).toEqual({
      words: ["socket.io ws", "void: 12,000 missing"],
      bars: 0,
      dots: 0,
    });
  });

  it("compares the peers at each load, also where there is only one", async () => {
    const groups = sample.locator("#latency .group");
    const captions = (group: number): Promise<string[]> => groups.nth(group).locator("figcaption").allTextContents();
    expect(await captions(0)).toEqual([25, 50, 75, 90].map((load) => expect.stringContaining(`At ${load}\u00A0% of`)));
    expect(await captions(1)).toEqual([expect.stringContaining("At 75\u00A0% of")]);
    expect(await lineOf(groups.nth(1).locator(".panel"), "hub on ws")).toEqual({
      words: ["hub on ws", "324\u00A0µs", "1.05\u00A0ms"],
      bars: 0,
      dots: 2,
    });
  });

  it("gives each verdict in words", async () => {
    expect(await verdictOf("64 B, 16 a turn", "hub on ws")).toBe("15.3× cheaper");
    expect(await verdictOf("64 B, 16 a turn", "socket.io ws")).toBe("27\u00A0% dearer");
    expect(await verdictOf("500 rooms of 10", "socket.io uws")).toBe("no difference");
    expect(await verdictOf("4 of them stalled", "uws publish")).toBe("receiver-bound");
    expect(await verdictOf("2,000 connections", "hub on uws")).toBe("2.3× more");
    expect(await verdictOf("2,000 connections", "socket.io ws")).toBe("no control");
  });

  it("tells who took no part and why, what all have in common once, and the machine", async () => {
    const about = ((await sample.locator(".about").textContent()) ?? "").replaceAll(/\s+/g, " ");
    expect(about).toContain("crossws took no part: crossws/adapters/node: there is no export of that name");
    expect(about.match(/uws publish took no part in multi-room: it has no unions of rooms/g)).toHaveLength(1);
    expect(about.match(/compression: off/g)).toHaveLength(1);
    expect(about).toContain("AMD EPYC 7B13, 2 cores");
  });

  it("leaves out the charts for which there is nothing", async () => {
    expect(await sections(sampleResults())).toEqual([
      "batching",
      "ratios",
      "latency",
      "memory",
      "around",
      "gates",
      "all",
      "run",
    ]);
    expect(await sections({ ...resultsWith(rowsOf("idle")), gates: [] })).toEqual(["ratios", "memory", "all", "run"]);
    expect(await sections({ ...resultsWith([]), gates: [] })).toEqual(["run"]);
    const latencies = sampleResults().rows.filter((row) => row.load !== undefined);
    expect(await sections({ ...resultsWith(latencies), gates: [] })).toEqual(["latency", "all", "run"]);
  });

  it("draws one turn without a curve, one load, and figures that are all the same or nothing", async () => {
    const one = rowsOf("burst").filter((row) => row.parameters?.perTurn === 16);
    const still = withChanges(one, ({ figures }) => ({ figures: { ...figures, gc: { median: 0, low: 0, high: 0 } } }));
    const single = sampleResults().rows.filter((row) => row.load === 0.75);
    const text = htmlOf(resultsWith([...still, ...single]));
    expect(text).not.toContain('id="batching"');
    expect(text).toContain('id="latency"');
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("shows hostile words as words, wherever they come from", async () => {
    const results = sampleResults();
    const page = await show(
      htmlOf({
        ...results,
        machine: { ...results.machine, cpu: HOSTILE, packages: { [HOSTILE]: HOSTILE } },
        options: { [HOSTILE]: HOSTILE },
        peers: results.peers.map((peer) => ({ ...peer, settings: { [HOSTILE]: HOSTILE }, unavailable: HOSTILE })),
        gates: [{ name: HOSTILE, limit: 1, passed: undefined }],
        rows: results.rows.map((row) => Object.assign(row, { scenario: HOSTILE, case: HOSTILE, remarks: [HOSTILE] })),
      }),
    );
    expect(await page.title()).toBe("roomcast: what a delivery costs");
    expect(await page.locator("img, script").count()).toBe(0);
    expect(await page.locator("h3").first().textContent()).toContain(HOSTILE);
    expect(await page.locator("#all td:last-child").first().textContent()).toContain(HOSTILE);
  });
});
