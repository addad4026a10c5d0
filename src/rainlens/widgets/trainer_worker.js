// What runs in the trainer's worker.

import { Trainer } from "./trainer_jobs.js";

const trainer = new Trainer((message) => self.postMessage(message));
self.onmessage = ({ data }) => trainer.hear(data);
