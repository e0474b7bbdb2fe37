#!/usr/bin/env bash
# Installs bantam's library, moves what was installed, and builds the examples in C and C++ against it, by CMake and by
# pkg-config. Both have to give the answer that the workstation's bantam gives.
#   check.sh BANTAM WORK shared|static [TOOLCHAIN.cmake COMPILER-PREFIX EMULATOR...]
set -euo pipefail
(($# == 3 || $# > 5)) || { sed -n '2,4s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bantam=$1 work=$2 kind=$3 toolchain=${4:-} prefix=${5:-} emulator=("${@:6}")
fail() { echo "check: $*" >&2; exit 1; }
mkdir -p "$work"
export CCACHE_BASEDIR=$repo CCACHE_NOHASHDIR=1  # one compilation serves all builds of these tests

plan=$work/digits.bantam digits=$repo/examples/digits
"$repo/tests/support/digits_plan.sh" "$bantam" "$plan"
read -r expected _ < <("$bantam" run "$plan" --input "$digits/test/000.png" --top 1 | sed -n 2p)

cross=()
[[ -z $toolchain ]] || cross=("-DCMAKE_TOOLCHAIN_FILE=$toolchain")
shared=OFF
[[ $kind == static ]] || shared=ON
cmake -S "$repo" -B "$work/bantam" -G Ninja "${cross[@]}" -DBUILD_SHARED_LIBS=$shared -DBANTAM_BUILD_TESTS=OFF \
  -DBANTAM_BUILD_COMPILER=OFF
cmake --build "$work/bantam" --target "$([[ $kind == static ]] && echo bantam_whole || echo bantam)"
rm -rf "$work/installed" "$work/moved"
cmake --install "$work/bantam" --component library --prefix "$work/installed"
mv "$work/installed" "$work/moved"
root=$work/moved

library=$root/lib/libbantam.so
[[ $kind == shared ]] || library=$root/lib/libbantam.a
"$repo/tests/abi/symbols.sh" "${prefix}readelf" "$library"
if [[ $kind == shared ]]; then
  ! "${prefix}readelf" -dW "$library" | grep -E 'NEEDED.*(stdc|c\+\+|gcc)' || fail "$library needs a C++ runtime"
fi
forced=$("${prefix}nm" -u "$library" | grep -E ' (_Z|__cxa_(pure|throw|guard|begin)|__gxx)' || true)
[[ -z $forced ]] || fail "$library wants from a C++ runtime: $forced"

# answers PROGRAM...: runs it on the image of a one.
answers() {
  local answer
  answer=$("${emulator[@]}" "$@" "$plan" "$digits/one.pgm")
  [[ ${answer%% *} == "$expected" ]] || fail "$*: ${answer:-nothing}, not $expected"
  echo "check: $*: $answer"
}

for language in c cpp; do
  cmake -S "$repo/examples/$language" -B "$work/$language" -G Ninja "${cross[@]}" "-DCMAKE_PREFIX_PATH=$root" \
    -DCMAKE_BUILD_TYPE=Release
  cmake --build "$work/$language"
  answers "$work/$language/classify"
done

export PKG_CONFIG_PATH=$root/lib/pkgconfig
read -ra flags < <(pkg-config --cflags --libs bantam)
"${prefix}gcc" -std=c99 -O2 "$repo/examples/c/classify.c" -o "$work/classify" "${flags[@]}" "-Wl,-rpath,$root/lib"
answers "$work/classify"
