// Runs a model in ONNX Runtime and writes every output as DIR/NAME.npy:
//   node oracle.mjs MODEL.onnx --input [NAME=]X.npy ... --output DIR [--level disabled|basic|extended|all] [--threads N]
// Inputs without a name are taken in the model's order. As with `bantam run`, inputs with one more axis in front than the
// model's hold several samples, and the outputs are stacked alike.
import fs from 'node:fs';
import path from 'node:path';
import { openSession, toTensor } from './ort_session.mjs';
import { readNpy, writeNpy } from './npy.mjs';

function parse(args) {
  const options = { inputs: [], level: 'all', threads: 1 };
  for (let i = 0; i < args.length; ++i) {
    const value = () => {
      if (++i >= args.length) throw new Error(`${args[i - 1]} needs a value`);
      return args[i];
    };
    if (args[i] === '--input') options.inputs.push(value());
    else if (args[i] === '--output') options.output = value();
    else if (args[i] === '--level') options.level = value();
    else if (args[i] === '--threads') options.threads = Number(value());
    else if (!args[i].startsWith('-') && !options.model) options.model = args[i];
    else throw new Error(`unexpected argument ${args[i]}`);
  }
  if (!options.model || !options.output) throw new Error('a model and --output are needed');
  return options;
}

function readInputs(session, specs) {
  const inputs = {};
  const unnamed = session.inputNames.filter((name) => !specs.some((spec) => spec.startsWith(`${name}=`)));
  for (const spec of specs) {
    const name = session.inputNames.find((candidate) => spec.startsWith(`${candidate}=`)) ?? unnamed.shift();
    if (name === undefined) throw new Error(`${spec}: the model has only ${session.inputNames.length} inputs`);
    inputs[name] = readNpy(spec.startsWith(`${name}=`) ? spec.slice(name.length + 1) : spec);
  }
  if (unnamed.length) throw new Error(`no value for input ${unnamed.join(', ')}`);
  return inputs;
}

// A list of feeds: one, or one per sample.
function splitSamples(session, inputs) {
  const stacked = Object.entries(inputs).filter(([name, { shape }]) => shape.length === session.inputRanks[name] + 1);
  if (stacked.length === 0) return [inputs];
  const count = stacked[0][1].shape[0];
  if (stacked.some(([, { shape }]) => shape[0] !== count)) throw new Error('inputs with different numbers of samples');
  return Array.from({ length: count }, (_, index) => ({ ...inputs,
    ...Object.fromEntries(stacked.map(([name, { type, shape, data }]) => {
      const size = data.length / count;
      return [name, { type, shape: shape.slice(1), data: data.slice(index * size, (index + 1) * size) }];
    })) }));
}

function stack(tensors) {
  const { type, data, dims } = tensors[0];
  const all = new data.constructor(data.length * tensors.length);
  tensors.forEach((tensor, index) => all.set(tensor.data, index * data.length));
  return { type, shape: [tensors.length, ...dims], data: all };
}

function main() {
  const options = parse(process.argv.slice(2));
  const session = openSession(options.model, { threads: options.threads, graphOptimizationLevel: options.level });
  const inputs = readInputs(session, options.inputs);
  const samples = splitSamples(session, inputs);
  const results = samples.map((feeds) => session.run(
    Object.fromEntries(Object.entries(feeds).map(([name, array]) => [name, toTensor(array)]))));
  fs.mkdirSync(options.output, { recursive: true });
  for (const name of session.outputNames) {
    const array = samples[0] === inputs
      ? { type: results[0][name].type, shape: [...results[0][name].dims], data: results[0][name].data }
      : stack(results.map((result) => result[name]));
    writeNpy(path.join(options.output, `${name.replaceAll('/', '_')}.npy`), array);
  }
}

try {
  main();
} catch (error) {
  console.error(`oracle: ${error.message}`);
  process.exit(1);
}
