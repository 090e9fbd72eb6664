# What one does with a checkout: run, test, lint, bench, install. `make help` lists it.
# A cargo on the PATH that is new enough, else the one of ~/.cargo/bin.
export PATH := $(or $(shell scripts/rust-path),$(PATH))
# Looked up when it is used, since `setup` may just have installed it. Older makes give $(shell) another PATH.
CARGO ?= $(shell PATH='$(PATH)' command -v cargo || echo cargo)
ORC = $(CARGO) run -q --release --locked --
BUILT = $(or $(CARGO_TARGET_DIR),target)/release/tmux-orc

# What is given away: the program that was built for it, or PROGRAM=path (and STATIC=paths of static ones) without a build.
PROGRAM ?=
STATIC ?=
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
EPOCH = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || date -r Cargo.lock +%s))
LINUX = $(filter Linux,$(shell uname))

# A tool of cargo's, installed where it is missing.
tool = @command -v $1 >/dev/null || { echo "make $@: installing $1"; $(CARGO) install --locked $1; }

.DEFAULT_GOAL := help
.PHONY: help setup build run demo test lint bench counts soak bench-check test-compat fuzz coverage install tree dist deb rpm release deny unused sbom has-static

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install tmux, a C linker, ps, git and Rust when they are missing
	@scripts/setup

build: setup # shown, since the first one takes its time
	@[ -e "$(BUILT)" ] || echo "The first build takes some minutes: 10 and more on two cores."
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

counts: setup ## what watching costs, in counts, held against benches/counts.json; UPDATE=1 takes the new ones
	UPDATE=$(UPDATE) $(CARGO) test --locked --lib counts::no_count_rises -- --ignored --exact --nocapture

soak: setup ## nothing grows with 100 000 changes of state: memory, descriptors, watches
	$(CARGO) test --locked --lib counts::soak -- --ignored --nocapture

bench-check: counts ## names what this commit made worse than the one before: counts, and times of both in one run
	scripts/bench-check

test-compat: setup ## the tmux tests on every supported tmux version
	scripts/test-compat

fuzz: ## every fuzz target for $FUZZ_SECONDS each (600); installs cargo-fuzz when it is missing
	scripts/fuzz

install: setup ## install tmux-orc into ~/.cargo/bin
	$(CARGO) install --locked --path .

tree: ## what is given away, as it is laid out below /usr, in target/dist; PROGRAM=path takes a program that is built
	$(if $(PROGRAM),,scripts/build-release)
	scripts/pack tree $(if $(PROGRAM),$(PROGRAM) $(STATIC),target/package/tmux-orc $$(ls target/package/static/*/tmux-orc 2>/dev/null))

# Before anything is made, since the packagers only say that files are missing.
has-static:
	@[ -z "$(PROGRAM)" ] || [ -n "$(STATIC)" ] || { echo "A Debian package and an RPM have a static program too: STATIC=path. Without one: make tree PROGRAM=path, then scripts/pack kind." >&2; exit 1; }

dist: $(if $(LINUX),has-static) tree $(if $(LINUX),deb rpm) sbom ## every package that can be made here, with SHA256SUMS, in target/packages
	scripts/pack kind
	scripts/pack release

release: sbom ## out of the tarballs of all kinds of machine in target/packages: npm, formula, PKGBUILD, installer, SHA256SUMS
	scripts/pack release

# The same bytes each time.
deb: has-static tree ## a Debian package in target/packages; installs cargo-deb when it is missing
	$(call tool,cargo-deb)
	SOURCE_DATE_EPOCH=$(EPOCH) $(CARGO) deb --no-build --no-strip --locked -o target/packages/

rpm: has-static tree ## an RPM package in target/packages; installs cargo-generate-rpm when it is missing
	$(call tool,cargo-generate-rpm)
	mkdir -p target/packages
	SOURCE_DATE_EPOCH=$(EPOCH) $(CARGO) generate-rpm --source-date $(EPOCH) -o target/packages/

sbom: ## what is linked in, as CycloneDX, in target/packages; installs cargo-cyclonedx when it is missing
	$(call tool,cargo-cyclonedx)
	mkdir -p target/packages
	SOURCE_DATE_EPOCH=$(EPOCH) $(CARGO) cyclonedx --format json --all --target all --spec-version 1.5 --no-build-deps --override-filename sbom
	sed 's|file://$(CURDIR)|file:///tmux-orc|g' sbom.json > target/packages/tmux-orc-$(VERSION).cdx.json
	rm sbom.json

unused: ## dependencies that nothing uses; installs cargo-machete when it is missing
	$(call tool,cargo-machete)
	$(CARGO) machete

deny: ## licences, advisories, sources and duplicates of the dependencies; installs cargo-deny when it is missing
	$(call tool,cargo-deny)
	$(CARGO) deny check $(DENY)

coverage: setup ## which lines the tests run, a table in target/coverage
	scripts/coverage
