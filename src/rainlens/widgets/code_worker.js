// What runs in the code lab's worker.

import { Codes } from "./code_jobs.js";

const codes = new Codes((message) => self.postMessage(message));
self.onmessage = ({ data }) => codes.hear(data);
