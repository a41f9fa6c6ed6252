// The element's own styles, as a sheet that is made by a script: a strict Content-Security-Policy lets it be.

export const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host { display: block; min-width: 0; container-type: inline-size;
  --c-surface: var(--mynah-surface, light-dark(#fff, #1b211e)); --c-ground: var(--mynah-ground, light-dark(#f6f7f5, #121614));
  --c-line: var(--mynah-line, light-dark(#d5dad6, #38423d)); --c-text: var(--mynah-text, light-dark(#1b211e, #e8ece9));
  --c-muted: var(--mynah-muted, light-dark(#55605a, #a7b2ac)); --c-accent: var(--mynah-accent, light-dark(#1f6f5c, #6cc5ad));
  --c-on: var(--mynah-accent-text, light-dark(#fff, #0d1512)); --c-soft: var(--mynah-accent-soft, light-dark(#e2efeb, #22352f));
  --c-good: var(--mynah-good, light-dark(#1e7145, #7bd3a1)); --c-warn: var(--mynah-warn, light-dark(#8a5a00, #f0c26b));
  --c-bad: var(--mynah-bad, light-dark(#b3261e, #ff9a90)); --c-bad-soft: var(--mynah-bad-soft, light-dark(#fbe9e7, #3a201e)); }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
p, ol, dl, dd { margin: 0; padding: 0; }
button, input { font: inherit; color: inherit; }
button { cursor: pointer; -webkit-tap-highlight-color: transparent; }
button:disabled { opacity: .4; cursor: default; }
:focus-visible { outline: 3px solid var(--c-accent); outline-offset: 2px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.icon { width: 1.25em; height: 1.25em; flex: none; fill: none; stroke: currentColor; stroke-width: 1.75;
  stroke-linecap: round; stroke-linejoin: round; }
.chat { display: flex; flex-direction: column; height: 100%; max-height: var(--mynah-height, min(46rem, 88vh)); overflow: hidden auto;
  background: var(--c-surface); color: var(--c-text); border: 1px solid var(--c-line); border-radius: 18px;
  font: 16px/1.5 var(--mynah-font, system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif); overflow-wrap: anywhere; text-align: start; }
.head { border-bottom: 1px solid var(--c-line); }
.line { display: flex; align-items: center; gap: .75rem; padding: .5rem .5rem .5rem 1rem; }
.state { display: flex; align-items: center; gap: .5rem; font-size: .875rem; color: var(--c-muted); }
.dot { width: .6rem; height: .6rem; border-radius: 50%; background: var(--c-muted); flex: none; }
[data-state=connected] .dot { background: var(--c-good); }
[data-state=connecting] .dot, [data-state=reconnecting] .dot { background: var(--c-warn); animation: breathe 1.2s infinite; }
[data-state=closed] .dot { background: var(--c-bad); }
.who { margin-left: auto; font-size: .875rem; font-weight: 600; }
.bare { display: grid; place-items: center; width: 2.5rem; height: 2.5rem; border: 0; border-radius: 50%; background: none; color: var(--c-muted); }
.bare:hover, .round:hover:not(:disabled) { background: var(--c-soft); color: var(--c-accent); }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: .5rem 1rem; padding: .25rem 1rem .75rem; font-size: .8125rem; }
dt { color: var(--c-muted); } dd { font-weight: 600; font-variant-numeric: tabular-nums; }
.log { flex: 1 1 auto; min-height: min(12rem, 30vh); overflow-y: auto; padding: 1rem; background: var(--c-ground); overscroll-behavior: contain; }
.turns { display: flex; flex-direction: column; gap: 1rem; min-height: 100%; }
.log:focus-visible { outline-offset: -3px; }
.empty { margin: auto; text-align: center; color: var(--c-muted); max-width: 22rem; }
.empty .icon { width: 2.5rem; height: 2.5rem; color: var(--c-accent); opacity: .8; }
.empty p:first-of-type { color: var(--c-text); font-size: 1.125rem; font-weight: 600; margin: .25rem 0; }
.entry { display: flex; flex-direction: column; gap: .5rem; animation: rise .25s ease-out; }
.bubble { max-width: min(36rem, 88%); padding: .6rem .9rem; border-radius: 16px; }
.mine { align-self: flex-end; background: var(--c-accent); color: var(--c-on); border-end-end-radius: 5px; }
.theirs { align-self: flex-start; background: var(--c-surface); border: 1px solid var(--c-line); border-end-start-radius: 5px; }
.text { white-space: pre-wrap; }
.partial { font-style: italic; opacity: .85; }
.unheard { color: var(--c-muted); text-decoration: line-through; text-decoration-color: var(--c-line); }
.coming .text::after { content: ""; display: inline-block; width: .5ch; height: 1em; margin-inline-start: .2ch; vertical-align: -.15em;
  border-radius: 2px; background: var(--c-accent); animation: breathe 1s infinite; }
.dots { display: inline-flex; gap: .3rem; padding: .35rem 0; }
.dots i { width: .45rem; height: .45rem; border-radius: 50%; background: var(--c-muted); animation: breathe 1.2s infinite; }
.dots i:nth-child(2) { animation-delay: .2s; } .dots i:nth-child(3) { animation-delay: .4s; }
.foot { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; font-size: .8125rem; color: var(--c-muted); }
.foot:empty, .place:empty { display: none; }
.failed { border-color: var(--c-bad); } .failed .foot { color: var(--c-bad); }
.quiet, .way { display: inline-flex; align-items: center; gap: .35rem; min-height: 2rem; padding: .15rem .7rem; border-radius: 99px;
  border: 1px solid var(--c-line); background: var(--c-surface); color: var(--c-text); font-size: .8125rem; }
.quiet:hover, .way:hover { border-color: var(--c-accent); color: var(--c-accent); }
.foot .quiet { border-color: transparent; background: none; padding-inline: .25rem; color: var(--c-accent); }
.stages { padding: .6rem 1rem 0; }
.stages ol { display: flex; justify-content: center; gap: .25rem; list-style: none; }
.step { display: flex; align-items: center; gap: .35rem; padding: .2rem .6rem; border-radius: 99px; color: var(--c-muted);
  font-size: .8125rem; transition: background .2s, color .2s; }
.step.thinking .icon { stroke-width: 4; } .step .icon { width: 1.1em; height: 1.1em; }
.step.done { color: var(--c-accent); }
.step.now { background: var(--c-accent); color: var(--c-on); font-weight: 600; }
.step.now .icon { animation: breathe 1.2s infinite; }
.notice { display: flex; gap: .75rem; margin: .75rem 1rem 0; padding: .75rem; border-radius: 12px; background: var(--c-bad-soft); font-size: .9375rem; }
.notice > .icon { color: var(--c-bad); margin-top: .15em; }
.what { flex: 1; min-width: 0; }
.ways { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .5rem; }
.notice .quiet { border-color: transparent; background: none; }
.token { display: flex; flex-wrap: wrap; gap: .5rem; }
.token input { min-height: 2rem; min-width: 0; padding: .15rem .7rem; border: 1px solid var(--c-muted); border-radius: 99px; background: var(--c-surface); }
.dock { display: grid; gap: .75rem; padding: .75rem 1rem 1rem; }
.typing { display: flex; align-items: center; border: 1px solid var(--c-muted); border-radius: 99px; background: var(--c-surface); padding: .2rem; }
.typing:focus-within { outline: 3px solid var(--c-accent); outline-offset: 1px; }
.question { flex: 1; min-width: 0; border: 0; background: none; padding: .4rem .9rem; min-height: 2.5rem; outline: none; }
.question::placeholder { color: var(--c-muted); opacity: 1; }
.round { display: grid; place-items: center; width: 2.5rem; height: 2.5rem; flex: none; border: 0; border-radius: 50%; background: none; color: var(--c-text); }
.send { background: var(--c-soft); color: var(--c-accent); }
.send:hover { background: var(--c-accent) !important; color: var(--c-on) !important; }
.controls { display: grid; grid-template-columns: 1fr auto 1fr; align-items: center; gap: .75rem; }
.modes { justify-self: start; display: flex; border: 1px solid var(--c-line); border-radius: 99px; padding: .15rem; background: var(--c-ground); }
.modes button { border: 0; background: none; border-radius: 99px; padding: .2rem .75rem; min-height: 2.1rem; font-size: .8125rem; color: var(--c-muted); }
.modes button[aria-pressed=true] { background: var(--c-surface); color: var(--c-text); font-weight: 600; box-shadow: 0 1px 3px rgb(0 0 0 / .18); }
.talk { --level: 0; position: relative; display: grid; place-items: center; width: 5rem; height: 5rem; border: 0; border-radius: 50%; padding: 0;
  background: var(--c-accent); color: var(--c-on); touch-action: none; user-select: none; -webkit-user-select: none; transition: transform .12s, box-shadow .12s; }
.talk:hover { filter: brightness(1.06); } .talk:active { transform: scale(.96); }
.talk.asking { animation: breathe 1.2s infinite; } .talk .icon { width: 2rem; height: 2rem; }
.talk[aria-pressed=true] { background: var(--c-bad); box-shadow: 0 0 0 calc(.25rem + var(--level) * 1.1rem) color-mix(in srgb, var(--c-bad) 22%, transparent); }
.ring { position: absolute; inset: 0; transform: rotate(-90deg); fill: none; stroke: transparent; stroke-width: 4; }
.elapsed { stroke: var(--c-on); stroke-linecap: round; }
.talk[aria-pressed=false] .elapsed { stroke: transparent; }
.live { display: flex; flex-wrap: wrap; justify-content: center; align-items: center; gap: .25rem .75rem; min-height: 1.5rem; }
.meter { width: 5rem; height: 1.5rem; color: var(--c-bad); } .meter svg { width: 100%; height: 100%; fill: currentColor; }
.time { font-size: .8125rem; font-variant-numeric: tabular-nums; color: var(--c-muted); white-space: nowrap; }
.sound { justify-self: end; display: flex; align-items: center; gap: .25rem; min-width: 0; }
.volume { width: 5.5rem; min-width: 2rem; accent-color: var(--c-accent); }
.stop .icon { width: 1.6em; height: 1.6em; fill: currentColor; } .stop:not(:disabled) { color: var(--c-bad); }
.hint { text-align: center; font-size: .8125rem; color: var(--c-muted); }
@container (max-width: 34rem) {
  .step:not(.now) span { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .controls { grid-template-columns: 1fr 1fr; row-gap: .5rem; }
  .talk { grid-column: 1 / -1; grid-row: 1; justify-self: center; }
  .modes button { padding-inline: .55rem; }
}
@keyframes breathe { 50% { opacity: .35; } }
@keyframes rise { from { opacity: 0; transform: translateY(6px); } }
@media (prefers-reduced-motion: reduce) { *, *::before, *::after { animation: none !important; transition: none !important; } }
@media (forced-colors: active) { .talk, .step.now, .modes button[aria-pressed=true] { border: 2px solid; } .meter { forced-color-adjust: none; } }
`);
