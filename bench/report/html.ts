import { readFileSync } from "node:fs";
import type { Results } from "../results.ts";
import { batchingCharts } from "./charts/batching.ts";
import { latencyCharts } from "./charts/latency.ts";
import { memoryCharts } from "./charts/memory.ts";
import { ratioCharts } from "./charts/ratios.ts";
import { stripCharts } from "./charts/strips.ts";
import { html, Markup, type Content } from "./markup.ts";
import { aboutOf } from "./page/about.ts";
import { headlineOf, statementsOf } from "./page/headline.ts";
import { gatesTable, resultTables } from "./page/tables.ts";

const STYLE = new Markup(readFileSync(new URL("style.css", import.meta.url), "utf8"));

const RUN = html`<pre><code>npm run bench                              # the quick set, about a minute
npm run bench -- --full --html report.html # everything, and this page
npm run bench -- --gate                    # fails where a gate does
npm run bench -- --help                    # everything else</code></pre>`;

/** What a run has found, as a page that needs nothing else: no script, no network. */
export function htmlOf(results: Results): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>roomcast: what a delivery costs</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <header>
          <p class="kicker">roomcast · broadcast benchmark</p>
          <h1>${headlineOf(results)}</h1>
          <ul class="statements">
            ${statementsOf(results).map((statement) => html`<li>${statement}</li>`)}
          </ul>
        </header>
        <main>${aboutOf(results)} ${sectionsOf(results)}</main>
      </body>
    </html> `.toString();
}

function sectionsOf({ rows, gates }: Results): readonly Content[] {
  const batching = html`Bare writes, for comparison: one write for each member and turn, without a library. Both axes
  are logarithmic.`;
  const ratios = html`The line at 1.00 is the control. Bars to its left are below the control, bars to its right above.
  The thin line is the 95 % interval. What was wrong or cannot be told is said in words and has no bar.`;
  const latency = html`All peers send at the same fixed rates, in per cent of what the control can carry. The ring is
  the median, the dot p99, the strokes are p99.9 and the maximum. The axis is logarithmic.`;
  const around = "One mark for each case in which the peer was driven to its capacity.";
  const memory = "After a garbage collection, less the empty server.";
  return [
    section("batching", "What a delivery costs, by messages in a turn", batching, batchingCharts(rows)),
    section("ratios", "Each peer against a loop of ws.send", ratios, ratioCharts(rows)),
    section("latency", "Latency under the same load", latency, latencyCharts(rows)),
    section("memory", "What an idle connection holds", memory, memoryCharts(rows)),
    section("around", "What stands behind it", around, stripCharts(rows)),
    section("gates", "Gates", "What a run with --gate has to show.", gates.length === 0 ? [] : [gatesTable(gates)]),
    section("all", "All results", "Medians, with their 95 % intervals.", resultTables(rows)),
    section("run", "How to run it", undefined, [RUN]),
  ];
}

function section(id: string, title: string, introduction: Content, contents: readonly Markup[]): Content {
  if (contents.length === 0) return undefined;
  return html`<section id="${id}">
    <h2>${title}</h2>
    ${introduction && html`<p class="introduction">${introduction}</p>`}
    <div class="groups">${contents}</div>
  </section>`;
}
