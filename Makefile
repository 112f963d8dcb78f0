# make test is everything and installs what it needs; make check is the quick part. See CONTRIBUTING.md.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.DEFAULT_GOAL := help

# Packages tested at once. Each has its own parallel tests, and some start servers and browsers.
GO_PACKAGES ?= 2
FUZZTIME ?= 30s

GO_TEST := go test -p $(GO_PACKAGES)
NPM := cd web && npm
NODE_MODULES := web/node_modules/.package-lock.json

heading = @printf '\n=== %s ===\n' '$(1)'

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: test
test: system lint test-go test-web test-browser ## everything, with what it needs installed
	$(call heading,all tests passed)

.PHONY: check
check: lint-go test-go-quick lint-web ## the quick part: format, vet, staticcheck, unit tests (not end to end), types

.PHONY: build
build: ## build bin/earshot
	$(call heading,go build)
	go build -o bin/earshot ./cmd/earshot

.PHONY: web
web: $(NODE_MODULES) ## build the TypeScript packages and the pages that the program embeds
	$(call heading,web build)
	$(NPM) run build

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME each (30s)
	scripts/fuzz $(FUZZTIME)

SOAK_TABLE ?=

.PHONY: soak
soak: system ## run the fault tests long (25 minutes at most), and count; SOAK_TABLE=FILE keeps the table
	scripts/soak $(SOAK_TABLE)

.PHONY: bench
bench: ## run the Go benchmarks
	$(call heading,go test -bench)
	go test -p 1 -run '^$$' -bench . -benchmem ./...

# What follows are the parts of test and check.

.PHONY: system
system:
	$(call heading,system packages)
	scripts/need gcc=gcc,libc6-dev chromium redis-server nginx haproxy apache2 caddy

$(NODE_MODULES): web/package-lock.json
	$(call heading,npm ci)
	$(NPM) ci --no-audit --no-fund
	@touch $@

.PHONY: lint lint-go lint-web
lint: lint-go lint-web

lint-go:
	$(call heading,gofmt)
	@wrong=$$(gofmt -l $$(find . -name '*.go' -not -path './web/*')); \
	  if [ -n "$$wrong" ]; then echo "not formatted; run gofmt -w on:"; echo "$$wrong"; exit 1; fi
	$(call heading,go vet)
	go vet ./...
	$(call heading,staticcheck)
	go tool staticcheck ./...

lint-web: $(NODE_MODULES)
	$(call heading,biome and tsc)
	$(NPM) run check

.PHONY: test-go test-go-quick
test-go:
	$(call heading,go test -race)
	$(GO_TEST) -race -timeout 20m ./...

test-go-quick:
	$(call heading,go test -short)
	$(GO_TEST) -short $$(go list ./... | grep -v /internal/e2e)

.PHONY: test-web test-browser
test-web: $(NODE_MODULES) build
	$(call heading,build of @earshot/client)
	$(NPM) run build --workspace @earshot/client
	$(call heading,embedded assets match their sources)
	$(NPM) run check:assets --workspace @earshot/chat
	$(call heading,vitest)
	$(NPM) test
	$(call heading,size of @earshot/client)
	$(NPM) run size --workspace @earshot/client

test-browser: $(NODE_MODULES) build
	$(call heading,browser test)
	$(NPM) run e2e --workspace @earshot/e2e
