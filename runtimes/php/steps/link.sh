# shellcheck shell=bash
# Objects and libraries become one module. Sourced by ../build.

readonly STACK_SIZE=8388608 # 8 MiB, of which zend.max_allowed_stack_size allows a part (sapi/start.c)

RUNTIME_LIBRARIES=(wasi-emulated-signal wasi-emulated-getpid wasi-emulated-process-clocks)

# Functions of the C library that our shims come before: folder.c, iconv.c, library_memory.c, time.c.
readonly WRAPPED=(chdir iconv_open strptime malloc calloc realloc aligned_alloc posix_memalign free)

# runtime_files: what zig links into every program, as it names them itself: the start of a command first, then the C library and its helpers.
runtime_files() {
    local probe=$ZIG_LOCAL_CACHE_DIR/probe flags
    mkdir -p "$probe"
    printf 'int main(void) { return 0; }\n' >"$probe/probe.c"
    printf -v flags -- '-l%s ' "${RUNTIME_LIBRARIES[@]}"
    # shellcheck disable=SC2086 # one word per library
    (cd "$probe" && "$CC" probe.c -o probe.wasm $flags --verbose 2>&1) | grep '^wasm-ld' | tr ' ' '\n' | grep -E '/(crt1[^/]*\.o|lib[^/]*\.a)$'
}

# link_php [FILE [STRIP]]: makes it, or $RESULT, without what this option of the linker takes out: all names. Our shims come first, and win over the few functions of the C library that have the same name.
link_php() {
    local runtime=()
    mapfile -t runtime < <(runtime_files)
    [[ ${#runtime[@]} -gt 1 ]] || die "zig does not say what it links"
    (
        cd "$PHP_BUILD/make"
        "$ZIG" wasm-ld --error-limit=0 --export-memory --stack-first --entry _start -z "stack-size=$STACK_SIZE" "${2---strip-all}" -O2 \
            --allow-multiple-definition "${WRAPPED[@]/#/--wrap=}" -o "${1:-$RESULT}" "${runtime[0]}" @objects.list ../libraries/lib/*.a "${runtime[@]:1}"
    ) || die "the objects do not link"
}
