// Package disk knows plugins as files: it finds them in folders, tells one
// content from another, keeps copies of them, and notices that a folder
// changes. It starts nothing and knows nothing of what a plugin offers.
package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/vwmp/vwmp/pluginsdk"
)

// FilePrefix begins the name of every plugin's executable.
const FilePrefix = "vwmp-plugin-"

// ManifestFile makes a plugin of a folder.
const ManifestFile = "plugin.yaml"

// maxManifest bounds a manifest, in bytes.
const maxManifest = 64 << 10

// dirWord stands for the plugin's folder in a manifest's arguments.
const dirWord = "{dir}"

// Plugin is a plugin's file, or its folder.
type Plugin struct {
	// Path is the executable, or the folder with a manifest.
	Path     string
	IsFolder bool
	// Command starts it.
	Command []string
	// Checksum is the SHA-256 of the executable, or of the folder's files, in
	// hex; empty until somebody asked for it.
	Checksum string

	mu sync.Mutex
	// verified is the key of the content that was last held against Checksum.
	verified string
}

// Refused is a file that would be a plugin if it were not for Reason.
type Refused struct {
	Path   string
	Reason error
}

// Name is what the file is called, without prefix and ending.
func (p *Plugin) Name() string { return NameOf(p.Path) }

// NameOf is the name of a plugin's file without prefix and ending.
func NameOf(path string) string {
	return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), FilePrefix), ".exe")
}

// ShortPath names a file without telling where on the machine it is.
func ShortPath(path string) string {
	return filepath.ToSlash(filepath.Join(filepath.Base(filepath.Dir(path)), filepath.Base(path)))
}

// Search lists the plugins of one folder. A folder that is not there holds
// none.
func Search(dir string) (list []*Plugin, refused []Refused) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, []Refused{{dir, fmt.Errorf("read the folder: %w", err)}}
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		var plugin *Plugin
		switch {
		case strings.HasPrefix(entry.Name(), FilePrefix) && !entry.IsDir():
			plugin, err = executable(dir, path)
		case entry.IsDir() && exists(filepath.Join(path, ManifestFile)):
			plugin, err = folder(path)
		default:
			continue
		}
		if err != nil {
			refused = append(refused, Refused{path, err})
			continue
		}
		list = append(list, plugin)
	}
	return list, refused
}

// Open reads one plugin, wherever it lies: an executable, or a folder with a
// manifest.
func Open(path string) (*Plugin, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(absolute)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return folder(absolute)
	}
	return executable(filepath.Dir(absolute), absolute)
}

// Command is what starts the plugin at a path, without a look at whose file it
// is: that is for Open.
func Command(path string) ([]string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(absolute)
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir():
		return []string{absolute}, nil
	}
	command, err := readManifest(absolute)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("a plugin is a binary, or a folder with a %s: %w", ManifestFile, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	return command, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// executable checks that a file is one that a plugin may be.
func executable(dir, path string) (*Plugin, error) {
	resolved, err := resolveInside(dir, path)
	if err != nil {
		return nil, err
	}
	info, err := os.Lstat(resolved)
	if err != nil {
		return nil, err
	}
	if err := checkProgram(info); err != nil {
		return nil, err
	}
	return &Plugin{Path: resolved, Command: []string{resolved}}, nil
}

var errLinkOut = errors.New("it is a link out of its folder; copy the file instead")

// resolveInside follows links, and refuses those that lead out of the folder.
func resolveInside(dir, path string) (string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("follow the link: %w", err)
	}
	home, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", fmt.Errorf("follow the link: %w", err)
	}
	if inside, err := filepath.Rel(home, resolved); err != nil || !filepath.IsLocal(inside) {
		return "", errLinkOut
	}
	return resolved, nil
}

// folder reads a plugin.yaml: a command, absolute or inside the folder, with
// arguments. Nothing in the folder may be somebody else's, or lead out of it.
func folder(path string) (*Plugin, error) {
	files, err := folderFiles(path)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if file.link != "" {
			_, err = resolveInside(path, file.path)
		} else {
			err = checkOwner(file.info)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.name, err)
		}
	}
	command, err := readManifest(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	info, err := os.Stat(command[0])
	if err == nil {
		err = checkProgram(info)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: command: %w", ManifestFile, err)
	}
	return &Plugin{Path: path, IsFolder: true, Command: command}, nil
}

func readManifest(path string) (command []string, err error) {
	text, err := os.ReadFile(filepath.Join(path, ManifestFile))
	if err != nil {
		return nil, err
	}
	if len(text) > maxManifest {
		return nil, fmt.Errorf("it is larger than %d KiB", maxManifest>>10)
	}
	var manifest struct {
		Command string   `yaml:"command"`
		Args    []string `yaml:"args"`
	}
	if err := yaml.UnmarshalWithOptions(text, &manifest, yaml.DisallowUnknownField()); err != nil {
		return nil, errors.New(yaml.FormatError(err, false, false))
	}
	program := manifest.Command
	switch {
	case program == "":
		return nil, errors.New("it names no command")
	case !filepath.IsAbs(program):
		if err := pluginsdk.CheckPath(filepath.ToSlash(program)); err != nil {
			return nil, fmt.Errorf("command: %w", err)
		}
		if program, err = resolveInside(path, filepath.Join(path, program)); err != nil {
			return nil, fmt.Errorf("command: %w", err)
		}
	}
	command = []string{program}
	for _, argument := range manifest.Args {
		command = append(command, strings.ReplaceAll(argument, dirWord, path))
	}
	return command, nil
}
