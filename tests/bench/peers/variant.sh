# Sourced by peers that are others with a few settings more.

# variant PEER WORKDIR: copies a peer of BENCH_PEERS to `folder`, where its configuration can be changed.
variant() {
    local base
    for base in ${BENCH_PEERS:-}; do
        [ -x "$base/$1/start.sh" ] || continue
        folder=$2.peer/$1
        rm -rf "$2.peer" && mkdir -p "$2.peer"
        cp -a "$base/lib.sh" "$base/$1" "$2.peer/"
        return 0
    done
    echo "no peer '$1' in BENCH_PEERS" >&2
    return 1
}
