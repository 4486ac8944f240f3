# What is made beside the objects of PHP's own Makefile, which this one includes: OPcache, which PHP 8.4 builds as a shared library only, the SAPI,
# and the shims. `make -f wasi.mk objects`, in the folder of the Makefile.
#
#   RECIPE  the folder of this file
include Makefile

# The C library's headers, completed. Its names belong to the flags: zig does not notice a header that comes to lie before another.
SHIM_NAMES := $(shell cd $(RECIPE)/shims/include && find . -name '*.h' | LC_ALL=C sort | cksum | cut -d ' ' -f 1)
EXTRA_CFLAGS += -w -include wasi_php.h -DSHIM_NAMES=$(SHIM_NAMES) -DZEND_ENABLE_ZVAL_LONG64=1
EXTRA_CXXFLAGS += $(EXTRA_CFLAGS) -fno-exceptions

OPCACHE_OBJECTS := $(patsubst %,ext/opcache/%.o,ZendAccelerator zend_accelerator_blacklist zend_accelerator_debug zend_accelerator_hash \
    zend_accelerator_module zend_accelerator_util_funcs zend_file_cache zend_persist zend_persist_calc zend_shared_alloc shared_alloc_mmap)
SAPI_OBJECTS := $(patsubst $(RECIPE)/sapi/%.c,ours/sapi/%.o,$(wildcard $(RECIPE)/sapi/*.c))
SHIM_OBJECTS := $(patsubst $(RECIPE)/shims/%,ours/shims/%.o,$(wildcard $(RECIPE)/shims/*.[cS]))
PHP_OBJECTS := $(filter-out sapi/embed/%,$(PHP_GLOBAL_OBJS) $(PHP_SAPI_OBJS))

.PHONY: objects
objects: objects.list
objects.list: $(PHP_OBJECTS) $(OPCACHE_OBJECTS) $(SAPI_OBJECTS) $(SHIM_OBJECTS)
	printf '%s\n' $(SHIM_OBJECTS) $(PHP_OBJECTS:.lo=.o) $(OPCACHE_OBJECTS) $(SAPI_OBJECTS) >$@

COMPILE = $(CC) -I$(top_builddir)/../libraries/include -I$(RECIPE)/../../examples/include $(COMMON_FLAGS) -IZend -I$(top_srcdir)/Zend $(filter-out -prefer-non-pic -static,$(CFLAGS_CLEAN)) $(EXTRA_CFLAGS) -MMD -MP -MF $@.dep -c $< -o $@

$(OPCACHE_OBJECTS): ext/opcache/%.o: $(top_srcdir)/ext/opcache/%.c
	@mkdir -p $(@D)
	$(COMPILE) -include opcache_alone.h -I$(top_srcdir)/ext/opcache -DHAVE_SHM_MMAP_ANON=1 -DZEND_ENABLE_STATIC_TSRMLS_CACHE=1

ours/sapi/%.o: $(RECIPE)/sapi/%.c
	@mkdir -p $(@D)
	$(COMPILE) -Wall -Wextra -Wno-unused-parameter -I$(top_srcdir)/ext/opcache

ours/shims/%.c.o: $(RECIPE)/shims/%.c
	@mkdir -p $(@D)
	$(COMPILE)

ours/shims/%.S.o: $(RECIPE)/shims/%.S
	@mkdir -p $(@D)
	$(CC) -c $< -o $@

# One function of half a megabyte: -O3 takes three times as long for it, and makes nothing faster.
Zend/zend_execute.lo: CFLAGS_CLEAN := $(patsubst -O3,-O2,$(CFLAGS_CLEAN))

-include $(OPCACHE_OBJECTS:=.dep) $(SAPI_OBJECTS:=.dep) $(SHIM_OBJECTS:=.dep)
