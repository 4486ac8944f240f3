# shellcheck shell=bash
# What can be said of the result without running it. Sourced by ../build.

# check_php: is it a module, and free of names of this machine?
check_php() {
    [[ $(head -c 4 "$RESULT" | od -An -tx1) == " 00 61 73 6d" ]] || die "$RESULT is no module"
    ! grep -qaF -e "$ROOT" "$RESULT" || die "$RESULT contains paths of this machine: $(grep -aoF -e "$ROOT" "$RESULT" | wc -l) times"
}
