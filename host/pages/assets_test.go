package pages

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
	"testing/fstest"
)

func TestAPackedAssetIsUnpackedForWhoTakesNoGzip(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte("let a = 1;")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	assets := newAssets(fstest.MapFS{}, fstest.MapFS{"big.js.gz": {Data: packed.Bytes()}, ".gitkeep": {}, "note.txt": {Data: []byte("n")}})
	path, err := assets.Path("big.js")
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(path, AssetBase)
	for _, takes := range []bool{true, false} {
		asset, found, err := assets.Open(name, takes)
		if err != nil || !found || (asset.Encoding == "gzip") != takes || asset.ContentType != "text/javascript; charset=utf-8" {
			t.Fatalf("takes gzip %v: %+v, %v", takes, asset, err)
		}
		if !takes && string(asset.Body) != "let a = 1;" {
			t.Errorf("unpacked: %q", asset.Body)
		}
	}
	if !assets.Has("note.txt") || assets.Has(".gitkeep") || assets.Has("big.js.gz") {
		t.Error("the wrong files are assets")
	}
}

func TestAnAssetOfTheAppComesAsTheClientTakesIt(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte("let a = 1;")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	app := newApp(fstest.MapFS{
		"index.html":        {Data: []byte(`<script nonce="__CSP_NONCE__"></script><link nonce="__CSP_NONCE__">`)},
		"assets/a-1.js.gz":  {Data: packed.Bytes()},
		"assets/a-1.js.br":  {Data: []byte("brotli")},
		"assets/f-1.woff2":  {Data: []byte("font")},
		"secret/other.json": {Data: []byte("{}")},
	})
	for _, c := range []struct {
		name      string
		encodings []string
		encoding  string
		body      string
	}{
		{"a-1.js", []string{"br", "gzip"}, "br", "brotli"},
		{"a-1.js", []string{"gzip"}, "gzip", packed.String()},
		{"a-1.js", nil, "", "let a = 1;"},
		{"f-1.woff2", []string{"br", "gzip"}, "", "font"},
	} {
		asset, found, err := app.Open(c.name, c.encodings)
		if err != nil || !found || asset.Encoding != c.encoding || string(asset.Body) != c.body {
			t.Errorf("%s as %v: found %v, %q %q, %v", c.name, c.encodings, found, asset.Encoding, asset.Body, err)
		}
	}
	for _, name := range []string{"b.js", "", "..", "../index.html", "a-1.js/", "../secret/other.json"} {
		if _, found, err := app.Open(name, nil); found || err != nil {
			t.Errorf("%q: found %v, %v", name, found, err)
		}
	}
	page, built, err := app.Page("abc")
	if err != nil || !built || string(page) != `<script nonce="abc"></script><link nonce="abc">` {
		t.Errorf("page %q, built %v, %v", page, built, err)
	}
	if _, built, err := newApp(fstest.MapFS{}).Page("abc"); built || err != nil {
		t.Errorf("without a build: built %v, %v", built, err)
	}
}
