package pluginhost

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// build looks through the folders and describes what is in them.
func (h *Host) build(ctx context.Context) *catalogue {
	list, refused := h.searchAll()
	c := &catalogue{generation: 1, refused: refused, byHandler: map[string]*instance{}, byType: map[string]*instance{}}
	failures := h.describeAll(ctx, list)
	var handlers []*workflow.Handler
	var types []pluginsdk.WorkflowType
	names := map[string]string{}
	for i, plugin := range list {
		reason := failures[i]
		if reason == nil {
			reason = claim(names, plugin)
		}
		if reason != nil {
			h.log.Warn("a plugin is not used", "file", plugin.path, "reason", reason)
			c.refused = append(c.refused, refusal(plugin.path, reason))
			continue
		}
		owner := newInstance(h, plugin)
		c.instances = append(c.instances, owner)
		d := plugin.description
		for _, info := range d.Handlers {
			c.byHandler[info.Path] = owner
			handlers = append(handlers, workflow.NewHandler(info, d.Name, d.Version))
		}
		for _, kind := range d.WorkflowTypes {
			if first := c.byType[kind.Name]; first != nil {
				h.log.Warn("a workflow type is declared twice, and the first one counts",
					"type", kind.Name, "first", first.found.name(), "second", d.Name)
				continue
			}
			c.byType[kind.Name] = owner
			types = append(types, kind)
		}
	}
	c.Catalogue = workflow.NewCatalogue(handlers, types)
	return c
}

// searchAll looks through every folder once.
func (h *Host) searchAll() (list []*found, refused []Status) {
	seen := map[string]bool{}
	for _, dir := range h.options.Dirs {
		absolute, err := filepath.Abs(dir)
		if err != nil {
			refused = append(refused, refusal(dir, err))
			continue
		}
		if seen[absolute] {
			continue
		}
		seen[absolute] = true
		plugins, bad := search(absolute)
		list = append(list, plugins...)
		for _, status := range bad {
			h.log.Warn("a plugin is not used", "file", status.Path, "reason", status.LastError)
		}
		refused = append(refused, bad...)
	}
	return list, refused
}

// describeAll describes all plugins at the same time.
func (h *Host) describeAll(ctx context.Context, list []*found) []error {
	failures := make([]error, len(list))
	var describing sync.WaitGroup
	for i, plugin := range list {
		describing.Go(func() { failures[i] = h.describe(ctx, plugin) })
	}
	describing.Wait()
	return failures
}

// claim refuses a name that an earlier folder has given away.
func claim(names map[string]string, plugin *found) error {
	name := plugin.description.Name
	if first, taken := names[name]; taken {
		return fmt.Errorf("%s is the plugin %q already, and the first one counts", first, name)
	}
	names[name] = plugin.path
	return nil
}

// cachedDescription is what the cache holds. Its format rises when a version
// of this package would read another's description wrongly.
type cachedDescription struct {
	Format      int                    `json:"format"`
	Description *pluginsdk.Description `json:"description"`
}

const cacheFormat = 1

// describe fills in checksum and description: from the cache, which starts no
// process, or by asking the plugin.
func (h *Host) describe(ctx context.Context, plugin *found) error {
	key, err := plugin.key()
	if err != nil {
		return err
	}
	if plugin.checksum = h.cachedChecksum(ctx, key); plugin.checksum == "" {
		if plugin.checksum, err = plugin.hash(); err != nil {
			return err
		}
		h.keep("checksum", plugin, func(cache DescriptionCache) error { return cache.PutFileChecksum(ctx, key, plugin.checksum) })
	}
	if plugin.description = h.cachedDescription(ctx, plugin.checksum); plugin.description != nil {
		return nil
	}
	description, err := h.probe(ctx, plugin)
	if err != nil {
		return err
	}
	if err := checkDescription(description); err != nil {
		return err
	}
	plugin.description = description
	h.keep("description", plugin, func(cache DescriptionCache) error {
		raw, err := json.Marshal(cachedDescription{cacheFormat, description})
		if err != nil {
			return err
		}
		return cache.PutDescription(ctx, plugin.checksum, raw)
	})
	return nil
}

// probe starts a process only to ask it what it offers.
func (h *Host) probe(ctx context.Context, plugin *found) (*pluginsdk.Description, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, probeTimeout, fmt.Errorf("it was not described within %s", probeTimeout))
	defer cancel()
	p, err := h.launch(ctx, plugin, probeTimeout)
	if err != nil {
		return nil, err
	}
	description, err := p.client.Describe(ctx)
	if !p.stop("it was only to be described") {
		h.log.Error("a plugin process can't be killed", "plugin", plugin.name(), "pid", p.pid)
	}
	return description, err
}

// A cache that fails costs a start of the plugin, no more.

func (h *Host) cachedChecksum(ctx context.Context, key string) string {
	if h.options.Cache == nil || key == "" {
		return ""
	}
	checksum, known, err := h.options.Cache.FileChecksum(ctx, key)
	if err != nil {
		h.log.Warn("a plugin's checksum can't be looked up", "error", err)
	}
	if err != nil || !known {
		return ""
	}
	return checksum
}

func (h *Host) cachedDescription(ctx context.Context, checksum string) *pluginsdk.Description {
	if h.options.Cache == nil {
		return nil
	}
	raw, known, err := h.options.Cache.Description(ctx, checksum)
	if err != nil {
		h.log.Warn("a plugin's description can't be looked up", "error", err)
	}
	if err != nil || !known {
		return nil
	}
	var cached cachedDescription
	if json.Unmarshal(raw, &cached) != nil || cached.Format != cacheFormat || cached.Description == nil {
		return nil
	}
	if checkDescription(cached.Description) != nil {
		return nil
	}
	return cached.Description
}

func (h *Host) keep(what string, plugin *found, put func(DescriptionCache) error) {
	if h.options.Cache == nil {
		return
	}
	if err := put(h.options.Cache); err != nil {
		h.log.Warn("what is known of a plugin could not be kept", "plugin", plugin.name(), "what", what, "error", err)
	}
}

// flowPlugin owns the handlers that are part of the engine.
const flowPlugin = "flow"

// maxSchema bounds one schema of a handler, in bytes.
const maxSchema = 256 << 10

var pluginName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// checkDescription refuses what would make the catalogue wrong.
func checkDescription(d *pluginsdk.Description) error {
	if !pluginName.MatchString(d.Name) {
		return fmt.Errorf("it calls itself %q, and a name has lower-case letters, digits and underscores", d.Name)
	}
	if d.Name == flowPlugin {
		return fmt.Errorf("the name %q is taken by the built-in handlers", d.Name)
	}
	seen := map[string]bool{}
	for _, h := range d.Handlers {
		if !strings.HasPrefix(h.Path, d.Name+".") {
			return fmt.Errorf("the handler %q does not begin with the plugin's name %q", h.Path, d.Name)
		}
		if seen[h.Path] {
			return fmt.Errorf("the handler %q is declared twice", h.Path)
		}
		seen[h.Path] = true
		for _, schema := range []json.RawMessage{h.ConfigSchema, h.InputSchema, h.OutputSchema} {
			if len(schema) > maxSchema {
				return fmt.Errorf("a schema of %s is larger than %d KiB", h.Path, maxSchema>>10)
			}
			if len(schema) > 0 && !json.Valid(schema) {
				return fmt.Errorf("a schema of %s is not JSON", h.Path)
			}
		}
	}
	return nil
}
