// What the trainer has beside the look of every lab.

export const TRAINER_STYLE = `
.rl-trainer > .rl-column { gap: 1rem; }
.rl-trainer .rl-order .rl-choice span { padding: 0; width: 44px; }
.rl-trainer .rl-go { min-width: 6rem; }
.rl-lab.rl-trainer button.rl-start { background: var(--_text); border-color: var(--_text);
  color: var(--_page); font-weight: 600; }
.rl-lab.rl-trainer button:disabled { background: var(--_page); border-color: var(--_line);
  border-style: dashed; color: var(--_soft); cursor: default; }
.rl-trainer progress { accent-color: var(--rl-blue); flex: 1 1 8rem; height: 10px; max-width: 16rem;
  min-width: 6rem; }
.rl-trainer .rl-status { font-variant-numeric: tabular-nums; min-height: 1.4em; }
.rl-trainer .rl-charts { display: grid; gap: 1.2rem 1.6rem; }
.rl-trainer .rl-part { display: grid; gap: 0.4rem; align-content: start; min-width: 0; }
.rl-trainer .rl-chart { display: block; height: auto; max-width: 30rem; width: 100%; }
.rl-trainer .rl-chart text { fill: var(--_soft); font-size: 12px; }
.rl-trainer .rl-chart path { fill: none; stroke-linecap: round; stroke-linejoin: round; }
.rl-trainer .rl-grid { stroke: var(--_line); stroke-width: 1; }
.rl-trainer .rl-dots { stroke: var(--_soft); stroke-opacity: 0.55; stroke-width: 3; }
.rl-trainer .rl-halo { stroke: var(--_page); stroke-opacity: 0.8; stroke-width: 5.5; }
.rl-trainer :is(.rl-output, .rl-learnt) { stroke: var(--rl-blue); stroke-width: 2.75; }
.rl-trainer .rl-chart path.rl-truth { stroke: var(--_text);
  stroke-dasharray: 5 4; stroke-linecap: butt; stroke-width: 1.5; }
.rl-trainer .rl-chart path.rl-trained { stroke: var(--_mark); stroke-dasharray: 1 5;
  stroke-width: 3; }
.rl-trainer .rl-chart path.rl-strange { stroke: var(--_mark); stroke-dasharray: 7 4;
  stroke-linecap: butt; stroke-width: 2.75; }
.rl-trainer .rl-chart path.rl-before { stroke-opacity: 0.75; stroke-width: 1; }
.rl-trainer .rl-legend { display: flex; flex-wrap: wrap; font-size: 0.86rem; gap: 0.1rem 1rem; }
.rl-trainer .rl-legend > span { align-items: center; display: inline-flex; gap: 0.4rem; }
.rl-trainer .rl-legend .rl-chart { display: block; flex: none; height: 12px; width: 26px; }
.rl-lab.rl-trainer dl { grid-template-columns: 1fr auto; margin: 0; }
.rl-lab.rl-trainer dd.rl-soft { grid-column: 1 / -1; min-height: 2.7em; }
.rl-lab.rl-trainer table.rl-runs { border-collapse: collapse; display: table;
  font-size: 0.86rem; font-variant-numeric: tabular-nums; margin: 0; max-width: 40rem;
  overflow: visible; table-layout: fixed; width: 100%; }
.rl-lab.rl-trainer .rl-runs caption { caption-side: top; color: var(--_text); font-weight: 600;
  padding: 0 0 0.3rem; text-align: left; }
.rl-lab.rl-trainer .rl-runs :is(th, td) { border-top: 1px solid var(--_line); line-height: 1.25;
  padding: 0.35rem 0.2rem; text-align: right; vertical-align: bottom; white-space: normal; }
.rl-lab.rl-trainer .rl-runs :is(tbody th, thead th:first-child) { padding-left: 0;
  text-align: left; width: 32%; }
.rl-trainer .rl-runs tbody th { color: var(--_text); }
.rl-trainer .rl-runs small { color: var(--_soft); display: block; font-size: 0.78rem; }
@container (min-width: 620px) {
  .rl-lab.rl-trainer .rl-bench { grid-template-columns: auto 1fr; }
  .rl-trainer .rl-charts { grid-template-columns: 1fr 1fr; }
  .rl-trainer .rl-chart text { font-size: 12.5px; }
}
@container (max-width: 419px) {
  .rl-trainer .rl-order .rl-row { max-width: 200px; }
}
@media print { .rl-trainer :is(progress, .rl-status) { display: none; } }
`;
