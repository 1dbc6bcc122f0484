package pluginsdk_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/pluginsdk"
)

// A path that is accepted stays inside its folder, on this system and by the
// rules of the others.
func FuzzCheckPath(f *testing.F) {
	for _, name := range []string{
		"a", "a/b.txt", ".", "./a", "a//b", "../a", "a/../../b", "/a", `C:\a`, "C:a", `\\?\a`, "con", "a/CON.txt", "COM1 .log", "aux:x", "a\x00", "a/", "a.", "a /b", "..a", "LPT9.x.y",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if pluginsdk.CheckPath(name) != nil {
			return
		}
		if !filepath.IsLocal(name) || strings.ContainsAny(name, "\\\x00") || strings.HasPrefix(name, "/") {
			t.Fatalf("%q was accepted", name)
		}
		for segment := range strings.SplitSeq(name, "/") {
			device, _, _ := strings.Cut(segment, ".")
			device, _, _ = strings.Cut(device, ":")
			device = strings.ToUpper(strings.TrimRight(device, " "))
			switch device {
			case "CON", "PRN", "AUX", "NUL", "COM1", "LPT9":
				t.Fatalf("%q was accepted, in which %q is a device on Windows", name, segment)
			case "..":
				t.Fatalf("%q was accepted", name)
			}
			if segment != "." && strings.TrimRight(segment, ". ") != segment {
				t.Fatalf("%q was accepted; Windows drops the end of %q", name, segment)
			}
		}
	})
}

func FuzzDuration(f *testing.F) {
	for _, text := range []string{`5`, `0.05`, `"50ms"`, `"2h"`, `-1`, `"-1s"`, `1e300`, `9223372036.854775807`, `9223372036.9`, `null`, `"PT5S"`, `true`, `[]`, `1e-400`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := pluginsdk.ParseDurationJSON(data)
		if err != nil {
			return
		}
		if d < 0 {
			t.Fatalf("%q is %s", data, d)
		}
		written, err := json.Marshal(pluginsdk.Duration(d))
		if err != nil {
			t.Fatal(err)
		}
		again, err := pluginsdk.ParseDurationJSON(written)
		if difference := (again - d).Abs(); err != nil || float64(difference) > 1+1e-12*float64(d) {
			t.Fatalf("%q is %s, and written as %s it is %s: %v", data, d, written, again, err)
		}
	})
}
