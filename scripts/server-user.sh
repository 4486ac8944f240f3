# shellcheck shell=bash
# Who the server runs as: sourced after lib.sh, never run.

# The server's user where root starts it; everybody else runs it as themselves.
readonly SERVER_USER=www-data

# as_server COMMAND...: replaces this (sub)shell by the command, as the server's user, with a bare environment, and in a
# session of its own: httpd takes SIGWINCH, which a terminal sends when it is resized, for a request to stop. The
# command ends with its starter, even when that one is killed.
as_server() {
    local drop=(setpriv --no-new-privs --pdeathsig TERM)
    [[ $EUID -ne 0 ]] || drop+=(--reuid "$SERVER_USER" --regid "$SERVER_USER" --init-groups)
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 setsid "${drop[@]}" "$@" </dev/null
}
