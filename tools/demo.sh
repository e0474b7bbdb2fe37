#!/usr/bin/env bash
# Builds bantam, compiles a network as fp32 and as int8, and compares the two on this machine.
#   tools/demo.sh                       the digits network of examples/, on its labelled test images
#   tools/demo.sh MODEL.onnx [--calibrate PATH] [--inputs PATH [--labels FILE]] [--shape NAME=1x3x224x224]
#                 [--image rgb|bgr|gray --resize S --crop S --mean a,b,c --std a,b,c]
# PATH: a folder of images (with --image) or an .npy with the samples along axis 0. Without --calibrate the samples are
# noise: enough for speed and size, not for accuracy. The plans stay in build/demo.
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
fp32=$out/fp32.bantam int8=$out/int8.bantam

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
# to_file FILE COMMAND...: what it prints on standard output.
to_file() { local file=$1; shift; "$@" >"$file"; }
if [[ -n $labels ]]; then
  step "accuracy of fp32" to_file "$out/fp32.json" "$bantam" eval "$fp32" "${input_flags[@]}" "${label_flags[@]}" --json
  step "accuracy of int8" to_file "$out/int8.json" "$bantam" eval "$int8" "${input_flags[@]}" "${label_flags[@]}" --against "$fp32" --json
else
  shapes=()
  for ((i = 0; i < ${#model_flags[@]}; i += 2)); do
    [[ ${model_flags[i]} != --shape ]] || shapes+=(--shape "${model_flags[i + 1]}")
  done
  step "compare outputs" to_file "$out/diff.json" "$bantam" diff "$model" "$int8" "${input_flags[@]}" "${shapes[@]}" --limit 100 --json
fi
step "verify int8, bit for bit" "$bantam" verify "$int8"

median() { json_value "$2" <"$out/bench.$1.json" | sort -g | sed -n 2p; }
size() { stat -L -c %s "$1"; }

# row NAME FP32 INT8 UNIT: both figures (bytes or ms) and how they compare.
row() {
  awk -v name="$1" -v a="$2" -v b="$3" -v unit="$4" '
    function text(value, scaled) {
      scaled = value / scale
      return sprintf("%.*f %s", scaled < 10 ? 2 : scaled < 100 ? 1 : 0, scaled, unit)
    }
    BEGIN {
      ratio = unit == "ms" ? sprintf("%.2f x as fast", a / b) : sprintf("%.0f %%", 100 * b / a)
      scale = 1
      if (unit == "ms" && b < 0.1) { scale = 1e-3; unit = "us" }
      if (unit == "bytes") { scale = b < 1e6 ? 1e3 : 1e6; unit = b < 1e6 ? "kB" : "MB" }
      printf "  %-16s %12s %12s   %s\n", name, text(a), text(b), ratio
    }'
}

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
echo
echo "  $(basename "$model") on ${cpu:-$(uname -m)}, one thread"
echo
printf '  %-16s %12s %12s   %s\n' '' fp32 int8 'int8 against fp32'
row "size on disk" "$(size "$fp32")" "$(size "$int8")" bytes
row "latency" "$(median fp32 p50)" "$(median int8 p50)" ms
row "peak memory" "$(median fp32 peak_rss_bytes)" "$(median int8 peak_rss_bytes)" bytes
row "arena" "$(median fp32 arena_bytes)" "$(median int8 arena_bytes)" bytes
if [[ -n $labels ]]; then
  awk -v a="$(json_value top1 <"$out/fp32.json")" -v b="$(json_value top1 <"$out/int8.json")" \
    -v same="$(json_value agreement <"$out/int8.json")" -v count="$(json_value samples <"$out/int8.json")" 'BEGIN {
    printf "  %-16s %10.2f %% %10.2f %%   %+.2f points, on %d samples\n", "top-1 accuracy", 100 * a, 100 * b, 100 * (b - a), count
    printf "  %-16s %12s %10.2f %%   of the samples get the same top-1\n", "agreement", "", 100 * same }'
else
  sqnr=$(sed 's/.*"outputs":\[//' "$out/diff.json" | json_value sqnr_db | head -n 1)
  samples_text="$(json_value samples <"$out/diff.json") samples"
  [[ -n $calibrate || -n $inputs ]] || samples_text+=" of noise, which says little"
  [[ $sqnr != null ]] && sqnr=$(printf '%.1f dB' "$sqnr") || sqnr=equal
  printf '  %-16s %12s %12s   %s\n' "top-1 accuracy" "?" "?" "not known without --inputs and --labels"
  printf '  %-16s %12s %12s   %s\n' "output" "" "$sqnr" "signal to noise against fp32, on $samples_text"
fi
echo
echo "  The plans: $fp32, $int8. Next: $bantam bench $int8 --profile"
