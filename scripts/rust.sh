# shellcheck shell=bash
# Finds a Rust toolchain that is new enough: sourced after lib.sh, never run.

# The oldest compiler the workspace accepts: `rust-version` in Cargo.toml is the only place that says so.
required_rust() { sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$ROOT/Cargo.toml"; }

# version_at_least HAVE WANT
version_at_least() { [[ $(printf '%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

# toolchain_satisfies FOLDER: does it hold both a cargo and a rustc that are new enough? The version is asked of the
# programs themselves, since the distribution's own rustc (there for the guests) is usually too old for the workspace.
toolchain_satisfies() {
    local tool version
    for tool in cargo rustc; do
        [[ -x $1/$tool ]] || return 1
        version=$(RUSTUP_AUTO_INSTALL=0 "$1/$tool" --version 2>/dev/null | cut -d' ' -f2) || return 1
        [[ -n $version ]] && version_at_least "${version%%-*}" "$(required_rust)" || return 1
    done
}

# Folders that may hold a toolchain: PATH first, then where rustup puts its programs and its toolchains.
toolchain_folders() {
    tr ':' '\n' <<<"$PATH"
    printf '%s\n' "${CARGO_HOME:-$HOME/.cargo}/bin" "${RUSTUP_HOME:-$HOME/.rustup}"/toolchains/*/bin
}

find_rust() {
    local folder
    while read -r folder; do
        [[ -n $folder ]] || continue
        toolchain_satisfies "$folder" && printf '%s\n' "$folder" && return 0
    done < <(toolchain_folders)
    return 1
}

# use_rust: puts a satisfying toolchain first on PATH.
use_rust() {
    local folder
    folder=$(find_rust) || die "no Rust toolchain of version $(required_rust) or newer found: run scripts/setup build"
    export PATH="$folder:$PATH"
}
