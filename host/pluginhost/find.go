package pluginhost

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// filePrefix begins the name of every plugin's executable.
const filePrefix = "vwmp-plugin-"

// manifestFile makes a plugin of a folder.
const manifestFile = "plugin.yaml"

// found is a plugin on disk.
type found struct {
	// path is the executable, or the folder with a manifest.
	path    string
	command []string
	// fileKey identifies the content without reading it; empty for folders.
	fileKey     string
	checksum    string
	description *pluginsdk.Description
}

// build looks through the folders and describes what is in them.
func (h *Host) build(ctx context.Context) *catalogue {
	var list []*found
	c := &catalogue{generation: 1, byHandler: map[string]*instance{}, byType: map[string]*instance{}}
	seen := map[string]bool{}
	for _, dir := range h.options.Dirs {
		absolute, err := filepath.Abs(dir)
		if err != nil || seen[absolute] {
			continue
		}
		seen[absolute] = true
		plugins, refused := search(absolute)
		list = append(list, plugins...)
		c.refused = append(c.refused, refused...)
	}
	failures := make([]error, len(list))
	var probes sync.WaitGroup
	for i, plugin := range list {
		probes.Go(func() { failures[i] = h.describe(ctx, plugin) })
	}
	probes.Wait()
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
			if c.byType[kind.Name] == nil {
				c.byType[kind.Name] = owner
				types = append(types, kind)
			}
		}
	}
	c.Catalogue = workflow.NewCatalogue(handlers, types)
	return c
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

func refusal(path string, reason error) Status {
	return Status{
		Name: strings.TrimPrefix(filepath.Base(path), filePrefix), State: "refused", Path: shortPath(path),
		LastError: reason.Error(), Handlers: []string{},
	}
}

// shortPath names a file without telling where on the machine it is.
func shortPath(path string) string {
	return filepath.ToSlash(filepath.Join(filepath.Base(filepath.Dir(path)), filepath.Base(path)))
}

// search lists the plugins of one folder. A folder that is not there holds
// none.
func search(dir string) (list []*found, refused []Status) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, []Status{refusal(dir, fmt.Errorf("read the folder: %w", err))}
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		var plugin *found
		switch {
		case strings.HasPrefix(entry.Name(), filePrefix) && !entry.IsDir():
			plugin, err = executable(dir, path)
		case entry.IsDir() && exists(filepath.Join(path, manifestFile)):
			plugin, err = folder(path)
		default:
			continue
		}
		if err != nil {
			refused = append(refused, refusal(path, err))
			continue
		}
		list = append(list, plugin)
	}
	return list, refused
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// executable checks that a file is one that a plugin may be.
func executable(dir, path string) (*found, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("follow the link: %w", err)
	}
	home, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, fmt.Errorf("follow the link: %w", err)
	}
	if inside, err := filepath.Rel(home, resolved); err != nil || inside == ".." || strings.HasPrefix(inside, ".."+string(filepath.Separator)) {
		return nil, errors.New("it is a link out of its folder; copy the file instead")
	}
	info, err := os.Lstat(resolved)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	if err := checkMode(info); err != nil {
		return nil, err
	}
	return &found{path: resolved, command: []string{resolved}, fileKey: fileKey(resolved, info)}, nil
}

// folder reads a plugin.yaml: a command, absolute or inside the folder, with
// arguments.
func folder(path string) (*found, error) {
	text, err := os.ReadFile(filepath.Join(path, manifestFile))
	if err != nil {
		return nil, err
	}
	var manifest struct {
		Command string   `yaml:"command"`
		Args    []string `yaml:"args"`
	}
	if len(text) > 64<<10 {
		return nil, fmt.Errorf("%s is larger than 64 KiB", manifestFile)
	}
	if err := yaml.UnmarshalWithOptions(text, &manifest, yaml.DisallowUnknownField()); err != nil {
		return nil, fmt.Errorf("%s: %s", manifestFile, yaml.FormatError(err, false, true))
	}
	command := manifest.Command
	if command == "" {
		return nil, fmt.Errorf("%s names no command", manifestFile)
	}
	if !filepath.IsAbs(command) {
		if err := pluginsdk.CheckPath(filepath.ToSlash(command)); err != nil {
			return nil, fmt.Errorf("%s: command: %w", manifestFile, err)
		}
		command = filepath.Join(path, command)
	}
	info, err := os.Stat(command)
	if err != nil {
		return nil, fmt.Errorf("%s: command: %w", manifestFile, err)
	}
	if err := checkMode(info); err != nil {
		return nil, err
	}
	return &found{path: path, command: append([]string{command}, manifest.Args...)}, nil
}

