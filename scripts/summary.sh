# shellcheck shell=bash
# Runs tests and adds up what passed and what failed: sourced after lib.sh, never run.

# summarize STATUS LOG: adds up the result line that each test program ends with, and says once more what was not run. A
# run that failed (STATUS is not 0) without a failed test (one that does not compile, or dies from a signal) counts as one
# failure, and so does a run of no test at all.
summarize() {
    awk -v status="$1" '
        /^not run: / && !said[$0]++ { print }
        /^test result: / {
            for (i = 2; i <= NF; i++) {
                if ($i ~ /^passed;?$/) passed += $(i - 1)
                if ($i ~ /^failed;?$/) failed += $(i - 1)
                if ($i ~ /^ignored;?$/) skipped += $(i - 1)
            }
        }
        END {
            if (failed + 0 == 0 && (status != 0 || passed + 0 == 0)) failed = 1
            printf "%d passed, %d failed%s\n", passed, failed, skipped ? ", " skipped " skipped" : ""
            exit failed > 0
        }' "$2"
}

# run_tests ARGUMENT...: cargo test for the whole workspace (with fewer packages Cargo may choose other features and
# build Wasmtime again), then the sum.
run_tests() {
    local log status=0
    log=$(mktemp)
    # shellcheck disable=SC2064 # the name of now
    trap "rm -f '$log'" EXIT
    (cd "$ROOT" && cargo test --release --workspace --locked --no-fail-fast "$@" 2>&1) | tee "$log" || status=$?
    summarize "$status" "$log"
}
