#!/usr/bin/env bash
# Builds the library with every kernel, with none and with those of one residual int8 network. The last one has to compute
# that network's bits and to refuse another plan by the kernel that is missing; for 64-bit ARM each has to be as small as
# promised, and as small as bantam inspect has predicted. Wrong choices have to be refused by CMake with their reason.
#   check.sh BANTAM WORK [TOOLCHAIN.cmake COMPILER-PREFIX EMULATOR...]
set -euo pipefail
(($# == 2 || $# > 4)) || { sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bantam=$1 work=$2 toolchain=${3:-} prefix=${4:-} emulator=("${@:5}")
fail() { echo "selective: $*" >&2; exit 1; }
mkdir -p "$work"
export CCACHE_BASEDIR=$repo CCACHE_NOHASHDIR=1  # one compilation serves all builds of these tests

plan=$work/digits.bantam float=$work/float.bantam half=$work/half.bantam digits=$repo/examples/digits
"$repo/tests/support/digits_plan.sh" "$bantam" "$plan"
"$bantam" compile "$digits/digits.onnx" -o "$float" --image gray --mean 78.7 --std 88.9
"$bantam" compile "$digits/digits.onnx" -o "$half" --image gray --mean 78.7 --std 88.9 --precision fp16

cross=()
[[ -z $toolchain ]] || cross=("-DCMAKE_TOOLCHAIN_FILE=$toolchain")
# configure KERNELS [INSTRUCTION-SETS]
configure() {
  cmake -S "$repo" -B "$work/tree" -G Ninja "${cross[@]}" -DCMAKE_BUILD_TYPE=MinSizeRel -DBUILD_SHARED_LIBS=ON \
    -DBANTAM_BUILD_TESTS=OFF -DBANTAM_BUILD_COMPILER=OFF "-DBANTAM_ONLY=$1" "-DBANTAM_INSTRUCTION_SETS=${2:-all}"
}
# refused TEXT KERNELS [INSTRUCTION-SETS]: configuring fails and says TEXT.
refused() {
  local said
  said=$(configure "${@:2}" 2>&1) && fail "${*:2}: was accepted"
  [[ $(tr -s ' \n' ' ' <<<"$said") == *"$1"* ]] || fail "${*:2}: not \"$1\" but: $said"
}
# build LIMIT WHAT KERNELS: sets `bytes`, of the stripped library, which may be at most LIMIT for 64-bit ARM.
build() {
  configure "$3"
  cmake --build "$work/tree" --target bantam
  "${prefix}strip" -o "$work/libbantam.so.0" "$work/tree/runtime/libbantam.so"
  bytes=$(stat -c %s "$work/libbantam.so.0")
  echo "selective: $2: $bytes bytes"
  [[ $prefix != aarch64-* ]] || ((bytes <= $1)) || fail "$2: $bytes bytes are more than $1"
}
# says PATTERN PLAN: what a program with the built library says of the plan.
says() {
  local said
  said=$(LD_LIBRARY_PATH=$work "${emulator[@]}" "$work/verify" "$2" || true)
  [[ $said == *$1* ]] || fail "$2: not \"$1\" but: $said"
}

refused "nonsense.int8 is neither a file" "nonsense.int8"
refused "conv2d.bool is neither a file" "$plan;conv2d.bool"
refused "is not a plan" "$digits/digits.onnx"
head -c 2000 "$plan" >"$work/cut.bantam"
refused "cut.bantam is damaged" "$work/cut.bantam"
refused "BANTAM_INSTRUCTION_SETS: nonsense is not one of: all none" "" nonsense

build 1800000 "every kernel" ""
"${prefix}gcc" -std=c99 -O2 "-I$repo/runtime/include" "$repo/tests/selective/verify.c" -o "$work/verify" \
  "$work/libbantam.so.0" "-Wl,-rpath-link,$work"
says "0 of [1-9]" "$plan"
build 60000 "no kernels" none
says "no kernel for this op in this build" "$plan"
build 500000 "the digits network in int8" "$plan"
says "0 of [1-9]" "$plan"
says "no kernel for this op" "$float"
if [[ $prefix == aarch64-* ]]; then
  predicted=$("$bantam" inspect "$plan" --json | sed -n 's/.*"selective_build_bytes":\([0-9]*\).*/\1/p')
  echo "selective: predicted: $predicted bytes"
  ((100 * predicted <= 110 * bytes && 100 * predicted >= 90 * bytes)) || fail "that is more than 10 % off"
fi
# What fp16 plans compute on CPUs without float16 are the kernels of fp32 plans.
build 1800000 "the digits network in fp16, and ops by name" "$half;dequantize;max_pool2d.Float32"
says "0 of " "$half"
says "no kernel for this op and type in this build" "$plan"
