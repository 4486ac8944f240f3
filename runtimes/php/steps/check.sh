# shellcheck shell=bash
# What can be said of the result without running it. Sourced by ../build.

# check_php: is it a module, and free of names of this machine?
check_php() {
    [[ $(head -c 4 "$RESULT" | od -An -tx1) == " 00 61 73 6d" ]] || die "$RESULT is no module"
    ! grep -qaF -e "$ROOT" "$RESULT" || die "$RESULT contains paths of this machine: $(grep -aoF -e "$ROOT" "$RESULT" | wc -l) times"
}

# check_pin: is it the one that the manifest names, which the demos and the tests take?
check_pin() {
    grep -qF "\"$(sha256sum "$RESULT" | cut -d ' ' -f 1)\"" "$MANIFEST" ||
        die "$RESULT is not the one that apps/apps.toml names. After a change of the recipe: runtimes/php/build --pin"
}
