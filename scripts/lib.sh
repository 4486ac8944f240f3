# shellcheck shell=bash
# Shared by the scripts of this folder: sourced, never run.

# shellcheck disable=SC2034 # read by the scripts that source this file
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What the demo server runs besides the programs that are built here: scripts/stage wants all of it.
# shellcheck disable=SC2034 # as above
readonly DEMO_ARTIFACTS=(
    php
    python-3.11.3 python-3.11.3-stdlib pygments
    wordpress-6.5.5 sqlite-database-integration-2024
)

# What only tests run: the recipes of docs/tutorial.md, and the PHP that others have built.
# shellcheck disable=SC2034 # as above
readonly TEST_ARTIFACTS=(ruby-3.2.0 quickjs-0.11.0 php-cgi-8.2.0 dokuwiki-2022-07-31a)

say() { printf '==> %s\n' "$*" >&2; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# The comment block at the top of a script is its help text.
print_help() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

# help_guard "$@": answers --help.
help_guard() {
    if [[ ${1-} == -h || ${1-} == --help ]]; then print_help && exit 0; fi
}

# usage_guard "$@": the same, and refuses any other argument of a script that takes none.
usage_guard() {
    help_guard "$@"
    [[ $# -eq 0 ]] || { printf '%s: unknown argument: %s (try --help)\n' "${0##*/}" "$1" >&2 && exit 2; }
}

# copy_if_changed SOURCE TARGET MODE: replaces TARGET by a rename, so that a running server that has the old file
# mapped keeps it whole; does nothing when both already hold the same bytes.
copy_if_changed() {
    local source=$1 target=$2 mode=$3
    [[ -f $source ]] || die "missing file: $source"
    cmp -s "$source" "$target" && return 0
    install -m "$mode" "$source" "$target.new"
    mv -f "$target.new" "$target"
}

apxs_query() {
    command -v apxs >/dev/null || die "apxs is missing: run scripts/setup build (package apache2-dev)"
    apxs -q "$1"
}

# The version of all parts: Cargo.toml is the only place that says it.
project_version() { sed -n 's/^version *= *"\(.*\)"/\1/p' "$ROOT/Cargo.toml"; }

# A docker client alone is not an engine.
require_engine() {
    command -v docker >/dev/null || die "docker is missing: install Docker, or a docker command that talks to an engine"
    docker version --format '{{.Server.Version}}' >/dev/null 2>&1 ||
        die "no container engine answers: $(docker version 2>&1 >/dev/null | tail -n 1)"
}

# Exports the registries that this machine's npm and pip fetch from, unless the environment names others: a company's
# mirror works inside a build of the image as well.
use_registries() {
    local variable
    : "${NPM_CONFIG_REGISTRY:=$(npm config get registry 2>/dev/null || true)}"
    : "${PIP_INDEX_URL:=$(pip config get global.index-url 2>/dev/null || true)}"
    for variable in NPM_CONFIG_REGISTRY PIP_INDEX_URL; do
        [[ -z ${!variable} ]] || export "${variable?}"
    done
}

# What scripts/image made, under the name that MOD_WASM_IMAGE gives.
require_images() {
    local image name=${MOD_WASM_IMAGE:-httpd-mod-wasm}
    for image in "$name:latest" "$name:slim"; do
        docker image inspect "$image" >/dev/null 2>&1 || die "there is no image $image: run make image first"
    done
}
