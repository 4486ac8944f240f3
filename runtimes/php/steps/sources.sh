# shellcheck shell=bash
# What the build is made of: archives and toolchain, which the fetch tool's manifest pins, and our patches. Sourced by ../build.

# Groups of artifacts in apps/apps.toml.
SOURCES=(php-sources)
readonly FETCHED=$ROOT/apps/fetched
# Their names: php-VERSION-source, ..., zig-VERSION.
artifacts=()

# fetch_sources: downloads what is not there.
fetch_sources() {
    "$ROOT/scripts/fetch-apps" --quiet "${SOURCES[@]}" || die "the sources of PHP cannot be fetched"
    mapfile -t artifacts < <("$ROOT/scripts/fetch-apps" --list --json "${SOURCES[@]}" | sed -n 's/.*"artifact":"\([^"]*\)".*/\1/p')
}

# artifact NAME: the one of that program, without its version.
artifact() {
    local artifact
    for artifact in "${artifacts[@]}"; do
        [[ $artifact != "$1"-[0-9]* ]] || { printf '%s\n' "$artifact" && return; }
    done
    die "${SOURCES[*]} of apps/apps.toml has no $1"
}

# fetched NAME: its folder.
fetched() { printf '%s\n' "$FETCHED/$(artifact "$1")"; }

# version_of NAME
version_of() {
    local version
    version=$(artifact "$1")
    version=${version#"$1"-}
    printf '%s\n' "${version%-source}"
}

# receipts: the digest of all that was fetched.
receipts() { (cd "$FETCHED" && cat "${artifacts[@]/%//.ht-fetched.sha256}" | sha256sum); }

# unpack_sources: $PHP_BUILD/src/NAME for each source, with its patches.
unpack_sources() {
    local artifact name patch
    rm -rf "$PHP_BUILD/src"
    mkdir -p "$PHP_BUILD/src"
    for artifact in "${artifacts[@]}"; do
        [[ $artifact == *-source ]] || continue
        name=${artifact%-*-source}
        cp -R --preserve=mode,timestamps "$FETCHED/$artifact" "$PHP_BUILD/src/$name"
        for patch in "$PHP_RECIPE/patches/$name"-*.patch; do
            [[ -f $patch ]] || continue
            patch -d "$PHP_BUILD/src/$name" -p1 -s --no-backup-if-mismatch -F0 <"$patch" || die "${patch##*/} does not apply"
        done
    done
}

# generate_vm: the interpreter with computed gotos, specialised where it pays (../vm/hot-handlers.txt), into the source of PHP.
generate_vm() {
    local zend=$PHP_BUILD/src/php/Zend
    "$HOST_PHP" "$PHP_RECIPE/vm/specialise.php" "$zend/zend_vm_def.h" "$PHP_RECIPE/vm/hot-handlers.txt" >"$zend/loosened.h" ||
        die "the handlers cannot be loosened"
    mv "$zend/loosened.h" "$zend/zend_vm_def.h"
    (cd "$zend" && "$HOST_PHP" zend_vm_gen.php --with-vm-kind=GOTO) >/dev/null || die "zend_vm_gen.php failed"
}
