package pages

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/vwmp/vwmp/ui"
)

// WebAssetBase is the path below which the designer's and dashboard's assets
// are served. Their names carry a hash of what is in them.
const WebAssetBase = "/vwmp/assets/"

// noncePlace is where the built page wants the nonce of each answer; see
// ui/vite.config.ts.
const noncePlace = "__CSP_NONCE__"

// App is the built designer and dashboard. Its methods may be called from
// several goroutines.
type App struct {
	files fs.FS
	index func() ([][]byte, error)
}

// NewApp returns the pages of this build. They are looked at when they are
// first asked for.
func NewApp() *App { return newApp(ui.App()) }

func newApp(files fs.FS) *App {
	return &App{files: files, index: sync.OnceValues(func() ([][]byte, error) {
		page, err := fs.ReadFile(files, "index.html")
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the built page: %w", err)
		}
		return bytes.Split(page, []byte(noncePlace)), nil
	})}
}

// Page returns the one page that draws all of the designer and dashboard, with
// this nonce in it; built is false where the build has none.
func (a *App) Page(nonce string) (page []byte, built bool, err error) {
	parts, err := a.index()
	if err != nil || parts == nil {
		return nil, false, err
	}
	return bytes.Join(parts, []byte(nonce)), true, nil
}

// Open reads an asset by its name, in the first of the encodings ("br",
// "gzip") that it is kept in, and unpacked where there is none.
func (a *App) Open(name string, encodings []string) (asset Asset, found bool, err error) {
	if !fs.ValidPath(name) || strings.Contains(name, "/") {
		return Asset{}, false, nil
	}
	asset.ContentType = contentType(name)
	name = "assets/" + name
	for _, encoding := range append(encodings, "") {
		asset.Encoding = encoding
		if asset.Body, found, err = a.read(name + suffixes[encoding]); err != nil || found {
			return asset, found, err
		}
	}
	packed, found, err := a.read(name + suffixes["gzip"])
	if err != nil || !found {
		return Asset{}, false, err
	}
	if asset.Body, err = unpack(packed); err != nil {
		return Asset{}, false, fmt.Errorf("unpack the asset %s: %w", name, err)
	}
	return asset, true, nil
}

var suffixes = map[string]string{"br": ".br", "gzip": ".gz"}

func (a *App) read(name string) (content []byte, found bool, err error) {
	content, err = fs.ReadFile(a.files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", name, err)
	}
	return content, true, nil
}
