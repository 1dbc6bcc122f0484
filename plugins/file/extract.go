package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

type unpackConfig struct {
	Path      string  `json:"path" title:"Archive" description:"The archive: a zip, tar or tar.gz." required:"true" min_length:"1" example:"release.tar.gz"`
	To        string  `json:"to" title:"Folder" description:"The folder to unpack into." default:"." example:"unpacked"`
	Strip     int     `json:"strip_components" title:"Strip components" description:"How many leading folders of each name to leave out." default:"0" minimum:"0" maximum:"20"`
	Overwrite bool    `json:"overwrite" title:"Replace" description:"Replace files that are there; off, the step fails." default:"true"`
	MaxFiles  int     `json:"max_files" title:"Maximum files" description:"An archive with more entries is refused." default:"10000" minimum:"1" maximum:"1000000"`
	MaxSize   int64   `json:"max_size" title:"Maximum size" description:"An archive with more content, in bytes, is refused." default:"1073741824" minimum:"1"`
	MaxRatio  float64 `json:"max_ratio" title:"Maximum ratio" description:"An archive whose content is so many times its own size is refused, once it has more than 1 MiB." default:"200" minimum:"1"`
	KeepConfig
}

type unpackOutput struct {
	Files []string `json:"files" title:"Files" description:"What was unpacked, at most 10,000 names."`
	Count int      `json:"count" title:"Count" description:"How many files that were."`
	Bytes int64    `json:"bytes" title:"Size" description:"Their size together, in bytes."`
}

type unpacker struct{ undoer }

// entry is one file or folder of an archive.
type entry struct {
	name     string // with slashes, as the archive has it
	isFolder bool
	mode     fs.FileMode
}

// errRefused is in every error about what an archive holds.
var errRefused = errors.New("the archive is refused")

func refusef(format string, args ...any) error {
	return pluginsdk.Permanent(fmt.Errorf("%w: %s", errRefused, fmt.Sprintf(format, args...))).WithCode("ARCHIVE_REFUSED")
}

// archive is an open archive that can be walked several times.
type archive struct {
	file *os.File
	size int64
	kind string
}

func (c unpackConfig) open(step *pluginsdk.Step) (*archive, error) {
	if err := errors.Join(checkPath("/path", c.Path), checkPath("/to", c.To)); err != nil {
		return nil, err
	}
	info, err := step.Workspace.Stat(c.Path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, pluginsdk.Invalid("/path", fmt.Sprintf("the archive %q is not there, or not a file of the workspace", c.Path))
	}
	file, err := step.Workspace.Open(c.Path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", c.Path, err)
	}
	a := &archive{file: file, size: info.Size(), kind: formatTar}
	head := make([]byte, 4)
	n, err := file.ReadAt(head, 0)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, errors.Join(fmt.Errorf("read %s: %w", c.Path, err), file.Close())
	case bytes.HasPrefix(head[:n], []byte("PK")):
		a.kind = formatZip
	case bytes.HasPrefix(head[:n], []byte{0x1f, 0x8b}):
		a.kind = formatTarGz
	}
	return a, nil
}

// walk calls visit for each entry in order; content is nil for a folder. Only
// files and folders pass.
func (a *archive) walk(visit func(e entry, content io.Reader) error) error {
	if a.kind == formatZip {
		return a.walkZip(visit)
	}
	if _, err := a.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	var source io.Reader = a.file
	if a.kind == formatTarGz {
		unpacked, err := gzip.NewReader(a.file)
		if err != nil {
			return refusef("it can't be read: %v", err)
		}
		source = unpacked
	}
	for unpacked := tar.NewReader(source); ; {
		header, err := unpacked.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return refusef("it can't be read: %v", err)
		}
		e := entry{name: header.Name, mode: header.FileInfo().Mode(), isFolder: header.Typeflag == tar.TypeDir}
		switch header.Typeflag {
		case tar.TypeReg, tar.TypeDir:
		case tar.TypeXGlobalHeader:
			continue
		case tar.TypeSymlink, tar.TypeLink:
			return refusef("%q is a link", cut(e.name))
		default:
			return refusef("%q is neither a file nor a folder", cut(e.name))
		}
		if err := visit(e, unpacked); err != nil {
			return err
		}
	}
}

func (a *archive) walkZip(visit func(e entry, content io.Reader) error) error {
	unpacked, err := zip.NewReader(a.file, a.size)
	if err != nil {
		return refusef("it can't be read: %v", err)
	}
	for _, file := range unpacked.File {
		e := entry{name: file.Name, mode: file.Mode(), isFolder: file.Mode().IsDir()}
		switch {
		case file.Mode()&fs.ModeSymlink != 0:
			return refusef("%q is a link", cut(e.name))
		case !e.isFolder && !file.Mode().IsRegular() && file.Mode()&fs.ModeType != 0:
			return refusef("%q is neither a file nor a folder", cut(e.name))
		}
		content, err := file.Open()
		if err != nil {
			return refusef("%q can't be read: %v", cut(e.name), err)
		}
		if err := errors.Join(visit(e, content), content.Close()); err != nil {
			return err
		}
	}
	return nil
}

func cut(name string) string {
	if len(name) > 200 {
		return strings.ToValidUTF8(name[:200], "") + "…"
	}
	return name
}

