package workflow

import (
	"regexp"
	"strings"
	"sync"
)

// The forms of names are judged by hand: a regular expression with a bound
// such as {0,63} holds 25 KB for as long as the process lives, and large
// workflows have many names.

// ValidID reports whether text can be the id of a workflow, a step, a trigger
// or an execution: 1 to 64 letters, digits, - and _, the first of them a
// letter or a digit.
func ValidID(text string) bool {
	return text != "" && len(text) <= 64 && isAlphanumeric(text[0]) && only(text, "-_")
}

// ValidSignalName reports whether text has the form of SignalPattern.
func ValidSignalName(text string) bool {
	return text != "" && len(text) <= 100 && isAlphanumeric(text[0]) && only(text, "_.-")
}

// ValidSecretName reports whether a reference can name such a secret: a
// letter or _, then up to 99 letters, digits, _ and -.
func ValidSecretName(name string) bool {
	return len(name) <= 100 && startsIdentifier(name) && only(name, "_-")
}

// isIdentifier is the form of parameters and of environment variables.
func isIdentifier(text string) bool { return startsIdentifier(text) && only(text, "_") }

func startsIdentifier(text string) bool {
	return text != "" && (isAlphanumeric(text[0]) || text[0] == '_') && !isDigit(text[0])
}

// isWord is the form of plugins, of their handlers and of workflow types.
func isWord(text string) bool {
	return startsIdentifier(text) && text[0] != '_' && only(text, "_") && strings.ToLower(text) == text
}

// isHandlerPath is the form of plugin.handler.
func isHandlerPath(text string) bool {
	plugin, handler, found := strings.Cut(text, ".")
	return found && isWord(plugin) && isWord(handler)
}

// isHeaderName is the form of an HTTP header's name.
func isHeaderName(text string) bool {
	return text != "" && len(text) <= 100 && only(text, "!#$%&'*+.^_`|~-")
}

var versionPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2,}([-+][0-9A-Za-z.+-]+)?$`)
})

// isVersion is the form of MAJOR.MINOR.PATCH.
func isVersion(text string) bool { return versionPattern().MatchString(text) }

// only reports whether text has nothing but ASCII letters, digits and others.
func only(text, others string) bool {
	for i := range len(text) {
		if !isAlphanumeric(text[i]) && strings.IndexByte(others, text[i]) < 0 {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
