# What a person types; the rest is cargo. Targets install what they need (Debian 12), may run again at any time, and
# end only what they started.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test faults bench fuzz races check fmt clippy doc dependencies sqlx clean

target := $(or $(CARGO_TARGET_DIR),target)

help: ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

setup: ## Install missing packages, quietly when there are none
	@deploy/debian-setup

demo: setup ## Judge the example contest by a whole installation of its own
	cargo build --locked --release --workspace --bins
	$(target)/release/assize demo

test: setup ## Run every test
	cargo build --locked --workspace --bins
	tests/with-services tests/run

SEED ?= 1
MINUTES ?= 60
faults: setup ## Break everything under load for MINUTES, by SEED; prints the table of docs/reliability.md
	cargo build --locked --release --workspace --bins
	SEED=$(SEED) MINUTES=$(MINUTES) cargo test --locked --release -p assize-tests --test all -- \
	    --include-ignored --nocapture all_faults_of_a_seed

bench: setup ## Measure
	cargo build --locked --release --workspace --bins
	$(target)/release/assize run --repeat 500 --json -- /bin/true
	cargo bench --locked -p assize-sandbox --bench runs
	cargo bench --locked -p assize-sandbox --bench promises
	cargo bench --locked -p assize-sandbox --bench tracing
	cargo bench --locked -p assize-worker --bench judging
	cargo bench --locked -p assize-worker --bench rejudging
	cargo build --locked --release -p assize-scheduler --benches
	tests/with-services cargo bench --locked -p assize-scheduler --bench dispatch
	ASSIZE_CANARY_SECONDS=0 tests/with-services cargo bench --locked -p assize-tests --bench scaling

fuzz: setup ## Throw broken requests at a jail, for MINUTES=10
	ASSIZE_FUZZ_MINUTES=$(or $(MINUTES),10) cargo test --locked -p assize-sandbox --test fuzz -- --nocapture

races: setup ## Race the tracer's decisions about paths, each way for SECONDS=60
	cargo build --locked -p assize-sandbox
	ASSIZE_RACE_SECONDS=$(or $(SECONDS),60) cargo test --locked -p assize-sandbox --test jail -- \
	    --nocapture --test-threads 1 wins_no_race

check: fmt clippy doc dependencies sqlx ## Everything that is not a test: format, lints, documentation, dependencies, SQL

fmt:
	cargo fmt --all --check

clippy: setup
	cargo clippy --locked --workspace --all-targets -- --deny warnings

doc: setup
	RUSTDOCFLAGS="--deny warnings" cargo doc --locked --workspace --no-deps --document-private-items

# `make test` applies the lists of deny.toml as well, without the tool.
dependencies:
	if cargo deny --version >/dev/null 2>&1; then cargo deny --locked check bans licenses sources; \
	else echo "cargo-deny is not installed: only the tidy test applies deny.toml"; fi

sqlx: setup
	fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	tests/with-services scheduler/prepare-sqlx "$$fresh"; \
	diff --recursive .sqlx "$$fresh" || { echo "run scheduler/prepare-sqlx and commit .sqlx" >&2; exit 1; }

clean: ## Remove what was built, and the demo's data
	@[ ! -e data/lock ] || flock --nonblock data/lock true || \
	{ echo "data/ is in use: stop the assize up that runs there first" >&2; exit 1; }
	cargo clean
	rm -rf data
