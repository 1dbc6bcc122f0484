package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/vwmp/vwmp/engine/secret"
)

func TestTextIsScrubbed(t *testing.T) {
	for _, test := range []struct{ name, value, text, want string }{
		{"exact", "hunter2", "it is hunter2!", "it is ***!"},
		{"several", "hunter2", "hunter2 and hunter2", "*** and ***"},
		{"runs of it", "abab", "xabababx", "x***x"},
		{"JSON within text", `pa"ss\word`, `{"p":"pa\"ss\\word"}`, `{"p":"***"}`},
		{"JSON with escaped HTML", "a<b>&c", `said "a\u003cb\u003e\u0026c"`, `said "***"`},
		{"all of a base64 text", "hunter2", "Basic aHVudGVyMg==", "Basic ***"},
		{"base64 without padding", "hunter2", "aHVudGVyMg", "***"},
		{"query", "a b/c=d", "q=a+b%2Fc%3Dd&x=1", "q=***&x=1"},
		{"path", "a b/c=d", "/a%20b%2fc=d/", "/***/"},
		{"every byte encoded", "hunter2", "%68%75%6e%74%65%72%32", "***"},
		{"a line of many", "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\n-----END KEY-----\n", "read MIIEpAIBAAKCAQEA now", "read *** now"},
		{"without the space around it", " hunter2\n", "hunter2", "***"},
		{"short, as a part", "abc", "abc abc", "abc abc"},
		{"short, as the whole", "abc", "abc", "***"},
		{"short, in base64", "abc", "YWJj", "***"},
		{"percent signs that encode nothing", "hunter2", "100% 5%zz %4", "100% 5%zz %4"},
		{"nothing", "hunter2", "nothing", "nothing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := secret.NewScrubber([]string{test.value}).Text(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestOverlappingSecretsHideAllOfBoth(t *testing.T) {
	scrubber := secret.NewScrubber([]string{"xabc", "abcdefgh", "defg"})
	if got := scrubber.Text("0xabcdefgh1"); got != "0***1" {
		t.Errorf("got %q", got)
	}
}

func TestJSONKeepsItsShape(t *testing.T) {
	scrubber := secret.NewScrubber([]string{"hunter2", "1234", "e"})
	for _, test := range []struct{ data, want string }{
		{`{"b": "x hunter2", "a": [1.50, true, null]}`, `{"b": "x ***", "a": [1.50, true, null]}`},
		{`{"hunter2":{"k":"\u0068unter2\u00e9"}}`, `{"***":{"k":"***é"}}`},
		{`{"pin":1234,"more":-51234e5,"less":123}`, `{"pin":"***","more":"***","less":123}`},
		{`[true,false,"e","ee"]`, `[true,false,"***","ee"]`},
		{`"a\"b\\"`, `"a\"b\\"`},
		{`not hunter2`, `"not ***"`},
		{`not JSON`, `not JSON`},
		{``, ``},
	} {
		if got := scrubber.JSON(json.RawMessage(test.data)); string(got) != test.want {
			t.Errorf("%s became %s, want %s", test.data, got, test.want)
		}
		if finds := scrubber.Finds(json.RawMessage(test.data)); finds != (test.data != test.want) {
			t.Errorf("%s: Finds is %t", test.data, finds)
		}
	}
}

func TestWithoutSecretsNothingChanges(t *testing.T) {
	for _, values := range [][]string{nil, {""}} {
		scrubber := secret.NewScrubber(values)
		if scrubber != nil || scrubber.Text("text") != "text" || string(scrubber.JSON(json.RawMessage(`{"a":1}`))) != `{"a":1}` || scrubber.Finds(json.RawMessage(`"a"`)) {
			t.Errorf("%q: something is hidden", values)
		}
	}
}

func TestNoWayToWriteASecretGetsThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringN(6, 60, -1).Filter(func(s string) bool {
			return strings.TrimSpace(s) == s && json.Valid([]byte(fmt.Sprintf("%q", s)))
		}).Draw(t, "value")
		around := rapid.StringMatching(`[a-z ]{0,7}`)
		before, after := around.Draw(t, "before"), around.Draw(t, "after")
		text := before + value + after
		scrubber := secret.NewScrubber([]string{value})
		inJSON, err := json.Marshal(map[string]any{"deep": []string{text}})
		if err != nil {
			t.Fatal(err)
		}
		for way, written := range map[string]string{
			"as it is": text, "JSON": string(inJSON), "query": url.QueryEscape(text), "path": url.PathEscape(text),
		} {
			scrubbed := scrubber.Text(written)
			if !strings.Contains(scrubbed, secret.Mask) || strings.Contains(scrubbed, value) {
				t.Fatalf("%s: %q became %q", way, written, scrubbed)
			}
		}
		scrubbed := scrubber.JSON(inJSON)
		if !json.Valid(scrubbed) || !bytes.Contains(scrubbed, []byte(secret.Mask)) {
			t.Fatalf("%s became %s", inJSON, scrubbed)
		}
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
			encoded := encoding.EncodeToString([]byte(text))
			if len(value) < 10 {
				encoded = encoding.EncodeToString([]byte(value))
			}
			if scrubbed := scrubber.Text(encoded); !strings.Contains(scrubbed, secret.Mask) {
				t.Fatalf("base64: %q stays", encoded)
			}
		}
	})
}

func FuzzScrubbedJSONStaysJSON(f *testing.F) {
	f.Add("hunter2", `{"a":"hunter2","b":[1,"\u0068unter2",-1.5e3]}`)
	f.Add("1234", `{"1234":1234}`)
	f.Fuzz(func(t *testing.T, value, data string) {
		scrubbed := secret.NewScrubber([]string{value}).JSON(json.RawMessage(data))
		if json.Valid([]byte(data)) && !json.Valid(scrubbed) {
			t.Errorf("%q became %q", data, scrubbed)
		}
	})
}
