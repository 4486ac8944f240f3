# Rules of scripts/build-guests, which sets GUEST_RUSTC, GUEST_CLANG and GUEST_RUST_TARGET.

SOURCES := $(wildcard examples/*/*.rs examples/*/*.c benches/*.c tests/guests/*.rs tests/guests/*.c)
HEADERS := $(wildcard benches/*.h examples/include/*.h tests/guests/*.h)
GUESTS := $(patsubst %,build/guests/%.wasm,$(basename $(notdir $(SOURCES))))
# One source, two builds: what the benchmark and comparisons with the native run take. And what tests need beside guests.
TWICE := $(wildcard benches/hello_cgi_c.c tests/guests/cgi_probe.c tests/guests/files_table_*.c)
NATIVE := $(patsubst %,build/native/%,$(basename $(notdir $(TWICE) $(wildcard tests/native/*.c))))

vpath %.rs $(sort $(dir $(SOURCES)))
vpath %.c $(sort $(dir $(SOURCES))) tests/native

.PHONY: all
.DELETE_ON_ERROR:
all: $(GUESTS) $(NATIVE)

build/guests build/native:
	@mkdir -p $@

build/guests/%.wasm: %.rs scripts/guests.mk | build/guests
	@echo "    guest $<"
	@$(GUEST_RUSTC) --edition 2021 --target $(GUEST_RUST_TARGET) -O -C strip=symbols -C linker=wasm-ld -D warnings -o $@ $<

build/guests/%.wasm: %.c $(HEADERS) scripts/guests.mk | build/guests
	@echo "    guest $<"
	@$(GUEST_CLANG) --target=wasm32-wasi -O2 -s -Wall -Wextra -Werror -I examples/include $(GUEST_CFLAGS) -o $@ $<

build/guests/reactor.wasm build/guests/preinit_reactor.wasm: GUEST_CFLAGS := -mexec-model=reactor
# Another project's source, which is included as a system header: its warnings are its own. Asked for when it is compiled. And PHP's locks for it.
build/guests/sqlite_probe.wasm: GUEST_CFLAGS = -isystem $(or $(shell scripts/sqlite-source),.) -isystem runtimes/php
build/guests/sqlite_probe.wasm: $(wildcard runtimes/php/shims/sqlite.[ch])

build/native/%: %.c $(HEADERS) scripts/guests.mk | build/native
	@echo "    native $<"
	@$(CC) -O2 -Wall -Wextra -Werror -o $@ $<