// target is where an entry goes, "" for one whose name is stripped away.
func (c unpackConfig) target(e entry) (string, error) {
	name := e.name
	if e.isFolder {
		name = strings.TrimSuffix(name, "/")
	}
	name = strings.TrimPrefix(name, "./")
	if name == "." || name == "" {
		if e.isFolder {
			return "", nil
		}
		return "", refusef("an entry has no name")
	}
	if err := checkPath("", name); err != nil {
		return "", refusef("%v", err)
	}
	if e.mode&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0 {
		return "", refusef("%q has special rights (set-user, set-group or sticky)", cut(e.name))
	}
	parts := strings.Split(path.Clean(name), "/")
	if len(parts) <= c.Strip {
		return "", nil
	}
	target := path.Join(append([]string{c.To}, parts[c.Strip:]...)...)
	return target, checkPath("/to", target)
}

// check reads the whole archive without writing, and holds it against the
// limits.
func (c unpackConfig) check(ctx context.Context, step *pluginsdk.Step, a *archive) (files []string, total int64, err error) {
	seen := map[string]bool{} // by the name in lower case: whether it is a folder
	entries := 0
	err = a.walk(func(e entry, content io.Reader) error {
		if entries++; entries > c.MaxFiles {
			return refusef("it has more than %d entries", c.MaxFiles)
		}
		target, err := c.target(e)
		if err != nil {
			return err
		}
		key := strings.ToLower(target)
		wasFolder, isKnown := seen[key]
		switch {
		case target != "" && isKnown && !(wasFolder && e.isFolder):
			return refusef("%q comes twice, or differs from another name only in case", cut(e.name))
		case target != "":
			for folder := path.Dir(key); folder != "."; folder = path.Dir(folder) {
				if isFolder, ok := seen[folder]; ok && !isFolder {
					return refusef("%q is below a file", cut(e.name))
				}
				seen[folder] = true
			}
			seen[key] = e.isFolder
		}
		if e.isFolder {
			return nil
		}
		limit := c.MaxSize - total
		if ratio := int64(c.MaxRatio * float64(a.size)); ratio > 1<<20 || c.MaxSize > 1<<20 {
			limit = min(limit, max(ratio, 1<<20)-total)
		}
		size, err := io.Copy(io.Discard, io.LimitReader(&reading{ctx, content}, limit+1))
		total += size
		switch {
		case err != nil && ctx.Err() == nil:
			return refusef("%q can't be read: %v", cut(e.name), err)
		case err != nil:
			return err
		case size > limit && total > c.MaxSize:
			return refusef("its content has more than %d bytes", c.MaxSize)
		case size > limit:
			return refusef("its content is more than %g times its own size", c.MaxRatio)
		case target == "":
			return nil
		}
		files = append(files, target)
		if !c.Overwrite {
			if isThere, err := step.Workspace.Exists(target); err == nil && isThere {
				return pluginsdk.Errorf("%s is there already", target).WithCode("FILE_EXISTS")
			}
		}
		return nil
	})
	return files, total, err
}

// Plan checks the archive and says what is unpacked.
func (unpacker) Plan(ctx context.Context, step *pluginsdk.Step, config unpackConfig) ([]pluginsdk.PlannedEffect, error) {
	a, err := config.open(step)
	if err != nil {
		return nil, err
	}
	files, _, err := config.check(ctx, step, a)
	if err := errors.Join(err, a.file.Close()); err != nil {
		return nil, err
	}
	effects := []pluginsdk.PlannedEffect{}
	for _, name := range files[:min(len(files), maxPlanned)] {
		effects = append(effects, pluginsdk.PlannedEffect{Action: createOrUpdate(step, name), Target: name, Summary: "unpack from " + config.Path, Known: true})
	}
	return effects, nil
}

// Execute checks the archive, and then unpacks it.
func (unpacker) Execute(ctx context.Context, step *pluginsdk.Step, config unpackConfig) (output unpackOutput, err error) {
	output.Files = []string{}
	a, err := config.open(step)
	if err != nil {
		return output, err
	}
	defer func() { err = errors.Join(err, a.file.Close()) }()
	k, err := newKeeper(step, config.KeepConfig)
	if err != nil {
		return output, err
	}
	again := config
	// An earlier attempt may have unpacked a part.
	again.Overwrite = config.Overwrite || len(k.traces) > 0
	files, total, err := again.check(ctx, step, a)
	if err != nil {
		return output, err
	}
	left := total
	err = a.walk(func(e entry, content io.Reader) error {
		target, err := config.target(e)
		if err != nil || target == "" {
			return err
		}
		if e.isFolder {
			return k.makeFolder(target)
		}
		mode := fs.FileMode(0o644)
		if e.mode&0o100 != 0 {
			mode = 0o755
		}
		// The file may have been changed since it was checked.
		w, err := k.write(ctx, target, io.LimitReader(content, left+1), mode)
		if left -= w.size; err == nil && left < 0 {
			return refusef("it changed while it was unpacked")
		}
		step.Progress(100*float64(total-left)/float64(max(total, 1)), target)
		return err
	})
	if err != nil {
		return output, err
	}
	output.Files, output.Count, output.Bytes = append(output.Files, files[:min(len(files), 10_000)]...), len(files), total
	step.Log.Info("unpacked "+config.Path, "files", output.Count, "bytes", output.Bytes)
	return output, nil
}
