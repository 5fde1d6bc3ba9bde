# `make help` tells what there is. Everything that is downloaded or built for
# the tests and the demo goes into .tools/.

SHELL := /bin/sh
TOOL := go tool -modfile=tools/go.mod
GOTESTSUM := go run gotest.tools/gotestsum@v1.13.0
TESTLOG := .tools/test.json
REGISTRY ?= auto
FUZZTIME ?= 100000x

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: bin/greenlight ## Watch a switch on three real Envoys (REGISTRY=file|consul; KEEP=1 leaves it running)
	@ENVOY=$$(tools/get-envoy) && export ENVOY && \
	if [ "$(REGISTRY)" = consul ]; then CONSUL=$$(tools/get-consul) && export CONSUL; fi && \
	exec bin/greenlight demo --registry $(REGISTRY) $(if $(KEEP),--keep)

.PHONY: test
test: ## Run every test, with real Envoys, Consul, Nomad and model servers (gets them once: 10 to 18 minutes)
	@mkdir -p .tools
	ENVOY=$$(tools/get-envoy) && CONSUL=$$(tools/get-consul) && NOMAD=$$(tools/get-nomad) && PYTHON_MODELS=$$(tools/get-python) && \
	PYTHON_KSERVE=$$(tools/get-python kserve) && export ENVOY CONSUL NOMAD PYTHON_MODELS PYTHON_KSERVE && \
	$(GOTESTSUM) --format pkgname --jsonfile $(TESTLOG) -- -race -timeout 25m -p 2 ./...
	@tools/no-skips $(TESTLOG)

.PHONY: test-short
test-short: ## Run the tests that need no Envoy, no Consul and no model server (under two minutes)
	go test -short ./...

.PHONY: bench
bench: ## Print the figures that the docs state, each beside its floor
	ENVOY=$$(tools/get-envoy) && CONSUL=$$(tools/get-consul) && export ENVOY CONSUL && \
	go test -p 1 -run '^$$' -bench Figure -benchtime 1x -timeout 20m ./xds ./check ./telemetry ./cmd/greenlight/plan ./e2e

.PHONY: sim
sim: ## Print how many simulated pairs of equal and of worse models each judgement blocks (about four minutes)
	go test -run '^$$' -bench Sim -benchtime 1x -timeout 20m ./check/... ./rollout/judge

.PHONY: build
build: bin/greenlight ## Build bin/greenlight

.PHONY: bin/greenlight
bin/greenlight:
	@mkdir -p bin
	go build -trimpath -o $@ ./cmd/greenlight

.PHONY: lint
lint: ## Run golangci-lint and buf lint
	$(TOOL) golangci-lint run ./...
	$(TOOL) buf lint

.PHONY: breaking
breaking: ## Check that the protos stay compatible with AGAINST (a git ref)
	$(TOOL) buf breaking --against '.git#ref=$(or $(AGAINST),HEAD)'

GENERATED := api/adminv1 check/predict/oipv2

.PHONY: generate
generate: ## Generate the Go code of the protos
	rm -rf $(GENERATED)
	$(TOOL) buf generate
	$(TOOL) buf generate --template buf.gen.inference.yaml

.PHONY: check-generated
check-generated: generate ## Fail when the generated code is not what the protos say
	@git diff --exit-code --stat -- $(GENERATED) && test -z "$$(git status --porcelain -- $(GENERATED))" || \
		{ echo "generated code differs from the protos: run make generate and commit the result" >&2; exit 1; }

.PHONY: fuzz
fuzz: ## Run every fuzz target on FUZZTIME inputs each
	tools/fuzz $(FUZZTIME)

.PHONY: clean
clean: ## Remove what was built (.tools keeps Envoy and Consul; remove it by hand)
	rm -rf bin
