package main

import "testing"

// A version that is found in a file is where it was found, and replacing it by
// itself changes no byte; one that can be read is written as it was.
func FuzzVersion(f *testing.F) {
	for _, text := range []string{
		"1.2.3\n", "v0.21.0.1", `{"name":"x","version":"1.0.0-rc.1+5"}`, "__version__ = '1.2.3'", "[project]\nversion = \"1.2.3\"\n",
		"\ufeff1.2.3", `{"version":"1.2`, "01.2.3", `{"version":"\u0031.2.3"}`, "[dependencies.x]\nversion = \"1\"\n[package]\nversion=\"2.0.0\"",
	} {
		f.Add("VERSION", []byte(text))
		f.Add("package.json", []byte(text))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if v, err := parseVersion(string(data)); err == nil && v.String() != string(data) {
			t.Fatalf("%q is written as %q", data, v)
		}
		found, err := findVersion(name, data)
		if err != nil {
			return
		}
		if found.start < 0 || found.end < found.start || found.end > len(data) {
			t.Fatalf("the version of %q is at %+v", data, found)
		}
		if again := found.replace(data, found.text(data)); string(again) != string(data) {
			t.Fatalf("%q became %q", data, again)
		}
		v, err := parseVersion(found.text(data))
		if err != nil {
			return
		}
		next, err := v.bump(incrementMajor, true)
		if err != nil {
			t.Fatalf("%s has no next major version: %v", v, err)
		}
		changed := found.replace(data, next.String())
		where, err := findVersion(name, changed)
		if err != nil || where.text(changed) != next.String() {
			t.Fatalf("%q with version %s is %q, in which it is not found again: %v", data, next, changed, err)
		}
	})
}
