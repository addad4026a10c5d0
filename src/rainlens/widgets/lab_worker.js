// What runs in the rain lab's worker.

import { Lab } from "./lab_jobs.js";

const lab = new Lab((message) => self.postMessage(message));
self.onmessage = ({ data }) => lab.hear(data);
