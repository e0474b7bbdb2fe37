#!/bin/sh
# Sets up the peers, makes the models if they are missing, and compares; arguments go to compare.mjs. Builds nothing.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-/usr/bin/python3}
data=../out

if [ ! -d node_modules/onnxruntime-node ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --ignore-scripts
    touch node_modules/.package-lock.json
fi
"$python" -c 'import onnx' 2>/dev/null || { echo "run.sh: python3-onnx is missing" >&2; exit 2; }
for name in resnet18 resnet50 mobilenet_v2 mobilenet_v3_small squeezenet1_1 shufflenet_v2_x1_0 efficientnet_b0; do
    for part in onnx calib.npy input.npy output.npy; do
        [ -e "$data/models/$name.$part" ] || missing=yes
    done
done
if [ "${missing:-}" ]; then
    "$python" -c 'import torch, torchvision' || { echo "run.sh: python3-torch, python3-torchvision are missing" >&2; exit 2; }
    "$python" export_models.py --output "$data/models"
fi
"$python" quantize_qdq.py
exec node compare.mjs --json "$data/compare.json" "$@"
