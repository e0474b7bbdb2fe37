// Compares bantam with ONNX Runtime in one interleaved run; see README.md.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ortContender, takeTurns, workerContender } from './contenders.mjs';
import { readNpy } from './npy.mjs';
import { openSession, toTensor, version } from './ort_session.mjs';
import { median, pairedRatio } from './statistics.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(HERE, '../..');
const MODELS = ['resnet18', 'mobilenet_v2', 'squeezenet1_1', 'shufflenet_v2_x1_0', 'mobilenet_v3_small',
  'efficientnet_b0', 'resnet50'];
const ASPECTS = ['size', 'accuracy', 'memory', 'load', 'speed', 'threads'];
const MB = 1e6;

// What bantam must reach. Speed: ONNX Runtime's time / bantam's.
const BARS = {
  speed: {
    int8: { default: 1.0, resnet18: 1.15, mobilenet_v2: 1.15 },
    fp32: { default: 1.0, resnet18: 0.95, resnet50: 0.95 },
  },
  ownFloat: 1.0, // own fp32 time / own int8 time, more than this
  twoThreads: { resnet18: 1.7 }, // time with one thread / with two
  size: { resnet18: 0.26, resnet50: 0.26 }, // bytes of the int8 plan / of the fp32 ONNX file
  load: { 'resnet18.int8': 0.5 }, // bantam's load until first result / ONNX Runtime's
  loadCached: { 'resnet18.int8': 10 }, // ONNX Runtime's load / bantam's with a cache of packed weights
  memory: { 'resnet18.int8': 45 * MB }, // peak resident bytes of `bantam run`
  ownMemory: { 'resnet18.int8': 2 * MB }, // with the cache, after a run: what is neither a file's nor the arena
  accuracy: { fp32: 1e-3 }, // largest difference from ONNX Runtime's fp32 output / its largest magnitude
};

function parseCommandLine() {
  const { values } = parseArgs({ options: {
    models: { type: 'string', default: MODELS.join(',') },
    precision: { type: 'string', default: 'fp32,int8' },
    aspects: { type: 'string', default: ASPECTS.join(',') },
    threads: { type: 'string', default: '1' },
    'min-time': { type: 'string', default: '5' },
    core: { type: 'string' },
    json: { type: 'string' },
    bantam: { type: 'string', default: path.join(ROOT, 'build/release/tools/bantam') },
    worker: { type: 'string' },
    data: { type: 'string', default: path.join(ROOT, 'benchmarks/out') },
    'stand-in': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } });
  if (values.help) {
    console.log(`usage: node compare.mjs [options]
  --models A,B       of ${MODELS.join(', ')}
  --precision P,Q    fp32, int8 (default both)
  --aspects A,B      of ${ASPECTS.join(', ')} (default all)
  --threads N        both sides (default 1; then pinned to one core)
  --min-time S       seconds for each contender of a comparison of speed (default 5)
  --core N           the first core to use (default: the first one allowed)
  --json FILE        all rows, also as JSON
  --bantam PATH      the program (default build/release/tools/bantam)
  --worker PATH      bantam_bench_worker (default: found beside the program or in its build tree)
  --data DIR         holds models/, and plans/ (default benchmarks/out)
  --stand-in         ONNX Runtime in bantam's place: shows the noise, tests this harness`);
    process.exit(0);
  }
  const list = (text, allowed, what) => text.split(',').filter(Boolean).map((item) => {
    if (!allowed.includes(item)) throw new Error(`unknown ${what} ${item}`);
    return item;
  });
  const number = (name, low) => {
    const result = Number(values[name]);
    if (!(result >= low)) throw new Error(`--${name}: ${values[name]}`);
    return result;
  };
  return { ...values, models: list(values.models, MODELS, 'model'),
    precisions: list(values.precision, ['fp32', 'int8'], 'precision'),
    aspects: list(values.aspects, ASPECTS, 'aspect'), threads: number('threads', 1), minTime: number('min-time', 0),
    core: values.core === undefined ? undefined : number('core', 0), standIn: values['stand-in'] };
}

// --- the machine ---

function allowedCores() {
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1];
  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

// Pins this process, all its threads and the children to come.
function pin(cores) {
  const { status } = spawnSync('taskset', ['-a', '-c', '-p', cores.join(','), String(process.pid)]);
  if (status !== 0) console.error('warning: taskset failed, nothing is pinned');
}

