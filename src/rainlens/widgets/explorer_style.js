// What the explorer has beside the look of every lab.

export const EXPLORER_STYLE = `
.rl-explorer .rl-slider { grid-template-columns: 6.5rem 1fr 4.2rem; }
.rl-explorer .rl-charts { border-top: 1px solid var(--_line); display: grid; gap: 1.4rem 1.6rem;
  padding-top: 1rem; }
.rl-explorer .rl-charts > .rl-column { grid-template-rows: auto auto auto 1fr; }
.rl-explorer .rl-scale { align-items: center; display: flex; font-size: 0.82rem; gap: 0.5rem; margin: 0;
  max-width: 30rem; }
.rl-explorer .rl-ramp { background: linear-gradient(90deg,
  color-mix(in srgb, var(--rl-blue) 8%, var(--_page)), var(--rl-blue)); border: 0.5px solid var(--_line);
  flex: 1; height: 0.7rem; }
.rl-explorer .rl-charts .rl-chart { align-self: end; }
.rl-explorer .rl-chart { display: block; height: auto; max-width: 30rem; width: 100%; }
.rl-explorer .rl-chart text { fill: var(--_text); font-size: 13px; }
.rl-explorer .rl-cell { cursor: pointer;
  fill: color-mix(in srgb, var(--rl-blue) var(--at), var(--_page)); stroke: var(--_line);
  stroke-width: 0.5; }
.rl-explorer .rl-chosen { fill: none; pointer-events: none; stroke: var(--_mark);
  stroke-width: 3; }
.rl-explorer .rl-frame { fill: none; stroke: var(--_soft); }
.rl-explorer .rl-path { fill: none; stroke: var(--_soft); stroke-width: 1.5; }
.rl-explorer .rl-path-chosen { stroke: var(--rl-blue); stroke-width: 3; }
.rl-explorer .rl-begin { fill: var(--_page); stroke: var(--_soft); }
.rl-explorer .rl-dot { fill: var(--_mark); stroke: var(--_page); stroke-width: 2; }
.rl-explorer .rl-three { display: grid; gap: 0.5rem; grid-template-columns: repeat(3, 1fr);
  margin-bottom: 1rem; max-width: 40rem; }
.rl-explorer .rl-three img { border-radius: 4px; display: block; height: auto;
  image-rendering: pixelated; width: 100%; }
.rl-lab.rl-explorer .rl-three figure { margin: 0; padding: 0; width: auto; }
.rl-explorer .rl-three figcaption { color: var(--_soft); font-size: 0.82rem; line-height: 1.3; margin: 0.2rem 0 0; }
@container (min-width: 620px) {
  .rl-explorer .rl-charts { grid-template-columns: 1fr 1fr; }
}
`;
