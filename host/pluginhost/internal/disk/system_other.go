//go:build !linux

package disk

import (
	"fmt"
	"io/fs"
)

func fileKey(path string, info fs.FileInfo) string {
	return fmt.Sprintf("%s|%d|%d", path, info.Size(), info.ModTime().UnixNano())
}
