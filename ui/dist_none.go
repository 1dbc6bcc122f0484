//go:build noui

package ui

import (
	"embed"
	"io/fs"
)

// Dist returns no assets: this build leaves them out.
func Dist() fs.FS { return embed.FS{} }
