#!/usr/bin/env bash
# start.sh WORKDIR: the peer `ejabberd` (from BENCH_PEERS) with archives of everybody and carbons; prints its pid.
set -euo pipefail
. "$(dirname "$0")/../variant.sh"
variant ejabberd "${1:?usage: start.sh WORKDIR}"
sed -i 's/^  mod_last: {}/&\n  mod_mam:\n    default: always\n    assume_mam_usage: true/' "$folder/ejabberd.yml"
grep -q mod_mam "$folder/ejabberd.yml"
exec "$folder/start.sh" "$1"
