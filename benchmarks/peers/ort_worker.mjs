// ONNX Runtime behind the protocol of bantam_bench_worker: the peer in measurements of loading, which need a fresh process,
// and a stand-in for bantam in tests of the harness.
//   node ort_worker.mjs MODEL.onnx --input X.npy [--threads N]
// prints `ready FIRST LOADED` (milliseconds until the first result, and until the session was made), then answers `run K`
// with K latencies in microseconds; `quit` ends it.
import readline from 'node:readline';
import { openSession, toTensor } from './ort_session.mjs';
import { readNpy } from './npy.mjs';

const [model, ...rest] = process.argv.slice(2);
const option = (name, fallback) => (rest.includes(name) ? rest[rest.indexOf(name) + 1] : fallback);
const input = toTensor(readNpy(option('--input')));

const start = performance.now();
const session = openSession(model, { threads: Number(option('--threads', 1)) });
const loaded = performance.now() - start;
const feeds = { [session.inputNames[0]]: input };
session.run(feeds);
console.log(`ready ${(performance.now() - start).toFixed(3)} ${loaded.toFixed(3)}`);

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [command, count] = line.trim().split(/\s+/);
  if (command === 'quit') break;
  if (command !== 'run') continue;
  const latencies = [];
  for (let i = 0; i < Number(count); ++i) {
    const before = performance.now();
    session.run(feeds);
    latencies.push(((performance.now() - before) * 1000).toFixed(1));
  }
  console.log(latencies.join(' '));
}
process.exit(0);
