// Minimal .npy reader and writer: little-endian, C order, the dtypes below.
import fs from 'node:fs';

const TYPES = {
  '<f4': ['float32', Float32Array],
  '<i8': ['int64', BigInt64Array],
  '<i4': ['int32', Int32Array],
  '|u1': ['uint8', Uint8Array],
  '|i1': ['int8', Int8Array],
  '|b1': ['bool', Uint8Array],
  '<f8': ['float64', Float64Array],
  '<f2': ['float16', Uint16Array],
  '<i2': ['int16', Int16Array],
};
const DESCR = Object.fromEntries(Object.entries(TYPES).map(([descr, [name]]) => [name, descr]));

// Returns {type, shape, data}; type is ONNX Runtime's name of the element type.
export function readNpy(path) {
  const file = fs.readFileSync(path);
  if (file.length < 10 || file.toString('latin1', 0, 6) !== '\x93NUMPY') throw new Error(`${path}: not an .npy file`);
  const major = file[6];
  const headerAt = major === 1 ? 10 : 12;
  const headerSize = major === 1 ? file.readUInt16LE(8) : file.readUInt32LE(8);
  const header = file.toString('latin1', headerAt, headerAt + headerSize);
  const descr = /'descr'\s*:\s*'([^']+)'/.exec(header)?.[1];
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const dims = /'shape'\s*:\s*\(([^)]*)\)/.exec(header)?.[1];
  if (!descr || !fortran || dims === undefined) throw new Error(`${path}: malformed .npy header`);
  if (!TYPES[descr]) throw new Error(`${path}: dtype ${descr} is not supported`);
  const shape = dims.split(',').map((text) => text.trim()).filter(Boolean).map(Number);
  if (fortran === 'True' && shape.length > 1) throw new Error(`${path}: Fortran order is not supported`);
  const [type, Typed] = TYPES[descr];
  const count = shape.reduce((product, dim) => product * dim, 1);
  const bytes = file.subarray(headerAt + headerSize, headerAt + headerSize + count * Typed.BYTES_PER_ELEMENT);
  if (bytes.length !== count * Typed.BYTES_PER_ELEMENT) throw new Error(`${path}: truncated`);
  const data = new Typed(count);
  new Uint8Array(data.buffer).set(bytes);
  return { type, shape, data };
}

export function writeNpy(path, { type, shape, data }) {
  const descr = DESCR[type];
  if (!descr) throw new Error(`${path}: element type ${type} is not supported`);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  let header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  header = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + '\n';
  const start = Buffer.alloc(10);
  start.write('\x93NUMPY\x01\x00', 'latin1');
  start.writeUInt16LE(header.length, 8);
  fs.writeFileSync(path, Buffer.concat([
    start, Buffer.from(header, 'latin1'), Buffer.from(data.buffer, data.byteOffset, data.byteLength)]));
}

// One sample of an array that holds several along its first axis.
export function sampleOf(array, index) {
  const size = array.data.length / array.shape[0];
  return { type: array.type, shape: [1, ...array.shape.slice(1)],
    data: array.data.slice(index * size, (index + 1) * size) };
}
