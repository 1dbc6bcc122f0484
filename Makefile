# Everything a developer does here. "make" alone lists it.
SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PLUGINS   := git release vwmp kanban shell http file data notify sql
LDFLAGS   := -s -w -funcalign=16 -X main.version=$(VERSION)
# The tags leave out gRPC's own tracing pages and a second HTTP/2, which nothing here uses.
# Packages off the hot path are compiled for size: without inlining the binary is 1.6 MB smaller, and so is
# the idle server, which maps it. What a step or a read runs through keeps its inlining. Functions begin at
# multiples of 16 bytes instead of 32 for the same reason.
COLD      := github.com/molecule-man/go-brrr/... github.com/danielgtaylor/huma/... github.com/klauspost/compress/zstd/... \
             github.com/expr-lang/... github.com/spf13/... github.com/goccy/... github.com/santhosh-tekuri/... \
             github.com/google/jsonschema-go/... github.com/clipperhouse/... github.com/hashicorp/... github.com/gofiber/... \
             golang.org/x/text/... vendor/... google.golang.org/protobuf/internal/impl \
             google.golang.org/protobuf/internal/filedesc google.golang.org/protobuf/reflect/... \
             google.golang.org/protobuf/types/... google.golang.org/protobuf/encoding/... \
             crypto/... net net/http/... math/big encoding/xml encoding/gob \
             html/... text/... regexp/... log/... compress/... archive/... time/... debug/... mime/... net/mail net/rpc \
             encoding/asn1 internal/zstd container/... google.golang.org/grpc/internal/binarylog google.golang.org/grpc/grpclog/... \
             github.com/fasthttp/... github.com/fatih/... github.com/coreos/... github.com/go-jose/... golang.org/x/oauth2/... \
             go.opentelemetry.io/... github.com/cenkalti/... github.com/grpc-ecosystem/... github.com/go-logr/... \
             $(addprefix google.golang.org/grpc/,balancer/... resolver/... channelz/... credentials/... experimental/... \
             internal/balancer/... internal/channelz internal/envconfig internal/idle internal/resolver/... internal/serviceconfig) \
             $(addprefix github.com/vwmp/vwmp/,cmd/vwmp host host/federation host/pages host/problem host/tracing host/vault engine/trigger engine/secret \
             pluginsdk/conformance pluginsdk/scaffold engine/cassette engine/workflow/textedit engine/workflow/compare engine/workflow/earlier store store/memory \
             store/internal/archive store/internal/folder)
GO_BUILD  := CGO_ENABLED=0 go build -trimpath -tags grpcnotrace,nethttpomithttp2 -ldflags '$(LDFLAGS)' \
             $(foreach package,$(COLD),-gcflags=$(package)=-l)
# What the host's binary may weigh, in bytes, pages and everything included.
HOST_SIZE := 34000000
GO_TOOL   := go tool -modfile=tools/go.mod
ADDR      ?= 127.0.0.1:8000
DEMO      := .demo

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: build
build: ui ## build the stripped binaries into bin/
	@$(GO_BUILD) -o bin/vwmp ./cmd/vwmp
	@size=$$(wc -c <bin/vwmp); [ "$$size" -lt $(HOST_SIZE) ] || \
	  { echo "bin/vwmp has $$size bytes, and may have $(HOST_SIZE): see what has come in, or raise HOST_SIZE with a reason" >&2; exit 1; }
	@for plugin in $(PLUGINS); do $(GO_BUILD) -o bin/plugins/vwmp-plugin-$$plugin ./plugins/$$plugin; done

.PHONY: ui
ui: ui/dist/.built ## build the embedded pages (node packages by npm ci)

ui/node_modules/.built: ui/package-lock.json ui/package.json ui/.npmrc
	cd ui && npm ci --silent
	@touch $@

UI_SOURCES := $(shell find ui/src ui/public ui/scripts -type f 2>/dev/null) ui/index.html ui/vite.config.ts

ui/dist/.built: ui/node_modules/.built $(UI_SOURCES)
	cd ui && npm run --silent build
	@touch $@

.PHONY: e2e
e2e: build ## run the browser tests (AREA=word for those of one file)
	@scripts/chromium.sh
	cd ui && node e2e/run.mjs $(AREA)

