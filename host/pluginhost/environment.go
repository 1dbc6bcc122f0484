package pluginhost

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// passedOn are the variables of the host that a plugin may see; LC_* too.
var passedOn = []string{
	"PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "SSH_AUTH_SOCK", "GNUPGHOME", "GPG_TTY",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
}

// environment is all that a plugin's process inherits.
func (h *Host) environment() []string {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "LC_") {
			env = append(env, entry)
			continue
		}
		for _, allowed := range passedOn {
			if strings.EqualFold(name, allowed) {
				env = append(env, entry)
			}
		}
	}
	return append(env, "VWMP_ALLOW_COMMANDS="+strconv.FormatBool(h.options.AllowCommands))
}

// maxSocketDir leaves room below it for go-plugin's own names: a socket's
// path has at most 104 bytes on some systems.
const maxSocketDir = 50

// socketDir is a folder of ours for sockets. One whose path is too long for a
// socket gives way to the system's folder for temporary files, where go-plugin
// makes a folder that is ours alone.
func (h *Host) socketDir() string {
	if len(h.runDir) <= maxSocketDir {
		return h.runDir
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" && len(dir) <= maxSocketDir && exists(dir) {
		return dir
	}
	return ""
}

func shortName(path string) string { return filepath.Base(path) }
