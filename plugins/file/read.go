package main

import (
	"context"
	"crypto/md5"  //nolint:gosec // For checksums that others published, not for trust.
	"crypto/sha1" //nolint:gosec // For checksums that others published, not for trust.
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vwmp/vwmp/pluginsdk"
)

const (
	// maxContent bounds a file that becomes a part of an output, in bytes.
	maxContent = 4 << 20
	// maxFound bounds how many files a pattern may find.
	maxFound = 100_000
)

type readConfig struct {
	Path    string `json:"path" title:"File" description:"The file, relative to the workspace." required:"true" min_length:"1" example:"VERSION"`
	Format  string `json:"format" title:"Format" description:"How to read it." enum:"text,json,base64" default:"text"`
	MaxSize int64  `json:"max_size" title:"Maximum size" description:"A larger file, in bytes, is refused." default:"1048576" minimum:"1" maximum:"4194304"`
}

type readOutput struct {
	Path    string `json:"path" title:"File" description:"The file."`
	Content string `json:"content" title:"Content" description:"What is in it, as text or base64; empty for JSON."`
	JSON    any    `json:"json" title:"JSON" description:"What is in it, as JSON, else null."`
	Size    int64  `json:"size" title:"Size" description:"Its size in bytes."`
	SHA256  string `json:"sha256" title:"SHA-256" description:"Its checksum in hex."`
}

type reader struct{}

// Execute reads the file.
func (reader) Execute(_ context.Context, step *pluginsdk.Step, config readConfig) (readOutput, error) {
	output := readOutput{Path: config.Path}
	data, err := readSmall(step, "/path", config.Path, config.MaxSize)
	if err != nil {
		return output, err
	}
	output.Size, output.SHA256 = int64(len(data)), hexSum(data)
	switch config.Format {
	case "base64":
		output.Content = base64.StdEncoding.EncodeToString(data)
	case "json":
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		decoder.UseNumber()
		if err := decoder.Decode(&output.JSON); err != nil {
			return output, pluginsdk.Errorf("%s is not JSON: %w", config.Path, err)
		}
	default:
		if !utf8.Valid(data) {
			return output, pluginsdk.Errorf("%s is not text in UTF-8; read it as base64", config.Path)
		}
		output.Content = string(data)
	}
	return output, nil
}

// readSmall reads a whole file of at most limit bytes.
func readSmall(step *pluginsdk.Step, pointer, name string, limit int64) ([]byte, error) {
	if err := checkPath(pointer, name); err != nil {
		return nil, err
	}
	info, err := step.Workspace.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, pluginsdk.Invalid(pointer, fmt.Sprintf("the file %q is not there", name))
	case err != nil:
		return nil, pluginsdk.Invalid(pointer, fmt.Sprintf("the file %q can't be read: %v", name, err))
	case !info.Mode().IsRegular():
		return nil, pluginsdk.Invalid(pointer, fmt.Sprintf("%q is not a file", name))
	case info.Size() > limit:
		return nil, pluginsdk.Errorf("%s has %d bytes, more than the %d allowed", name, info.Size(), limit)
	}
	file, err := step.Workspace.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(data)) > limit {
		return nil, pluginsdk.Errorf("%s has more than the %d bytes allowed", name, limit)
	}
	return data, nil
}

type globConfig struct {
	Patterns   []string `json:"patterns" title:"Patterns" description:"What to find: * and ? stand for parts of names, ** for any number of folders." required:"true" min_items:"1" max_items:"100" example:"[\"docs/**/*.md\"]"`
	Exclude    []string `json:"exclude" title:"Exclude" description:"What to leave out." max_items:"100" example:"[\"docs/old/**\"]"`
	FailIfNone bool     `json:"fail_if_none" title:"Fail if there are none" description:"Fail the step where nothing is found."`
}

type globOutput struct {
	Files []string `json:"files" title:"Files" description:"The files, in order; at most 10,000."`
	Count int      `json:"count" title:"Count" description:"How many there are."`
	Bytes int64    `json:"bytes" title:"Size" description:"Their size together, in bytes."`
}

type finder struct{}

// Execute lists the files.
func (finder) Execute(ctx context.Context, step *pluginsdk.Step, config globConfig) (globOutput, error) {
	output := globOutput{Files: []string{}}
	found, err := find(ctx, step, "/patterns", config.Patterns, config.Exclude)
	if err != nil {
		return output, err
	}
	if len(found) == 0 && config.FailIfNone {
		return output, pluginsdk.Errorf("nothing matches %s", strings.Join(config.Patterns, ", "))
	}
	for _, f := range found {
		output.Bytes += f.size
		output.Files = append(output.Files, f.path)
	}
	output.Count = len(found)
	output.Files = output.Files[:min(len(output.Files), 10_000)]
	return output, nil
}

type foundFile struct {
	path string
	size int64
	mode fs.FileMode
}

