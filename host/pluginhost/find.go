package pluginhost

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/vwmp/vwmp/pluginsdk"
)

// filePrefix begins the name of every plugin's executable.
const filePrefix = "vwmp-plugin-"

// manifestFile makes a plugin of a folder.
const manifestFile = "plugin.yaml"

// maxManifest bounds a manifest, in bytes.
const maxManifest = 64 << 10

// found is a plugin on disk.
type found struct {
	// path is the executable, or the folder with a manifest.
	path     string
	isFolder bool
	command  []string
	// checksum is the SHA-256 of the executable, or of the folder's files.
	checksum    string
	description *pluginsdk.Description
}

// name is what the plugin calls itself, or, before that is known, its file.
func (f *found) name() string {
	if f.description != nil {
		return f.description.Name
	}
	return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f.path), filePrefix), ".exe")
}

func refusal(path string, reason error) Status {
	return Status{
		Name: (&found{path: path}).name(), State: stateRefused, Path: shortPath(path),
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
	return &found{path: resolved, command: []string{resolved}}, nil
}

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
		return "", errors.New("it is a link out of its folder; copy the file instead")
	}
	return resolved, nil
}

// folder reads a plugin.yaml: a command, absolute or inside the folder, with
// arguments. Nothing in the folder may be somebody else's.
func folder(path string) (*found, error) {
	files, err := folderFiles(path)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if err := checkOwner(file.info); err != nil {
			return nil, fmt.Errorf("%s: %w", file.name, err)
		}
	}
	command, arguments, err := readManifest(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", manifestFile, err)
	}
	info, err := os.Stat(command)
	if err == nil {
		err = checkProgram(info)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: command: %w", manifestFile, err)
	}
	return &found{path: path, isFolder: true, command: append([]string{command}, arguments...)}, nil
}

func readManifest(path string) (command string, arguments []string, err error) {
	text, err := os.ReadFile(filepath.Join(path, manifestFile))
	if err != nil {
		return "", nil, err
	}
	if len(text) > maxManifest {
		return "", nil, fmt.Errorf("it is larger than %d KiB", maxManifest>>10)
	}
	var manifest struct {
		Command string   `yaml:"command"`
		Args    []string `yaml:"args"`
	}
	if err := yaml.UnmarshalWithOptions(text, &manifest, yaml.DisallowUnknownField()); err != nil {
		return "", nil, errors.New(yaml.FormatError(err, false, false))
	}
	switch command = manifest.Command; {
	case command == "":
		return "", nil, errors.New("it names no command")
	case filepath.IsAbs(command):
		return command, manifest.Args, nil
	}
	if err := pluginsdk.CheckPath(filepath.ToSlash(command)); err != nil {
		return "", nil, fmt.Errorf("command: %w", err)
	}
	command, err = resolveInside(path, filepath.Join(path, command))
	if err != nil {
		return "", nil, fmt.Errorf("command: %w", err)
	}
	return command, manifest.Args, nil
}
