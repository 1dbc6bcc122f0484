package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

type packConfig struct {
	Paths   []string `json:"paths" title:"Paths" description:"Files, folders or patterns." required:"true" min_items:"1" max_items:"100" example:"[\"dist/**\"]"`
	Exclude []string `json:"exclude" title:"Exclude" description:"What to leave out." max_items:"100" example:"[\"**/*.map\"]"`
	To      string   `json:"to" title:"Archive" description:"The archive's name; its ending (.zip, .tar, .tar.gz, .tgz) says the format." required:"true" min_length:"1" example:"release.tar.gz"`
	Base    string   `json:"base" title:"Base folder" description:"The folder that names in the archive begin in." default:"." example:"dist"`
	Prefix  string   `json:"prefix" title:"Prefix" description:"A folder that all names in the archive are put below." example:"app-1.2.3"`
	MaxSize int64    `json:"max_size" title:"Maximum size" description:"More than this, in bytes and before compression, is refused." default:"1073741824" minimum:"1"`
	KeepConfig
}

type packOutput struct {
	Path   string `json:"path" title:"Archive" description:"The archive."`
	Size   int64  `json:"size" title:"Size" description:"Its size in bytes."`
	SHA256 string `json:"sha256" title:"SHA-256" description:"Its checksum in hex."`
	Files  int    `json:"files" title:"Files" description:"How many files are in it."`
	Bytes  int64  `json:"bytes" title:"Content" description:"Their size together, in bytes."`
}

type packer struct{ undoer }

const (
	formatZip   = "zip"
	formatTar   = "tar"
	formatTarGz = "tar.gz"
)

// formatOf goes by a name's ending; "" is none that we know.
func formatOf(name string) string {
	name = strings.ToLower(name)
	switch {
	case strings.HasSuffix(name, ".zip"):
		return formatZip
	case strings.HasSuffix(name, ".tar"):
		return formatTar
	case strings.HasSuffix(name, ".tar.gz"), strings.HasSuffix(name, ".tgz"):
		return formatTarGz
	}
	return ""
}

// contents lists what goes into the archive.
func (c packConfig) contents(ctx context.Context, step *pluginsdk.Step) ([]foundFile, error) {
	if err := errors.Join(checkPath("/to", c.To), checkPath("/base", c.Base)); err != nil {
		return nil, err
	}
	if formatOf(c.To) == "" {
		return nil, pluginsdk.Invalid("/to", fmt.Sprintf("the ending of %q says no format; use .zip, .tar, .tar.gz or .tgz", c.To))
	}
	if c.Prefix != "" {
		if err := checkPath("/prefix", c.Prefix); err != nil {
			return nil, err
		}
	}
	found, err := find(ctx, step, "/paths", c.Paths, append([]string{escapePattern(c.To)}, c.Exclude...))
	if err != nil {
		return nil, err
	}
	var total int64
	for _, f := range found {
		if !isWithin(f.path, c.Base) {
			return nil, pluginsdk.Invalid("/base", fmt.Sprintf("%s is not in the base folder %s", f.path, c.Base))
		}
		total += f.size
	}
	switch {
	case len(found) == 0:
		return nil, pluginsdk.Errorf("no file matches %s", strings.Join(c.Paths, ", "))
	case total > c.MaxSize:
		return nil, pluginsdk.Errorf("the files have %d bytes, more than the %d allowed", total, c.MaxSize)
	}
	return found, nil
}

// Plan says what is packed.
func (packer) Plan(ctx context.Context, step *pluginsdk.Step, config packConfig) ([]pluginsdk.PlannedEffect, error) {
	found, err := config.contents(ctx, step)
	if err != nil {
		return nil, err
	}
	return []pluginsdk.PlannedEffect{{
		Action: createOrUpdate(step, config.To), Target: config.To, Summary: fmt.Sprintf("pack %d files", len(found)), Known: true,
	}}, nil
}

// Execute packs the files in order, with one time for all, so that the same
// files give the same archive.
func (packer) Execute(ctx context.Context, step *pluginsdk.Step, config packConfig) (packOutput, error) {
	output := packOutput{Path: config.To}
	found, err := config.contents(ctx, step)
	if err != nil {
		return output, err
	}
	k, err := newKeeper(step, config.KeepConfig)
	if err != nil {
		return output, err
	}
	reading, writing := io.Pipe()
	packed := make(chan struct{})
	go func() {
		defer close(packed)
		writing.CloseWithError(config.pack(ctx, step, found, writing))
	}()
	w, err := k.write(ctx, config.To, reading, 0)
	// Where the writing failed, the packing must end too.
	closeErr := reading.Close()
	<-packed
	if err := errors.Join(err, closeErr); err != nil {
		return output, err
	}
	output.Size, output.SHA256, output.Files = w.size, w.sum, len(found)
	for _, f := range found {
		output.Bytes += f.size
	}
	step.Log.Info("packed "+config.To, "files", output.Files, "bytes", output.Size)
	return output, step.Artifact(pluginsdk.Artifact{Path: config.To, Size: w.size, SHA256: w.sum})
}

// packTime is the time of every entry: the first that a zip can tell.
var packTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func (c packConfig) pack(ctx context.Context, step *pluginsdk.Step, found []foundFile, target io.Writer) error {
	var add func(f foundFile, name string) (io.Writer, error)
	var end func() error
	if formatOf(c.To) == formatZip {
		archive := zip.NewWriter(target)
		end = archive.Close
		add = func(f foundFile, name string) (io.Writer, error) {
			header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: packTime}
			header.SetMode(f.mode.Perm())
			return archive.CreateHeader(header)
		}
	} else {
		var compressed *gzip.Writer
		if formatOf(c.To) == formatTarGz {
			compressed = gzip.NewWriter(target)
			target = compressed
		}
		archive := tar.NewWriter(target)
		end = func() error {
			err := archive.Close()
			if compressed != nil {
				err = errors.Join(err, compressed.Close())
			}
			return err
		}
		add = func(f foundFile, name string) (io.Writer, error) {
			header := &tar.Header{Name: name, Typeflag: tar.TypeReg, Size: f.size, Mode: int64(f.mode.Perm()), ModTime: packTime, Format: tar.FormatPAX}
			return archive, archive.WriteHeader(header)
		}
	}
	for i, f := range found {
		name := path.Join(c.Prefix, strings.TrimPrefix(strings.TrimPrefix(f.path, path.Clean(c.Base)), "/"))
		entry, err := add(f, name)
		if err != nil {
			return fmt.Errorf("pack %s: %w", f.path, err)
		}
		file, err := step.Workspace.Open(f.path)
		if err != nil {
			return fmt.Errorf("pack %s: %w", f.path, err)
		}
		_, err = io.Copy(entry, &reading{ctx, file})
		if err := errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("pack %s: %w", f.path, err)
		}
		step.Progress(100*float64(i+1)/float64(len(found)), f.path)
	}
	return end()
}
