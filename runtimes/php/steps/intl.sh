# shellcheck shell=bash
# What the second build has besides, php-intl.wasm: ICU and the extension intl. Sourced by ../build after the other steps.

SOURCES+=(php-intl-sources)
LIBRARIES+=(icu)
RUNTIME_LIBRARIES+=(c++)
CONFIGURE_OPTIONS+=(--enable-intl)
CONFIGURE_ANSWERS+=(
    "CXX=$PHP_RECIPE/toolchain/c++" "CXXFLAGS=-O3 -I$PHP_RECIPE/shims/include"
    PKG_CONFIG=true # it is asked whether this ICU is newer than 74, and nothing else
    "ICU_CFLAGS=-I$PHP_BUILD/libraries/include -DU_STATIC_IMPLEMENTATION" "ICU_LIBS=$PHP_BUILD/libraries/lib/libicu.a"
)

# Without what it would ask of the system's time zone, mappings and programs. Its data, for all locales, are one more object.
library_icu() {
    local version
    version=$(version_of icu)
    printf 'extern "C" alignas(16) const unsigned char icudt%s_dat[] = {\n#embed <icudt%sl.dat>\n};\n' "${version%.*}" "${version%.*}" >source/data.cpp
    CC=$PHP_RECIPE/toolchain/c++ archive libicu -std=c++17 -fno-exceptions -include "$PHP_RECIPE/shims/one_thread.h" \
        -Isource/common -Isource/i18n -Isource/io --embed-dir=source/data/in -DU_STATIC_IMPLEMENTATION -DU_COMMON_IMPLEMENTATION -DU_I18N_IMPLEMENTATION \
        -DU_IO_IMPLEMENTATION -DU_HAVE_TZSET -DU_HAVE_TIMEZONE -DU_HAVE_TZNAME -DU_HAVE_MMAP=0 -DU_HAVE_POPEN=0 -- source/{common,i18n,io}/*.cpp source/data.cpp
    headers source/{common,i18n,io}/unicode
}
