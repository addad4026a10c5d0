// What the code lab has beside the look of every lab.

export const CODE_STYLE = `
.rl-codes .rl-two { display: grid; gap: 0.6rem 1rem; grid-template-columns: 1fr 1fr; }
.rl-codes .rl-cells { cursor: crosshair; position: relative; touch-action: manipulation; }
.rl-codes .rl-cells canvas, .rl-codes .rl-tile canvas, .rl-codes .rl-own {
  image-rendering: pixelated; }
.rl-codes .rl-cells > canvas { border-radius: 4px; }
.rl-codes .rl-marks { height: 100%; inset: 0; position: absolute; }
.rl-codes :is(.rl-cursor, .rl-edits div) { pointer-events: none; position: absolute; }
.rl-codes .rl-cursor { box-shadow: 0 0 0 1px #000, 0 0 0 3px #fff, 0 0 0 4px #000; }
.rl-codes .rl-edits div { box-shadow: inset 0 0 0 1px #fff, 0 0 0 1px #000; }
.rl-codes .rl-cells:focus-visible { outline: 3px solid var(--_focus); outline-offset: 3px; }
.rl-codes .rl-row + .rl-soft { margin-top: 0.4rem; }
.rl-codes dl { align-content: start; grid-column: 1 / -1; margin: 0; }
.rl-codes .rl-cell { border-top: 1px solid var(--_line); display: grid; gap: 0.9rem;
  padding-top: 0.9rem; }
.rl-codes .rl-here { flex-wrap: nowrap; margin-bottom: 0.5rem; min-height: 56px; }
.rl-codes canvas.rl-own { border: 1px solid var(--_line); border-radius: 4px; flex: none;
  height: 56px; width: 56px; }
.rl-codes button.rl-tile { border-radius: 8px; flex-direction: column; font-size: 0.78rem;
  gap: 4px; padding: 4px; }
.rl-codes .rl-tile canvas { border-radius: 4px; height: 40px; width: 40px; }
.rl-codes button:disabled { border-style: dashed; color: var(--_soft); cursor: default; }
.rl-codes .rl-tile:disabled canvas { opacity: 0.4; }
@container (max-width: 479px) {
  .rl-codes .rl-out { grid-column: 1 / -1; order: 1; }
  .rl-codes dl { font-size: 0.86rem; grid-column: auto; padding-top: 1.2rem; }
  .rl-codes dd.rl-soft { font-size: 0.78rem; }
}
`;
