package pluginhost

import (
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// DefaultEnvAllow lists the variables of the host's environment that plugins,
// and references in workflows, may see. "NAME_*" stands for all that begin
// with NAME_.
func DefaultEnvAllow() []string {
	allowed := []string{
		"PATH", "HOME", "USER", "LANG", "LC_*", "TZ", "TMPDIR", "SSH_AUTH_SOCK", "GNUPGHOME", "GPG_TTY",
		"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
	}
	if runtime.GOOS == "windows" {
		// Programs can't start without these.
		allowed = append(allowed, "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA")
	}
	return allowed
}

// EnvAllowed reports whether a list of the form of DefaultEnvAllow has a
// variable. The proxy variables are known in small letters too; on Windows
// names have no case at all.
func EnvAllowed(list []string, name string) bool {
	return slices.ContainsFunc(list, func(allowed string) bool {
		candidate := name
		if runtime.GOOS == "windows" || strings.HasSuffix(allowed, "_PROXY") {
			allowed, candidate = strings.ToUpper(allowed), strings.ToUpper(name)
		}
		if prefix, isPrefix := strings.CutSuffix(allowed, "*"); isPrefix && prefix != "" {
			return strings.HasPrefix(candidate, prefix)
		}
		return candidate == allowed
	})
}

// environment is all that a plugin's process inherits.
func (h *Host) environment() []string {
	allowed := append(DefaultEnvAllow(), h.options.EnvAllow...)
	var env []string
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); EnvAllowed(allowed, name) {
			env = append(env, entry)
		}
	}
	return append(env, "VWMP_ALLOW_COMMANDS="+strconv.FormatBool(h.options.AllowCommands))
}

// maxSocketDir leaves room below it for go-plugin's own names, which take up
// to 40 bytes.
const maxSocketDir = 60

// shortDir is where a folder for sockets is made when ours has too long a
// name: the user's own run-time folder, the one for temporary files, or, where
// that too has a long name, the system's.
func shortDir() string {
	for _, dir := range []string{os.Getenv("XDG_RUNTIME_DIR"), os.TempDir(), "/tmp"} {
		if dir == "" || len(dir) > maxSocketDir-20 {
			continue
		}
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
	}
	return ""
}
