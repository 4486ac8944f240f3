# shellcheck shell=bash
# What the build is made of: archives, toolchain, patches. Sourced by ../build.

# fetch SHA256: the path of the archive with that digest. The only place that knows where archives come from.
fetch() {
    local file=${FETCH_APPS_MIRROR-}/$1
    [[ -n ${FETCH_APPS_MIRROR-} ]] || die "FETCH_APPS_MIRROR names no folder of archives (files named by their sha256)"
    [[ -f $file ]] || die "there is no $file"
    sha256sum --check --quiet <<<"$1  $file" >&2 || die "$file is not what its name says"
    printf '%s\n' "$file"
}

# unpack_sources: $PHP_BUILD/src/NAME for each line of ../sources, with its patches.
unpack_sources() {
    local name digest archive patch
    rm -rf "$PHP_BUILD/src"
    while read -r name _ digest; do
        archive=$(fetch "$digest")
        mkdir -p "$PHP_BUILD/src/$name"
        tar -xf "$archive" -C "$PHP_BUILD/src/$name" --strip-components=1 --no-same-owner
        for patch in "$PHP_RECIPE/patches/$name"-*.patch; do
            [[ -f $patch ]] || continue
            patch -d "$PHP_BUILD/src/$name" -p1 -s --no-backup-if-mismatch -F0 <"$patch" || die "${patch##*/} does not apply"
        done
    done < <(grep -v '^#' "$PHP_RECIPE/sources")
}

# get_toolchain: $ZIG, from the Python package that ../toolchain/requirements.txt pins. pip knows where packages come from, and checks the digest.
get_toolchain() {
    local folder=$PHP_BUILD/toolchain
    [[ ! -x $ZIG ]] || return 0
    rm -rf "$folder"
    mkdir -p "$folder"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: --dest "$folder" \
        -r "$PHP_RECIPE/toolchain/requirements.txt" || die "pip cannot download the toolchain"
    python3 -m zipfile -e "$folder"/*.whl "$folder"
    rm "$folder"/*.whl
    chmod +x "$ZIG"
}

# generate_vm: the interpreter with computed gotos, specialised where it pays (../vm/hot-handlers.txt), into the source of PHP.
generate_vm() {
    local zend=$PHP_BUILD/src/php/Zend
    "$HOST_PHP" "$PHP_RECIPE/vm/specialise.php" "$zend/zend_vm_def.h" "$PHP_RECIPE/vm/hot-handlers.txt" >"$zend/loosened.h" ||
        die "the handlers cannot be loosened"
    mv "$zend/loosened.h" "$zend/zend_vm_def.h"
    (cd "$zend" && "$HOST_PHP" zend_vm_gen.php --with-vm-kind=GOTO) >/dev/null || die "zend_vm_gen.php failed"
}
