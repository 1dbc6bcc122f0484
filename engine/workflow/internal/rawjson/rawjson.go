// Package rawjson finds values in JSON text without decoding the rest of
// it, so that numbers stay as they are written and a large output costs one
// pass. It trusts the text to be valid JSON, and answers "nothing" where it
// isn't.
package rawjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Segment is one step of a path: a key, or an index.
type Segment struct {
	Key string
	// Index is -1 for a key.
	Index int
}

// Key makes the segment of a key.
func Key(key string) Segment { return Segment{Key: key, Index: -1} }

// Index makes the segment of an index, counted from 0.
func Index(index int) Segment { return Segment{Index: index} }

// String writes the segment as it stands in a reference.
func (s Segment) String() string {
	if s.Index >= 0 {
		return "[" + strconv.Itoa(s.Index) + "]"
	}
	for _, c := range s.Key {
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return fmt.Sprintf("[%q]", s.Key)
		}
	}
	return "." + s.Key
}

// Missing says where a path left the value.
type Missing struct {
	// Depth is how many segments were found.
	Depth int
	// Kind is what the last value found is: "map", "list", "string", ….
	Kind string
	// Keys are those of a map, at most 100; Length is that of a list.
	Keys   []string
	Length int
}

// Lookup follows a path. The value is part of data and not copied; missing
// is nil when there is one. Of a key that stands twice the last counts.
func Lookup(data []byte, path []Segment) (value json.RawMessage, missing *Missing) {
	start := space(data, 0)
	end := Skip(data, start)
	if end < 0 {
		return nil, &Missing{Kind: "nothing"}
	}
	for depth, segment := range path {
		from, to := child(data, start, segment)
		if from < 0 {
			return nil, describe(data, start, depth)
		}
		start, end = from, to
	}
	return data[start:end:end], nil
}

// Kind names the type of the value at the start of data.
func Kind(data []byte) string {
	if start := space(data, 0); start < len(data) {
		switch data[start] {
		case '{':
			return "map"
		case '[':
			return "list"
		case '"':
			return "string"
		case 't', 'f':
			return "boolean"
		case 'n':
			return "null"
		}
		return "number"
	}
	return "nothing"
}

func describe(data []byte, start, depth int) *Missing {
	missing := &Missing{Depth: depth, Kind: Kind(data[start:])}
	switch missing.Kind {
	case "map":
		Members(data[start:], func(key string, _ []byte) bool {
			missing.Keys = append(missing.Keys, key)
			return len(missing.Keys) < 100
		})
	case "list":
		Items(data[start:], func([]byte) bool {
			missing.Length++
			return true
		})
	}
	return missing
}

// child returns the extent of a member or item, or -1.
func child(data []byte, start int, segment Segment) (from, to int) {
	from, to = -1, -1
	if segment.Index >= 0 {
		if data[start] != '[' {
			return -1, -1
		}
		index := 0
		walk(data, start, func(_, valueStart, valueEnd int) bool {
			if index == segment.Index {
				from, to = valueStart, valueEnd
			}
			index++
			return from < 0
		})
		return from, to
	}
	if data[start] != '{' {
		return -1, -1
	}
	walk(data, start, func(keyStart, valueStart, valueEnd int) bool {
		if sameKey(data, keyStart, segment.Key) {
			from, to = valueStart, valueEnd
		}
		return true
	})
	return from, to
}

func sameKey(data []byte, start int, key string) bool {
	if raw, ok := bytes.CutPrefix(data[start+1:], []byte(key)); ok && len(raw) > 0 && raw[0] == '"' && !strings.Contains(key, `\`) {
		return true
	}
	end := Skip(data, start)
	if end < 0 || bytes.IndexByte(data[start:end], '\\') < 0 {
		return false
	}
	return Text(data[start:end]) == key
}

// Text decodes a JSON string; anything else is "".
func Text(data []byte) string {
	if len(data) >= 2 && data[0] == '"' && bytes.IndexByte(data, '\\') < 0 {
		return string(data[1 : len(data)-1])
	}
	var text string
	if json.Unmarshal(data, &text) != nil {
		return ""
	}
	return text
}

// Members calls yield with each member of the object at the start of data,
// until it returns false. It reports whether data is an object.
func Members(data []byte, yield func(key string, value []byte) bool) bool {
	start := space(data, 0)
	if start >= len(data) || data[start] != '{' {
		return false
	}
	return walk(data, start, func(keyStart, valueStart, valueEnd int) bool {
		return yield(Text(data[keyStart:Skip(data, keyStart)]), data[valueStart:valueEnd:valueEnd])
	})
}

// Items calls yield with each item of the list at the start of data, until
// it returns false. It reports whether data is a list.
func Items(data []byte, yield func(value []byte) bool) bool {
	start := space(data, 0)
	if start >= len(data) || data[start] != '[' {
		return false
	}
	return walk(data, start, func(_, valueStart, valueEnd int) bool {
		return yield(data[valueStart:valueEnd:valueEnd])
	})
}

// walk goes through the values of the container at start. It reports
// whether the text was well formed as far as it was read.
func walk(data []byte, start int, visit func(keyStart, valueStart, valueEnd int) bool) bool {
	isObject := data[start] == '{'
	i := space(data, start+1)
	if i < len(data) && (data[i] == '}' || data[i] == ']') {
		return true
	}
	for i < len(data) {
		keyStart := i
		if isObject {
			if data[i] != '"' {
				return false
			}
			if i = Skip(data, i); i < 0 {
				return false
			}
			i = space(data, i)
			if i >= len(data) || data[i] != ':' {
				return false
			}
			i = space(data, i+1)
		}
		end := Skip(data, i)
		if end < 0 {
			return false
		}
		if !visit(keyStart, i, end) {
			return true
		}
		i = space(data, end)
		if i >= len(data) || data[i] != ',' {
			return i < len(data) && (data[i] == '}' || data[i] == ']')
		}
		i = space(data, i+1)
	}
	return false
}

func space(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

// Skip returns the end of the value that starts at i, or -1 where it has no
// end. Within containers it looks at brackets and strings only.
func Skip(data []byte, i int) int {
	if i >= len(data) {
		return -1
	}
	switch data[i] {
	case '"':
		return skipString(data, i)
	case '{', '[':
		depth := 0
		for i < len(data) {
			switch data[i] {
			case '"':
				if i = skipString(data, i); i < 0 {
					return -1
				}
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return -1
	}
	start := i
	for i < len(data) && (data[i] == '-' || data[i] == '+' || data[i] == '.' || data[i] >= '0' && data[i] <= '9' ||
		data[i] >= 'a' && data[i] <= 'z' || data[i] == 'E') {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

func skipString(data []byte, i int) int {
	for i++; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}
