// What quantize_qdq.py needs from ONNX Runtime:
//   node calibrate.mjs optimize IN.onnx OUT.onnx      basic graph optimizations, as quant_pre_process does
//   node calibrate.mjs ranges IN.onnx CALIB.npy       {tensor: [min, max]} of every float output, as JSON on stdout
import ort from 'onnxruntime-node';
import { readNpy, sampleOf } from './npy.mjs';

async function ranges(model, calibration) {
  const session = await ort.InferenceSession.create(model, { graphOptimizationLevel: 'disabled', logSeverityLevel: 3 });
  const samples = readNpy(calibration);
  const result = {};
  for (let index = 0; index < samples.shape[0]; ++index) {
    const sample = sampleOf(samples, index);
    const outputs = await session.run({ [session.inputNames[0]]: new ort.Tensor(sample.type, sample.data, sample.shape) });
    for (const [name, tensor] of Object.entries({ ...outputs, [session.inputNames[0]]: sample })) {
      if (tensor.type !== 'float32') continue;
      const range = (result[name] ??= [Infinity, -Infinity]);
      for (const value of tensor.data) {
        if (value < range[0]) range[0] = value;
        if (value > range[1]) range[1] = value;
      }
      tensor.dispose?.();
    }
  }
  process.stdout.write(JSON.stringify(result));
}

const [command, model, other] = process.argv.slice(2);
if (command === 'optimize' && other) {
  await ort.InferenceSession.create(model, {
    graphOptimizationLevel: 'basic', optimizedModelFilePath: other, logSeverityLevel: 3 });
} else if (command === 'ranges' && other) {
  await ranges(model, other);
} else {
  console.error('usage: node calibrate.mjs optimize IN.onnx OUT.onnx | ranges IN.onnx CALIB.npy');
  process.exit(2);
}
