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
		if err != nil || !found || asset.Gzip != takes || asset.ContentType != "text/javascript; charset=utf-8" {
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
