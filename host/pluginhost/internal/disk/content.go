package disk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// folderFile is one file of a plugin that is a folder, or a link in it.
type folderFile struct {
	path string
	// name is relative to the folder, with slashes.
	name string
	// link is where a link leads, empty for a file.
	link string
	info fs.FileInfo
}

// installed reports whether a folder holds installed packages: they are not
// the plugin's own.
func installed(name string) bool { return name == "node_modules" || name == ".venv" }

// folderFiles lists what belongs to a plugin that is a folder, in order.
// Installed packages don't.
func folderFiles(dir string) ([]folderFile, error) {
	var files []folderFile
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		isLink := err == nil && entry.Type()&fs.ModeSymlink != 0
		switch {
		case err != nil:
			return err
		case installed(entry.Name()) && entry.IsDir():
			return fs.SkipDir
		case installed(entry.Name()), !entry.Type().IsRegular() && !isLink:
			return nil
		}
		file := folderFile{path: path}
		if file.info, err = entry.Info(); err != nil {
			return err
		}
		if isLink {
			if file.link, err = os.Readlink(path); err != nil {
				return err
			}
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		file.name = filepath.ToSlash(relative)
		files = append(files, file)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the plugin's folder: %w", err)
	}
	return files, nil
}

// Key names the content without reading it, by what changes with it: inode,
// size and times. It is empty where the system does not tell.
func (p *Plugin) Key() (string, error) {
	if !p.IsFolder {
		info, err := os.Stat(p.Path)
		if err != nil {
			return "", err
		}
		return fileKey(p.Path, info), nil
	}
	files, err := folderFiles(p.Path)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, file := range files {
		fmt.Fprintf(sum, "%q\n", fileKey(file.path, file.info))
	}
	return p.Path + "|" + hex.EncodeToString(sum.Sum(nil)), nil
}

// Hash is the SHA-256 of the executable, or of all files of a folder, in hex.
func (p *Plugin) Hash() (string, error) {
	sum := sha256.New()
	if !p.IsFolder {
		if err := readFile(p.Path, sum); err != nil {
			return "", err
		}
		return hex.EncodeToString(sum.Sum(nil)), nil
	}
	files, err := folderFiles(p.Path)
	if err != nil {
		return "", err
	}
	for _, file := range files {
		if err := file.hash(sum); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func (f *folderFile) hash(sum io.Writer) error {
	if f.link != "" {
		_, err := fmt.Fprintf(sum, "%q -> %q\n", f.name, f.link)
		return err
	}
	fmt.Fprintf(sum, "%q %d\n", f.name, f.info.Size())
	return readFile(f.path, sum)
}

func readFile(path string, to io.Writer) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the plugin: %w", err)
	}
	_, err = io.Copy(to, file)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("read the plugin: %w", err)
	}
	return nil
}

// ErrChanged: the file is not the one that was found any more.
var ErrChanged = errors.New("its file has changed since it was found")

// Verify holds the content against the checksum right before it is started,
// and returns its key; with Unchanged after the start, no other content can
// have been started. Content whose key was seen to fit is not read again.
func (p *Plugin) Verify() (string, error) {
	key, err := p.Key()
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if key != "" && key == p.verified {
		return key, nil
	}
	checksum, err := p.Hash()
	if err != nil {
		return "", err
	}
	if checksum != p.Checksum {
		return "", p.changed()
	}
	p.verified = key
	return key, nil
}

// Unchanged is ErrChanged where the content has another key by now.
func (p *Plugin) Unchanged(key string) error {
	if now, err := p.Key(); err != nil || now != key {
		return errors.Join(p.changed(), err)
	}
	return nil
}

// changed is ErrChanged, which for a folder names the file that was written
// last: it may be one that is no part of the plugin, such as its output.
func (p *Plugin) changed() error {
	if !p.IsFolder {
		return ErrChanged
	}
	files, err := folderFiles(p.Path)
	if err != nil || len(files) == 0 {
		return ErrChanged
	}
	last := slices.MaxFunc(files, func(a, b folderFile) int { return a.info.ModTime().Compare(b.info.ModTime()) })
	return fmt.Errorf("%w (in its folder, %s was written last)", ErrChanged, last.name)
}

// ProgramKind says what a file is by its first bytes, to explain why it does
// not start.
func ProgramKind(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	head := make([]byte, 64)
	n, err := io.ReadFull(file, head)
	if closeErr := file.Close(); closeErr != nil || (err != nil && !errors.Is(err, io.ErrUnexpectedEOF)) {
		return "it is empty"
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")) && n >= 20:
		machine, known := map[byte]string{0x03: "386", 0x3e: "amd64", 0xb7: "arm64", 0x28: "arm", 0xf3: "riscv64"}[head[18]]
		if !known {
			machine = "another machine"
		}
		return "it is a linux program for " + machine
	case bytes.HasPrefix(head, []byte("MZ")):
		return "it is a Windows program"
	case bytes.HasPrefix(head, []byte("\xcf\xfa\xed\xfe")):
		return "it is a macOS program"
	case bytes.HasPrefix(head, []byte("#!")):
		line, _, _ := strings.Cut(string(head), "\n")
		return fmt.Sprintf("it is a script of %q", strings.TrimSpace(strings.TrimPrefix(line, "#!")))
	}
	return "its first bytes are those of no program"
}
