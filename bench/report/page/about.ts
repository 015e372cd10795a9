import type { Results } from "../../results.ts";
import { swatch } from "../charts/chart.ts";
import { html, type Markup } from "../markup.ts";
import { factsOf, notesOf, settingsOf, type Fact } from "../../facts.ts";
import { inOrder } from "./looks.ts";

const METHOD = html`<ol>
  <li>Coordinator, server and receivers are processes of their own. Every slice has a fresh server.</li>
  <li>
    Slices of all peers are interleaved, A B B A. A ratio is the median of those paired by round, with its bootstrap
    95&nbsp;% interval; where that spans 1, there is no difference.
  </li>
  <li>
    The receivers are bare sockets that check every message of every connection and room: gaps, doubles, order, rooms,
    echoes. One that is wrong makes the result void.
  </li>
  <li>
    Capacity is measured with as much in flight as the receivers give credit for. Latency is measured apart, at fixed
    rates that are the same for all, from the moment a message was meant to leave.
  </li>
  <li>
    CPU time is that of the server, user and system. The receivers’ load is watched: where they are the bottleneck, no
    verdict is given. Slices that were disturbed are repeated, and count only where there is no quiet one.
  </li>
</ol>`;

/** What was measured, on what, how, and who took part: before anybody believes a number. */
export function aboutOf(results: Results): Markup {
  const peers = inOrder(results.peers.map(({ name, unavailable }) => ({ peer: name, unavailable })));
  return html`<section class="about">
    <div>
      <h2>The machine</h2>
      ${listOf(factsOf(results))}
    </div>
    <div>
      <h2>How it was measured</h2>
      ${METHOD}
    </div>
    <div>
      <h2>Who took part</h2>
      <ul class="peers">
        ${peers.map(({ peer, unavailable }) => html`<li class="${unavailable && "absent"}">${swatch(peer)} <b>${peer}</b></li>`)}
      </ul>
      ${notesOf(results).map((words) => html`<p class="settings">${words}</p>`)}
      <details class="settings">
        <summary>How they were set</summary>
        ${listOf(settingsOf(results))}
      </details>
    </div>
  </section>`;
}

function listOf(facts: readonly Fact[]): Markup {
  const items = facts.map(
    ([name, values]) =>
      html`<dt>${name}</dt>
        <dd>${values.join("; ")}</dd>`,
  );
  return html`<dl>${items.map((item) => html`<div>${item}</div>`)}</dl>`;
}
