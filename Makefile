# What one does with a checkout: run, test, lint, bench, install. `make help` lists it.
# Where rustup puts cargo, first as in its own ~/.cargo/env: a shell that began before Rust was installed does not know it.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
# Looked up when it is used, since `setup` may just have installed it. Older makes give $(shell) another PATH.
CARGO ?= $(shell PATH='$(PATH)' command -v cargo || echo cargo)
ORC = $(CARGO) run -q --release --locked --
BUILT = $(or $(CARGO_TARGET_DIR),target)/release/tmux-orc

# What is given away is built apart, without the paths of this machine in it, and dated by its commit.
PACKAGE = target/package
REMAP = --remap-path-prefix=$(CURDIR)=/tmux-orc --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo
# Kinds of machine for which a program is made that needs nothing of the machine it runs on: what `hosts install` copies.
STATIC = $(shell rustc -vV 2>/dev/null | sed -n 's/^host: \(.*-linux-gnu\)$$/\1/p')
EPOCH = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || date -r Cargo.lock +%s))

.DEFAULT_GOAL := help
.PHONY: help setup build run demo test lint bench test-compat fuzz coverage install dist static deb deny

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install tmux, a C linker, ps, git and Rust when they are missing
	@scripts/setup

build: setup # shown, since the first one takes its time
	@[ -e "$(BUILT)" ] || echo "The first build takes some minutes: about 8 on two cores, 20 and more on slow or busy ones."
	$(CARGO) build --release --locked

run: build ## build, then the dashboard: on your tmux server when agents run in it, else on simulated ones
	$(ORC) demo --if-no-agents

demo: build ## build, then the dashboard on simulated agents
	$(ORC) demo

test: setup ## the whole test suite, on real tmux servers of its own
	@[ -d "$(or $(CARGO_TARGET_DIR),target)/debug/deps" ] || echo "The first build of the tests takes some minutes, then they take some more."
	$(CARGO) test --locked --no-fail-fast

lint: setup ## formatting, clippy and documentation, warnings are errors
	$(CARGO) fmt --check
	$(CARGO) clippy --locked -- -D warnings
	$(CARGO) clippy --all-targets --locked -- -D warnings -A clippy::unwrap_used
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --locked

bench: setup ## the benchmarks; each prints what it was measured on
	$(CARGO) bench --locked

test-compat: setup ## the tmux tests on every supported tmux version
	scripts/test-compat

fuzz: ## every fuzz target for $FUZZ_SECONDS each (600); installs cargo-fuzz when it is missing
	scripts/fuzz

install: setup ## install tmux-orc into ~/.cargo/bin
	$(CARGO) install --locked --path .

dist: setup static ## the program to give away, static too, its manual page and completions, in target/dist
	CARGO_TARGET_DIR=$(PACKAGE) RUSTFLAGS="$(REMAP)" $(CARGO) build --release --locked
	mkdir -p target/dist
	cp $(PACKAGE)/release/tmux-orc target/dist/
	target/dist/tmux-orc man > target/dist/tmux-orc.1
	target/dist/tmux-orc completions bash > target/dist/tmux-orc.bash
	target/dist/tmux-orc completions zsh > target/dist/_tmux-orc
	target/dist/tmux-orc completions fish > target/dist/tmux-orc.fish

# With --target the flags are for the program alone, not for what runs during the build.
static: setup ## static programs for hosts, by kind of machine, with their sha256, in target/dist/lib; STATIC names the kinds
	for kind in $(STATIC); do \
	    CARGO_TARGET_DIR=$(PACKAGE) RUSTFLAGS="$(REMAP) -C target-feature=+crt-static" \
	        $(CARGO) build --release --locked --target $$kind || exit 1; \
	    mkdir -p target/dist/lib/tmux-orc/$$kind && cp $(PACKAGE)/$$kind/release/tmux-orc target/dist/lib/tmux-orc/$$kind/ || exit 1; \
	    (cd target/dist/lib/tmux-orc/$$kind && (sha256sum tmux-orc 2>/dev/null || shasum -a 256 tmux-orc) > tmux-orc.sha256) || exit 1; \
	done

deb: dist ## a Debian package in target/debian, the same bytes each time; installs cargo-deb when it is missing
	@command -v cargo-deb >/dev/null || { echo "make deb: installing cargo-deb"; $(CARGO) install --locked cargo-deb; }
	SOURCE_DATE_EPOCH=$(EPOCH) $(CARGO) deb --no-build --no-strip --locked -o target/debian/

deny: ## licences, advisories, sources and duplicates of the dependencies; installs cargo-deny when it is missing
	@command -v cargo-deny >/dev/null || { echo "make deny: installing cargo-deny"; $(CARGO) install --locked cargo-deny; }
	$(CARGO) deny check $(DENY)

coverage: setup ## which lines the tests run, a table in target/coverage
	scripts/coverage
