package host

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestValuesAreComparedWhereTheyDiffer(t *testing.T) {
	for _, test := range [][3]string{
		{`{"a":1,"b":[1,2,{"c":"x"}]}`, `{"b":[1,3,{"c":"x"}],"a":1}`, "changed /b/1 2 3"},
		{`{"a":{"b":1}}`, `{"a":{"b":1}, "x/y~z":null}`, "added /x~1y~0z  null"},
		{`[1,2]`, `[1]`, "removed /1 2 "},
		{`{"a":null}`, `{"a":{}}`, "changed /a null {}"},
		{`"é"`, `"\u00e9"`, ""},
		{`{"a":[1, 2]}`, `{ "a": [1,2] }`, ""},
		{`[]`, `{}`, "changed  [] {}"},
		{``, `1`, "added   1"},
		{`1`, ``, "removed  1 "},
		{`{"$blob":{"sha256":"a","size":1}}`, `{"$blob":{"sha256":"b","size":1}}`, `changed  {"$blob":{"sha256":"a","size":1}} {"$blob":{"sha256":"b","size":1}}`},
	} {
		d := &differ{bytes: maxDifferenceBytes}
		found, more := d.between(json.RawMessage(test[0]), json.RawMessage(test[1]))
		var lines []string
		for _, one := range found {
			lines = append(lines, fmt.Sprintf("%s %s %s %s", one.Kind, one.Pointer, one.Before, one.After))
		}
		if got := strings.Join(lines, "; "); got != test[2] || more != 0 {
			t.Errorf("%s and %s: %q, %d more, want %q", test[0], test[1], got, more, test[2])
		}
	}
}

func TestAComparisonIsBounded(t *testing.T) {
	list := func(n int, value string) json.RawMessage {
		return json.RawMessage("[" + strings.TrimSuffix(strings.Repeat(value+",", n), ",") + "]")
	}
	d := &differ{bytes: maxDifferenceBytes}
	if found, more := d.between(list(1000, "1"), list(1000, "2")); len(found) != maxDifferences || more != 900 {
		t.Errorf("%d differences and %d more", len(found), more)
	}
	d.bytes = 800
	if found, more := d.between(list(2, `"`+strings.Repeat("x", 400)+`"`), list(2, `""`)); len(found) != 1 || more != 1 {
		t.Errorf("%d large differences and %d more", len(found), more)
	}
	// Read anew at each level, a hundred thousand of them would take minutes.
	deep := func(inside string) json.RawMessage {
		return json.RawMessage(strings.Repeat("[", 9000) + inside + strings.Repeat("]", 9000))
	}
	d = &differ{bytes: maxDifferenceBytes}
	if found, _ := d.between(deep("1"), deep("2")); len(found) != 1 || strings.Count(found[0].Pointer, "/") > 100 {
		t.Errorf("deep values: %d differences", len(found))
	}
}
