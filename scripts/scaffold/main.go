// Command scaffold packs the example plugins into the archive that
// "vwmp plugin new" writes projects from: go run ./scripts/scaffold.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk/scaffold"
)

func main() {
	if err := pack("pluginsdk/scaffold/projects.tar.gz"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// pack writes the files that git has, always alike.
func pack(target string) error {
	var out bytes.Buffer
	zipped, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(zipped)
	for _, language := range scaffold.Languages() {
		source := scaffold.Sources[language]
		list, err := exec.CommandContext(context.Background(), "git", "ls-files", "--cached", "--others", "--exclude-standard", source).Output()
		if err != nil {
			return fmt.Errorf("list %s: %w", source, err)
		}
		for _, file := range strings.Fields(string(list)) {
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(source, file)
			if err != nil {
				return err
			}
			if err := archive.WriteHeader(&tar.Header{Name: language + "/" + filepath.ToSlash(name), Mode: 0o644, Size: int64(len(content))}); err != nil {
				return err
			}
			if _, err := archive.Write(content); err != nil {
				return err
			}
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	if err := zipped.Close(); err != nil {
		return err
	}
	return os.WriteFile(target, out.Bytes(), 0o600)
}
