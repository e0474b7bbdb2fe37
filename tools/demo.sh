#!/usr/bin/env bash
# Builds bantam, compiles a network as fp32 and as int8, and compares the two on this machine.
#   tools/demo.sh                       the digits network of examples/, on its labelled test images
#   tools/demo.sh MODEL.onnx [--calibrate PATH] [--inputs PATH [--labels FILE]] [--shape NAME=1x3x224x224]
#                 [--image rgb|bgr|gray --resize S --crop S --mean a,b,c --std a,b,c]
# PATH: a folder of images (with --image) or an .npy with the samples along axis 0. Without --calibrate the samples are
# noise, which is enough to measure speed and size. The plans stay in build/demo.
set -euo pipefail

usage() { sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
fail() { echo "demo: $*" >&2; exit 1; }
absolute() { [[ $1 == /* ]] && echo "$1" || echo "$PWD/$1"; }

model='' calibrate='' inputs='' labels='' model_flags=()
while (($# > 0)); do
  case $1 in
    --calibrate | --inputs | --labels) (($# > 1)) || usage; printf -v "${1#--}" %s "$(absolute "$2")"; shift ;;
    --shape | --image | --resize | --crop | --mean | --std) (($# > 1)) || usage; model_flags+=("$1" "$2"); shift ;;
    -*) usage ;;
    *) [[ -z $model ]] || usage; model=$(absolute "$1") ;;
  esac
  shift
done
[[ -z $model || -f $model ]] || fail "$model: no such file"
[[ -z $labels || -n $inputs ]] || fail "--labels goes with --inputs"

cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null
if [[ -z $model ]]; then
  digits=examples/digits
  model=$digits/digits.onnx calibrate=$digits/calib inputs=$digits/test labels=$digits/test/labels.csv
  model_flags=(--image gray --mean 78.7 --std 88.9)
fi

out=build/demo
mkdir -p "$out"
log=$out/log.txt
: >"$log"
bantam=build/release/tools/bantam
fp32=$out/fp32.bantam int8=$out/int8.bantam

# step TEXT COMMAND...: one line with the time it took; the output goes to the log and is shown when the command fails.
step() {
  local text=$1 start=$SECONDS begin
  shift
  begin=$(($(wc -l <"$log") + 1))
  printf 'demo: %-44s' "$text"
  if "$@" >>"$log" 2>&1; then echo "$((SECONDS - start)) s"; return; fi
  echo failed
  tail -n "+$begin" "$log" | tail -n 30 >&2
  fail "$text failed; the whole log: $log"
}

# json_value KEY < JSON: a number or word of the one place where KEY stands.
json_value() { sed -nE "s/.*\"$1\":\"?([^\",}]*).*/\1/p"; }

# Eight samples of noise per input of the model, as .npy; prints them as --calibrate takes them.
make_noise() {
  "$bantam" inspect "$model" "${model_flags[@]}" --json >"$out/model.json" 2>>"$log" || fail "$(tail -n 1 "$log")"
  python3 - "$out" <<'PYTHON'
import json, random, struct, sys
out = sys.argv[1]
random.seed(1)
codes = {"float32": ("<f4", "f"), "uint8": ("|u1", "B"), "int64": ("<i8", "q"), "int32": ("<i4", "i"), "bool": ("|b1", "B")}
for index, tensor in enumerate(json.load(open(f"{out}/model.json"))["inputs"]):
    shape = tensor["shape"][1:] if tensor["shape"][:1] == [1] else tensor["shape"]
    count = 8
    for dim in shape:
        count *= dim
    descr, code = codes[tensor["dtype"]]
    draw = {"f": lambda: random.gauss(0, 1), "B": lambda: random.randrange(256 if tensor["dtype"] == "uint8" else 2)}.get(code, lambda: 0)
    header = "{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }" % (descr, ", ".join(map(str, [8] + shape)))
    header = (header.ljust((10 + len(header) + 64) // 64 * 64 - 11) + "\n").encode()
    with open(f"{out}/noise{index}.npy", "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        file.write(struct.pack(f"<{count}{code}", *(draw() for _ in range(count))))
    print(f"{tensor['name']}={out}/noise{index}.npy")
PYTHON
}

build() {
  cmake --preset release && cmake --build --preset release --target bantam_cli --parallel "$(nproc)"
}

# Three turns each, so that a machine that slows down slows both.
bench_in_turns() {
  local turn precision
  : >"$out/bench.fp32.json" && : >"$out/bench.int8.json"
  for turn in 1 2 3; do
    for precision in fp32 int8; do
      "$bantam" bench "$out/$precision.bantam" --min-time 0.7 --json >>"$out/bench.$precision.json" || return
    done
  done
}

step "packages and pinned sources" toolchains/setup
step "build (the first takes minutes)" build
samples=()
if [[ -n $calibrate ]]; then
  samples=("$calibrate")
else
  noise=$(make_noise)
  mapfile -t samples <<<"$noise"
fi
calibrate_flags=()
for sample in "${samples[@]}"; do calibrate_flags+=(--calibrate "$sample"); done
step "compile fp32" "$bantam" compile "$model" -o "$fp32" "${model_flags[@]}"
step "compile int8" "$bantam" compile "$model" -o "$int8" --precision int8 "${calibrate_flags[@]}" "${model_flags[@]}"
step "bench both in turns" bench_in_turns

input_flags=() label_flags=()
if [[ -n $inputs ]]; then samples=("$inputs"); fi
for sample in "${samples[@]}"; do input_flags+=(--inputs "$sample"); done
[[ -z $labels ]] || label_flags=(--labels "$labels")
classifies=true
if [[ -n $labels ]]; then
  step "accuracy of fp32" bash -c '"$@" >"$0"' "$out/eval.fp32.json" "$bantam" eval "$fp32" "${input_flags[@]}" "${label_flags[@]}" --json
  step "accuracy of int8" bash -c '"$@" >"$0"' "$out/eval.int8.json" "$bantam" eval "$int8" "${input_flags[@]}" "${label_flags[@]}" --against "$fp32" --json
elif "$bantam" eval "$int8" "${input_flags[@]}" --against "$fp32" --json >"$out/eval.int8.json" 2>>"$log"; then
  echo '{}' >"$out/eval.fp32.json"
else
  classifies=false
  shapes=()
  for ((i = 0; i < ${#model_flags[@]}; i += 2)); do
    [[ ${model_flags[i]} != --shape ]] || shapes+=(--shape "${model_flags[i + 1]}")
  done
  step "compare outputs" bash -c '"$@" >"$0"' "$out/diff.json" "$bantam" diff "$model" "$int8" "${input_flags[@]}" "${shapes[@]}" --json
fi
step "verify int8, bit for bit" "$bantam" verify "$int8"

median() { json_value "$2" <"$out/bench.$1.json" | sort -g | sed -n 2p; }
size() { stat -L -c %s "$1"; }

# row NAME FP32 INT8 SCALE UNIT [faster]: both figures divided by SCALE, and how they compare.
row() {
  awk -v name="$1" -v a="$2" -v b="$3" -v scale="$4" -v unit="$5" -v faster="${6:-}" 'BEGIN {
    ratio = faster ? sprintf("%.2f x as fast", a / b) : sprintf("%.0f %%", 100 * b / a)
    printf "  %-18s %12s %12s   %s\n", name, sprintf("%.3g %s", a / scale, unit), sprintf("%.3g %s", b / scale, unit), ratio }'
}

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
echo
echo "  $(basename "$model") on ${cpu:-$(uname -m)}, one thread"
echo
printf '  %-18s %12s %12s   %s\n' '' fp32 int8 'int8 against fp32'
row "size on disk" "$(size "$fp32")" "$(size "$int8")" 1e3 kB
row "latency" "$(median fp32 p50)" "$(median int8 p50)" 1 ms faster
row "peak memory" "$(median fp32 peak_rss_bytes)" "$(median int8 peak_rss_bytes)" 1e6 MB
row "arena" "$(median fp32 arena_bytes)" "$(median int8 arena_bytes)" 1e3 kB
if $classifies; then
  count=$(json_value samples <"$out/eval.int8.json")
  what="$count samples"
  [[ -n $calibrate || -n $inputs ]] || what="$count samples of noise: says little"
  if [[ -n $labels ]]; then
    awk -v a="$(json_value top1 <"$out/eval.fp32.json")" -v b="$(json_value top1 <"$out/eval.int8.json")" -v what="$what" 'BEGIN {
      printf "  %-18s %10.2f %% %10.2f %%   %+.2f points, %s\n", "top-1 accuracy", 100 * a, 100 * b, 100 * (b - a), what }'
  else
    printf '  %-18s %12s %12s   %s\n' "top-1 accuracy" "?" "?" "not known: give --inputs and --labels"
  fi
  awk -v share="$(json_value agreement <"$out/eval.int8.json")" -v what="$what" 'BEGIN {
    printf "  %-18s %12s %10.2f %%   same top-1 as fp32, %s\n", "agreement", "", 100 * share, what }'
else
  sqnr=$(sed 's/.*"outputs":\[//' "$out/diff.json" | sed -nE 's/[^}]*"sqnr_db":([^,]*).*/\1/p')
  printf '  %-18s %12s %12s   %s\n' "output" "" "$(printf '%.1f dB' "$sqnr" 2>/dev/null || echo equal)" "signal to noise against fp32; accuracy is not known"
fi
echo
echo "  The plans: $fp32, $int8. Next: $bantam bench $int8 --profile"