function machine() {
  const cpu = os.cpus()[0]?.model ?? '';
  const flags = /^flags\s*:\s*(.*)$/m.exec(fs.readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? [];
  return { cpu, cores: os.cpus().length, arch: process.arch, node: process.version, onnxruntime: version,
    isa: flags.filter((flag) => /^(avx2|avx512f|avx512_vnni|avx_vnni|amx_int8)$/.test(flag)), load: os.loadavg()[0] };
}

// --- the two sides ---

class Peers {
  constructor(options) {
    this.options = options;
    this.modelFolder = path.join(options.data, 'models');
    this.planFolder = path.join(options.data, 'plans');
    fs.mkdirSync(this.planFolder, { recursive: true });
    this.worker = options.worker ?? this.findWorker();
    this.inputs = new Map();
  }

  findWorker() {
    const folder = path.dirname(this.options.bantam);
    const candidates = ['bantam_bench_worker', '../benchmarks/bantam_bench_worker', '../bantam_bench_worker'];
    const found = candidates.map((name) => path.join(folder, name)).find((file) => fs.existsSync(file));
    return found ?? path.join(folder, candidates[1]);
  }

  onnx(model, precision) {
    return path.join(this.modelFolder, `${model}.${precision === 'int8' ? 'int8.' : ''}onnx`);
  }

  inputFile(model) {
    return path.join(this.modelFolder, `${model}.input.npy`);
  }

  input(model) {
    if (!this.inputs.has(model)) this.inputs.set(model, toTensor(readNpy(this.inputFile(model))));
    return this.inputs.get(model);
  }

  // Compiles the plan if it is missing or older than the model or the compiler.
  plan(model, precision) {
    if (this.options.standIn) return this.onnx(model, precision);
    const source = this.onnx(model, 'fp32');
    const plan = path.join(this.planFolder, `${model}.${precision}.bantam`);
    const age = (file) => fs.statSync(file).mtimeMs;
    if (fs.existsSync(plan) && age(plan) >= age(source) && age(plan) >= age(this.options.bantam)) return plan;
    const args = ['compile', source, '-o', plan, '--precision', precision];
    if (precision === 'int8') args.push('--calibrate', path.join(this.modelFolder, `${model}.calib.npy`));
    runBantam(this.options.bantam, args);
    return plan;
  }

  ortCommand(model, precision, threads) {
    return [process.execPath, path.join(HERE, 'ort_worker.mjs'), this.onnx(model, precision),
      '--input', this.inputFile(model), '--threads', String(threads)];
  }

  ownCommand(model, precision, threads, cache) {
    if (this.options.standIn) return this.ortCommand(model, precision, threads);
    return [this.worker, this.plan(model, precision), '--threads', String(threads), ...(cache ? ['--cache', cache] : [])];
  }

  // One run as a user would do it.
  runCommand(model, precision, output) {
    const data = ['--input', this.inputFile(model), '--output', output];
    return this.options.standIn
      ? [process.execPath, path.join(HERE, 'oracle.mjs'), this.onnx(model, precision), ...data]
      : [this.options.bantam, 'run', this.plan(model, precision), ...data];
  }
}

function runBantam(program, args) {
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status === 0) return stdout;
  const reason = error?.message ?? stderr.trim().split('\n').slice(-3).join(' | ');
  throw new Error(`bantam ${args[0]} failed (${signal ?? status}): ${reason}`);
}

// --- rows ---
// {aspect, model, what, unit, peer, own, ratio, low, high, bar, met}; `ratio` is what `bar` = [relation, value] speaks of.

const relations = {
  '>=': (value, bar) => value >= bar,
  '>': (value, bar) => value > bar,
  '<=': (value, bar) => value <= bar,
};

function judge(row) {
  if (!row.bar) return row;
  const holds = (value) => relations[row.bar[0]](value, row.bar[1]);
  row.met = holds(row.ratio);
  row.sure = row.low === undefined || (holds(row.low) === row.met && holds(row.high) === row.met);
  return row;
}

function sizeRows(peers, model, precisions) {
  return precisions.map((precision) => {
    const ort = fs.statSync(peers.onnx(model, 'fp32')).size;
    const own = fs.statSync(peers.plan(model, precision)).size;
    const bar = precision === 'int8' && BARS.size[model];
    return { what: `${precision} plan / fp32 ONNX`, unit: 'MB', peer: ort / MB, own: own / MB, ratio: own / ort,
      bar: bar ? ['<=', bar] : null };
  });
}

