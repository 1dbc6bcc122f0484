package pluginhost

import (
	"testing"
)

// What a plugin prints is its own affair: any line becomes a line of the log.
func FuzzPrintedLine(f *testing.F) {
	for _, line := range []string{`{"@message":1}`, `{"@level":"error","@message":"it hurts","where":"here"}`, `{"@message":"x","a":{"b":[null]}}`, `{`, ``, `plain`, `{"@level":7,"@message":""}`} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		_, message, attributes := parseLine(line)
		if message == "" && line != "" && line[0] != '{' {
			t.Fatalf("%q became nothing", line)
		}
		for _, attribute := range attributes {
			_ = attribute.String()
		}
	})
}