.PHONY: screenshots
screenshots: build ## make the pictures of the documentation anew, from data that looks used
	@scripts/chromium.sh
	cd ui && node scripts/screenshots.mjs

.PHONY: run
run: build ## build all and serve on 127.0.0.1:8000 with a demo repository and Standard Release
	@scripts/run-demo.sh $(DEMO) $(ADDR)

.PHONY: test
test: build ## run the tests (under 10 minutes)
	@scripts/sdks.sh
	go vet ./...
	go test -timeout 9m ./...
	cd ui && node scripts/lock-check.mjs && npm run --silent check && npm run --silent test
	@scripts/chromium.sh
	cd ui && node e2e/run.mjs --smoke

# What takes too long for "make test": tests behind the tag long, and those that it makes longer.
LONG      := ^($(shell grep -rlE '^//go:build.*\blong\b' --include='*_test.go' cmd host plugins | xargs grep -hoE '^func Test[A-Za-z0-9]+' | \
             cut -c6- | paste -sd'|')|TestKillLoop|TestCrashAtEveryCommit|TestANew.*PluginWorksAsItIs)$$

.PHONY: test-long
test-long: lint build ## run the linters, the race detector, all browser tests and what takes longer
	@scripts/sdks.sh
# The detector makes slow what starts hundreds of processes or sends thousands of requests, and large what is weighed; what runs there it sees
# in the packages' own tests.
	go test -race -timeout 20m -skip '^(TestScripts|TestLanguage|TestKillLoop|TestEveryOperation.*|TestCase1An.*|TestCase11Hostile.*)$$' ./...
	go test -race -timeout 10m -tags long -run '$(LONG)' ./host/pluginhost
	@scripts/databases.sh
	go test -timeout 20m -tags long -run '$(LONG)' ./cmd/vwmp ./engine/local ./plugins/...
	npm --prefix ui/tools/api-types ci --silent && node ui/tools/api-types/generate.mjs --check
	@scripts/chromium.sh
	cd ui && node e2e/run.mjs

.PHONY: soak
soak: KILLS ?= 10000
soak: CUTS ?= 200
soak: ## kill the server 10,000 times at random points (KILLS=n), and cut its power 200 times where root can (CUTS=n)
	VWMP_KILLS=$(KILLS) VWMP_POWERCUTS=$(CUTS) go test -timeout 24h -count=1 -run '^(TestKillLoop|TestCase95PowerCut)$$' -v ./cmd/vwmp

.PHONY: fuzz
fuzz: FUZZTIME ?= 30s
fuzz: ## run every fuzz target for 30 s (FUZZTIME=t for another time)
	@scripts/fuzz.sh $(FUZZTIME)

.PHONY: lint
lint: ## run the linters
	$(GO_TOOL) golangci-lint run ./...

.PHONY: vuln
vuln: VULNDB ?= https://vuln.go.dev
vuln: ## look up known weaknesses of what the code really calls (VULNDB=url)
	go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 -db $(VULNDB) ./...

.PHONY: bench
bench: build ## print the figures as a table
	go run ./scripts/bench

.PHONY: load
load: LOAD_SECONDS ?= 60
load: build ## put a server under everything at once that it must stand (LOAD_SECONDS=n)
	go run ./scripts/load -seconds $(LOAD_SECONDS)

.PHONY: bench-store
bench-store: ## print the figures of a store with a million finished executions (a quarter of an hour, 4 GB of disk)
	go run ./scripts/benchstore

.PHONY: generate
generate: ## make the generated code anew
	cd pluginsdk/proto && go tool -modfile=../../tools/go.mod buf generate
# The rest is made by what is built from it.
	@$(MAKE) --no-print-directory build
	@scripts/sdk-stubs.sh
	go run ./scripts/scaffold
	go run ./scripts/zones "$$(go env GOROOT)/lib/time/zoneinfo.zip" engine/workflow/timezone/zones.tar.gz
	go run ./scripts/handlerdocs bin/plugins docs/handlers
	npm --prefix ui/tools/api-types ci --silent && node ui/tools/api-types/generate.mjs

.PHONY: clean
clean: ## remove what was built, and the demo
	rm -rf bin $(DEMO) ui/node_modules ui/tools/api-types/node_modules ui/e2e/artefacts pluginsdk/typescript/node_modules pluginsdk/typescript/dist
	find ui/dist -mindepth 1 ! -name .gitkeep -delete
