// One ONNX Runtime session with a synchronous run.
//
// The package's public run() goes through the event loop and a promise; on models of about a millisecond that costs up to 2 %,
// which would be charged to ONNX Runtime. The same native binding is therefore called directly. The package is pinned to
// one exact version, so this inner interface can't change unnoticed.
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const ort = require('onnxruntime-node');
const { binding, initOrt } = require(path.join(path.dirname(require.resolve('onnxruntime-node')), 'binding.js'));

export const Tensor = ort.Tensor;
export const version = ort.env.versions.node;

export function openSession(model, { threads = 1, ...options } = {}) {
  initOrt();
  const session = new binding.InferenceSession();
  session.loadModel(model, {
    intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all',
    logSeverityLevel: 3, ...options });
  const outputNames = session.outputMetadata.map((output) => output.name);
  const fetches = Object.fromEntries(outputNames.map((name) => [name, null]));
  return {
    inputNames: session.inputMetadata.map((input) => input.name),
    inputRanks: Object.fromEntries(session.inputMetadata.map((input) => [input.name, input.shape.length])),
    outputNames,
    // feeds: {name: {type, shape, data}}; returns {name: Tensor}
    run: (feeds) => session.run(feeds, fetches, {}),
    close: () => session.dispose(),
  };
}

export const toTensor = ({ type, data, shape }) => new Tensor(type, data, shape);
