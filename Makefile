# A newcomer's two commands are `make run` and `make test`. Both do their own set-up.

.PHONY: run test bench build lint fuzz

run: build
	scripts/run

test: lint
	scripts/setup redis-server
	cargo test --workspace -- --show-output

# What requests cost, as ratios within one run, and how that grows: about 6 minutes. With BENCH_URL (and REDIS_URL) of a confab that
# runs already, such as one of `spin up`, it measures that one.
bench: build
	scripts/setup redis-server
	scripts/setup wrk
	cargo bench --workspace --profile dev --bench bench

# A minute of random input for each of what reads raw values.
fuzz:
	scripts/setup rust
	CONFAB_FUZZ_SECONDS=60 cargo test --workspace --lib fuzz -- --show-output

# The component, in target/wasm32-wasip2/release/confab.wasm.
build:
	scripts/setup rust
	cargo build --release --target wasm32-wasip2

lint:
	scripts/setup rust
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	cargo clippy --release --target wasm32-wasip2 -- --deny warnings
