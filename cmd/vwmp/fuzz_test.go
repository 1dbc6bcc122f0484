package main

import (
	"encoding/json"
	"testing"
)

// Whatever a flag says, it becomes JSON or an error.
func FuzzParameterFlag(f *testing.F) {
	for _, kind := range []string{"string", "textarea", "integer", "number", "boolean", "enum", "multi_enum", "file", "secret", "json"} {
		for _, text := range []string{"", "1", "1e3", "0x10", "NaN", "true", "a,b", `["a"]`, `[`, `{"a":1}`, "\xff"} {
			f.Add(kind, text)
		}
	}
	f.Fuzz(func(t *testing.T, kind, text string) {
		value, err := parameterValue(kind, text)
		if err == nil && !json.Valid(value) {
			t.Fatalf("%q as %s is %q", text, kind, value)
		}
	})
}
