// The look of the rain lab, in the colours of the book's themes. Every rule sits under .rl-lab.

export const STYLE = `
.rl-lab { --_line: var(--pst-color-border); --_soft: var(--pst-color-text-muted);
  --_text: var(--pst-color-text-base); --_page: var(--pst-color-background);
  --_mark: var(--rl-vermillion); --_focus: var(--pst-color-primary);
  border-block: 1px solid var(--_line); container-type: inline-size; font-size: 0.94rem;
  line-height: 1.4; margin: 1.5rem 0; padding: 1rem 0; }
.rl-lab *, .rl-lab *::before { box-sizing: border-box; }
.rl-lab .rl-bench { display: grid; gap: 1rem 1.6rem; }
.rl-lab .rl-column { display: grid; gap: 0.9rem; align-content: start; min-width: 0; }
.rl-lab canvas { display: block; height: auto; width: 100%; }
.rl-lab .rl-compare.rl-live { grid-template-columns: 1fr; max-width: 30rem; }
.rl-lab p { margin: 0; }
.rl-lab fieldset { border: 0; margin: 0; min-width: 0; padding: 0; }
.rl-lab legend { float: none; font-size: inherit; font-weight: 600; line-height: 1.3;
  margin: 0 0 0.35rem; padding: 0; width: auto; }
.rl-lab .rl-soft { color: var(--_soft); font-size: 0.86rem; }
.rl-lab .rl-row { display: flex; flex-wrap: wrap; gap: 0.4rem; align-items: center; }
.rl-lab .rl-choice { cursor: pointer; display: inline-flex; margin: 0; position: relative; }
.rl-lab .rl-choice input { cursor: inherit; height: 100%; inset: 0; margin: 0; opacity: 0;
  position: absolute; width: 100%; }
.rl-lab .rl-choice span, .rl-lab button { align-items: center; background: var(--_page);
  border: 1px solid var(--_line); border-radius: 20px; color: var(--_text); cursor: pointer;
  display: inline-flex; font: inherit; font-size: 0.86rem; justify-content: center; line-height: 1;
  min-height: 40px; min-width: 44px; padding: 0 0.8rem; white-space: nowrap; }
.rl-lab .rl-choice:hover span, .rl-lab button:hover { border-color: var(--_soft); }
.rl-lab .rl-choice input:checked + span, .rl-lab button[aria-pressed="true"] {
  background: var(--_text); border-color: var(--_text); color: var(--_page); font-weight: 600; }
.rl-lab .rl-choice:has(input:disabled) { cursor: default; }
.rl-lab .rl-choice input:disabled + span { border-style: dashed; color: var(--_soft); }
.rl-lab .rl-choice input:focus-visible + span, .rl-lab button:focus-visible,
.rl-lab input[type="range"]:focus-visible, .rl-lab input[type="checkbox"]:focus-visible {
  outline: 3px solid var(--_focus); outline-offset: 2px; }
.rl-lab input[type="range"]:focus-visible { border-radius: 16px; outline-offset: -5px; }
.rl-lab.rl-lab-live table.rl-grid { border-collapse: separate; border-spacing: 3px; display: table;
  font-size: 0.86rem; margin: 0; overflow: visible; table-layout: fixed; width: 100%; }
.rl-lab :is(th, td) { background: none; border: 0; padding: 0; text-align: center; }
.rl-lab th { color: var(--_soft); font-weight: 400; padding: 0 0.2rem; white-space: nowrap; }
.rl-lab tbody th { text-align: left; }
.rl-lab .rl-networks :is(.rl-choice, .rl-choice span) { width: 100%; }
.rl-lab .rl-slider { align-items: center; display: grid; gap: 0 0.7rem;
  grid-template-columns: 5.2rem 1fr 3.4rem; margin: 0; }
.rl-lab .rl-amount { font-variant-numeric: tabular-nums; text-align: right; }
.rl-lab .rl-place { min-height: 2.8em; }
.rl-lab .rl-track { display: block; height: 40px; position: relative; }
.rl-lab .rl-range { background: var(--_mark); border-radius: 4px; height: 7px; margin-left: -3px;
  opacity: 0.65; padding-right: 6px; pointer-events: none; position: absolute; top: 16.5px;
  box-sizing: content-box; }
.rl-lab .rl-key { background: var(--_mark); border-radius: 4px; display: inline-block; height: 7px;
  margin-right: 0.3rem; opacity: 0.65; vertical-align: middle; width: 22px; }
.rl-lab input[type="range"] { appearance: none; background: none; cursor: pointer; display: block;
  height: 40px; margin: 0; padding: 0; position: relative; touch-action: pan-y; width: 100%; }
.rl-lab input[type="range"]::-webkit-slider-runnable-track { background: var(--_soft);
  border-radius: 2px; height: 2px; }
.rl-lab input[type="range"]::-moz-range-track { background: var(--_soft); border-radius: 2px;
  height: 2px; }
.rl-lab input.rl-wipe { appearance: none; height: 100%; position: absolute; }
.rl-lab .rl-slider input::-webkit-slider-thumb { appearance: none; background: var(--_text);
  border: 2px solid var(--_page); border-radius: 50%; height: 20px; margin-top: -9px;
  width: 20px; }
.rl-lab .rl-slider input::-moz-range-thumb { background: var(--_text);
  border: 2px solid var(--_page); border-radius: 50%; height: 16px; width: 16px; }
.rl-lab .rl-check { align-items: center; cursor: pointer; display: inline-flex; gap: 0.5rem;
  margin: 0; min-height: 40px; }
.rl-lab .rl-check input { accent-color: var(--_focus); height: 1.15rem; margin: 0; width: 1.15rem; }
.rl-lab .rl-verdict { font-weight: 600; min-height: 4.2em; }
.rl-lab dl { display: grid; gap: 0 0.9rem; grid-template-columns: auto auto 1fr; margin: 1rem 0 0; }
.rl-lab dl > div { align-items: baseline; border-top: 1px solid var(--_line); display: grid;
  grid-column: 1 / -1; grid-template-columns: subgrid; padding: 0.3rem 0; }
.rl-lab :is(dt, dd) { font-weight: 400; margin: 0; }
.rl-lab dd.rl-value { font-size: 1.15rem; font-variant-numeric: tabular-nums; text-align: right; }
.rl-lab dd.rl-soft { line-height: 1.35; }
.rl-lab .rl-notice { border: 1px solid var(--_line); border-radius: 6px; display: grid; gap: 0.6rem;
  justify-items: start; padding: 0.7rem 0.9rem; }
.rl-lab .rl-notice[hidden], .rl-lab [hidden] { display: none; }
.rl-lab .rl-map { border-top: 1px solid var(--_line); display: grid; gap: 0.7rem; margin-top: 1rem;
  padding-top: 1rem; }
.rl-lab.rl-lab-live .rl-map table.rl-grid { border-spacing: 2px; max-width: 38rem; }
.rl-lab .rl-map col.rl-first { width: 1.8rem; }
.rl-lab .rl-map td { --at: 0; background: color-mix(in srgb, var(--rl-blue) var(--at), transparent);
  border: 2px solid var(--_line); border-radius: 4px; font-variant-numeric: tabular-nums;
  height: 38px; }
.rl-lab .rl-map td.rl-trained { border-color: var(--_mark); }
.rl-lab .rl-unseen { clip-path: inset(50%); height: 1px; overflow: hidden; position: absolute;
  white-space: nowrap; width: 1px; }
@container (max-width: 479px) {
  .rl-lab.rl-lab-live .rl-map table.rl-grid { font-size: 0.78rem; }
  .rl-lab dl { grid-template-columns: 1fr auto; }
  .rl-lab dd.rl-soft { grid-column: 1 / -1; }
}
@container (min-width: 620px) {
  .rl-lab .rl-bench { grid-template-columns: 1fr 1fr; }
}
@media print { .rl-lab :is(.rl-row, .rl-slider) { display: none; } }
`;
