package pluginhost

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/vwmp/vwmp/host/pluginhost/internal/disk"
	"github.com/vwmp/vwmp/pluginsdk"
)

// searchAll looks through every folder once.
func (h *Host) searchAll() (list []*version, refused []Status) {
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
		plugins, bad := disk.Search(absolute)
		for _, plugin := range plugins {
			list = append(list, &version{file: plugin, program: plugin})
		}
		for _, one := range bad {
			refused = append(refused, refusal(one.Path, one.Reason))
		}
	}
	return list, refused
}

// describeAll describes all plugins, a few at a time: so many processes that
// start at once would use up each other's time to do so.
func (h *Host) describeAll(ctx context.Context, list []*version, lock *disk.Lock) []error {
	failures := make([]error, len(list))
	var describing sync.WaitGroup
	atOnce := make(chan struct{}, max(4, runtime.GOMAXPROCS(0)))
	for i, v := range list {
		describing.Go(func() {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			failures[i] = h.describe(ctx, v, lock)
		})
	}
	describing.Wait()
	return failures
}

// cachedDescription is what the cache holds. Its format rises when a version
// of this package would read another's description wrongly.
type cachedDescription struct {
	Format      int                    `json:"format"`
	Description *pluginsdk.Description `json:"description"`
}

const cacheFormat = 2

// describe fills in checksum and description: from the store, which starts no
// process, or by asking the plugin.
func (h *Host) describe(ctx context.Context, v *version, lock *disk.Lock) error {
	key, err := v.file.Key()
	if err != nil {
		return err
	}
	if v.checksum = h.cachedChecksum(ctx, key); v.checksum == "" {
		if v.checksum, err = v.file.Hash(); err != nil {
			return err
		}
		h.keep(ctx, "checksum", v, func(store Store) error { return store.PutFileChecksum(ctx, key, v.checksum) })
	}
	v.file.Checksum = v.checksum
	if !lock.Allows(v.checksum) {
		return errNotPinned
	}
	if description := h.cachedDescription(ctx, v.checksum); description != nil {
		v.described(description)
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	description, err := h.probe(ctx, v)
	if err != nil {
		return err
	}
	if err := checkDescription(description); err != nil {
		return err
	}
	v.described(description)
	h.keep(ctx, "description", v, func(store Store) error {
		raw, err := json.Marshal(cachedDescription{cacheFormat, description})
		if err != nil {
			return err
		}
		return store.PutDescription(ctx, v.checksum, raw)
	})
	return nil
}

// probe starts a process only to ask it what it offers.
func (h *Host) probe(ctx context.Context, v *version) (*pluginsdk.Description, error) {
	p, err := h.launch(ctx, v, h.options.StartTimeout)
	if err != nil {
		return nil, err
	}
	limit := h.limits.describe
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it was not described within %s", limit))
	defer cancel()
	description, err := p.client.Describe(ctx)
	if err != nil {
		return nil, p.failed(err)
	}
	if !p.stop("it was only to be described") {
		h.log.Error("a plugin process can't be killed", "plugin", v.name(), "pid", p.pid)
	}
	return description, nil
}

// closeTimeout bounds the end of a host that was made for one question.
const closeTimeout = 20 * time.Second

// Described is a plugin's file with what it says of itself.
type Described struct {
	Path        string
	Checksum    string
	Description *pluginsdk.Description
}

// Describe starts the plugin at a path, wherever it lies, only to ask it what
// it offers. Dirs and Store of the options are left out of account.
func Describe(ctx context.Context, path string, options Options) (Described, error) {
	file, err := disk.Open(path)
	if err != nil {
		return Described{}, fmt.Errorf("%s can't be a plugin: %w", filepath.Base(path), err)
	}
	options.Dirs, options.Store, options.Watch = nil, nil, false
	h, err := New(ctx, options)
	if err != nil {
		return Described{}, err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		if err := h.Close(closing); err != nil {
			h.log.Warn("what was started to describe a plugin is not gone", "error", err)
		}
	}()
	v := &version{file: file, program: file}
	if err := h.describe(ctx, v, nil); err != nil {
		return Described{}, err
	}
	return Described{Path: file.Path, Checksum: v.checksum, Description: v.description}, nil
}

// Command is what starts the plugin at a path: an executable, or a folder with
// a plugin.yaml. Whether a host takes the plugin is for Describe to say.
func Command(path string) ([]string, error) { return disk.Command(path) }

// A store that fails costs a start of the plugin, no more.

func (h *Host) cachedChecksum(ctx context.Context, key string) string {
	if h.options.Store == nil || key == "" {
		return ""
	}
	checksum, known, err := h.options.Store.FileChecksum(ctx, key)
	if err != nil && ctx.Err() == nil {
		h.log.Warn("a plugin's checksum can't be looked up", "error", err)
	}
	if err != nil || !known {
		return ""
	}
	return checksum
}

func (h *Host) cachedDescription(ctx context.Context, checksum string) *pluginsdk.Description {
	if h.options.Store == nil {
		return nil
	}
	raw, known, err := h.options.Store.Description(ctx, checksum)
	if err != nil && ctx.Err() == nil {
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

func (h *Host) keep(ctx context.Context, what string, v *version, put func(Store) error) {
	if h.options.Store == nil {
		return
	}
	if err := put(h.options.Store); err != nil && ctx.Err() == nil {
		h.log.Warn("what is known of a plugin could not be kept", "plugin", v.name(), "what", what, "error", err)
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
