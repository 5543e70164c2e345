#!/usr/bin/env bash
# start.sh WORKDIR: starts Xylem with its data in WORKDIR; prints its pid once it answers.
# XYLEM_BIN is the built program (default: target/release/xylem of this repository).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
. "$here/../lib.sh"
. "$here/ports"
bin=${XYLEM_BIN:-${CARGO_TARGET_DIR:-$root/target}/release/xylem}
[ -x "$bin" ] || { echo "$bin is not there: cargo xtask build --release, or set XYLEM_BIN" >&2; exit 1; }
mkdir -p "${1:?usage: start.sh WORKDIR}/data"
work=$(cd "$1" && pwd)

make_cert "$work/certs"
fill "$here/xylem.toml" "$work/xylem.toml" "$work"

cd "$work"
"$bin" --config "$work/xylem.toml" run >"$work/console.log" 2>&1 </dev/null &
pid=$!
wait_port "$c2s_port" "$pid" || { tail -n 5 "$work/console.log" >&2; exit 1; }
echo "$pid"
