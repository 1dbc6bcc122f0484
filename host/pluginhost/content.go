package pluginhost

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
	"strings"
)

// folderFile is one file of a plugin that is a folder.
type folderFile struct {
	path string
	// name is relative to the folder, with slashes.
	name string
	info fs.FileInfo
}

// folderFiles lists what belongs to a plugin that is a folder, in order.
// Installed packages don't.
func folderFiles(dir string) ([]folderFile, error) {
	var files []folderFile
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".venv"):
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files = append(files, folderFile{path, filepath.ToSlash(relative), info})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the plugin's folder: %w", err)
	}
	return files, nil
}

// key names the content without reading it, by what changes with it: inode,
// size and times. It is empty where the system does not tell.
func (f *found) key() (string, error) {
	if !f.isFolder {
		info, err := os.Stat(f.path)
		if err != nil {
			return "", err
		}
		return fileKey(f.path, info), nil
	}
	files, err := folderFiles(f.path)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, file := range files {
		fmt.Fprintf(sum, "%q\n", fileKey(file.path, file.info))
	}
	return f.path + "|" + hex.EncodeToString(sum.Sum(nil)), nil
}

// hash is the SHA-256 of the executable, or of all files of a folder, in hex.
func (f *found) hash() (string, error) {
	sum := sha256.New()
	if !f.isFolder {
		if err := hashFile(sum, f.path); err != nil {
			return "", err
		}
		return hex.EncodeToString(sum.Sum(nil)), nil
	}
	files, err := folderFiles(f.path)
	if err != nil {
		return "", err
	}
	for _, file := range files {
		fmt.Fprintf(sum, "%q %d\n", file.name, file.info.Size())
		if err := hashFile(sum, file.path); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func hashFile(sum io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the plugin: %w", err)
	}
	_, err = io.Copy(sum, file)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("read the plugin: %w", err)
	}
	return nil
}

var errChanged = errors.New("its file has changed since it was found; restart the server to use the new one")

// verify checks the content right before it is started, and returns its key;
// with unchanged after the start, no other content can have been started.
func (f *found) verify() (string, error) {
	before, err := f.key()
	if err != nil {
		return "", err
	}
	checksum, err := f.hash()
	if err != nil {
		return "", err
	}
	if checksum != f.checksum {
		return "", errChanged
	}
	return before, nil
}

func (f *found) unchanged(before string) error {
	if after, err := f.key(); err != nil || after != before {
		return errors.Join(errChanged, err)
	}
	return nil
}

// programKind says what a file is by its first bytes, to explain why it does
// not start.
func programKind(path string) string {
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
