# shellcheck shell=bash
# What can be said of the result without running it. Sourced by ../build.

# check_php [FILE]: is it, or $RESULT, a module, and free of names of this machine?
check_php() {
    local file=${1:-$RESULT}
    [[ $(head -c 4 "$file" | od -An -tx1) == " 00 61 73 6d" ]] || die "$file is no module"
    ! grep -qaF -e "$ROOT" "$file" || die "$file contains paths of this machine: $(grep -aoF -e "$ROOT" "$file" | wc -l) times"
}

# check_pin: is it the one that the manifest names, which the demos and the tests take?
check_pin() {
    grep -qF "\"$(sha256sum "$RESULT" | cut -d ' ' -f 1)\"" "$MANIFEST" ||
        die "$RESULT is not the one that apps/apps.toml names. After a change of the recipe: runtimes/php/build --pin"
}
