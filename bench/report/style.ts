/**
 * Colours are those of Okabe and Ito, darker on light ground and lighter on dark, so that letters in them have a contrast
 * of 4.5 and marks one of 3: the hubs warm, everybody else blue and grey.
 */
export const STYLE: string = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#fcfbf9, #14171a);
  --raised: light-dark(#f3f1ec, #1d2125);
  --ink: light-dark(#1b1f24, #e6e9ec);
  --muted: light-dark(#5a5f67, #a3a9b0);
  --grid: light-dark(#e4e1da, #2b3036);
  --line: light-dark(#cfcbc2, #3b4148);
  --bad: light-dark(#a3123a, #ff8fa3);
  --good: light-dark(#1f6b47, #74cfa2);
  --peer: light-dark(#6b7077, #9aa0a8);
  font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
.hub-ws { --peer: light-dark(#c2410c, #ff8a4a); }
.hub-uws { --peer: light-dark(#c07f00, #f2b632); --letters: light-dark(#8f5e00, #f2b632); }
.ws-loop { --peer: light-dark(#454b53, #c3c8ce); }
.uws-publish { --peer: light-dark(#0b5c92, #6db3e8); }
.socket-io-ws { --peer: light-dark(#48749c, #8fb2d2); }
.socket-io-uws { --peer: light-dark(#2f74a8, #5c9bd0); }
.crossws { --peer: light-dark(#6b7078, #8f959d); }

*, ::before, ::after { box-sizing: border-box; }
body {
  margin: 0 auto;
  padding: clamp(1rem, 3vw, 3rem);
  max-width: 92rem;
  background: var(--ground);
  color: var(--ink);
  overflow-wrap: anywhere;
  -webkit-text-size-adjust: 100%;
}
h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
ul { list-style: none; }
a { color: inherit; text-underline-offset: 0.15em; }
:focus-visible { outline: 2px solid var(--peer); outline-offset: 3px; }

header { display: grid; gap: 1.25rem clamp(2rem, 4vw, 4rem); }
@media (min-width: 64rem) {
  header { grid-template-columns: 3fr 2fr; align-items: start; }
}
.kicker { grid-column: 1 / -1; color: var(--muted); font-size: 0.875rem; }
h1 {
  margin: 0;
  max-width: 26ch;
  font-size: clamp(1.75rem, 1.2rem + 2.4vw, 3.25rem);
  font-weight: 600;
  line-height: 1.12;
  letter-spacing: -0.022em;
  text-wrap: balance;
}
h1 strong { color: var(--letters, var(--peer)); font-weight: 700; }
.statements { display: grid; gap: 0.5rem; max-width: 75ch; font-size: 0.9375rem; }
.statements li { padding-block-start: 0.5rem; border-block-start: 1px solid var(--grid); }

section { margin-block-start: clamp(2.5rem, 4vw, 4rem); }
h2 { font-size: 1.375rem; font-weight: 650; line-height: 1.25; letter-spacing: -0.012em; text-wrap: balance; }
h3 { font-size: 1rem; font-weight: 650; }
.measure { color: var(--muted); font-size: 0.8125rem; font-weight: 400; }
h3 .measure { display: block; }
.introduction { margin-block-start: 0.35rem; max-width: 75ch; color: var(--muted); font-size: 0.9375rem; }

.about {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr));
  gap: 1.5rem clamp(1.5rem, 3vw, 3rem);
  padding-block: 1.25rem;
  border-block: 1px solid var(--line);
  font-size: 0.8125rem;
  line-height: 1.45;
}
.about h2 { margin-block-end: 0.5rem; font-size: 0.875rem; letter-spacing: 0; }
.about dl > div { display: grid; grid-template-columns: 5rem 1fr; }
.about dt { color: var(--muted); }
.about ol { padding-inline-start: 1.1rem; }
.about li + li { margin-block-start: 0.3rem; }
.peers li { display: flex; gap: 0.5rem; }
.swatch { flex: none; width: 0.8rem; height: 0.8rem; margin-block-start: 0.2rem; }
.settings { color: var(--muted); font-size: 0.8125rem; }
.settings b { color: var(--ink); }
.about .settings { margin-block-start: 0.4rem; }
.settings span:not(:last-child)::after { content: " · "; }
.common { margin-block-start: 0.4rem; }
.floor { --peer: light-dark(#6b7077, #9aa0a8); }
.floor .stroke { stroke-dasharray: 1 4; }
.about details { margin-block-start: 0.5rem; }
.absent { color: var(--muted); }

.groups {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 20.5rem), 1fr));
  gap: 2rem clamp(1.5rem, 2.5vw, 2.75rem);
}
.groups > * { grid-column: 1 / -1; min-width: 0; margin: 0; }
.groups > .single { display: grid; grid-row: span 3; grid-column: auto; grid-template-rows: subgrid; grid-template-columns: minmax(0, 1fr); row-gap: 0; }
.groups > .single > details { margin-block-start: 0.35rem; }
p.measure::first-letter { text-transform: uppercase; }
p.measure { max-width: 75ch; }
#all .groups, #run .groups { row-gap: 0.75rem; }
.introduction + * { margin-block-start: 1.5rem; }
.panels {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 20.5rem), 1fr));
  gap: 1.5rem clamp(1.5rem, 2.5vw, 2.75rem);
  margin-block-start: 0.75rem;
}
.single .panels { grid-template-columns: 1fr; }
.panels.small { grid-template-columns: repeat(auto-fill, minmax(min(100%, 13rem), 1fr)); gap: 1.25rem 1.5rem; }
.curves {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr));
  gap: 1.5rem clamp(1.5rem, 2.5vw, 2.75rem);
  margin-block-start: 0.75rem;
}
.panel { min-width: 0; break-inside: avoid; }
figcaption { margin-block-end: 0.4rem; font-size: 0.8125rem; font-weight: 600; line-height: 1.3; }
.note { margin-block-start: 0.35rem; font-size: 0.75rem; color: var(--muted); }

.chart {
  display: block;
  width: calc(100% - var(--left) - var(--right));
  margin-inline: var(--left) var(--right);
  overflow: visible;
}
.chart text { fill: var(--ink); font-size: 12px; }
.chart .tick, .chart .axis { fill: var(--muted); font-size: 11px; }
.chart .range, .chart .verdict { fill: var(--muted); font-size: 11.5px; }
.chart .verdict, .chart .end { paint-order: stroke; stroke: var(--ground); stroke-width: 3px; stroke-linejoin: round; }
.chart .hub .name, .chart .hub .number { font-weight: 650; }
.chart .hub .verdict { fill: var(--ink); }
.chart .void, p.void, td .void { fill: var(--bad); color: var(--bad); }
.chart .hub .verdict.void { fill: var(--bad); }
.chart .withheld { font-style: italic; }
.grid { stroke: var(--grid); }
.grid.minor { opacity: 0.6; }
.unity { stroke: var(--ink); stroke-width: 1.25; }
.bar { fill: color-mix(in oklab, var(--peer) 80%, var(--ground)); }
.hub .bar { fill: var(--peer); }
.chart .bar.hollow { fill: none; stroke: var(--peer); stroke-width: 1.25; }
.interval { stroke: var(--ink); stroke-width: 1.25; }
.stroke { stroke: var(--peer); stroke-width: 1.5; stroke-linecap: round; }
.hub .stroke { stroke-width: 3; }
.mark { fill: var(--peer); stroke: var(--ground); }
.dot { fill: var(--peer); fill-opacity: 0.45; stroke: var(--peer); stroke-width: 0.75; }
.leader { fill: none; stroke: var(--peer); stroke-width: 0.75; opacity: 0.6; }
.chart .end .number { fill: var(--muted); }
.chart .end .name { fill: var(--letters, var(--peer)); }

.lone { max-width: 60rem; margin-block-start: 0.75rem; }
.lone .stroke, .lone .hub .stroke { stroke-width: 2; }
.mark.ring { fill: var(--ground); stroke: var(--peer); stroke-width: 1.75; }
.lone .leader { opacity: 1; stroke-width: 1.25; }
.small .stroke { stroke-width: 1.25; }
.small .p99 .stroke { stroke-width: 2.75; }
.small .p99-9 .stroke { stroke-dasharray: 5 3; stroke-linecap: butt; }
.small .max .stroke { stroke-dasharray: 1 4; }
.small .reference .stroke { stroke: var(--muted); opacity: 0.8; }
.small .reference .mark { fill: none; stroke: none; }
.chart text.end.p99 { font-weight: 650; }

details { margin-block-start: 0.75rem; font-size: 0.8125rem; }
summary { width: fit-content; color: var(--muted); cursor: pointer; }
summary:hover { color: var(--ink); }
#all summary { color: var(--ink); font-size: 0.9375rem; font-weight: 600; }
.scroll { margin-block-start: 0.5rem; max-width: 100%; overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.8125rem; line-height: 1.35; }
th, td { padding: 0.3rem 1.1rem 0.3rem 0; text-align: start; vertical-align: top; overflow-wrap: normal; }
th { min-width: 5.5rem; max-width: 10rem; color: var(--muted); font-weight: 500; vertical-align: bottom; }
thead { border-block-end: 1px solid var(--line); }
tbody tr + tr { border-block-start: 1px solid var(--grid); }
td { white-space: nowrap; }
td:last-child { min-width: 14rem; white-space: normal; }
td small { display: block; color: var(--muted); font-size: 0.6875rem; }
td .better { color: var(--good); }
#gates td:last-child { min-width: 0; }
pre { overflow-x: auto; padding: 0.9rem 1rem; background: var(--raised); font-size: 0.8125rem; line-height: 1.6; }

@media (max-width: 30rem) {
  .curves .chart { --right: 106px !important; }
  .curves .end .number { display: none; }
  #gates td:first-child { min-width: 7rem; white-space: normal; overflow-wrap: anywhere; }
  #gates :is(th, td) { min-width: 0; padding-inline-end: 0.6rem; }
  #gates :is(th, td):nth-child(4) { display: none; }
}

@media print {
  :root { color-scheme: light; }
  body { max-width: none; padding: 0; font-size: 0.8rem; }
  section { margin-block-start: 1.5rem; }
  .scroll { overflow: visible; }
  td { white-space: normal; }
  #all { break-before: page; }
}
`;
