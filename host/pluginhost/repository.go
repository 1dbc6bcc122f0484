package pluginhost

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
)

// repositoriesOf lists what git writes outside of a workspace that is a
// repository: the folder that a worktree belongs to, and remotes that are
// repositories on this machine.
//
// It is asked once, at the start: a step can change a workspace's
// configuration, and must not widen its own fence by that.
func repositoriesOf(workspace string) []string {
	gitDir := filepath.Join(workspace, ".git")
	info, err := os.Lstat(gitDir)
	if err != nil {
		return nil
	}
	var found []string
	if info.Mode().IsRegular() {
		gitDir = readPath(gitDir, "gitdir: ", workspace)
		if gitDir == "" {
			return nil
		}
		found = append(found, gitDir)
	}
	if common := readPath(filepath.Join(gitDir, "commondir"), "", gitDir); common != "" {
		gitDir = common
		found = append(found, common)
	}
	for _, url := range remotesOf(filepath.Join(gitDir, "config")) {
		if dir := localRepository(url, workspace); dir != "" {
			found = append(found, dir)
		}
	}
	return found
}

// readPath reads a small file that holds nothing but a path, absolute or from
// a folder on.
func readPath(file, prefix, from string) string {
	text, err := os.ReadFile(file)
	path, found := strings.CutPrefix(strings.TrimSpace(string(text)), prefix)
	switch {
	case err != nil || !found || path == "":
		return ""
	case !filepath.IsAbs(path):
		path = filepath.Join(from, path)
	}
	return filepath.Clean(path)
}

// remotesOf lists the addresses of the remotes in a git configuration.
func remotesOf(config string) []string {
	file, err := os.Open(config)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	var urls []string
	section := ""
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		key, value, found := strings.Cut(line, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		if found && strings.HasPrefix(section, "[remote ") && (key == "url" || key == "pushurl") {
			urls = append(urls, strings.Trim(strings.TrimSpace(value), `"`))
		}
	}
	return urls
}

// localRepository is the folder of a remote that is a repository on this
// machine, or nothing.
func localRepository(url, workspace string) string {
	path, isFile := strings.CutPrefix(url, "file://")
	if !isFile {
		scheme := strings.Index(path, ":")
		if slash := strings.Index(path, "/"); path == "" || scheme >= 0 && (slash < 0 || scheme < slash) {
			return "" // https://…, or host:path.
		}
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(workspace, path)
	}
	for _, dir := range []string{filepath.Join(path, ".git"), path} {
		head, err := os.Stat(filepath.Join(dir, "HEAD"))
		objects, err2 := os.Stat(filepath.Join(dir, "objects"))
		if err == nil && err2 == nil && head.Mode().IsRegular() && objects.IsDir() {
			return dir
		}
	}
	return ""
}
