import { html, type Markup } from "../markup.ts";
import type { PeerState, Results } from "../../results.ts";
import { inOrder, swatch } from "./looks.ts";
import { countOf, numberOf, quantityOf } from "./numbers.ts";

/** What was measured, on what, how, and who took part: before anybody believes a number. */
export function aboutOf(results: Results): Markup {
  return html`<section class="about">
    <div>
      <h2>The machine</h2>
      ${machineOf(results)}
    </div>
    <div>
      <h2>How it was measured</h2>
      ${methodOf(results)}
    </div>
    <div>
      <h2>Who took part</h2>
      <ul class="peers">
        ${inOrder(results.peers, (peer) => peer.name).map(peerOf)}
      </ul>
      ${exceptionsOf(results).map((exception) => html`<p class="settings common">${exception}</p>`)}
      ${allSettings(results.peers)}
    </div>
  </section>`;
}

function machineOf({ machine, started, seconds }: Results): Markup {
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  const facts: readonly (readonly [string, string])[] = [
    ["CPU", `${machine.cpu}, ${countOf(machine.cores)} ${machine.cores === 1 ? "core" : "cores"}`],
    ["Memory", quantityOf(machine.memory, "peakResident")],
    ["System", machine.system],
    ["Node.js", machine.node],
    ["Libraries", packages.join(", ")],
    ["Cores", machine.pinning],
    ["Run", `${started.replace("T", " ").replace(/\.\d+Z$/, " UTC")}, ${durationOf(seconds)}`],
  ];
  return html`<dl>
    ${facts.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

function methodOf({ slices, rows }: Results): Markup {
  const disturbed = rows.filter((row) => row.disturbed > 0).length;
  return html`<ol>
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
      verdict is given. ${countOf(slices.length)} ${slices.length === 1 ? "slice was" : "slices were"}
      run.${disturbed > 0 && ` In ${countOf(disturbed)} results some were disturbed by other programs; such slices are repeated, and count only where there is no quiet one.`}
    </li>
  </ol>`;
}

function peerOf({ name, unavailable }: PeerState): Markup {
  return html`<li${unavailable !== undefined && html` class="absent"`}>
    ${swatch(name)}
    <div><b>${name}</b>${unavailable !== undefined && html` took no part: ${unavailable}`}</div>
  </li>`;
}

function allSettings(peers: readonly PeerState[]): Markup {
  const common = commonSettings(peers);
  const own = inOrder(peers, (peer) => peer.name).map(({ name, settings }) => ({
    name,
    words: settingsOf(settings).filter((setting) => !common.has(setting)),
  }));
  const groups = [{ name: "All", words: [...common] }, ...own].filter(({ words }) => words.length > 0);
  if (groups.length === 0) return html``;
  return html`<details>
    <summary>How they were set</summary>
    ${groups.map(
      ({ name, words }) =>
        html`<p class="settings"><b>${name}</b> ${words.map((setting) => html`<span>${setting}</span>`)}</p>`,
    )}
  </details>`;
}

/** Who did not take part in everything, and what went wrong on the way; each said once. */
function exceptionsOf({ peers, absences = [], slices }: Results): readonly string[] {
  const isGone = new Set(peers.filter(({ unavailable }) => unavailable !== undefined).map(({ name }) => name));
  const absent = absences
    .filter(({ peer }) => !isGone.has(peer))
    .map(({ peer, scenario, reason }) => `${peer} took no part in ${scenario}: ${reason}`);
  const failed = slices.flatMap(({ peer, scenario, failure }) =>
    failure === undefined ? [] : [`A slice of ${peer} in ${scenario} failed: ${failure}`],
  );
  return [...new Set([...absent, ...failed])];
}

/** What all that took part have in common, to be said once. */
function commonSettings(peers: readonly PeerState[]): ReadonlySet<string> {
  const [first, ...others] = peers
    .filter((peer) => peer.unavailable === undefined)
    .map((peer) => settingsOf(peer.settings));
  return new Set(others.length === 0 ? [] : first?.filter((words) => others.every((each) => each.includes(words))));
}

function settingsOf(settings: PeerState["settings"]): readonly string[] {
  return Object.entries(settings).map(([setting, value]) => `${setting}: ${value}`);
}

function durationOf(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${numberOf(seconds)} s` : `${minutes} min ${Math.round(seconds % 60)} s`;
}
