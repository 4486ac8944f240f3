# shellcheck shell=bash
# The libraries that PHP's extensions use, each by its list of files and the few settings that its own configure script would find:
# faster than ten configure scripts, and the same on all machines. Sourced by ../build.
#
# A function `library_NAME` runs in the folder of its source, and ends with `archive`. Headers that it makes lie in $config.

LIBRARIES=(zlib libpng libjpeg-turbo libwebp freetype oniguruma libxml2 libsodium sqlite)

# build_libraries: all of them, into $PHP_BUILD/libraries/{lib,include}.
build_libraries() {
    local name
    prefix=$PHP_BUILD/libraries
    rm -rf "$prefix"
    mkdir -p "$prefix"/{lib,include}
    for name in "${LIBRARIES[@]}"; do
        say "library $name"
        config=$prefix/config/$name objects=$prefix/objects/$name
        mkdir -p "$config" "$objects"
        (cd "$PHP_BUILD/src/$name" && "library_${name//-/_}")
    done
}

# archive NAME FLAG... -- FILE...: compiles the files, all cores at work, and makes lib/NAME.a of them.
archive() {
    local name=$1 flags=() list
    shift
    while [[ $1 != -- ]]; do flags+=("$1") && shift; done
    shift
    # shellcheck disable=SC2016 # expanded by the shells that xargs starts
    printf '%s\n' "$@" |
        xargs -P "$(nproc)" -I{} bash -c 'file=$1; shift; exec "$CC" "$@" -c "$file" -o "$0/${file//\//+}.o"' \
            "$objects" {} -O3 -w -I"$config" -I. "${flags[@]}" || die "$name does not compile"
    mapfile -t list < <(printf '%s\n' "$objects"/*.o | LC_ALL=C sort)
    "$AR" rcsD "$prefix/lib/$name.a" "${list[@]}"
}

# headers [-d FOLDER] FILE...: installs headers for PHP.
headers() {
    local folder=$prefix/include
    if [[ $1 == -d ]]; then folder+=/$2 && shift 2; fi
    mkdir -p "$folder"
    cp -R "$@" "$folder/"
}

library_zlib() {
    archive libz -DHAVE_UNISTD_H -DHAVE_STDARG_H -- {adler32,compress,crc32,deflate,infback,inffast,inflate,inftrees,trees,uncompr,zutil}.c \
        gz{close,lib,read,write}.c
    headers zlib.h zconf.h
}

library_libpng() {
    cp scripts/pnglibconf.h.prebuilt "$config/pnglibconf.h"
    archive libpng -I"$prefix/include" -- png{,error,get,mem,pread,read,rio,rtran,rutil,set,trans,wio,write,wtran,wutil}.c
    headers png.h pngconf.h "$config/pnglibconf.h"
}

# Without its assembler, and without the "TurboJPEG" interface. Files that depend on the depth of samples come three times.
library_libjpeg_turbo() {
    local version number
    version=$(version_of libjpeg-turbo)
    number=$(awk -F . '{ printf "%d%03d%03d", $1, $2, $3 }' <<<"$version")
    sed -e "s/@JPEG_LIB_VERSION@/62/; s/@VERSION@/$version/; s/@LIBJPEG_TURBO_VERSION_NUMBER@/$number/" \
        -e 's/^#cmakedefine \(C_ARITH\|D_ARITH\)/#define \1/; s/^#cmakedefine.*//' src/jconfig.h.in >"$config/jconfig.h"
    sed -e "s/@BUILD@/$version/; s/@VERSION@/$version/; s/@CMAKE_PROJECT_NAME@/libjpeg-turbo/; s/@SIZE_T@/4/" \
        -e 's/@HIDDEN@//; s/@INLINE@/inline/; s/@THREAD_LOCAL@//' \
        -e 's/^#cmakedefine HAVE_BUILTIN_CTZL/#define HAVE_BUILTIN_CTZL 1/; s/^#cmakedefine \(C_ARITH\|D_ARITH\)/#define \1/; s/^#cmakedefine.*//' \
        src/jconfigint.h.in >"$config/jconfigint.h"
    sed 's/@COPYRIGHT_YEAR@/2025/' src/jversion.h.in >"$config/jversion.h"
    archive libjpeg -Isrc -- src/wrapper/j{c,d,q,u,f,i}*-*.c \
        src/j{capimin,chuff,cicc,cinit,clhuff,cmarker,cmaster,comapi,cparam,cphuff,ctrans,dapimin,datadst,datasrc,dhuff,dicc,dinput}.c \
        src/j{dlhuff,dmarker,dmaster,dphuff,dtrans,error,fdctflt,memmgr,memnobs,peg_nbits,aricom,carith,darith}.c
    headers src/jpeglib.h src/jmorecfg.h src/jerror.h "$config/jconfig.h"
}

# Its code for other processors' instructions compiles to nothing here.
library_libwebp() {
    archive libwebp -- src/{dec,dsp,enc,utils}/*.c sharpyuv/*.c
    headers -d webp src/webp/{decode,encode,types}.h
}

library_freetype() {
    archive libfreetype -Iinclude -DFT2_BUILD_LIBRARY -- \
        src/base/ft{base,bbox,bdf,bitmap,cid,debug,fstype,gasp,glyph,gxval,init,mm,otval,patent,pfr,stroke,synth,system,type1,winfnt}.c \
        src/autofit/autofit.c src/bdf/bdf.c src/cff/cff.c src/cid/type1cid.c src/gzip/ftgzip.c src/lzw/ftlzw.c src/pcf/pcf.c \
        src/pfr/pfr.c src/psaux/psaux.c src/pshinter/pshinter.c src/psnames/psnames.c src/raster/raster.c src/sdf/sdf.c \
        src/sfnt/sfnt.c src/smooth/smooth.c src/svg/svg.c src/truetype/truetype.c src/type1/type1.c src/type42/type42.c src/winfonts/winfnt.c
    headers include/ft2build.h include/freetype
}

library_oniguruma() {
    local version files
    version=$(version_of oniguruma)
    cat >"$config/config.h" <<END
#define HAVE_ALLOCA 1
#define HAVE_ALLOCA_H 1
#define HAVE_INTTYPES_H 1
#define HAVE_STDINT_H 1
#define HAVE_SYS_TIME_H 1
#define HAVE_SYS_TYPES_H 1
#define HAVE_UNISTD_H 1
#define PACKAGE_VERSION "$version"
#define VERSION "$version"
#define SIZEOF_INT 4
#define SIZEOF_LONG 4
#define SIZEOF_LONG_LONG 8
#define SIZEOF_VOIDP 4
END
    # What is no source of its own: data that other files include, a generator, and POSIX names that nobody uses.
    mapfile -t files < <(printf '%s\n' src/*.c | grep -v -e '_data\(_posix\)\?\.c$' -e mktable -e regposi -e regposerr)
    archive libonig -DHAVE_CONFIG_H -Isrc -- "${files[@]}"
    headers src/oniguruma.h src/oniggnu.h
}

# Conversions come from PHP's side (iconv of the C library); no threads, no network, no modules.
library_libxml2() {
    local version number
    version=$(version_of libxml2)
    number=$(awk -F . '{ printf "%d%02d%02d", $1, $2, $3 }' <<<"$version")
    mkdir -p "$config/libxml"
    sed -e "s/@VERSION@/$version/; s/@LIBXML_VERSION_NUMBER@/$number/; s/@LIBXML_VERSION_EXTRA@//; s/@MODULE_EXTENSION@/.so/" \
        -e 's/@WITH_\(THREADS\|THREAD_ALLOC\|HTTP\|CATALOG\|ICU\|DEBUG\|MODULES\|ZLIB\)@/0/; s/@WITH_[A-Z0-9]*@/1/' \
        include/libxml/xmlversion.h.in >"$config/libxml/xmlversion.h"
    printf '#define %s\n' 'HAVE_DECL_GETENTROPY 1' 'HAVE_DECL_GLOB 0' 'HAVE_DECL_MMAP 0' 'HAVE_STDINT_H 1' 'HAVE_UNISTD_H 1' \
        'HAVE_FUNC_ATTRIBUTE_DESTRUCTOR 1' 'XML_SYSCONFDIR "/etc"' 'XML_THREAD_LOCAL' >"$config/config.h"
    archive libxml2 -include wasi_php.h -I"$PHP_RECIPE/shims/include" -Iinclude -DHAVE_CONFIG_H -DLIBXML_STATIC -- {buf,chvalid,dict,entities,encoding,error,globals,hash,list,parser}.c \
        {parserInternals,SAX2,threads,tree,uri,valid,xmlIO,xmlmemory,xmlstring,c14n,HTMLparser,HTMLtree,xmlsave,pattern,xmlreader}.c \
        {xmlregexp,relaxng,xmlschemas,xmlschemastypes,schematron,xmlwriter,xinclude,xpath,xpointer,xlink}.c
    headers -d libxml include/libxml/*.h "$config/libxml/xmlversion.h"
}

# Portable code only: no assembler, no instructions of one processor. Random numbers are WASI's. What Argon2 and scrypt take for the moment of one
# call is what the script asks for: it does not count against memory_limit (shims/library_memory.c), as natively.
library_libsodium() {
    local version files uncounted=('-Dmalloc(size)=__real_malloc(size)' '-Dfree(memory)=__real_free(memory)')
    version=$(version_of libsodium)
    sed -e "s/@VERSION@/$version/; s/@SODIUM_LIBRARY_MINIMAL_DEF@//" \
        -e "s/@SODIUM_LIBRARY_VERSION_MAJOR@/$(sed -n 's/^SODIUM_LIBRARY_VERSION_MAJOR=//p' configure)/" \
        -e "s/@SODIUM_LIBRARY_VERSION_MINOR@/$(sed -n 's/^SODIUM_LIBRARY_VERSION_MINOR=//p' configure)/" \
        src/libsodium/include/sodium/version.h.in >"$config/version.h"
    mkdir -p "$config/sodium"
    mv "$config/version.h" "$config/sodium/version.h"
    mapfile -t files < <(find src/libsodium -name '*.c' | LC_ALL=C sort)
    archive libsodium -Isrc/libsodium/include -Isrc/libsodium/include/sodium -I"$config/sodium" -DCONFIGURED=1 -DSODIUM_STATIC -DDEV_MODE=0 \
        -DNATIVE_LITTLE_ENDIAN=1 -DHAVE_STDINT_H=1 -DHAVE_INTTYPES_H=1 -DHAVE_UNISTD_H=1 -DHAVE_SYS_RANDOM_H=1 -DHAVE_GETENTROPY=1 \
        -DHAVE_WEAK_SYMBOLS=1 -DHAVE_ALLOCA_H=1 -DHAVE_ALLOCA=1 "${uncounted[@]}" -- "${files[@]}"
    headers src/libsodium/include/sodium.h src/libsodium/include/sodium
    headers -d sodium "$config/sodium/version.h"
}

# SQLite in one file, as upstream ships it; the tools that join its parts run on this machine. Locks are mod_wasm's (shims/sqlite.c).
library_sqlite() {
    (cd "$config" && CC=${HOST_CC:-cc} AR=ar "$PHP_BUILD/src/sqlite/configure" --disable-readline --disable-tcl &&
        make sqlite3.c) >"$config/log" 2>&1 || die "sqlite3.c cannot be made: see $config/log"
    archive libsqlite3 -include wasi_php.h -I"$PHP_RECIPE/shims/include" -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_MAX_MMAP_SIZE=0 -DSQLITE_DEFAULT_MEMSTATUS=0 \
        -DSQLITE_TEMP_STORE=2 -DSQLITE_ENABLE_COLUMN_METADATA -DSQLITE_ENABLE_FTS4 -DSQLITE_ENABLE_FTS3_PARENTHESIS -DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_RTREE -DSQLITE_ENABLE_MATH_FUNCTIONS \
        -DSQLITE_DEFAULT_UNIX_VFS='"unix"' -- "$config/sqlite3.c"
    headers "$config"/sqlite3{,ext}.h
}