// find lists the regular files that match one of the patterns and none of the
// exceptions, in order. A pattern without signs that names a folder stands for
// all that is in it.
func find(ctx context.Context, step *pluginsdk.Step, pointer string, patterns, except []string) ([]foundFile, error) {
	include, err := splitPatterns(step, pointer, patterns)
	if err != nil {
		return nil, err
	}
	exclude, err := splitPatterns(step, "/exclude", except)
	if err != nil {
		return nil, err
	}
	var found []foundFile
	err = step.Workspace.Walk(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case entry.IsDir() && (strings.EqualFold(entry.Name(), ".git") || name == keptFolder):
			return fs.SkipDir
		}
		segments := strings.Split(name, "/")
		switch {
		case entry.IsDir() && name != "." && !slices.ContainsFunc(include, func(pattern []string) bool { return leadsInto(pattern, segments) }):
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		matches := func(pattern []string) bool { return matchSegments(pattern, segments) }
		if !slices.ContainsFunc(include, matches) || slices.ContainsFunc(exclude, matches) {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if found = append(found, foundFile{name, info.Size(), info.Mode()}); len(found) > maxFound {
			return pluginsdk.Errorf("more than %d files match", maxFound)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for files: %w", err)
	}
	slices.SortFunc(found, func(a, b foundFile) int { return strings.Compare(a.path, b.path) })
	return found, nil
}

func splitPatterns(step *pluginsdk.Step, pointer string, patterns []string) ([][]string, error) {
	var split [][]string
	for i, pattern := range patterns {
		at := fmt.Sprintf("%s/%d", pointer, i)
		if err := checkPath(at, pattern); err != nil {
			return nil, err
		}
		segments := strings.Split(path.Clean(pattern), "/")
		for _, segment := range segments {
			if _, err := path.Match(segment, ""); err != nil {
				return nil, pluginsdk.Invalid(at, fmt.Sprintf("the pattern %q can't be read: %v", pattern, err))
			}
		}
		if strings.Count(pattern, "**") > 5 {
			return nil, pluginsdk.Invalid(at, fmt.Sprintf("the pattern %q has more than five **", pattern))
		}
		if info, err := step.Workspace.Stat(pattern); err == nil && info.IsDir() {
			segments = append(segments, "**")
		}
		if segments[0] == "." {
			segments = segments[1:]
		}
		split = append(split, segments)
	}
	return split, nil
}

// leadsInto reports whether a file in a folder, or further down, may match a
// pattern: what can't is not looked through.
func leadsInto(pattern, folder []string) bool {
	for i, segment := range folder {
		switch {
		case i >= len(pattern):
			return false
		case pattern[i] == "**":
			return true
		}
		if ok, err := path.Match(pattern[i], segment); err != nil || !ok {
			return false
		}
	}
	return len(folder) < len(pattern)
}

// matchSegments is path.Match with ** for any number of folders.
func matchSegments(pattern, name []string) bool {
	for len(pattern) > 0 && pattern[0] != "**" {
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], name[0]); err != nil || !ok {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	if len(pattern) == 0 {
		return len(name) == 0
	}
	for len(pattern) > 1 && pattern[1] == "**" {
		pattern = pattern[1:]
	}
	if len(pattern) == 1 {
		return len(name) > 0
	}
	for skip := 0; skip <= len(name); skip++ {
		if matchSegments(pattern[1:], name[skip:]) {
			return true
		}
	}
	return false
}

type checksumConfig struct {
	Paths     []string `json:"paths" title:"Files" description:"Files, folders or patterns." required:"true" min_items:"1" max_items:"100" example:"[\"dist/*.tar.gz\"]"`
	Algorithm string   `json:"algorithm" title:"Algorithm" description:"Which checksum." enum:"sha256,sha512,sha1,md5" default:"sha256"`
	Expected  string   `json:"expected" title:"Expected" description:"The checksum that the one file must have; the step fails where it has another." example:"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`
}

type fileSum struct {
	Path     string `json:"path" title:"File" description:"The file."`
	Size     int64  `json:"size" title:"Size" description:"Its size in bytes."`
	Checksum string `json:"checksum" title:"Checksum" description:"Its checksum in hex."`
}

type checksumOutput struct {
	Checksums []fileSum `json:"checksums" title:"Checksums" description:"The files with their checksums, in order."`
	Checksum  string    `json:"checksum" title:"Checksum" description:"That of the file, where there is one only."`
}

type summer struct{}

var algorithms = map[string]func() hash.Hash{"sha256": sha256.New, "sha512": sha512.New, "sha1": sha1.New, "md5": md5.New}

// Execute computes the checksums.
func (summer) Execute(ctx context.Context, step *pluginsdk.Step, config checksumConfig) (checksumOutput, error) {
	output := checksumOutput{Checksums: []fileSum{}}
	found, err := find(ctx, step, "/paths", config.Paths, nil)
	if err != nil {
		return output, err
	}
	switch {
	case len(found) == 0:
		return output, pluginsdk.Errorf("no file matches %s", strings.Join(config.Paths, ", "))
	case len(found) > 10_000:
		return output, pluginsdk.Errorf("%d files match, more than the 10,000 whose checksums can be told", len(found))
	case config.Expected != "" && len(found) > 1:
		return output, pluginsdk.Invalid("/expected", fmt.Sprintf("%d files match; a checksum can be expected of one only", len(found)))
	}
	for i, f := range found {
		file, err := step.Workspace.Open(f.path)
		if err != nil {
			return output, fmt.Errorf("read %s: %w", f.path, err)
		}
		digest := algorithms[config.Algorithm]()
		_, err = io.Copy(digest, &reading{ctx, file})
		if err := errors.Join(err, file.Close()); err != nil {
			return output, fmt.Errorf("read %s: %w", f.path, err)
		}
		output.Checksums = append(output.Checksums, fileSum{f.path, f.size, hex.EncodeToString(digest.Sum(nil))})
		step.Progress(100*float64(i+1)/float64(len(found)), f.path)
	}
	if len(found) == 1 {
		output.Checksum = output.Checksums[0].Checksum
	}
	if config.Expected != "" && !strings.EqualFold(strings.TrimSpace(config.Expected), output.Checksum) {
		return output, pluginsdk.Errorf("%s has the checksum %s, not the expected %s", found[0].path, output.Checksum, config.Expected).WithCode("CHECKSUM_MISMATCH")
	}
	return output, nil
}
