//go:build !noui

package ui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var built embed.FS

// Dist returns the built assets, each as NAME.gz beside plain texts.
func Dist() fs.FS { return below(built, "dist") }
