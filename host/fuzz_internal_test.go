package host

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine/workflow"
)

// A message of a socket is either broken or what any JSON reader sees in it,
// and never deeper than what may be read further.
func FuzzSocketMessage(f *testing.F) {
	for _, text := range []string{
		`{"type":"start","parameters":{"a":[1]}}`, `{"type":"ping"}`, `{"type":5}`, `[]`, `null`, `"cancel"`, `{"type":"cancel"`, `{"Type":"pause"}`,
		strings.Repeat("[", 65), `{"parameters":` + strings.Repeat(`{"a":`, 64) + `1` + strings.Repeat(`}`, 65), `{"type":"\ud800"}`, `{"a":"\"[[["}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m := decodeMessage(text)
		if m.broken {
			if m.Type != "" || m.Parameters != nil {
				t.Fatalf("%q is broken and says %+v", text, m)
			}
			return
		}
		if !json.Valid(text) {
			t.Fatalf("%q is no JSON and was read as %+v", text, m)
		}
		if m.Parameters != nil && !json.Valid(m.Parameters) {
			t.Fatalf("%q has the parameters %q", text, m.Parameters)
		}
		if depth := depthOf(text); depth > workflow.MaxDepth {
			t.Fatalf("%q is %d deep and was read", text, depth)
		}
	})
}

// depthOf is how deep a JSON text is, as the standard reader sees it.
func depthOf(text []byte) (deepest int) {
	depth := 0
	for decoder := json.NewDecoder(bytes.NewReader(text)); ; {
		token, err := decoder.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			deepest = max(deepest, depth)
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}