const temporaryFolder = () => fs.mkdtempSync(path.join(os.tmpdir(), 'bantam-compare-'));

const withFolder = (use) => {
  const folder = temporaryFolder();
  try {
    return use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
};

function ownOutput(peers, model, precision) {
  return withFolder((folder) => {
    const [program, ...args] = peers.runCommand(model, precision, folder);
    runBantam(program, args);
    const files = fs.readdirSync(folder).filter((file) => file.endsWith('.npy'));
    if (files.length !== 1) throw new Error(`expected one output, got ${files.length}`);
    return readNpy(path.join(folder, files[0])).data;
  });
}

function ortOutput(peers, model, precision) {
  const session = openSession(peers.onnx(model, precision));
  const { data } = session.run({ [session.inputNames[0]]: peers.input(model) })[session.outputNames[0]];
  session.close();
  return data;
}

function sqnr(reference, output) {
  const energy = reference.reduce((sum, value) => sum + value * value, 0);
  const noise = reference.reduce((sum, value, index) => sum + (value - output[index]) ** 2, 0);
  return 10 * Math.log10(energy / noise);
}

function accuracyRows(peers, model, precisions) {
  const reference = ortOutput(peers, model, 'fp32');
  const largest = reference.reduce((result, value) => Math.max(result, Math.abs(value)), 0);
  return precisions.map((precision) => {
    const own = ownOutput(peers, model, precision);
    if (own.length !== reference.length) throw new Error(`${own.length} outputs instead of ${reference.length}`);
    if (precision === 'int8') {
      return { what: 'int8 against fp32', unit: 'dB SQNR', peer: sqnr(reference, ortOutput(peers, model, 'int8')),
        own: sqnr(reference, own) };
    }
    const error = reference.reduce((result, value, index) => Math.max(result, Math.abs(value - own[index])), 0);
    return { what: 'fp32 error / largest output', ratio: error / largest, bar: ['<=', BARS.accuracy.fp32] };
  });
}

// Peak resident bytes of a command, its own and its children's.
function peakMemory(command) {
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', 'peak %M', ...command], { encoding: 'utf8' });
  const peak = /^peak (\d+)$/m.exec(stderr ?? '');
  if (status !== 0 || !peak) throw new Error(`/usr/bin/time ${command[0]} failed: ${(stderr ?? '').slice(-300)}`);
  return Number(peak[1]) * 1024;
}

// What a plan takes beside its arena and beside files, when its weights are mapped from a cache.
function ownMemoryRow(peers, model, precision, cache) {
  const args = ['bench', peers.plan(model, precision), '--min-time', '0', '--json', '--cache', cache];
  runBantam(peers.options.bantam, args); // makes the cache
  const { anonymous_bytes: anonymous, arena_bytes: arena } = JSON.parse(runBantam(peers.options.bantam, args));
  const bar = BARS.ownMemory[`${model}.${precision}`];
  return { what: `${precision} with cache: own memory beside the arena`, unit: 'MB', own: anonymous / MB,
    ratio: (anonymous - arena) / MB, bar: bar ? ['<=', bar / MB] : null };
}

function memoryRows(peers, model, precisions) {
  return precisions.flatMap((precision) => withFolder((folder) => {
    const ortRun = [process.execPath, path.join(HERE, 'oracle.mjs'), peers.onnx(model, precision), '--input',
      peers.inputFile(model), '--output', folder];
    const own = median([0, 1, 2].map(() => peakMemory(peers.runCommand(model, precision, folder))));
    const bar = BARS.memory[`${model}.${precision}`];
    const peak = { what: `${precision} peak of one run`, unit: 'MB', peer: peakMemory(ortRun) / MB, own: own / MB,
      ratio: own / MB, bar: bar ? ['<=', bar / MB] : null };
    return peers.options.standIn ? [peak] : [peak, ownMemoryRow(peers, model, precision, path.join(folder, 'cache'))];
  }));
}

// {first, loaded}: milliseconds until the first result, and of that the load.
async function loadTime(command) {
  const contender = await workerContender('load', command);
  await contender.close();
  return contender.load;
}

async function loadRows(peers, model, precisions, threads) {
  const rows = [];
  for (const precision of precisions) {
    const cache = temporaryFolder();
    const [ort, own, cached] = [[], [], []];
    try {
      await loadTime(peers.ownCommand(model, precision, threads, cache)); // makes the cache
      for (let round = 0; round < 11; ++round) {
        ort.push(await loadTime(peers.ortCommand(model, precision, threads)));
        own.push(await loadTime(peers.ownCommand(model, precision, threads)));
        cached.push(await loadTime(peers.ownCommand(model, precision, threads, cache)));
      }
    } finally {
      fs.rmSync(cache, { recursive: true });
    }
    rows.push(...loadRowsOf(`${model}.${precision}`, precision, ort, own, cached));
  }
  return rows;
}

function loadRowsOf(name, precision, ort, own, cached) {
  const first = (times) => times.map((time) => time.first);
  const loaded = (times) => times.map((time) => time.loaded);
  const row = (what, peer, mine, ratio, bar) => ({ what: `${precision} ${what}`, unit: 'ms', peer: median(peer),
    own: median(mine), ...ratio, bar });
  const limit = BARS.load[name];
  const factor = BARS.loadCached[name];
  return [
    row('load until first result', first(ort), first(own), pairedRatio(first(own), first(ort)),
      limit ? ['<=', limit] : null),
    row('load until first result, with cache', first(ort), first(cached), pairedRatio(first(cached), first(ort)), null),
    row('load: ORT / own with cache', loaded(ort), loaded(cached), pairedRatio(loaded(ort), loaded(cached)),
      factor ? ['>=', factor] : null),
  ];
}

// Ratio of two contenders' rounds: medians decide, minima stand beside.
function speedRow(what, above, below, bar) {
  return { what, unit: 'ms', peer: median(above.medians) / 1000, own: median(below.medians) / 1000,
    ...pairedRatio(above.medians, below.medians), ratioOfMinima: pairedRatio(above.minima, below.minima, 1).ratio, bar };
}

async function compete(contenders, minTime) {
  try {
    return await takeTurns(contenders, minTime);
  } finally {
    for (const contender of contenders) await contender.close();
  }
}

async function speedRows(peers, model, precisions, threads, minTime) {
  const contenders = [];
  for (const precision of precisions) {
    contenders.push(ortContender(`ort ${precision}`, peers.onnx(model, precision), peers.input(model), threads));
    contenders.push(await workerContender(`own ${precision}`, peers.ownCommand(model, precision, threads)));
  }
  const results = await compete(contenders, minTime);
  const label = threads === 1 ? '' : `, ${threads} threads`;
  const rows = precisions.map((precision) => {
    const bars = BARS.speed[precision];
    return speedRow(`${precision}${label}`, results[`ort ${precision}`], results[`own ${precision}`],
      threads === 1 ? ['>=', bars[model] ?? bars.default] : null);
  });
  if (precisions.length === 2) {
    rows.push(speedRow(`own fp32 / own int8${label}`, results['own fp32'], results['own int8'],
      ['>', BARS.ownFloat]));
  }
  return rows;
}

async function threadRows(peers, model, precisions, minTime) {
  const rows = [];
  for (const precision of precisions) {
    const results = await compete([
      ortContender('ort 1', peers.onnx(model, precision), peers.input(model), 1),
      ortContender('ort 2', peers.onnx(model, precision), peers.input(model), 2),
      await workerContender('own 1', peers.ownCommand(model, precision, 1)),
      await workerContender('own 2', peers.ownCommand(model, precision, 2))], minTime);
    const bar = BARS.twoThreads[model];
    rows.push(speedRow(`${precision}: own 1 thread / own 2`, results['own 1'], results['own 2'], bar ? ['>=', bar] : null));
    rows.push(speedRow(`${precision}: ORT 1 thread / ORT 2`, results['ort 1'], results['ort 2'], null));
    rows.push(speedRow(`${precision}: ORT 2 threads / own 2`, results['ort 2'], results['own 2'], null));
  }
  return rows;
}

// --- the report ---

const digits = (value) => (value === undefined ? '' : value === 0 ? '0'
  : Math.abs(value) < 0.01 ? value.toExponential(1) : Math.abs(value) < 10 ? value.toFixed(3) : value.toFixed(1));

function cells(row) {
  if (row.error) return [row.model, row.aspect, `error: ${row.error}`];
  const verdict = row.met === undefined ? '' : `${row.met ? 'yes' : 'NO'}${row.sure ? '' : ' (unsure)'}`;
  return [row.model, row.aspect, row.what, digits(row.peer), digits(row.own), row.unit ?? '', digits(row.ratio),
    row.low === undefined ? '' : `${digits(row.low)}..${digits(row.high)}`, digits(row.ratioOfMinima),
    row.bar ? row.bar.join(' ') : '', verdict];
}

function printTable(rows) {
  const head = ['model', 'aspect', 'what', 'peer', 'bantam', 'unit', 'ratio', '95 %', 'of minima', 'bar', 'met'];
  const lines = [head, ...rows.map(cells)];
  const widths = head.map((_, column) => Math.max(...lines.filter((line) => line.length === head.length)
    .map((line) => line[column].length)));
  const numeric = new Set([3, 4, 6, 7, 8]);
  for (const line of lines) {
    console.log(line.map((cell, column) => (numeric.has(column) ? cell.padStart(widths[column])
      : cell.padEnd(widths[column]))).join('  ').trimEnd());
  }
}

async function main() {
  const options = parseCommandLine();
  const peers = new Peers(options);
  for (const model of options.models) {
    for (const precision of options.precisions) {
      if (!fs.existsSync(peers.onnx(model, precision))) throw new Error(`${peers.onnx(model, precision)} is missing`);
    }
  }
  if (!options.standIn && !fs.existsSync(options.bantam)) throw new Error(`${options.bantam} is missing; build it first`);
  const cores = allowedCores();
  const first = Math.max(0, cores.indexOf(options.core ?? cores[0]));
  const coresFor = (threads) => cores.slice(first).concat(cores.slice(0, first)).slice(0, threads);

  const rows = [];
  const collect = async (aspect, model, measure) => {
    if (!options.aspects.includes(aspect)) return;
    try {
      for (const row of await measure()) rows.push(judge({ aspect, model, ...row }));
    } catch (error) {
      rows.push({ aspect, model, error: error.message, met: false });
    }
    process.stderr.write('.');
  };
  const failed = new Set();
  for (const model of options.models) {
    for (const precision of options.precisions) { // before anything is pinned
      try {
        peers.plan(model, precision);
      } catch (error) {
        failed.add(`${model} ${precision}`);
        rows.push({ aspect: 'compile', model, error: error.message, met: false });
      }
    }
  }
  const before = machine();
  if (before.load > 0.5) {
    console.error(`warning: the machine is busy (load ${before.load.toFixed(1)}); rows with two threads are worthless then`);
  }
  for (const model of options.models) {
    const precisions = options.precisions.filter((precision) => !failed.has(`${model} ${precision}`));
    if (precisions.length === 0) continue;
    pin(coresFor(options.threads));
    await collect('size', model, () => sizeRows(peers, model, precisions));
    await collect('accuracy', model, () => accuracyRows(peers, model, precisions));
    await collect('memory', model, () => memoryRows(peers, model, precisions));
    await collect('load', model, () => loadRows(peers, model, precisions, options.threads));
    await collect('speed', model, () => speedRows(peers, model, precisions, options.threads, options.minTime));
    if (model in BARS.twoThreads && cores.length > 1) {
      pin(coresFor(2));
      await collect('threads', model, () => threadRows(peers, model, precisions, options.minTime));
    }
  }
  process.stderr.write('\n');

  const judged = rows.filter((row) => row.met !== undefined);
  const met = judged.filter((row) => row.met).length;
  console.log(`${before.cpu}, ${before.cores} cores, ${before.isa.join(' ')}; ONNX Runtime ${version}; `
    + `load before ${before.load.toFixed(1)}${options.standIn ? '; STAND-IN: both sides are ONNX Runtime' : ''}`);
  printTable(rows);
  console.log(`${met} of ${judged.length} bars met`);
  if (options.json) {
    const { models, precisions, aspects, threads, minTime, standIn } = options;
    fs.writeFileSync(options.json, `${JSON.stringify({ machine: before,
      options: { models, precisions, aspects, threads, minTime, standIn }, rows }, null, 1)}\n`);
  }
  process.exit(met === judged.length ? 0 : 1);
}

main().catch((error) => {
  console.error(`compare: ${error.message}`);
  process.exit(2);
});
