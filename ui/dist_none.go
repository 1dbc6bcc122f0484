//go:build noui

package ui

import (
	"embed"
	"io/fs"
)

// App returns nothing: this build leaves the pages out.
func App() fs.FS { return embed.FS{} }

// Docs returns nothing: this build leaves the assets of the API's page out.
func Docs() fs.FS { return embed.FS{} }
