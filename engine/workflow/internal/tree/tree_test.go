package tree

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestJSONIsReadAsTheStandardLibraryReadsIt(t *testing.T) {
	texts := []string{
		`{}`, `[]`, `null`, `true`, `false`, `0`, `-0`, `1.5e-3`, `""`, `"\u00e9\n\ud83d\ude00"`, ` [ 1 , { "a" : [ ] } ] `,
		``, ` `, `{`, `[`, `{]`, `[1,]`, `{"a":1,}`, `{"a"}`, `{a:1}`, `01`, `1.`, `.5`, `+1`, `1e`, `--1`, `tru`, `nulll`, `"`, `"\x"`, `"\u12"`, "\"\n\"", `1 2`, `{"a":1 "b":2}`, `[1 2]`, `'a'`, "\"\x01\"",
	}
	for _, text := range texts {
		node, issues := ReadJSON([]byte(text), Limits{Depth: 10})
		if want := json.Valid([]byte(text)); (node != nil && len(issues) == 0) != want {
			t.Errorf("%q: %v, want valid %t", text, issues, want)
		}
		if node == nil && (len(issues) != 1 || issues[0].Line == 0) {
			t.Errorf("%q: issues %v", text, issues)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[\[\]{}",:0-9eE.+\-a\\ tnu]{0,12}`).Draw(t, "text")
		node, _ := ReadJSON([]byte(text), Limits{})
		if (node != nil) != json.Valid([]byte(text)) && !strings.Contains(text, `\u`) {
			t.Fatalf("%q: read %t, valid %t", text, node != nil, json.Valid([]byte(text)))
		}
	})
}

func TestPlacesCountCharacters(t *testing.T) {
	const text = "{\n  \"é\": [1,\n    {\"b\": x}]}"
	_, issues := ReadJSON([]byte(text), Limits{})
	if len(issues) != 1 || issues[0].Line != 3 || issues[0].Column != 11 {
		t.Errorf("got %+v", issues)
	}
	node, _ := ReadJSON([]byte("{\"éé\": 1, \"a/b\": [true, {\"c~\": 2}]}"), Limits{})
	for pointer, want := range map[string][2]int{"": {1, 1}, "/éé": {1, 8}, "/a~1b": {1, 11}, "/a~1b/0": {1, 19}, "/a~1b/1/c~0": {1, 32}, "/nope": {1, 1}, "/a~1b/9": {1, 11}} {
		if line, column := node.Locate(pointer); [2]int{line, column} != want {
			t.Errorf("%s: %d:%d, want %v", pointer, line, column, want)
		}
	}
	if node.At("/a~1b/1/c~0").Text != "2" || node.At("/a~1b/2") != nil {
		t.Error("At finds other values than Locate")
	}
}

func TestTheSameValueComesFromBothFormats(t *testing.T) {
	tests := []struct{ yaml, json string }{
		{"a: 1\nb:\n- x\n- - y\n  - z\n", `{"a":1,"b":["x",["y","z"]]}`},
		{"a: {b: [c, 'it''s', \"q\\\"\\u00e9\"]}", `{"a":{"b":["c","it's","q\"é"]}}`},
		{"a: |\n  x\n   y\n\nb: >-\n  x\n  y\n\n  z\n", `{"a":"x\n y\n","b":"x y\nz"}`},
		{"a: |+\n  x\n\nb: |2\n   x\n", `{"a":"x\n\n","b":" x\n"}`},
		{"a: plain\n  goes on\nb:\n  'single\n  too'\n", `{"a":"plain goes on","b":"single too"}`},
		{"a:\nb: ~\nc: Null\nd: TRUE\ne: no\n", `{"a":null,"b":null,"c":null,"d":true,"e":"no"}`},
		{"a: 1.50\nb: -0\nc: 1e3\nd: 1.2.3\ne: 2024-01-01\nf: 1:30\ng: 0.1.0\n", `{"a":1.50,"b":-0,"c":1e3,"d":"1.2.3","e":"2024-01-01","f":"1:30","g":"0.1.0"}`},
		{"# head\n---\na: 1 # tail\n# foot\n", `{"a":1}`},
		{"a: &x {k: 1}\nb: *x\nc: [*x, *x]\n", `{"a":{"k":1},"b":{"k":1},"c":[{"k":1},{"k":1}]}`},
		{"'quoted': 1\n\"a b\": 2\na/b: 3\n\"1\": 4\n", `{"quoted":1,"a b":2,"a/b":3,"1":4}`},
		{"- a: 1\n  b: 2\n-\n  c: 3\n- d\n", `[{"a":1,"b":2},{"c":3},"d"]`},
		{"a: ${x.y}\nb: \"${z}\"\nc: a#b\nd: http://x/y:z\n", `{"a":"${x.y}","b":"${z}","c":"a#b","d":"http://x/y:z"}`},
		{"a: []\nb: {}\nc: ''\n", `{"a":[],"b":{},"c":""}`},
		{"when: steps[\"a\"].status == \"x\" and not b\n", `{"when":"steps[\"a\"].status == \"x\" and not b"}`},
	}
	for _, test := range tests {
		node, issues := ReadYAML([]byte(test.yaml), Limits{Depth: 64})
		if node == nil || len(issues) > 0 {
			t.Errorf("%q: %v", test.yaml, issues)
			continue
		}
		if got := string(node.AppendJSON(nil)); got != test.json {
			t.Errorf("%q: got %s, want %s", test.yaml, got, test.json)
		}
	}
}

func TestAnyTextSurvivesYAML(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ \n\t'"#:,\-\[\]{}&*!|>%@a0~?\\]{0,10}`)).Draw(t, "text")
		node := &Node{Kind: Object, Members: []Member{
			{Key: text, Value: &Node{Kind: Array, Items: []*Node{{Kind: String, Text: text}}}},
			{Key: text + "'", Value: &Node{Kind: String, Text: text}},
		}}
		written := node.AppendYAML(nil)
		again, issues := ReadYAML(written, Limits{Depth: 64})
		if again == nil || len(issues) > 0 {
			t.Fatalf("%q: %v", written, issues)
		}
		if got, want := string(again.AppendJSON(nil)), string(node.AppendJSON(nil)); got != want {
			t.Fatalf("%q: got %s, want %s", written, got, want)
		}
	})
}

