#!/usr/bin/env bash
# Prepares the machine, builds and runs the tests. Ends with "N passed, N failed" and fails if a test did.
#   tools/test.sh           release build with every test, then the fast ones with the address sanitizer, and those of threads
#                           with the thread sanitizer
#   tools/test.sh --fuzz    the libFuzzer targets, 20 seconds each
#   tools/test.sh --quick   release build with the fast tests only
# A test is fast unless it carries the ctest label "slow"; fuzzing is labelled "fuzz".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

mode=${1:-}
case "$mode" in
  "" | --quick | --fuzz) ;;
  *) echo "usage: tools/test.sh [--quick | --fuzz]" >&2; exit 2 ;;
esac

export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)} CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-$(nproc)}
export CTEST_OUTPUT_ON_FAILURE=1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0 closing=()

# check PRESET TARGET [ctest option...]: builds the preset's target and runs its tests. What fails is counted, and the rest still runs.
check() {
  local preset=$1 target=$2 summary count
  shift 2
  echo "== $preset: build"
  if ! { cmake --preset "$preset" && cmake --build --preset "$preset" --target "$target"; } >"$log" 2>&1; then
    grep -v '^\[[0-9/]*\] \(Building\|Linking\|Generating\)' "$log" | tail -n 200
    failed=$((failed + 1))
    closing+=("$preset: build failed")
    return
  fi
  echo "== $preset: test"
  ctest --test-dir "build/$preset" "$@" 2>&1 | tee "$log" | grep -v '^ *Start ' || true
  summary=$(grep -E '^[0-9]+% tests passed, [0-9]+ tests failed out of [0-9]+' "$log" || true)
  if [[ -z $summary ]]; then
    # No test matched: an error, since every preset that is checked has some.
    failed=$((failed + 1))
    closing+=("$preset: no tests ran")
    return
  fi
  count=$(sed -E 's/.*failed out of ([0-9]+).*/\1/' <<<"$summary")
  summary=${summary#*passed, }
  summary=${summary%% *}
  failed=$((failed + summary))
  passed=$((passed + count - summary))
  closing+=("$preset: $(grep -E '^[0-9]+% tests passed' "$log"); $(grep '^Total Test time' "$log" | tr -s ' ')")
}

toolchains/setup test
if [[ $mode == --quick ]]; then
  check release all -LE slow
elif [[ $mode == --fuzz ]]; then
  check fuzz fuzzers -L fuzz
else
  check release all
  check asan all -LE slow
  check tsan thread_tests -L threads
fi

echo
printf '%s\n' "${closing[@]}"
echo "$passed passed, $failed failed"
((failed == 0))
