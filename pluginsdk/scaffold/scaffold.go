// Package scaffold begins a plugin's project: it writes the example plugin of a
// language under another name, with its SDK where that comes as source. What it
// writes builds, passes its tests and the conformance kit as it is.
package scaffold

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// projects holds the examples; "make generate" packs it, see Sources.
//
//go:embed projects.tar.gz
var projects []byte

// Sources are the folders of this repository that the archive is made of, by
// language.
var Sources = map[string]string{"go": "examples/plugins/greeter", "python": "pluginsdk/python", "typescript": "pluginsdk/typescript"}

// Example is what the plugin of the examples is called.
const Example = "greeter"

// Languages lists what a plugin can be written in.
func Languages() []string { return slices.Sorted(maps.Keys(Sources)) }

// Project says what is written.
type Project struct {
	// Name is the plugin's: lower-case letters, digits and underscores.
	Name, Language string
	// Dir is made, and must not be there.
	Dir string
	// SDK is a checkout of the Go SDK to build against, or empty; SDKVersion
	// is the version to require where there is none.
	SDK, SDKVersion string
	// Program is the absolute path of the language's interpreter.
	Program string
}

var pluginName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Write writes a project, and returns the commands that come next.
func Write(p Project) (next []string, err error) {
	if !pluginName.MatchString(p.Name) || p.Name == "flow" {
		return nil, fmt.Errorf("the plugin can't be called %q: use lower-case letters, digits and underscores, beginning with a letter, and not flow", p.Name)
	}
	if _, known := Sources[p.Language]; !known {
		return nil, fmt.Errorf("there is no template for %q; the languages are %s", p.Language, strings.Join(Languages(), ", "))
	}
	if _, err := os.Lstat(p.Dir); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is there already, or can't be looked at", p.Dir)
	}
	files, err := Files(projects, p.Language)
	if err != nil {
		return nil, err
	}
	p.adapt(files)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		target := filepath.Join(p.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil { //nolint:gosec // A project is for others to read.
			return nil, err
		}
		// A host refuses a plugin's files that others may write.
		if err := os.WriteFile(target, files[name], 0o644); err != nil { //nolint:gosec // They are for others to read.
			return nil, err
		}
	}
	return p.next(), nil
}

// adapt gives the files of an example the project's name and places.
func (p *Project) adapt(files map[string][]byte) {
	for name, content := range files {
		if !strings.HasPrefix(name, "vwmp_plugin/") && !strings.HasPrefix(name, "src/vwmp/") {
			files[name] = bytes.ReplaceAll(content, []byte(Example), []byte(p.Name))
		}
	}
	if manifest, found := files["plugin.yaml"]; found && p.Program != "" {
		lines := strings.SplitN(string(manifest), "\n", 2)
		files["plugin.yaml"] = []byte("command: " + p.Program + "\n" + lines[1])
	}
	switch p.Language {
	case "go":
		version := p.SDKVersion
		if p.SDK != "" {
			version = "v0.0.0"
		}
		module := fmt.Sprintf("module vwmp-plugin-%s\n\ngo 1.26\n\nrequire github.com/vwmp/vwmp %s\n", p.Name, version)
		if p.SDK != "" {
			module += fmt.Sprintf("\nreplace github.com/vwmp/vwmp => %s\n", filepath.ToSlash(p.SDK))
		}
		files["go.mod"] = []byte(module)
		files[".gitignore"] = []byte("/vwmp-plugin-" + p.Name + "\n")
	case "typescript":
		files[".gitignore"] = []byte("/dist/\n/node_modules/\n")
	case "python":
		files[".gitignore"] = []byte("__pycache__/\n.venv/\n")
	}
}

func (p *Project) next() []string {
	next := []string{"cd " + p.Dir}
	switch p.Language {
	case "go":
		return append(next, "go mod tidy", "go test ./...", "go build", "vwmp plugin test ./vwmp-plugin-"+p.Name)
	case "typescript":
		return append(next, "npm ci", "npm test", "vwmp plugin test .")
	}
	return append(next, p.Program+" -B -m unittest", "vwmp plugin test .")
}

// maxFile bounds one file of the archive, in bytes.
const maxFile = 1 << 20

// Files reads the files of a language from an archive.
func Files(archive []byte, language string) (map[string][]byte, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, fmt.Errorf("read the templates: %w", err)
	}
	files := map[string][]byte{}
	for reader := tar.NewReader(unpacked); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the templates: %w", err)
		}
		if name, ours := strings.CutPrefix(path.Clean(header.Name), language+"/"); ours {
			if files[name], err = io.ReadAll(io.LimitReader(reader, maxFile)); err != nil {
				return nil, fmt.Errorf("read the templates: %w", err)
			}
		}
	}
}
