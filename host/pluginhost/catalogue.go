package pluginhost

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// catalogue is what there is at one moment, never changed once it is made.
type catalogue struct {
	workflow.Catalogue

	generation uint64
	entries    []*entry
	byName     map[string]*entry
	byHandler  map[string]*entry
	byType     map[string]*entry
	refused    []Status
	// pinned: only plugins of a list run.
	pinned bool
}

// entry is a plugin within a catalogue.
type entry struct {
	plugin   *plugin
	instance *instance
	// path is the file that it was found in.
	path     string
	disabled *disabled
	held     *Held
}

func (e *entry) description() *pluginsdk.Description { return e.instance.version.description }

// unavailable is why the plugin can't be called, nil where it can.
func (e *entry) unavailable() error {
	if e.disabled == nil {
		return nil
	}
	return &engine.UnavailableError{Plugin: e.plugin.name, Reason: "is disabled"}
}

// newCatalogue joins what the plugins offer. A workflow type that two declare
// is the first one's.
func newCatalogue(generation uint64, entries []*entry, refused []Status, warn func(string, ...any)) *catalogue {
	c := &catalogue{
		generation: generation, entries: entries, refused: refused,
		byName: map[string]*entry{}, byHandler: map[string]*entry{}, byType: map[string]*entry{},
	}
	var handlers []*workflow.Handler
	var types []pluginsdk.WorkflowType
	for _, e := range entries {
		d := e.description()
		c.byName[d.Name] = e
		for k, info := range d.Handlers {
			c.byHandler[info.Path] = e
			h := e.instance.version.handlers[k]
			if e.disabled != nil {
				h = h.Disabled()
			}
			handlers = append(handlers, h)
		}
		for _, kind := range d.WorkflowTypes {
			if first := c.byType[kind.Name]; first != nil {
				warn("a workflow type is declared twice, and the first one counts", "type", kind.Name, "first", first.plugin.name, "second", d.Name)
				continue
			}
			c.byType[kind.Name] = e
			types = append(types, kind)
		}
	}
	c.Catalogue = workflow.NewCatalogue(handlers, types)
	return c
}

// Handler implements workflow.Catalogue.
func (h *Host) Handler(path string) (*workflow.Handler, bool) { return h.catalog.Load().Handler(path) }

// HandlerPaths implements workflow.Catalogue.
func (h *Host) HandlerPaths() []string { return h.catalog.Load().HandlerPaths() }

// WorkflowType implements workflow.Catalogue.
func (h *Host) WorkflowType(name string) (*pluginsdk.WorkflowType, bool) {
	return h.catalog.Load().WorkflowType(name)
}

// WorkflowTypes implements workflow.Catalogue.
func (h *Host) WorkflowTypes() []string { return h.catalog.Load().WorkflowTypes() }

// PluginOfType names the plugin that declares a workflow type.
func (h *Host) PluginOfType(name string) string {
	if owner := h.catalog.Load().byType[name]; owner != nil {
		return owner.plugin.name
	}
	return ""
}

// Description returns all that a plugin says of itself; it is not to be
// changed.
func (h *Host) Description(plugin string) (*pluginsdk.Description, bool) {
	if e := h.catalog.Load().byName[plugin]; e != nil {
		return e.description(), true
	}
	return nil, false
}

// Generation implements engine.Catalogue.
func (h *Host) Generation() uint64 { return h.catalog.Load().generation }

// ValidateConfig implements engine.Catalogue.
func (h *Host) ValidateConfig(ctx context.Context, handler string, config json.RawMessage) (problems []pluginsdk.Problem, err error) {
	err = h.use(ctx, handler, func(c pluginsdk.Capabilities) bool { return c.Validate }, func(ctx context.Context, p *process) error {
		problems, err = p.client.ValidateConfig(ctx, handler, config)
		return err
	})
	if errors.Is(err, pluginsdk.ErrUnsupported) {
		return nil, nil
	}
	return problems, err
}

// ValidateWorkflow implements engine.Catalogue.
func (h *Host) ValidateWorkflow(ctx context.Context, workflowType string, document json.RawMessage) (problems []pluginsdk.Problem, err error) {
	for {
		if err := h.Ready(ctx); err != nil {
			return nil, err
		}
		c := h.catalog.Load()
		e := c.byType[workflowType]
		if kind, known := c.WorkflowType(workflowType); e == nil || !known || !kind.HasRules {
			return nil, nil
		}
		if err := e.unavailable(); err != nil {
			return nil, err
		}
		err = e.instance.use(ctx, func(ctx context.Context, p *process) error {
			problems, err = p.client.ValidateWorkflow(ctx, workflowType, document)
			return err
		})
		if !errors.Is(err, errRetired) {
			return problems, err
		}
	}
}

// find returns the plugin of a handler once the plugins are known, so that a
// call that comes early is not told that its handler is gone.
func (h *Host) find(ctx context.Context, handler string) (*entry, error) {
	if err := h.Ready(ctx); err != nil {
		return nil, err
	}
	return h.entryOf(handler)
}

// entryOf is an *engine.UnavailableError for a plugin that can't be called.
func (h *Host) entryOf(handler string) (*entry, error) {
	e := h.catalog.Load().byHandler[handler]
	if e == nil {
		return nil, pluginsdk.Permanent(&engine.NoHandlerError{Handler: handler}).WithCode("HANDLER_NOT_FOUND")
	}
	return e, e.unavailable()
}

// use makes a call that has no effects, where the handler says that it has it
// to offer; else it is pluginsdk.ErrUnsupported.
func (h *Host) use(ctx context.Context, handler string, able func(pluginsdk.Capabilities) bool, call func(context.Context, *process) error) error {
	for {
		e, err := h.find(ctx, handler)
		if err != nil {
			return err
		}
		if info, _ := e.description().Handler(handler); !able(info.Capabilities) {
			return pluginsdk.ErrUnsupported
		}
		// A newer version may have come between the look and the call.
		if err = e.instance.use(ctx, call); !errors.Is(err, errRetired) {
			return err
		}
	}
}
