package workflow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Catalogue is what the language needs to know of the handlers there are.
// Its answers must not change while it is in use.
type Catalogue interface {
	// Handler returns a plugin's handler or a built-in.
	Handler(path string) (*Handler, bool)
	HandlerPaths() []string
	WorkflowType(name string) (*pluginsdk.WorkflowType, bool)
	WorkflowTypes() []string
}

// Handler is a handler with its schema, which is compiled on first use.
type Handler struct {
	Info          pluginsdk.HandlerInfo
	Plugin        string
	PluginVersion string
	// IsDisabled: it is known, and not called as long as its plugin is
	// disabled.
	IsDisabled bool

	*compiled
}

// compiled is the schema of a handler.
type compiled struct {
	once   sync.Once
	schema *jsonschema.Schema
	// tree is the schema as data, for its defaults and key names.
	tree *tree.Node
	err  error
}

// NewHandler makes a Handler of what its plugin says about it.
func NewHandler(info pluginsdk.HandlerInfo, plugin, version string) *Handler {
	return &Handler{Info: info, Plugin: plugin, PluginVersion: version, compiled: &compiled{}}
}

// Disabled returns the handler as one of a disabled plugin.
func (h *Handler) Disabled() *Handler {
	other := *h
	other.IsDisabled = true
	return &other
}

// Builtin reports whether the handler belongs to the engine itself.
func (h *Handler) Builtin() bool { return h.Plugin == BuiltinPlugin }

// Schema returns the compiled schema of the config, nil where the handler
// has none.
func (h *Handler) Schema() (*jsonschema.Schema, error) {
	h.once.Do(func() {
		h.schema, h.tree, h.err = compileSchema(h.Info.ConfigSchema)
		if h.err != nil {
			h.err = fmt.Errorf("config schema of %s: %w", h.Info.Path, h.err)
		}
	})
	return h.schema, h.err
}

// compileSchema compiles a JSON Schema. References to other documents are
// refused: the language reads no files and no network.
func compileSchema(source json.RawMessage) (*jsonschema.Schema, *tree.Node, error) {
	if len(bytes.TrimSpace(source)) == 0 {
		return nil, nil, nil
	}
	node, issues := tree.ReadJSON(source, tree.Limits{Bytes: 1 << 20, Depth: 200})
	if node == nil || len(issues) > 0 {
		return nil, nil, fmt.Errorf("not valid JSON: %s", issues[0].Message)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(source))
	if err != nil {
		return nil, nil, fmt.Errorf("read schema: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(noLoader{})
	compiler.AssertFormat()
	compiler.RegisterFormat(&jsonschema.Format{Name: "vwmp-duration", Validate: checkDuration})
	const name = "vwmp:schema"
	if err := compiler.AddResource(name, document); err != nil {
		return nil, nil, fmt.Errorf("add schema: %w", err)
	}
	schema, err := compiler.Compile(name)
	if err != nil {
		return nil, nil, fmt.Errorf("compile schema: %w", err)
	}
	return schema, node, nil
}

type noLoader struct{}

// Load implements jsonschema.URLLoader.
func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("the schema refers to %s; schemas stand alone", url)
}

func checkDuration(value any) error {
	switch value := value.(type) {
	case json.Number:
		_, err := pluginsdk.ParseDurationJSON([]byte(value.String()))
		return err
	case string:
		_, err := pluginsdk.ParseDuration(value)
		return err
	}
	return nil
}

// NewCatalogue makes an immutable catalogue of the handlers and types given
// and the built-in handlers. Of two handlers with one path the last counts.
func NewCatalogue(handlers []*Handler, types []pluginsdk.WorkflowType) Catalogue {
	c := &catalogue{handlers: map[string]*Handler{}, types: map[string]*pluginsdk.WorkflowType{}}
	for _, handler := range slices.Concat(Builtins(), handlers) {
		c.handlers[handler.Info.Path] = handler
	}
	for i := range types {
		workflowType := types[i]
		c.types[workflowType.Name] = &workflowType
	}
	for path := range c.handlers {
		c.paths = append(c.paths, path)
	}
	for name := range c.types {
		c.names = append(c.names, name)
	}
	slices.Sort(c.paths)
	slices.Sort(c.names)
	return c
}

type catalogue struct {
	handlers map[string]*Handler
	types    map[string]*pluginsdk.WorkflowType
	paths    []string
	names    []string
}

func (c *catalogue) Handler(path string) (*Handler, bool) {
	handler, ok := c.handlers[path]
	return handler, ok
}

func (c *catalogue) HandlerPaths() []string { return slices.Clone(c.paths) }

func (c *catalogue) WorkflowType(name string) (*pluginsdk.WorkflowType, bool) {
	workflowType, ok := c.types[name]
	return workflowType, ok
}

func (c *catalogue) WorkflowTypes() []string { return slices.Clone(c.names) }

// lastSegment returns what follows the last dot of a handler's path.
func lastSegment(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
