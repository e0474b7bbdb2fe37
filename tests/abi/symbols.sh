#!/usr/bin/env bash
# symbols.sh READELF LIBRARY: what the library exports has to be the list in symbols.txt, no more and no less.
set -euo pipefail
readelf=$1 library=$2
flags=(-sW)
[[ $library == *.so* ]] && flags=(--dyn-syms -W)
exported=$("$readelf" "${flags[@]}" "$library" |
  awk '$5 ~ /GLOBAL|WEAK|UNIQUE/ && $6 == "DEFAULT" && $7 != "UND" && $4 != "SECTION" { sub(/@.*/, "", $8); print $8 }' |
  LC_ALL=C sort -u)
diff "$(dirname "${BASH_SOURCE[0]}")/symbols.txt" <(echo "$exported") ||
  { echo "$library does not export what tests/abi/symbols.txt lists" >&2; exit 1; }
