# shellcheck shell=bash
# What the measurements share: sourced after scripts/lib.sh, never run.

# A measurement that fails inside $(…) ends the run.
shopt -s inherit_errexit

# stage_demo PART: installs what that part of scripts/setup names, builds what changed, and sets `stage`.
stage_demo() {
    # Standard output is for tables.
    {
        "$ROOT/scripts/setup" "$1"
        "$ROOT/scripts/build"
        "$ROOT/scripts/build-guests"
        "$ROOT/scripts/fetch-apps" "${DEMO_ARTIFACTS[@]}"
    } >&2
    # shellcheck disable=SC2034 # the caller's
    stage=$("$ROOT/scripts/stage")
}

# nth_sorted COLUMN N: the Nth smallest of a column of standard input.
nth_sorted() { cut -f "$1" | sort -g | sed -n "$2p"; }

# times_row LABEL COUNT: the row "label, count, fastest, median, slowest" of that many numbers on standard input.
times_row() {
    local times
    times=$(sort -n)
    printf '| %s | %s | %s | %s | %s |\n' "$1" "$2" \
        "$(sed -n 1p <<<"$times")" "$(sed -n "$((($2 + 1) / 2))p" <<<"$times")" "$(tail -n 1 <<<"$times")"
}
