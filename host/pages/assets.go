package pages

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/vwmp/vwmp/ui"
)

// AssetBase is the path below which assets are served. Their names carry a
// hash of what is in them, so that they may be kept for ever.
const AssetBase = "/assets/"

// maxAsset bounds what is unpacked for a client that takes no gzip.
const maxAsset = 16 << 20

// Asset is one file for browsers.
type Asset struct {
	ContentType string
	Body        []byte
	// Encoding is how Body is packed: "br", "gzip", or nothing.
	Encoding string
}

// Assets finds the files of the plain pages by their hashed names. The files are
// looked at when they are first asked for, so that starting costs nothing.
type Assets struct {
	static, dist fs.FS
	index        func() (assetIndex, error)
}

type assetFile struct {
	files  fs.FS
	name   string
	packed bool
}

type assetIndex struct {
	// hashed maps a file's own name to its hashed one, and files that one
	// to where it is.
	hashed map[string]string
	files  map[string]assetFile
}

// NewAssets returns the assets of this build.
func NewAssets() *Assets { return newAssets(ui.Static(), ui.Docs()) }

func newAssets(static, dist fs.FS) *Assets {
	a := &Assets{static: static, dist: dist}
	a.index = sync.OnceValues(a.read)
	return a
}

func (a *Assets) read() (assetIndex, error) {
	index := assetIndex{hashed: map[string]string{}, files: map[string]assetFile{}}
	for _, files := range []fs.FS{a.static, a.dist} {
		entries, err := fs.ReadDir(files, ".")
		if err != nil {
			// A build without dist has no such folder.
			continue
		}
		for _, entry := range entries {
			if entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
				continue
			}
			content, err := fs.ReadFile(files, entry.Name())
			if err != nil {
				return assetIndex{}, fmt.Errorf("read the asset %s: %w", entry.Name(), err)
			}
			name, packed := strings.CutSuffix(entry.Name(), ".gz")
			sum := sha256.Sum256(content)
			extension := path.Ext(name)
			hashed := strings.TrimSuffix(name, extension) + "." + hex.EncodeToString(sum[:6]) + extension
			index.hashed[name] = hashed
			index.files[hashed] = assetFile{files: files, name: entry.Name(), packed: packed}
		}
	}
	return index, nil
}

// Has reports whether the build has the asset of that plain name.
func (a *Assets) Has(name string) bool {
	index, err := a.index()
	return err == nil && index.hashed[name] != ""
}

// Path returns the address of an asset by its plain name.
func (a *Assets) Path(name string) (string, error) {
	index, err := a.index()
	if err != nil {
		return "", err
	}
	hashed, found := index.hashed[name]
	if !found {
		return "", fmt.Errorf("there is no asset %q in this build", name)
	}
	return AssetBase + hashed, nil
}

// Open reads an asset by its hashed name; found is false for an unknown one.
func (a *Assets) Open(hashed string, takesGzip bool) (asset Asset, found bool, err error) {
	index, err := a.index()
	if err != nil {
		return Asset{}, false, err
	}
	file, found := index.files[hashed]
	if !found {
		return Asset{}, false, nil
	}
	body, err := fs.ReadFile(file.files, file.name)
	if err != nil {
		return Asset{}, false, fmt.Errorf("read the asset %s: %w", hashed, err)
	}
	asset = Asset{ContentType: contentType(hashed), Body: body}
	if file.packed && takesGzip {
		asset.Encoding = "gzip"
	} else if file.packed {
		if asset.Body, err = unpack(body); err != nil {
			return Asset{}, false, fmt.Errorf("unpack the asset %s: %w", hashed, err)
		}
	}
	return asset, true, nil
}

func unpack(packed []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }()
	return io.ReadAll(io.LimitReader(reader, maxAsset))
}

// contentType is fixed here: the machine's own table of types must not
// decide what a browser runs.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".woff2":
		return "font/woff2"
	}
	return "application/octet-stream"
}
