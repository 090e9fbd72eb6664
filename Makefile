# What one does with a checkout: run, test, lint, bench, install. `make help` lists it.
CARGO ?= cargo
ORC = $(CARGO) run -q --release --locked --

.DEFAULT_GOAL := help
.PHONY: help setup run demo test lint bench test-compat fuzz install dist deb deny

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install tmux, a C linker and ps when they are missing (apt-get or brew)
	@scripts/setup

run: setup ## build, then the dashboard: on your tmux server when agents run in it, else on simulated ones
	$(ORC) demo --if-no-agents

demo: setup ## build, then the dashboard on simulated agents
	$(ORC) demo

test: setup ## the whole test suite, on real tmux servers of its own
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

dist: setup ## the manual page and the completions, made by the program, in target/dist
	$(CARGO) build --release --locked
	mkdir -p target/dist
	target/release/tmux-orc man > target/dist/tmux-orc.1
	target/release/tmux-orc completions bash > target/dist/tmux-orc.bash
	target/release/tmux-orc completions zsh > target/dist/_tmux-orc
	target/release/tmux-orc completions fish > target/dist/tmux-orc.fish

deb: dist ## a Debian package in target/debian (needs cargo-deb)
	$(CARGO) deb --no-build

deny: ## licences, advisories and duplicates of the dependencies (needs cargo-deny)
	$(CARGO) deny check
