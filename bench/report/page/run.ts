import { html, type Markup } from "../markup.ts";
import type { Results } from "../../results.ts";

/** How to get a page like this one. */
export function runOf({ options }: Results): Markup {
  const words = wordsOf(options).map((setting) => html`<span>${setting}</span>`);
  return html`<pre><code>npm run bench                              # the quick set, about a minute
npm run bench -- --full --html report.html # everything, and this page
npm run bench -- --gate                    # fails where a gate does
npm run bench -- --help                    # everything else</code></pre>
    ${words.length > 0 && html`<p class="settings">This run: ${words}</p>`}`;
}

/** `pairs: 5`; what is nested is told beside the rest, what is off or absent is not told. */
function wordsOf(options: object): readonly string[] {
  return Object.entries(options).flatMap(([name, value]: [string, unknown]) => {
    if (value === undefined || value === null || value === false) return [];
    if (value === true) return [name];
    if (Array.isArray(value)) return value.length === 0 ? [] : [`${name}: ${value.join(", ")}`];
    if (typeof value === "object") return wordsOf(value);
    return [`${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`];
  });
}
