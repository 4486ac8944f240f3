# shellcheck shell=bash
# Watches and stops a running httpd: sourced after lib.sh, never run. Its caller sets `address` and `port`, and
# `httpd_pid`: the parent process, which leads a session of its own (httpd takes SIGWINCH, which a terminal sends when it
# is resized, for a request to stop).
# shellcheck disable=SC2154 # the caller's variables

httpd_runs() { kill -0 "$httpd_pid" 2>/dev/null; }

# http_status PATH: prints the status code, or fails when nothing answers.
http_status() (
    exec 2>/dev/null 3<>"/dev/tcp/$address/$port" || exit 1
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$1" >&3
    read -r -t 30 _ status _ <&3 && printf '%s\n' "$status"
)

# wait_until_it_answers PATH: for 30 seconds at most, and only as long as the server runs and nobody asked to stop.
wait_until_it_answers() {
    local deadline=$((SECONDS + 30))
    until [[ $(http_status "$1") == 200 ]]; do
        httpd_runs && [[ -z ${stopping-} ]] || return 1
        [[ $SECONDS -lt $deadline ]] || return 1
        sleep 0.01
    done
}

ends_within() {
    local tenths=$(($1 * 10))
    while httpd_runs; do
        ((tenths-- > 0)) || return 1
        sleep 0.1
    done
}

# Ends the server at once. The last resort goes to its whole process group: a child left over would keep the port.
kill_httpd() {
    kill -TERM "$httpd_pid" 2>/dev/null || return 0
    ends_within 1 && return
    kill -KILL -- "-$httpd_pid" 2>/dev/null || true
    wait "$httpd_pid" 2>/dev/null || true
}

# A graceful stop: running answers get the time that GracefulShutdownTimeout gives them, 7 s, and then an end. All of it
# takes less than the 10 s after which Docker kills a container.
stop_httpd() {
    kill -WINCH "$httpd_pid" 2>/dev/null || return 0
    ends_within 8 || kill_httpd
}
