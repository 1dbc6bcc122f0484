// Package ui embeds what browsers load: the designer and dashboard that
// `npm run build` leaves in dist, and the server's few own pages with their
// style and scripts.
//
// It serves nothing and knows no route; package host/pages does. Building Go
// needs no Node: where dist was never built, App and Docs are empty and the
// server says how to build them.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed pages static
var own embed.FS

// Pages returns the templates of the server-rendered pages.
func Pages() fs.FS { return below(own, "pages") }

// Static returns style and scripts of those pages.
func Static() fs.FS { return below(own, "static") }

// below can't fail: the folders are named in the embed directives.
func below(files fs.FS, folder string) fs.FS {
	sub, err := fs.Sub(files, folder)
	if err != nil {
		return embed.FS{}
	}
	return sub
}
