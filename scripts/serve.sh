# shellcheck shell=bash
# Starts a whole httpd, as an unprivileged user, on what scripts/stage laid out: sourced after lib.sh, never run. Its
# caller sets `stage`, `address` and `port`, and may set `cache`: a folder inside the run folder, for compiled code
# instead of the staged one. `start_httpd` sets `httpd_pid`.
# shellcheck disable=SC2154 # the caller's variables

# shellcheck source=scripts/server-user.sh
. "$ROOT/scripts/server-user.sh"
# shellcheck source=scripts/httpd.sh
. "$ROOT/scripts/httpd.sh"
# shellcheck source=scripts/limits.sh
. "$ROOT/scripts/limits.sh"

run_folder() { printf '%s/run/%s\n' "$stage" "$port"; }

# /proc lists listening sockets in state 0A, with the port in hexadecimal.
port_is_taken() {
    local files=(/proc/net/tcp)
    [[ ! -r /proc/net/tcp6 ]] || files+=(/proc/net/tcp6)
    awk -v port=":$(printf '%04X' "$port")$" '$4 == "0A" && $2 ~ port {found = 1} END {exit !found}' "${files[@]}"
}

require_free_port() {
    local lowest=1024 setting=/proc/sys/net/ipv4/ip_unprivileged_port_start
    [[ $port =~ ^[0-9]{1,5}$ && $port -ge 1 && $port -le 65535 ]] || die "PORT=$port is not a port (1 to 65535)"
    [[ ! -r $setting ]] || lowest=$(<"$setting")
    [[ $port -ge $lowest ]] || die "port $port needs root, and the server runs without: choose PORT=$lowest or above"
    ! port_is_taken || die "port $port is taken by another program: stop that one, or choose another port, as in PORT=$((port + 1))"
}

# A quoted value of a Define; httpd's quotes protect spaces only.
define() {
    [[ $2 != *[\"\\\$]* ]] || die "a path with a quote, a backslash or a dollar sign cannot be used: $2"
    printf 'Define %s "%s"\n' "$1" "$2"
}

# write_configuration < EXTRA: the demo's configuration with its folders, and EXTRA lines after it.
write_configuration() {
    set_limits
    {
        define MOD_WASM_HTTPD_MODULES "$(apxs_query LIBEXECDIR)"
        define MOD_WASM_MODULES "$stage/modules"
        define MOD_WASM_GUESTS "$stage/guests"
        define MOD_WASM_RUNTIMES "$stage/runtimes"
        define MOD_WASM_APPS "$stage/apps"
        define MOD_WASM_SITES "$stage/sites"
        define MOD_WASM_DATA "$stage/data"
        define MOD_WASM_CACHE "${cache:-$stage/cache}"
        define MOD_WASM_RUN "$(run_folder)"
        define MOD_WASM_SCRATCH "$(run_folder)/scratch"
        define MOD_WASM_LISTEN "$address:$port"
        define MOD_WASM_ERROR_LOG "$(run_folder)/error.log"
        define MOD_WASM_ACCESS_LOG "$(run_folder)/access.log"
        define MOD_WASM_INSTANCES "$MOD_WASM_INSTANCES"
        define MOD_WASM_THREADS "$MOD_WASM_THREADS"
        printf 'Include "%s/httpd.conf"\n' "$stage"
        cat
    } >"$stage/conf/$port.conf"
}

# The run folder belongs to the server's user: root makes it anew and then writes nothing into it.
make_run_folder() {
    local owner=()
    [[ $EUID -ne 0 ]] || owner=(-o "$SERVER_USER" -g "$SERVER_USER")
    rm -rf "$(run_folder)"
    install -d -m 0755 "${owner[@]}" "$(run_folder)"
    (as_server test -x "$(run_folder)" -a -r "$stage/httpd.conf") ||
        die "the server's user cannot reach $stage: choose another folder: MOD_WASM_STAGE=/var/cache/…"
    [[ -z ${cache-} ]] || (as_server mkdir -m 0700 "$cache")
}

# What the server would have to do at each start, because it cannot write into root's cache, root's httpd does for its user beforehand.
# No secret is in the snapshots of the demos: that user may read them. OPTIONs are httpd's.
# take_snapshots OPTION...
take_snapshots() {
    local said
    [[ $EUID -eq 0 && -z ${cache-} ]] || return 0
    said=$(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 /usr/sbin/apache2 -t -f "$stage/conf/$port.conf" \
        -c "User $SERVER_USER" -c "Group $SERVER_USER" "$@" 2>&1) || die "$said"
    find "$stage/cache" -name '*.snapshot*' -exec chmod a+r {} +
}

spawn_httpd() {
    as_server /usr/sbin/apache2 -f "$stage/conf/$port.conf" -DFOREGROUND &
    httpd_pid=$!
}

start_httpd() {
    make_run_folder
    take_snapshots -DFOREGROUND
    spawn_httpd
}
