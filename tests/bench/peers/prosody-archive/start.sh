#!/usr/bin/env bash
# start.sh WORKDIR: the peer `prosody` (from BENCH_PEERS) with archives of everybody and carbons; prints its pid.
set -euo pipefail
. "$(dirname "$0")/../variant.sh"
variant prosody "${1:?usage: start.sh WORKDIR}"
sed -i 's/"carbons", /"carbons", "mam", /' "$folder/prosody.cfg.lua"
grep -q '"mam"' "$folder/prosody.cfg.lua"
sed -i 's/^storage = .*/&\ndefault_archive_policy = true/' "$folder/prosody.cfg.lua"
exec "$folder/start.sh" "$1"
