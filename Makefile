# A newcomer's two commands are `make run` and `make test`. Both install what they need.

.PHONY: run test test-browser conformance mutants lint check bench fuzz build release

# Serves confab on http://127.0.0.1:3000.
run: build
	scripts/run

# Every test: units, the component on a real redis-server, and the page in Chromium. If npm or Chromium cannot be had, it says so at its end;
# with BROWSER=required it fails then. HOST=spin runs the e2e tests on the Spin on the PATH. REDIS_SERVER names another server than redis-server.
test:
	scripts/setup rust
	scripts/setup redis-server
	$(if $(filter-out spin,$(HOST)),$(error HOST is '$(HOST)'. Only HOST=spin is known, for a real Spin; without HOST, tests run on confab-host))
	$(if $(HOST),scripts/e2e spin,cargo test --workspace -- --show-output)
	scripts/test-browser $(if $(filter required,$(BROWSER)),,--if-possible)

# The chat page and confab.js, in Chromium.
test-browser:
	scripts/test-browser

# Checks the confab at URL=https://..., without access to its Redis, in chats of its own. Then, or without URL one of its own, against
# its description, and with clients that are generated from it.
conformance:
	scripts/setup rust
	$(if $(URL),scripts/e2e '$(URL)')
	scripts/conformance '$(URL)'

# Breaks each promise once, prints which tests notice, and fails if none does.
mutants:
	scripts/setup rust
	scripts/setup redis-server
	scripts/setup python3
	scripts/mutants

# Format, Clippy, the links of doc comments, and the project's own rules.
lint:
	scripts/setup rust
	scripts/setup python3
	cargo fmt --all --check
	scripts/test-checks
	scripts/check-imports
	scripts/check-lengths
	scripts/check-features
	scripts/mutants --check
	cargo clippy --workspace --all-targets -- --deny warnings
	cargo clippy --release --target wasm32-wasip2 -- --deny warnings
	RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --no-deps

# What CI runs.
check: lint test

# Measures what requests cost, in about 6 minutes; with BENCH_FLOOR=1 only their processor time, in 2. BENCH_SPIN names the Spin to
# measure with in place of confab-host. Or BENCH_URL and REDIS_URL name a confab that runs already. REDIS_URL alone names a node of a
# Redis Cluster, which is measured beside one Redis.
# confab-host is optimized for it: a send then costs the host a third less. It is compiled again for it, in about a minute.
OPTIMIZED = --config profile.dev.package.confab-host.opt-level=3
bench: build
	scripts/setup redis-server
	scripts/setup wrk
	cargo build --release --target wasm32-wasip2 --target-dir target --package confab-floor
	cargo build --workspace --bin confab-host $(OPTIMIZED)
	cargo bench --workspace --profile dev --bench bench $(OPTIMIZED)

# Feeds each parser with random input for a minute.
fuzz:
	scripts/setup rust
	CONFAB_FUZZ_SECONDS=60 cargo test --workspace --lib fuzz -- --show-output

# Builds the component: target/wasm32-wasip2/release/confab.wasm.
build:
	scripts/setup rust
	cargo build --release --target wasm32-wasip2 --target-dir target

# Puts what a release consists of into dist/: the component and its checksum, a spin.toml that uses it, the WIT and openapi.json.
release:
	scripts/release
