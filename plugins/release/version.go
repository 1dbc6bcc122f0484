package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// The kinds of increment.
const (
	incrementPatch      = "patch"
	incrementMinor      = "minor"
	incrementMajor      = "major"
	incrementFeature    = "feature"
	incrementFeatureSet = "feature_set"
	incrementBuild      = "build"
)

var (
	number       = `(?:0|[1-9][0-9]{0,17})`
	identifiers  = `[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*`
	versionText  = number + `(?:\.` + number + `){2,3}(?:-` + identifiers + `)?(?:\+` + identifiers + `)?`
	versionForm  = regexp.MustCompile(`^` + versionText + `$`)
	bareVersion  = regexp.MustCompile(`\A(?:\x{FEFF})?\s*[vV]?(` + versionText + `)[ \t]*(?:\r?\n|\z)`)
	dunderLine   = regexp.MustCompile(`(?m)^[ \t]*__version__[ \t]*(?::[ \t]*\w+[ \t]*)?=[ \t]*["'][vV]?([^"'\r\n]*)["']`)
	assignedLine = regexp.MustCompile(`^[ \t]*(?:version|VERSION)[ \t]*=[ \t]*["'][vV]?([^"'\r\n]*)["']`)
	tableLine    = regexp.MustCompile(`^[ \t]*\[+[ \t]*([^\]]+?)[ \t]*\]+`)
)

// version is MAJOR.MINOR.PATCH as SemVer has it, or four numbers, with an
// optional pre-release and an optional build.
type version struct {
	numbers    []uint64
	preRelease string
	build      string
}

func parseVersion(text string) (version, error) {
	if !versionForm.MatchString(text) {
		return version{}, fmt.Errorf("%q is no version of three or four numbers, such as 1.2.3 or 0.21.0.1", text)
	}
	var v version
	text, v.build, _ = strings.Cut(text, "+")
	text, v.preRelease, _ = strings.Cut(text, "-")
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.ParseUint(part, 10, 64)
		if err != nil {
			return version{}, fmt.Errorf("read version %q: %w", text, err)
		}
		v.numbers = append(v.numbers, n)
	}
	if len(v.numbers) == 4 && v.preRelease != "" {
		return version{}, fmt.Errorf("%q has four numbers and a pre-release; only three-part versions have one", text)
	}
	return v, nil
}

func (v version) String() string {
	parts := make([]string, len(v.numbers))
	for i, n := range v.numbers {
		parts[i] = strconv.FormatUint(n, 10)
	}
	text := strings.Join(parts, ".")
	if v.preRelease != "" {
		text += "-" + v.preRelease
	}
	if v.build != "" {
		text += "+" + v.build
	}
	return text
}

// bump returns the next version. A pre-release precedes the version that it
// is named for, so dropping it is the increment where it already announces
// one: 2.0.0-rc.1 gives 2.0.0 for patch, minor and major alike.
func (v version) bump(increment string, resetBuild bool) (version, error) {
	if increment == incrementBuild {
		return v.bumpBuild()
	}
	index, err := v.index(increment)
	if err != nil {
		return version{}, err
	}
	next := version{numbers: append([]uint64{}, v.numbers...)}
	isAnnounced := v.preRelease != ""
	for i := index + 1; i < len(v.numbers); i++ {
		isAnnounced = isAnnounced && v.numbers[i] == 0
		next.numbers[i] = 0
	}
	if !isAnnounced {
		next.numbers[index]++
	}
	if !resetBuild {
		next.build = v.build
	}
	return next, nil
}

// index says which number an increment raises.
func (v version) index(increment string) (int, error) {
	four := map[string]int{incrementMajor: 0, incrementFeatureSet: 1, incrementMinor: 2, incrementFeature: 2, incrementPatch: 3}
	three := map[string]int{incrementMajor: 0, incrementMinor: 1, incrementFeature: 1, incrementPatch: 2}
	indexes := four
	if len(v.numbers) == 3 {
		indexes = three
	}
	index, ok := indexes[increment]
	switch {
	case !ok && increment == incrementFeatureSet:
		return 0, fmt.Errorf("feature_set needs a version of four numbers, and %s has three; use minor or major", v)
	case !ok:
		return 0, fmt.Errorf("%q is no increment", increment)
	}
	return index, nil
}

