# Shared by the start scripts; sourced, not run.

# make_cert DIR: a self-signed P-256 certificate for localhost and the names below it.
make_cert() {
    [ ! -s "$1/localhost.crt" ] || return 0
    mkdir -p "$1"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
        -subj /CN=localhost -addext 'basicConstraints=critical,CA:FALSE' \
        -addext 'subjectAltName=DNS:localhost,DNS:*.localhost' \
        -keyout "$1/localhost.key" -out "$1/localhost.crt" 2>/dev/null
}

# fill TEMPLATE FILE WORKDIR: writes the template with @WORKDIR@ filled in.
fill() {
    sed "s|@WORKDIR@|$3|g" "$1" >"$2"
}

# wait_port PORT PID: waits until the port answers, for a minute at most.
wait_port() {
    local try
    for try in $(seq 600); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return 0; fi
        kill -0 "$2" 2>/dev/null || break
        sleep 0.1
    done
    echo "nothing answers on port $1" >&2
    return 1
}
