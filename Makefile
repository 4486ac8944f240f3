# Thin targets: the logic lives in scripts/, in Cargo and in mod_wasm/Makefile. `make help` lists them.
.PHONY: help setup build guests fetch php php-intl php-repro php-native test-phpt demo test wasi-testsuite lint header
.PHONY: image image-test image-repro install uninstall bench-quick bench-start bench-targets bench-interruption bench-php bench-image clean

PARTS = demo

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "Each runs a script of the same purpose in scripts/; try it with --help."

setup: ## install what building and showing needs (PARTS="build install guests fetch php demo test lint bench peers php-native")
	@scripts/setup $(PARTS)

build: ## build the module, its library and its programs into build/modules
	@scripts/setup build
	@scripts/build

guests: ## compile the example programs to WebAssembly into build/guests
	@scripts/setup build guests
	@scripts/build-guests

fetch: ## download and verify what the demos run (NAMES="wordpress-6.5.5 ...")
	@scripts/setup build
	@scripts/fetch-apps $(NAMES)

php: ## build PHP for WebAssembly from source into build/php
	@scripts/setup build fetch php
	@runtimes/php/build

php-intl: build ## build another PHP, with the extension intl, into build/php-intl
	@scripts/setup fetch php
	@scripts/php-intl

php-repro: ## build it from its archives again, elsewhere, and compare: 9 minutes of processor time
	@scripts/setup build fetch php
	@scripts/php-repro

php-native: ## build native PHP from the same archive into build/php-native, to compare with
	@scripts/php-native

demo: ## show it: a server in the foreground (PORT=8080, ADDRESS=127.0.0.1)
	@scripts/demo

test: ## run every test
	@scripts/test

test-phpt: ## run all tests that PHP has for itself, beside native PHP's results (ARGS=--native records these anew)
	@scripts/test-phpt $(ARGS)

wasi-testsuite: ## run the programs of wasi-testsuite (WASI_TESTSUITE=FOLDER, a clone of its branch prod/testsuite-base)
	@scripts/wasi-testsuite

lint: ## check form: rustfmt, clippy, header drift, C warnings, shellcheck, Dockerfile, Compose files, workflows
	@scripts/lint

header: ## make wasm_runtime/include/wasm_runtime.h from the Rust sources
	@scripts/header

image: ## build the container images httpd-mod-wasm:latest and :slim with the docker on PATH (OWNER)
	@scripts/image

image-test: ## test them as their users run them
	@scripts/image-test

image-repro: ## build them twice from nothing and compare: half an hour
	@scripts/image-repro

install: ## put what was built into the distribution's httpd (DESTDIR, PREFIX=/usr/local)
	@test -n "$(DESTDIR)" || scripts/setup install
	@scripts/install

uninstall: ## take it out again
	@scripts/install --uninstall

bench-quick: ## measure what requests cost, in under 3 minutes (ARGS="--compare REVISION --peers", see ARGS=--help)
	@benches/run quick $(ARGS)

bench-start: ## measure start-up, with compiled code cached and without (ARGS)
	@benches/run start $(ARGS)

bench-targets: ## compare code for this processor with code for any (ARGS)
	@benches/run targets $(ARGS)

bench-interruption: ## compare runs that epochs end with runs that a page ends (ARGS)
	@benches/run interruption $(ARGS)

bench-php: ## measure PHP in all ways in which httpd runs it, ours and others, in 10 minutes (ARGS)
	@benches/run php $(ARGS)

bench-image: ## measure how fast a container of the image answers, and its size (ARGS)
	@benches/run image $(ARGS)

clean: ## remove what was built (what was fetched stays)
	rm -rf build target
