#!/usr/bin/env bash
# digits_plan.sh BANTAM PLAN: compiles the digits network of the examples to int8.
set -euo pipefail
digits=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../examples/digits" && pwd)
exec "$1" compile "$digits/digits.onnx" -o "$2" --precision int8 --calibrate "$digits/calib" \
  --image gray --mean 78.7 --std 88.9