func TestNumbersMustBeUsable(t *testing.T) {
	for text, usable := range map[string]bool{"1": true, "1e308": true, "1e309": false, "1e-400": true, "1e-401": false, "1e99999999999": false, strings.Repeat("9", 401): false, "-1.5E+3": true} {
		if (NumberIssue(text) == "") != usable {
			t.Errorf("%.20s: %s", text, NumberIssue(text))
		}
	}
}

func TestEqualValues(t *testing.T) {
	t.Parallel()
	read := func(text string) *Node {
		node, issues := ReadJSON([]byte(text), Limits{})
		if node == nil || len(issues) > 0 {
			t.Fatalf("%s: %v", text, issues)
		}
		return node
	}
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":[2]}`, `{"b":[2],"a":1}`, true},
		{`1.0`, `1`, true},
		{`1e2`, `100`, true},
		{`9007199254740993`, `9007199254740992`, false},
		{`"1"`, `1`, false},
		{`[1,2]`, `[2,1]`, false},
		{`{"a":null}`, `{"b":null}`, false},
		{`{"a":null}`, `{}`, false},
		{`true`, `false`, false},
	} {
		if got := Equal(read(test.a), read(test.b)); got != test.want {
			t.Errorf("%s and %s: %v", test.a, test.b, got)
		}
	}
	if !Equal(nil, nil) || Equal(nil, read("null")) {
		t.Error("nothing and null are not told apart")
	}
}
