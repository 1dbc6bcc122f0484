package vwmp_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/vwmp/vwmp/"

// importRules says who must not import whom; docs/design/architecture.md
// tells the whole. A row holds for a package and those below it, unless a
// longer row is there.
var importRules = []struct {
	pkg    string
	never  []string
	reason string
}{
	{"pluginsdk", []string{module + "engine", module + "host", module + "store", module + "plugins", "google.golang.org/grpc", "github.com/hashicorp"},
		"an author's handler must not pull in a transport or the host"},
	{"pluginsdk/proto", []string{module}, "the protocol stands alone"},
	{"pluginsdk/internal/wire", []string{module + "engine", module + "host", module + "store"}, "the wire serves hosts and plugins alike"},
	{"pluginsdk/serve", []string{module + "engine", module + "host", module + "store"}, "a plugin's binary must not contain the host"},
	{"pluginsdk/client", []string{module + "engine", module + "host", module + "store"}, "it is the wire alone"},
	{"pluginsdk/conformance", []string{module + "engine", module + "host", module + "store", "testing"}, "it judges plugins without the host, also within it"},
	{"pluginsdk/scaffold", []string{module, "google.golang.org/grpc", "github.com/hashicorp"}, "it writes files"},
	{"pluginsdk/plugintest", []string{module + "engine", module + "host", module + "store"}, "authors test without the host"},
	{"engine/workflow", []string{module + "engine", module + "host", module + "store", "net", "os", "github.com/hashicorp"}, "the language is data in, graph out"},
	{"engine/plan", []string{module + "host", module + "store", module + "engine/local", "context", "log", "math/rand", "net", "os", "sync"}, "the decision is a pure function"},
	{"engine/trigger", []string{module + "host", module + "store", module + "engine/local", "net", "go.etcd.io/bbolt", "github.com/gofiber", "github.com/hashicorp"}, "what fires knows ports, and neither a runtime nor a network"},
	{"engine", []string{module + "host", module + "store", module + "engine/local", "go.etcd.io/bbolt", "github.com/gofiber", "github.com/hashicorp"}, "the engine knows ports, not what is behind them"},
	{"engine/local", []string{module + "host", module + "store", "go.etcd.io/bbolt", "github.com/gofiber", "github.com/hashicorp"}, "the runtime knows ports, not what is behind them"},
	{"engine/cassette", []string{module + "host", module + "store", module + "engine/local", "net", "os", "github.com/hashicorp"}, "a recording knows the ports that it stands between"},
	{"engine/secret", []string{module + "host", module + "store", module + "engine/local", "net", "os"}, "secrets are put in and masked without a place to keep them"},
	{"engine/enginetest", []string{module + "host", module + "store"}, "the contract holds for any surroundings"},
	{"store", []string{module + "host", module + "engine/local", "github.com/gofiber", "github.com/hashicorp"}, "the store keeps, and serves nobody"},
	{"store/data", []string{"go.etcd.io/bbolt", module + "host", module + "engine/local"}, "the records are types alone"},
	{"store/memory", []string{"go.etcd.io/bbolt", module + "host", module + "engine/local"}, "a run without data links no database"},
	{"host", []string{"go.etcd.io/bbolt", "github.com/hashicorp/go-plugin", module + "engine/local", module + "host/pluginhost", module + "host/federation", module + "plugins"}, "the edge knows ports, not what is behind them"},
	{"host/pluginhost", []string{module + "store", module + "engine/local", "github.com/gofiber"}, "plugin processes know no database and no web"},
	{"host/federation", []string{module + "engine", module + "store/memory", "go.etcd.io/bbolt", "github.com/gofiber"}, "whom an issuer vouches for is judged without a database and a web"},
	{"host/metrics", []string{module + "engine/local", module + "store", module + "host/pluginhost", "go.etcd.io/bbolt", "github.com/gofiber", "github.com/hashicorp"}, "what counts knows no part that it counts in, only what it is told"},
	{"host/tracing", []string{module + "engine/local", module + "store", module + "host/pluginhost", "go.etcd.io/bbolt", "github.com/gofiber", "github.com/hashicorp"}, "what follows an execution stands around the engine's ports"},
	{"host/vault", []string{module + "engine/local", module + "store/memory", "go.etcd.io/bbolt", "github.com/gofiber", "github.com/hashicorp"}, "the vault knows a port to keep what is sealed, not what is behind it"},
	{"plugins", []string{module + "engine", module + "host", module + "store"}, "a bundled plugin has no rights that a third party lacks"},
	{"ui", []string{module}, "the pages are embedded files"},
}

func TestImportRules(t *testing.T) {
	t.Parallel()
	output, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for decoder := json.NewDecoder(strings.NewReader(string(output))); decoder.More(); {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&pkg); err != nil {
			t.Fatal(err)
		}
		row := -1
		path := strings.TrimPrefix(pkg.ImportPath, module)
		for i, rule := range importRules {
			if under(path, rule.pkg) && (row < 0 || len(rule.pkg) > len(importRules[row].pkg)) {
				row = i
			}
		}
		if row < 0 {
			continue
		}
		rule := importRules[row]
		seen[rule.pkg] = true
		for _, imported := range pkg.Imports {
			for _, never := range rule.never {
				own := under(strings.TrimPrefix(imported, module), rule.pkg) && strings.HasPrefix(imported, module)
				if under(imported, strings.TrimSuffix(never, "/")) && !own {
					t.Errorf("%s imports %s: %s", path, imported, rule.reason)
				}
			}
		}
		if under(path, "plugins") {
			for _, imported := range pkg.Imports {
				if under(imported, module+"plugins") {
					t.Errorf("%s imports %s: plugins know nothing of each other", path, imported)
				}
			}
		}
	}
	for _, rule := range importRules {
		if !seen[rule.pkg] {
			t.Errorf("there is no package %s, but a rule for it", rule.pkg)
		}
	}
}

func under(path, parent string) bool { return path == parent || strings.HasPrefix(path, parent+"/") }

// closures are the modules that an author's program takes in, beside this one.
var closures = []struct {
	pkg, reason string
	modules     []string
}{
	{"pluginsdk", "a handler's package takes in a schema reflector and nothing else", []string{"github.com/google/jsonschema-go"}},
	{"pluginsdk/serve", "a plugin takes in gRPC, go-plugin and what they need", []string{
		"github.com/fatih/color", "github.com/golang/protobuf", "github.com/google/jsonschema-go", "github.com/hashicorp/go-hclog",
		"github.com/hashicorp/go-plugin", "github.com/hashicorp/yamux", "github.com/mattn/go-colorable", "github.com/mattn/go-isatty",
		"github.com/oklog/run", "golang.org/x/net", "golang.org/x/sys", "golang.org/x/text", "google.golang.org/genproto/googleapis/rpc",
		"google.golang.org/grpc", "google.golang.org/protobuf",
	}},
}

func TestTheSDKTakesInNoMoreThanItSays(t *testing.T) {
	t.Parallel()
	for _, closure := range closures {
		output, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./"+closure.pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		modules := strings.Fields(string(output))
		slices.Sort(modules)
		modules = slices.DeleteFunc(slices.Compact(modules), func(path string) bool { return path == strings.TrimSuffix(module, "/") })
		for _, path := range modules {
			if !slices.Contains(closure.modules, path) {
				t.Errorf("%s takes in %s: %s", closure.pkg, path, closure.reason)
			}
		}
	}
}
