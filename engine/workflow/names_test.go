package workflow

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestNames holds the forms against the patterns that the documentation, the
// descriptions of handlers and the front end have for them.
func TestNames(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]struct {
		pattern string
		valid   func(string) bool
	}{
		"id":         {`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`, ValidID},
		"signal":     {SignalPattern, ValidSignalName},
		"secret":     {`^[A-Za-z_][A-Za-z0-9_-]{0,99}$`, ValidSecretName},
		"identifier": {`^[A-Za-z_][A-Za-z0-9_]*$`, isIdentifier},
		"word":       {`^[a-z][a-z0-9_]*$`, isWord},
		"handler":    {`^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$`, isHandlerPath},
		"header":     {"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$", isHeaderName},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pattern := regexp.MustCompile(form.pattern)
			agree := func(t interface{ Errorf(string, ...any) }, text string) {
				if got, want := form.valid(text), pattern.MatchString(text); got != want {
					t.Errorf("%q: %v, want %v", text, got, want)
				}
			}
			for _, text := range []string{"", "a", "A", "_", "-", ".", "1", "a.b", "a.b.c", ".b", "a.", "a\n", "é", "aé", "a b", "\x00"} {
				agree(t, text)
			}
			for _, length := range []int{63, 64, 65, 99, 100, 101, 102} {
				agree(t, strings.Repeat("a", length))
			}
			anything := rapid.StringOfN(rapid.RuneFrom([]rune("azAZ09_-.!~`é \n")), 0, 8, -1)
			rapid.Check(t, func(t *rapid.T) { agree(t, anything.Draw(t, "text")) })
		})
	}
}
