# shellcheck shell=bash
# Watches and stops a running httpd: sourced after lib.sh, never run. Its caller sets `address` and `port`, and
# `httpd_pid`: the parent process, which leads a session of its own (httpd takes SIGWINCH, which a terminal sends when it
# is resized, for a request to stop).
# shellcheck disable=SC2154 # the caller's variables

# run_folder_of FILE: what httpd writes lies there, as its configuration says.
run_folder_of() { awk '$2 == "MOD_WASM_RUN" { print $3 }' "$1"; }

httpd_runs() { kill -0 "$httpd_pid" 2>/dev/null; }

# http_status PATH [METHOD]: prints the status code, or fails when nothing answers.
http_status() (
    exec 2>/dev/null 3<>"/dev/tcp/$address/$port" || exit 1
    printf '%s %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "${2:-GET}" "$1" >&3
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

# ends_within MILLISECONDS: by the clock, since on a busy machine a nap takes longer.
ends_within() {
    local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000))
    while httpd_runs; do
        [[ ${EPOCHREALTIME/[.,]/} -lt $deadline ]] || return 1
        sleep 0.1
    done
}

# Until httpd has its handler in place, the kernel drops SIGWINCH unseen; nobody is answered yet.
handles_winch() {
    local caught
    caught=$(awk '$1 == "SigCgt:" {print $2}' "/proc/$httpd_pid/status" 2>/dev/null) && ((16#$caught >> 27 & 1))
}

# Ends the server at once. The last resort goes to its whole process group: a child left over would keep the port.
kill_httpd() {
    kill -TERM "$httpd_pid" 2>/dev/null || return 0
    ends_within 1000 && return 0
    kill -KILL -- "-$httpd_pid" 2>/dev/null || true
    wait "$httpd_pid" 2>/dev/null || true
}

# A graceful stop: running answers get the time that GracefulShutdownTimeout gives them, 7 s, and then an end. All of it
# takes less than the 10 s after which Docker kills a container. The 0 is needed where a trap calls this: a bare `return`
# would give what came before the trap.
stop_httpd() {
    handles_winch && kill -WINCH "$httpd_pid" 2>/dev/null && ends_within 7500 && return 0
    kill_httpd
}

# stop: what a trap calls, with `stopping` empty until then, and `httpd_pid` until httpd is started. The trap itself stops
# httpd: a signal that came just before a `wait` would not wake it.
stop() {
    [[ -z $stopping ]] || return 0
    stopping=yes
    say "stopping"
    [[ -z $httpd_pid ]] || stop_httpd
}

# wait_for_httpd: until it has ended, by itself or by `stop`.
wait_for_httpd() {
    # Asked for while there was no process yet.
    [[ -z $stopping ]] || stop_httpd
    while httpd_runs; do wait "$httpd_pid" || true; done
}
