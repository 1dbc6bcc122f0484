//go:build !noui

package ui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var built embed.FS

// App returns the built pages: index.html, and below assets what it loads,
// texts as NAME.br and NAME.gz only. It is empty where they were never built.
func App() fs.FS { return below(built, "dist/app") }

// Docs returns the assets of the API's page, texts as NAME.gz only.
func Docs() fs.FS { return below(built, "dist/docs") }
