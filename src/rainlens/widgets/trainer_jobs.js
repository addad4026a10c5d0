// The trainer's work: it trains one network at a time, and says how that one fares.
//
// "train" begins a new run, "stop" halts it and "go" goes on with it. Answers carry the number of
// their run; of a run that a newer one replaces, nothing more is heard.

import { breathe } from "./breathe.js";
import { Learner } from "./trainer_network.js";
import { PLAN, rateAt } from "./trainer_plan.js";
import { batch, judged, testBatch } from "./trainer_signals.js";
import { uniforms } from "./uniforms.js";

/** One network under way. */
export class Run {
  constructor({ order, channels, seed, plan = PLAN }) {
    this.order = order;
    this.plan = plan;
    this.uniform = uniforms(seed);
    this.learner = new Learner(channels);
    this.learner.begin(this.uniform);
    this.tests = testBatch(order);
  }

  get step() {
    return this.learner.done;
  }

  get isOver() {
    return this.step >= this.plan.steps;
  }

  advance() {
    const { batch: count, decay } = this.plan;
    const { noisy, clean } = batch(this.order, count, this.uniform);
    this.learner.learn(noisy, clean, count, rateAt(this.step, this.plan), decay);
  }

  measured() {
    const { noisy, count } = this.tests;
    return judged(this.order, this.tests, this.learner.answer(noisy, count));
  }
}

/** Answers what a page asks; `post` sends a message. */
export class Trainer {
  constructor(post) {
    this.post = post;
    this.turn = 0; // whoever works for an older one leaves off
  }

  async hear(message) {
    const turn = (this.turn += 1);
    try {
      if (message.kind === "train") {
        this.job = message.job;
        this.run = new Run(message);
        this.tell();
      }
      if (message.kind !== "stop") await this.work(turn);
    } catch (error) {
      this.post({ kind: "error", job: this.job, error: error.message });
    }
  }

  async work(turn) {
    const { run } = this;
    while (!run.isOver) {
      run.advance();
      if (run.step % run.plan.measureEvery === 0 || run.isOver) this.tell();
      await breathe();
      if (turn !== this.turn) return;
    }
  }

  tell() {
    const { run, job } = this;
    this.post({ kind: "told", job, step: run.step, isOver: run.isOver, tests: run.measured() });
  }
}
