/** The look of a page: light and dark, from a phone to a wall. */
export const style = `
:root { color-scheme: light dark; --ground: #f4f6f9; --panel: #ffffff; --line: #dde3ea; --ink: #17202b; --soft: #566474; --link: #1a56c4;
  --running: #2563eb; --held: #d97706; --idle: #c3ccd6; --waiting: #c026a3; --good: #15915a; --bad: #d4351c; --mark: #fff4dc; --bad-ink: #b3250f; --held-ink: #96500a; }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1218; --panel: #151c25; --line: #29333f; --ink: #e8eef5; --soft: #9cabbb; --link: #86b3ff;
  --running: #5b9bff; --held: #f3a53f; --idle: #465362; --waiting: #ea6ad2; --good: #3ecf8e; --bad: #ff6b52; --mark: #33280f; --bad-ink: #ff8d79; --held-ink: #f6b865; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-variant-numeric: tabular-nums; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--panel); z-index: 1; }
a { color: var(--link); text-underline-offset: .2em; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 4px; }
header, main { max-width: 88rem; margin: 0 auto; padding: 0 1.5rem; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; padding-top: 1.5rem; padding-bottom: 1rem; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -.02em; margin: 0; overflow-wrap: anywhere; }
h1 small { display: block; font-size: .8125rem; font-weight: 600; letter-spacing: .06em; text-transform: uppercase; color: var(--soft); }
.state { margin-left: auto; display: flex; align-items: center; gap: .6rem; color: var(--soft); }
.state p { margin: 0; }
.dot { width: .7rem; height: .7rem; border-radius: 50%; background: var(--idle); flex: none; }
.dot.live { background: var(--good); box-shadow: 0 0 0 .25rem color-mix(in srgb, var(--good) 22%, transparent); }
.dot.lost { background: var(--bad); }
button { font: inherit; font-weight: 600; color: var(--ink); background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .35rem .9rem; min-height: 2.5rem; cursor: pointer; }
button:hover { border-color: var(--link); }
main { display: grid; grid-template-columns: repeat(12, minmax(0, 1fr)); gap: 1rem; padding-bottom: 4rem; }
section { grid-column: 1 / -1; background: var(--panel); border: 1px solid var(--line); border-radius: .875rem; padding: 1.15rem 1.35rem; min-width: 0; }
section.third { grid-column: span 4; }
section.tiles { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); padding: 0; }
.tile { padding: 1rem 1.35rem 1.1rem; border-left: 1px solid var(--line); }
.tile:first-of-type { border-left: 0; }
.tile dt { color: var(--soft); font-size: .9375rem; }
.tile dd { margin: 0; font-size: 2.5rem; line-height: 1.15; font-weight: 650; letter-spacing: -.03em; white-space: nowrap; }
.tile dd small { font-size: 1.0625rem; font-weight: 500; letter-spacing: 0; color: var(--soft); }
.tile.bad dd { color: var(--bad-ink); }
.tiles dl { display: contents; }
h2 { font-size: 1.125rem; line-height: 1.3; margin: 0; }
.note { margin: .1rem 0 .9rem; color: var(--soft); font-size: .9375rem; }
.none { margin: .6rem 0 0; color: var(--soft); }
svg { display: block; width: 100%; height: 9.5rem; overflow: visible; }
.running { fill: var(--running); } .held { fill: var(--held); } .idle { fill: var(--idle); } .waiting { fill: var(--waiting); } .good { fill: var(--good); } .bad { fill: var(--bad); }
.rule { stroke: var(--line); stroke-width: 1; } .limit { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 4 4; }
.stroke { fill: none; stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round; vector-effect: non-scaling-stroke; }
.p50 { stroke: var(--running); } .p99 { stroke: var(--waiting); }
.chart { display: grid; grid-template-columns: auto 1fr; gap: .5rem; }
.scale { display: flex; flex-direction: column; justify-content: space-between; text-align: right; color: var(--soft); font-size: .8125rem; line-height: 1; min-width: 2.2rem; }
.axis { grid-column: 2; display: flex; justify-content: space-between; color: var(--soft); font-size: .8125rem; }
.key { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: .75rem 0 0; padding: 0; font-size: .9375rem; }
.key li { display: flex; align-items: center; gap: .45rem; }
.key b { font-weight: 650; }
.key svg { width: .75rem; height: .75rem; flex: none; }
table { width: 100%; border-collapse: collapse; margin-top: .5rem; }
th { text-align: left; font-size: .875rem; font-weight: 600; color: var(--soft); padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
td { padding: .6rem .9rem .6rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
tr:last-child > td { border-bottom: 0; }
th.number, td.number { text-align: right; white-space: nowrap; }
td.wide { width: 45%; }
td b { font-weight: 650; }
code, pre { font: .875rem/1.5 ui-monospace, "Cascadia Code", "SF Mono", Menlo, Consolas, monospace; }
pre { margin: .5rem 0 0; padding: .75rem 1rem; background: var(--ground); border-radius: .5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.sql { display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; }
.tag { display: inline-block; padding: 0 .6rem; border-radius: 1rem; border: 1px solid var(--line); font-size: .875rem; white-space: nowrap; }
.tag.alarm { border-color: var(--bad); color: var(--bad-ink); } .tag.warn { border-color: var(--held); color: var(--held-ink); }
.bar { height: .3rem; margin-top: .35rem; border-radius: 1rem; } .bar svg { height: .3rem; overflow: hidden; border-radius: 1rem; }
summary { cursor: pointer; color: var(--link); width: fit-content; }
.block { display: grid; grid-template-columns: minmax(0, 1fr) auto minmax(0, 1fr); gap: 1rem; align-items: center; padding: .9rem 0; border-top: 1px solid var(--line); }
.block .arrow { color: var(--bad-ink); font-weight: 600; text-align: center; }
.party { border-left: .25rem solid var(--waiting); padding-left: .9rem; min-width: 0; overflow-wrap: anywhere; }
.party.blocker { border-color: var(--bad); }
.party p { margin: 0; } .party p + p { color: var(--soft); }
.incident { border-left: .4rem solid var(--bad); } .incident h2 { font-size: 1.5rem; letter-spacing: -.015em; }
.incident dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .35rem 1.5rem; margin: .75rem 0 0; }
.incident dt { color: var(--soft); } .incident dd { margin: 0; overflow-wrap: anywhere; }
article { padding: .8rem 0; border-top: 1px solid var(--line); scroll-margin: 1rem; } article:first-of-type { border-top: 0; } article:target { background: var(--mark); padding-left: 1rem; padding-right: 1rem; border-radius: .5rem; }
article h3 { font-size: 1rem; margin: 0; }
.quiet { color: var(--soft); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 70rem) { section.third { grid-column: span 6; } section.third:last-of-type { grid-column: 1 / -1; } section.tiles { grid-template-columns: repeat(3, minmax(0, 1fr)); } .tile:nth-of-type(4) { border-left: 0; } .tile:nth-of-type(n+4) { border-top: 1px solid var(--line); } }
@media (max-width: 46rem) {
  header, main { padding-left: .75rem; padding-right: .75rem; } main { gap: .75rem; } .state { margin-left: 0; width: 100%; } .state button { margin-left: auto; }
  section, section.third { grid-column: 1 / -1; padding: 1rem; } section.tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .tile { padding: .8rem 1rem; } .tile dd { font-size: 2rem; } .tile:nth-of-type(odd) { border-left: 0; } .tile:nth-of-type(even) { border-left: 1px solid var(--line); } .tile:nth-of-type(n+3) { border-top: 1px solid var(--line); }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); } table, tbody { display: block; }
  .tag { white-space: normal; border-radius: .6rem; }
  tr { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .4rem .75rem; padding: .9rem 0; border-bottom: 1px solid var(--line); } tbody tr:last-child { border-bottom: 0; }
  td, td.number { display: block; width: auto; padding: 0; border: 0; text-align: left; } td.wide { grid-column: 1 / -1; width: auto; }
  td[data-label]::before { content: attr(data-label); display: block; font-size: .8125rem; color: var(--soft); }
  .block { grid-template-columns: 1fr; gap: .5rem; } .block .arrow { text-align: left; padding-left: 1.1rem; }
  .incident dl { grid-template-columns: 1fr; } .incident dd { margin-bottom: .4rem; }
}
@media (min-width: 110rem) { html { font-size: 112.5%; } header, main { max-width: 100rem; } }
@media print { body { background: none; } button { display: none; } section { break-inside: avoid; } }
`