// describe fills in checksum and description, from the cache where it can.
func (h *Host) describe(ctx context.Context, plugin *found) error {
	cache := h.options.Cache
	if cache != nil && plugin.fileKey != "" {
		if sum, known, err := cache.FileChecksum(ctx, plugin.fileKey); err == nil && known {
			plugin.checksum = sum
		}
	}
	if plugin.checksum == "" {
		sum, err := plugin.hash()
		if err != nil {
			return err
		}
		plugin.checksum = sum
	}
	if cache != nil {
		if raw, known, err := cache.Description(ctx, plugin.checksum); err == nil && known {
			description := &pluginsdk.Description{}
			if json.Unmarshal(raw, description) == nil {
				plugin.description = description
				return h.remember(ctx, plugin, nil)
			}
		}
	}
	description, err := h.probe(ctx, plugin)
	if err != nil {
		return err
	}
	plugin.description = description
	if err := checkDescription(description); err != nil {
		return err
	}
	raw, err := json.Marshal(description)
	if err != nil {
		return err
	}
	return h.remember(ctx, plugin, raw)
}

// remember keeps what is new in the cache; without room there, the next start
// describes again.
func (h *Host) remember(ctx context.Context, plugin *found, raw []byte) error {
	cache := h.options.Cache
	if cache == nil {
		return nil
	}
	var failures []error
	if raw != nil {
		failures = append(failures, cache.PutDescription(ctx, plugin.checksum, raw))
	}
	if sum, known, err := cache.FileChecksum(ctx, plugin.fileKey); plugin.fileKey != "" && (err != nil || !known || sum != plugin.checksum) {
		failures = append(failures, cache.PutFileChecksum(ctx, plugin.fileKey, plugin.checksum))
	}
	if err := errors.Join(failures...); err != nil {
		h.log.Warn("a plugin's description could not be kept", "file", plugin.path, "error", err)
	}
	return nil
}

// maxSchema bounds one schema of a handler, in bytes.
const maxSchema = 256 << 10

func checkDescription(d *pluginsdk.Description) error {
	for _, h := range d.Handlers {
		if !strings.HasPrefix(h.Path, d.Name+".") {
			return fmt.Errorf("the handler %q does not begin with the plugin's name %q", h.Path, d.Name)
		}
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

// hash is the SHA-256 of the executable, or of all files of a folder without
// installed packages.
func (f *found) hash() (string, error) {
	sum := sha256.New()
	info, err := os.Stat(f.path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		if err := hashFile(sum, f.path); err != nil {
			return "", err
		}
		return hex.EncodeToString(sum.Sum(nil)), nil
	}
	var files []string
	err = filepath.WalkDir(f.path, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".venv"):
			return fs.SkipDir
		case entry.Type().IsRegular():
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("read the plugin's folder: %w", err)
	}
	slices.Sort(files)
	for _, path := range files {
		relative, err := filepath.Rel(f.path, path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%q\n", filepath.ToSlash(relative))
		if err := hashFile(sum, path); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func hashFile(sum io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the plugin: %w", err)
	}
	defer func() { _ = file.Close() }()
	if _, err := io.Copy(sum, file); err != nil {
		return fmt.Errorf("read the plugin: %w", err)
	}
	return nil
}

// architecture says for which machine an executable was built, where its
// first bytes tell.
func architecture(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	head := make([]byte, 20)
	if _, err := io.ReadFull(file, head); err != nil {
		return "it is too short to be a program"
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		machine := map[byte]string{0x03: "386", 0x3e: "amd64", 0xb7: "arm64", 0x28: "arm", 0xf3: "riscv64"}[head[18]]
		return "it is a Linux program for " + machine
	case bytes.HasPrefix(head, []byte("MZ")):
		return "it is a Windows program"
	case bytes.HasPrefix(head, []byte("\xcf\xfa\xed\xfe")):
		return "it is a macOS program"
	case bytes.HasPrefix(head, []byte("#!")):
		return "it is a script: " + string(bytes.TrimSpace(head))
	}
	return "it is no program that this machine knows"
}
