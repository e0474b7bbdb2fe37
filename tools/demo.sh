#!/usr/bin/env bash
# Builds bantam, compiles a network as fp32 and int8, each whole and with 30 % of its work pruned, and compares them here.
#   tools/demo.sh                       the digits network of examples/, on its labelled test images
#   tools/demo.sh MODEL.onnx [--calibrate PATH] [--inputs PATH [--labels FILE]] [--shape NAME=1x3x224x224]
#                 [--image rgb|bgr|gray --resize S --crop S --mean a,b,c --std a,b,c]
# PATH: a folder of images (with --image) or an .npy with the samples along axis 0. Without --calibrate the samples are
# noise: enough for speed and size, not for accuracy. The plans stay in build/demo.
# ONNX Runtime is measured in the same turns where Node.js has its module (npm ci --ignore-scripts in benchmarks/peers);
# benchmarks/prune/lab.py does so for resnet18, with bars.
set -euo pipefail

usage() { sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
fail() { echo "demo: $*" >&2; exit 1; }
absolute() { [[ $1 == /* ]] && echo "$1" || echo "$PWD/$1"; }

model='' calibrate='' inputs='' labels='' model_flags=() shape_flags=()
while (($# > 0)); do
  case $1 in
    --calibrate | --inputs | --labels) (($# > 1)) || usage; printf -v "${1#--}" %s "$(absolute "$2")"; shift ;;
    --shape | --image | --resize | --crop | --mean | --std)
      (($# > 1)) || usage
      model_flags+=("$1" "$2")
      [[ $1 != --shape ]] || shape_flags+=("$1" "$2")
      shift
      ;;
    -*) usage ;;
    *) [[ -z $model ]] || usage; model=$(absolute "$1") ;;
  esac
  shift
done
[[ -z $model || -f $model ]] || fail "$model: no such file"
for path in "$calibrate" "$inputs" "$labels"; do [[ -z $path || -e $path ]] || fail "$path: no such file or folder"; done
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
variants=(fp32 pruned int8 both)
plan_of() { echo "$out/$1.bantam"; }
fp32=$(plan_of fp32) int8=$(plan_of int8)

# step TEXT COMMAND...: one line with the time it took; the output goes to the log and is shown when the command fails.
step() {
  local text=$1 start=$SECONDS begin ok=true
  shift
  begin=$(($(wc -l <"$log") + 1))
  printf 'demo: %-44s' "$text"
  if [[ -t 1 ]]; then
    while sleep 1; do printf '\rdemo: %-44s%d s ...' "$text" $((SECONDS - start)); done &
    ticker=$!
  fi
  "$@" >>"$log" 2>&1 || ok=false
  stop_ticker
  if [[ -t 1 ]]; then printf '\r\033[Kdemo: %-44s' "$text"; fi
  if $ok; then echo "$((SECONDS - start)) s"; return; fi
  echo failed
  tail -n "+$begin" "$log" | tail -n 30 >&2
  fail "$text failed; the whole log: $log"
}
ticker=''
stop_ticker() { [[ -z $ticker ]] || { kill "$ticker" && wait "$ticker"; } 2>/dev/null || true; ticker=''; }
trap stop_ticker EXIT

# json_value KEY < JSON: what stands behind each KEY.
json_value() { grep -o "\"$1\":[^,}]*" | cut -d: -f2; }

# make_noise NAME COUNT [FLAG...]: samples of noise per input of the model (of one, its own shape), as NAME0.npy and so on;
# prints them as --calibrate takes them.
make_noise() {
  "$bantam" inspect "$model" "${@:3}" --json >"$out/model.json" 2>>"$log" || fail "$(tail -n 1 "$log")"
  python3 - "$out" "$1" "$2" <<'PYTHON'
import json, math, random, struct, sys
out, name, samples = sys.argv[1], sys.argv[2], int(sys.argv[3])
random.seed(1)
codes = {"float32": ("<f4", "f"), "uint8": ("|u1", "B"), "int64": ("<i8", "q"), "int32": ("<i4", "i"), "bool": ("|b1", "B")}
for index, tensor in enumerate(json.load(open(f"{out}/model.json"))["inputs"]):
    shape = tensor["shape"]
    if samples > 1:
        shape = [samples] + (shape[1:] if shape[:1] == [1] else shape)
    count = math.prod(shape)
    descr, code = codes[tensor["dtype"]]
    draw = {"f": lambda: random.gauss(0, 1), "B": lambda: random.randrange(256 if tensor["dtype"] == "uint8" else 2)}.get(code, lambda: 0)
    header = "{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }" % (descr, ", ".join(map(str, shape)))
    header = (header.ljust((10 + len(header) + 64) // 64 * 64 - 11) + "\n").encode()
    with open(f"{out}/{name}{index}.npy", "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        file.write(struct.pack(f"<{count}{code}", *(draw() for _ in range(count))))
    print(f"{tensor['name']}={out}/{name}{index}.npy")
PYTHON
}

build() {
  cmake --preset release && cmake --build --preset release --target bantam_cli --parallel "$(nproc)"
}

# ONNX Runtime's median of 200 runs on the model's own input, of which it has one, in milliseconds.
bench_peer() {
  printf 'run 200\nquit\n' | node benchmarks/peers/ort_worker.mjs "$model" --input "$out/peer0.npy" | tail -n 1 |
    tr ' ' '\n' | sort -g | awk '{ us[NR] = $1 } END { print us[int((NR + 1) / 2)] / 1000 }' >>"$out/bench.peer"
}

# Fails where ONNX Runtime is missing or cannot run the model.
prepare_peer() {
  [[ -d benchmarks/peers/node_modules/onnxruntime-node ]] && command -v node >/dev/null || return
  rm -f "$out"/peer*.npy
  (make_noise peer 1 "${shape_flags[@]}") && [[ ! -e $out/peer1.npy ]] && bench_peer
}

# Three turns each, so that a machine that slows down slows both.
bench_in_turns() {
  local turn variant
  rm -f "$out"/bench.*
  for turn in 1 2 3; do
    for variant in "${variants[@]}"; do
      "$bantam" bench "$(plan_of "$variant")" --min-time 0.5 --json >>"$out/bench.$variant.json" || return
    done
    if $peer; then bench_peer || return; fi
  done
}

# Not every network has channels that can go: then the table does without.
compile_pruned() {
  local prune=(--prune 30% "${calibrate_flags[@]}" "${model_flags[@]}")
  "$bantam" compile "$model" -o "$(plan_of pruned)" "${prune[@]}" &&
    "$bantam" compile "$model" -o "$(plan_of both)" --precision int8 "${prune[@]}" || rm -f "$(plan_of pruned)" "$(plan_of both)"
}

step "packages and pinned sources" toolchains/setup
step "build (the first takes minutes)" build
samples=()
if [[ -n $calibrate ]]; then
  samples=("$calibrate")
else
  noise=$(make_noise noise 8 "${model_flags[@]}")
  mapfile -t samples <<<"$noise"
fi
calibrate_flags=()
for sample in "${samples[@]}"; do calibrate_flags+=(--calibrate "$sample"); done
step "compile fp32" "$bantam" compile "$model" -o "$fp32" "${model_flags[@]}"
step "compile int8" "$bantam" compile "$model" -o "$int8" --precision int8 "${calibrate_flags[@]}" "${model_flags[@]}"
step "compile both with 30 % pruned" compile_pruned
if [[ ! -f $(plan_of both) ]]; then
  echo "demo: not pruned: $(tail -n 1 "$log")"
  variants=(fp32 int8)
fi
peer=false
if prepare_peer >>"$log" 2>&1; then peer=true; fi
step "bench all in turns" bench_in_turns

input_flags=() label_flags=()
if [[ -n $inputs ]]; then samples=("$inputs"); fi
for sample in "${samples[@]}"; do input_flags+=(--inputs "$sample"); done
[[ -z $labels ]] || label_flags=(--labels "$labels")
# to_file FILE COMMAND...: what it prints on standard output.
to_file() { local file=$1; shift; "$@" >"$file"; }
if [[ -n $labels ]]; then
  for variant in "${variants[@]}"; do
    step "accuracy of $variant" to_file "$out/$variant.json" "$bantam" eval "$(plan_of "$variant")" "${input_flags[@]}" \
      "${label_flags[@]}" --against "$fp32" --json
  done
else
  step "compare outputs" to_file "$out/diff.json" "$bantam" diff "$model" "$int8" "${input_flags[@]}" "${shape_flags[@]}" --limit 100 --json
fi
step "verify int8, bit for bit" "$bantam" verify "$int8"

median() { json_value "$2" <"$out/bench.$1.json" | sort -g | sed -n 2p; }
size() { stat -L -c %s "$1"; }

# row NAME UNIT FIGURE...: the variants' figures (bytes or ms), and how the last compares with the first.
row() {
  local name=$1 unit=$2
  shift 2
  awk -v name="$name" -v unit="$unit" '
    function text(value, scaled) {
      scaled = value / scale
      return sprintf("%.*f %s", scaled < 10 ? 2 : scaled < 100 ? 1 : 0, scaled, unit)
    }
    {
      last = $NF
      ratio = unit == "ms" ? sprintf("%.2f x as fast", $1 / last) : sprintf("%.0f %%", 100 * last / $1)
      scale = 1
      if (unit == "ms" && last < 0.1) { scale = 1e-3; unit = "us" }
      if (unit == "bytes") { scale = last < 1e6 ? 1e3 : 1e6; unit = last < 1e6 ? "kB" : "MB" }
      printf "  %-15s", name
      for (i = 1; i <= NF; ++i) printf " %10s", text($i)
      printf "   %s\n", ratio
    }' <<<"$*"
}

# each COMMAND...: what it prints for every variant, in one line.
each() { local variant; for variant in "${variants[@]}"; do "$@" "$variant"; done | paste -sd ' '; }
size_of() { size "$(plan_of "$1")"; }
median_of() { median "$2" "$1"; }
score_of() { json_value "$1" <"$out/$2.json"; }

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
echo
echo "  $(basename "$model") on ${cpu:-$(uname -m)}, one thread"
((${#variants[@]} == 2)) || echo "  pruned: 30 % of the multiply-accumulates removed, without training; both: pruned and int8"
echo
printf '  %-15s' ''
printf ' %10s' "${variants[@]}"
printf '   %s against fp32\n' "${variants[-1]}"
row "size on disk" bytes $(each size_of)
row "latency" ms $(each median_of p50)
if $peer; then
  awk -v peer="$(sort -g "$out/bench.peer" | sed -n 2p)" -v bytes="$(size "$model")" -v ms="$(each median_of p50)" \
    -v sizes="$(each size_of)" 'BEGIN {
      n = split(ms, m, " ")
      split(sizes, s, " ")
      printf "  %-15s", "times as fast"
      for (i = 1; i <= n; ++i) printf " %8.2f x", peer / m[i]
      printf "   as ONNX Runtime in fp32\n  %-15s", "times smaller"
      for (i = 1; i <= n; ++i) printf " %8.2f x", bytes / s[i]
      printf "   than the ONNX file\n" }'
fi
row "peak memory" bytes $(each median_of peak_rss_bytes)
row "arena" bytes $(each median_of arena_bytes)
if [[ -n $labels ]]; then
  awk -v top1="$(each score_of top1)" -v same="$(each score_of agreement)" -v count="$(json_value samples <"$out/int8.json")" 'BEGIN {
    n = split(top1, t, " ")
    split(same, s, " ")
    printf "  %-15s", "top-1 accuracy"
    for (i = 1; i <= n; ++i) printf " %8.2f %%", 100 * t[i]
    printf "   %+.2f points, on %d samples\n", 100 * (t[n] - t[1]), count
    printf "  %-15s %10s", "agreement", ""
    for (i = 2; i <= n; ++i) printf " %8.2f %%", 100 * s[i]
    printf "   of the samples get the same top-1\n" }'
else
  sqnr=$(sed 's/.*"outputs":\[//' "$out/diff.json" | json_value sqnr_db | head -n 1)
  samples_text="$(json_value samples <"$out/diff.json") samples"
  [[ -n $calibrate || -n $inputs ]] || samples_text+=" of noise, which says little"
  [[ $sqnr != null ]] && sqnr=$(printf '%.1f dB' "$sqnr") || sqnr=equal
  echo "  top-1 accuracy  not known without --inputs and --labels"
  echo "  output of int8  $sqnr signal to noise against fp32, on $samples_text"
fi
echo
echo "  The plans: $fp32, $int8. Next: $bantam bench $int8 --profile"
