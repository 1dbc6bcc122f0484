// Command zones packs the time zones of the Go release in use into the file
// that package timezone embeds: zones SOURCE.zip TARGET.tar.gz
package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: zones SOURCE.zip TARGET.tar.gz")
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "pack the time zones: %v\n", err)
		os.Exit(1)
	}
}

// pack writes the same bytes for the same zones.
func pack(source, target string) (err error) {
	from, err := zip.OpenReader(source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	slices.SortFunc(from.File, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	var packed bytes.Buffer
	compressed, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(compressed)
	for _, file := range from.File {
		if file.FileInfo().IsDir() {
			continue
		}
		if err := copyZone(archive, file); err != nil {
			return fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	if err := compressed.Close(); err != nil {
		return err
	}
	return os.WriteFile(target, packed.Bytes(), 0o644) //nolint:gosec // It is a source file.
}

func copyZone(archive *tar.Writer, file *zip.File) (err error) {
	opened, err := file.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	data, err := io.ReadAll(opened)
	if err != nil {
		return err
	}
	if err := archive.WriteHeader(&tar.Header{Name: file.Name, Mode: 0o644, Size: int64(len(data))}); err != nil {
		return err
	}
	_, err = archive.Write(data)
	return err
}
