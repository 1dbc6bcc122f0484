// Package ui embeds what browsers load: the server's few pages, their style
// and scripts, and the assets that `npm run build` leaves in dist.
//
// It serves nothing and knows no route; package host/pages does. Building Go
// needs no Node: where dist was never built, Dist is empty and the pages say
// how to build it.
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