// bumpBuild raises +N; a version without one counts as +0.
func (v version) bumpBuild() (version, error) {
	var n uint64
	if v.build != "" {
		var err error
		if n, err = strconv.ParseUint(v.build, 10, 63); err != nil {
			return version{}, fmt.Errorf("the build %q of %s is not a number, so it can't be raised", v.build, v)
		}
	}
	v.build = strconv.FormatUint(n+1, 10)
	return v, nil
}

// span is where in a file the version stands, in bytes.
type span struct{ start, end int }

func (s span) text(data []byte) string { return string(data[s.start:s.end]) }

// replace returns data with the span's text replaced, every other byte kept.
func (s span) replace(data []byte, text string) []byte {
	return bytes.Join([][]byte{data[:s.start], []byte(text), data[s.end:]}, nil)
}

// findVersion finds the version in a bare file, a JSON file, a Python file
// (__version__ = "…") or a TOML file (version = "…").
func findVersion(name string, data []byte) (span, error) {
	if match := bareVersion.FindSubmatchIndex(data); match != nil {
		return span{match[2], match[3]}, nil
	}
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\uFEFF")))
	if strings.EqualFold(path.Ext(name), ".json") || bytes.HasPrefix(trimmed, []byte("{")) {
		return findInJSON(data)
	}
	if match := dunderLine.FindSubmatchIndex(data); match != nil {
		return span{match[2], match[3]}, nil
	}
	return findAssigned(data)
}

// findInJSON finds the top-level key "version".
func findInJSON(data []byte) (span, error) {
	offset := len(data) - len(bytes.TrimPrefix(data, []byte("\uFEFF")))
	decoder := json.NewDecoder(bytes.NewReader(data[offset:]))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return span{}, errors.New("it is not a JSON object")
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return span{}, fmt.Errorf("read it as JSON: %w", err)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return span{}, fmt.Errorf("read it as JSON: %w", err)
		}
		if key != "version" {
			continue
		}
		if len(value) < 2 || value[0] != '"' || bytes.ContainsRune(value, '\\') {
			return span{}, errors.New(`its "version" is not a plain string`)
		}
		end := int(decoder.InputOffset()) + offset - 1
		return span{end - (len(value) - 2), end}.withoutV(data), nil
	}
	return span{}, errors.New(`it has no top-level "version"`)
}

// withoutV leaves a leading v out of the span.
func (s span) withoutV(data []byte) span {
	if s.end > s.start && (data[s.start] == 'v' || data[s.start] == 'V') {
		s.start++
	}
	return s
}

// findAssigned finds version = "…": in the project's own table where the file
// has tables, since those of dependencies have versions, too.
func findAssigned(data []byte) (span, error) {
	own := map[string]bool{"": true, "project": true, "package": true, "tool.poetry": true, "workspace.package": true}
	var preferred, others []span
	table, offset := "", 0
	for line := range strings.Lines(string(data)) {
		if match := tableLine.FindStringSubmatch(line); match != nil {
			table = strings.ReplaceAll(match[1], " ", "")
		} else if match := assignedLine.FindStringSubmatchIndex(line); match != nil {
			found := span{offset + match[2], offset + match[3]}
			if own[table] {
				preferred = append(preferred, found)
			} else {
				others = append(others, found)
			}
		}
		offset += len(line)
	}
	switch {
	case len(preferred) > 0:
		return preferred[0], nil
	case len(others) == 1:
		return others[0], nil
	case len(others) > 1:
		return span{}, errors.New(`it has several version = "…" and none in [project], [package] or [tool.poetry]`)
	}
	return span{}, errors.New(`it has no version: neither a bare one, nor __version__ = "…", version = "…" or "version": "…"`)
}
