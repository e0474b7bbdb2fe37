// The programs that are compared: ONNX Runtime in this process, bantam's worker in a child, both as
// {name, run(count) -> latencies in microseconds, close()}; and the rounds in which they take turns.
import { spawn } from 'node:child_process';
import readline from 'node:readline';
import { openSession } from './ort_session.mjs';
import { median } from './statistics.mjs';

const ROUND_US = 100_000;

export function ortContender(name, model, input, threads) {
  const session = openSession(model, { threads });
  const feeds = { [session.inputNames[0]]: input };
  return {
    name,
    run(count) {
      const latencies = [];
      for (let i = 0; i < count; ++i) {
        const before = performance.now();
        session.run(feeds);
        latencies.push((performance.now() - before) * 1000);
      }
      return latencies;
    },
    close: () => session.close(),
  };
}

// Starts a worker; `load` is what it says itself: milliseconds until the first result, and of that the load.
export async function workerContender(name, command) {
  const child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let complaint = '';
  child.stderr.on('data', (data) => { complaint = (complaint + data).slice(-2000); });
  child.stdin.on('error', () => {});
  const ended = new Promise((resolve) => {
    child.on('error', (error) => { complaint += error.message; resolve(); });
    child.on('close', resolve);
  });
  const answer = async () => {
    const { value, done } = await Promise.race([lines.next(), ended.then(() => lines.next())]);
    if (!done) return value;
    await ended;
    throw new Error(`${command[0]} ended: ${complaint.trim() || `status ${child.exitCode ?? child.signalCode}`}`);
  };
  const ready = /^ready\s+(\S+)\s+(\S+)/.exec(await answer());
  if (!ready) {
    child.kill();
    throw new Error(`${command[0]}: no 'ready' line`);
  }
  return {
    name,
    load: { first: Number(ready[1]), loaded: Number(ready[2]) },
    async run(count) {
      child.stdin.write(`run ${count}\n`);
      const latencies = (await answer()).trim().split(/\s+/).map(Number);
      if (latencies.length !== count || latencies.some(Number.isNaN)) throw new Error(`${name}: malformed latencies`);
      return latencies;
    },
    async close() {
      child.stdin.end('quit\n');
      const impatience = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(impatience);
    },
  };
}

// Alternating rounds of about 100 ms each, in both directions (A B, B A, ...) so that drift cancels. The first run of a
// round finds cold caches and is dropped. Returns {name: {medians: [us per round], minima: [us per round]}}.
export async function takeTurns(contenders, minSeconds) {
  const counts = new Map();
  for (const contender of contenders) {
    await contender.run(3);
    counts.set(contender, Math.max(3, Math.round(ROUND_US / median(await contender.run(5)))));
  }
  const rounds = Math.max(10, Math.ceil((minSeconds * 1e6) / ROUND_US));
  const results = Object.fromEntries(contenders.map(({ name }) => [name, { medians: [], minima: [] }]));
  for (let round = 0; round < rounds; ++round) {
    for (const contender of round % 2 ? [...contenders].reverse() : contenders) {
      const latencies = (await contender.run(counts.get(contender) + 1)).slice(1);
      results[contender.name].medians.push(median(latencies));
      results[contender.name].minima.push(Math.min(...latencies));
    }
  }
  return results;
}
