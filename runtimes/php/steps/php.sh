# shellcheck shell=bash
# PHP itself: its configure script, its objects, and ours beside them. Sourced by ../build.

# What the build machine cannot find out by running a program of the target, or finds and must not use.
CONFIGURE_ANSWERS=(
    ac_cv_header_sys_mman_h=yes # shims/include
    ac_cv_func_mmap=yes         # shims/memory.c
    ac_cv_func_getrusage=yes    # shims/usage.c
    ac_cv_sizeof_ptrdiff_t=4 ac_cv_sizeof_ssize_t=4
    php_cv_have_stack_limit=yes # patches/php-call-stack.patch
    ac_cv_func_mkstemp=yes      # shims/temporary_files.c
    ac_cv_func_flock=yes        # shims/locks.c
    ac_cv_func_gethostname=yes  # shims/sockets.c
    # configure looks for a libsqlite3 of the system
    ac_cv_lib_sqlite3_sqlite3_close_v2=yes ac_cv_lib_sqlite3_sqlite3_column_table_name=yes
    ac_cv_lib_sqlite3_sqlite3_errstr=yes ac_cv_lib_sqlite3_sqlite3_expanded_sql=yes
    ac_cv_path_PROG_SENDMAIL=/usr/sbin/sendmail
    php_cv_iconv_ignore=no php_cv_lib_onig_invalid_koi8=no
)

CONFIGURE_OPTIONS=(
    --host=wasm32-unknown-wasi --disable-all --disable-cli --disable-cgi --disable-phpdbg --enable-embed=static
    --disable-shared --enable-static --disable-rpath --disable-zts --disable-zend-signals --disable-gcc-global-regs --disable-fiber-asm
    --without-pcre-jit --without-valgrind --with-config-file-path=/etc/php --with-config-file-scan-dir=/etc/php/conf.d
)

# scripts/php-native has the same.
EXTENSIONS=(
    --enable-bcmath --enable-ctype --enable-dom --enable-exif --enable-fileinfo --enable-filter --enable-mbstring --enable-pdo
    --enable-phar --enable-session --enable-simplexml --enable-tokenizer --enable-xml --enable-xmlreader --enable-xmlwriter
    --enable-gd --with-jpeg --with-webp --with-freetype --with-iconv --with-libxml --with-pdo-sqlite --with-sodium --with-sqlite3 --with-zlib
)

# configure_php: makes $PHP_BUILD/make with its Makefile and main/php_config.h.
configure_php() {
    local include=$PHP_BUILD/libraries/include lib=$PHP_BUILD/libraries/lib
    rm -rf "$PHP_BUILD/make"
    mkdir -p "$PHP_BUILD/make"
    (
        cd "$PHP_BUILD/make"
        export CFLAGS="-O3 -I$PHP_RECIPE/shims/include" LDFLAGS="-lwasi-emulated-signal -lwasi-emulated-getpid -lwasi-emulated-process-clocks"
        export ZLIB_CFLAGS="-I$include" ZLIB_LIBS="$lib/libz.a"
        export LIBXML_CFLAGS="-I$include -DLIBXML_STATIC" LIBXML_LIBS="$lib/libxml2.a"
        export SQLITE_CFLAGS="-I$include" SQLITE_LIBS="$lib/libsqlite3.a"
        export ONIG_CFLAGS="-I$include" ONIG_LIBS="$lib/libonig.a"
        export PNG_CFLAGS="-I$include" PNG_LIBS="$lib/libpng.a $lib/libz.a"
        export JPEG_CFLAGS="-I$include" JPEG_LIBS="$lib/libjpeg.a"
        export WEBP_CFLAGS="-I$include" WEBP_LIBS="$lib/libwebp.a"
        export FREETYPE2_CFLAGS="-I$include" FREETYPE2_LIBS="$lib/libfreetype.a"
        export LIBSODIUM_CFLAGS="-I$include -DSODIUM_STATIC" LIBSODIUM_LIBS="$lib/libsodium.a"
        env "${CONFIGURE_ANSWERS[@]}" "$PHP_BUILD/src/php/configure" "${CONFIGURE_OPTIONS[@]}" "${EXTENSIONS[@]}"
    ) >"$PHP_BUILD/configure.log" 2>&1 || die "PHP's configure script failed: see $PHP_BUILD/configure.log"
    hide_machine
}

# hide_machine: PHP remembers how it was configured, and shows it. What depends on this machine goes.
hide_machine() {
    sed -i "s|$PHP_BUILD|build/php|g; s|$PHP_RECIPE|runtimes/php|g" "$PHP_BUILD"/make/main/{build-defs.h,php_config.h}
    sed -i -E 's,^(#define PHP_(OS|UNAME|BUILD_SYSTEM)) .*,\1 "WASI",' "$PHP_BUILD/make/main/php_config.h"
}

# make_php: all objects, and the list of them.
make_php() {
    make -s -C "$PHP_BUILD/make" -f "$PHP_RECIPE/wasi.mk" "RECIPE=$PHP_RECIPE" -j "$(nproc)" objects >"$PHP_BUILD/make.log" 2>&1 ||
        die "PHP does not compile: see $PHP_BUILD/make.log"
}
