package rawjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const sample = ` {"a": [1, {"b": "x\"y", "k\u00e9y": null}, [ ] ], "": -1.5e3, "dup": 1, "dup": 2, "o": { } } `

func TestLookupFindsValuesAsTheyAreWritten(t *testing.T) {
	tests := []struct {
		path []Segment
		want string
	}{
		{nil, strings.TrimSpace(sample)},
		{[]Segment{Key("a"), Index(0)}, "1"},
		{[]Segment{Key("a"), Index(1), Key("b")}, `"x\"y"`},
		{[]Segment{Key("a"), Index(1), Key("kéy")}, "null"},
		{[]Segment{Key("a"), Index(2)}, "[ ]"},
		{[]Segment{Key("")}, "-1.5e3"},
		{[]Segment{Key("dup")}, "2"},
	}
	for _, test := range tests {
		if got, missing := Lookup([]byte(sample), test.path); missing != nil || string(got) != test.want {
			t.Errorf("%v: got %s, %v, want %s", test.path, got, missing, test.want)
		}
	}
}

func TestLookupSaysWhatThereIs(t *testing.T) {
	tests := []struct {
		path []Segment
		want Missing
	}{
		{[]Segment{Key("z")}, Missing{Depth: 0, Kind: "map", Keys: []string{"a", "", "dup", "dup", "o"}}},
		{[]Segment{Key("a"), Index(3)}, Missing{Depth: 1, Kind: "list", Length: 3}},
		{[]Segment{Key("a"), Key("b")}, Missing{Depth: 1, Kind: "list", Length: 3}},
		{[]Segment{Key(""), Key("b")}, Missing{Depth: 1, Kind: "number"}},
		{[]Segment{Key("o"), Index(0)}, Missing{Depth: 1, Kind: "map"}},
	}
	for _, test := range tests {
		if _, missing := Lookup([]byte(sample), test.path); missing == nil || !reflect.DeepEqual(*missing, test.want) {
			t.Errorf("%v: got %+v, want %+v", test.path, missing, test.want)
		}
	}
}

func TestBrokenTextIsNothing(t *testing.T) {
	for _, text := range []string{"", " ", "{", `{"a`, `{"a":`, `{"a":[1,}`, `"x`, "]", "}", `{a:1}`, `{"a" 1}`, "\x00"} {
		if value, missing := Lookup([]byte(text), []Segment{Key("b"), Index(1)}); missing == nil {
			t.Errorf("%q: got %s", text, value)
		}
		Members([]byte(text), func(string, []byte) bool { return true })
		Items([]byte(text), func([]byte) bool { return true })
	}
}

func TestSegmentsAreWrittenAsInReferences(t *testing.T) {
	got := Key("plain-key").String() + Key("odd key").String() + Index(3).String()
	if want := `.plain-key["odd key"][3]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLookupAgreesWithDecoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.String())).Draw(t, "values")
		data, err := json.MarshalIndent(values, "", rapid.SampledFrom([]string{"", " ", "\t"}).Draw(t, "indent"))
		if err != nil {
			t.Fatal(err)
		}
		var decoded map[string][]string
		if err := json.Unmarshal(data, &decoded); err != nil {
			t.Fatal(err)
		}
		for key, list := range decoded {
			for i, want := range list {
				got, missing := Lookup(data, []Segment{Key(key), Index(i)})
				if missing != nil || Text(got) != want {
					t.Fatalf("%q[%d]: got %s, %+v, want %q", key, i, got, missing, want)
				}
			}
		}
	})
}
