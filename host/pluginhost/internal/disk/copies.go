package disk

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Copies are copies of plugins that nobody else writes, each in a folder
// named by its checksum. What runs, runs from its copy, so that the file it
// was made of may be replaced meanwhile.
type Copies struct {
	dir string
	// mu is held while a copy is made, so that each is made once.
	mu sync.Mutex
}

// unfinished begins the name of a copy that is being made.
const unfinished = ".new-"

// NewCopies makes the folder for copies, and clears away what a host that was
// killed had not finished.
func NewCopies(dir string) (*Copies, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for copies of plugins: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the folder for copies of plugins: %w", err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), unfinished) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("clear the folder for copies of plugins: %w", err)
	}
	return &Copies{dir: dir}, nil
}

var checksumPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Find returns the copy of a checksum, nil where there is none. Its content
// is checked when it is started.
func (c *Copies) Find(checksum string) *Plugin {
	if !checksumPattern.MatchString(checksum) {
		return nil
	}
	dir := filepath.Join(c.dir, checksum)
	list, _ := Search(dir)
	if exists(filepath.Join(dir, ManifestFile)) {
		plugin, err := folder(dir)
		if err != nil {
			return nil
		}
		list = []*Plugin{plugin}
	}
	if len(list) != 1 {
		return nil
	}
	list[0].Checksum = checksum
	return list[0]
}

// Take returns the copy of a plugin whose checksum is known, and makes it
// where there is none. It is ErrChanged where the file is not what it was.
// The content of a copy that is there is not read: that is for Verify, right
// before it is started, so that a start of the host reads no plugin.
func (c *Copies) Take(p *Plugin) (*Plugin, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if kept := c.Find(p.Checksum); kept != nil {
		return kept, nil
	}
	return c.make(p)
}

// Restore makes the copy of a plugin anew if somebody damaged it.
func (c *Copies) Restore(p *Plugin) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if kept := c.Find(p.Checksum); kept != nil {
		if _, err := kept.Verify(); err == nil {
			return nil
		}
	}
	if err := os.RemoveAll(filepath.Join(c.dir, p.Checksum)); err != nil {
		return fmt.Errorf("remove a damaged copy: %w", err)
	}
	_, err := c.make(p)
	return err
}

func (c *Copies) make(p *Plugin) (*Plugin, error) {
	made, err := os.MkdirTemp(c.dir, unfinished)
	if err != nil {
		return nil, fmt.Errorf("copy the plugin: %w", err)
	}
	if err = c.fill(p, made); err == nil {
		err = os.Rename(made, filepath.Join(c.dir, p.Checksum))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("copy the plugin: %w", err), os.RemoveAll(made))
	}
	kept := c.Find(p.Checksum)
	if kept == nil {
		return nil, errors.New("copy the plugin: the copy can't be read back")
	}
	if _, err := kept.Verify(); err != nil {
		return nil, fmt.Errorf("copy the plugin: %w", err)
	}
	return kept, nil
}

// fill copies a plugin's files, and holds what it copied against the
// checksum.
func (c *Copies) fill(p *Plugin, to string) error {
	sum := sha256.New()
	if !p.IsFolder {
		name := filepath.Base(p.Path)
		if !strings.HasPrefix(name, FilePrefix) {
			name = FilePrefix + name
		}
		if err := copyFile(p.Path, filepath.Join(to, name), 0o700, sum); err != nil {
			return err
		}
	} else if err := fillFolder(p, to, sum); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != p.Checksum {
		return p.changed()
	}
	return nil
}

func fillFolder(p *Plugin, to string, sum io.Writer) error {
	files, err := folderFiles(p.Path)
	if err != nil {
		return err
	}
	for _, file := range files {
		target := filepath.Join(to, filepath.FromSlash(file.name))
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		if file.link != "" {
			err = errors.Join(file.hash(sum), os.Symlink(file.link, target))
		} else {
			fmt.Fprintf(sum, "%q %d\n", file.name, file.info.Size())
			err = copyFile(file.path, target, file.info.Mode().Perm()&0o700|0o400, sum)
		}
		if err != nil {
			return err
		}
	}
	return linkInstalled(p.Path, to)
}

// linkInstalled leads from a copy to the installed packages, which are too
// many to copy and not part of the checksum.
func linkInstalled(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !installed(entry.Name()) {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if err := errors.Join(os.MkdirAll(filepath.Dir(target), 0o700), os.Symlink(path, target)); err != nil { //nolint:gosec // Both folders are the host's own.
			return err
		}
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
}

func copyFile(from, to string, mode fs.FileMode, sum io.Writer) (err error) {
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	return readFile(from, io.MultiWriter(target, sum))
}

// Sweep removes the copies that nobody names and that were not started for
// some time.
func (c *Copies) Sweep(keep map[string]bool, olderThan time.Time) error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("read the copies of plugins: %w", err)
	}
	var failures []error
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || keep[entry.Name()] || !checksumPattern.MatchString(entry.Name()) || info.ModTime().After(olderThan) {
			continue
		}
		failures = append(failures, os.RemoveAll(filepath.Join(c.dir, entry.Name())))
	}
	return errors.Join(failures...)
}

// Touch notes that a copy was started, so that Sweep leaves it for a while.
func (c *Copies) Touch(checksum string) {
	if checksumPattern.MatchString(checksum) {
		now := time.Now()
		// A copy that keeps its old time is only swept earlier.
		_ = os.Chtimes(filepath.Join(c.dir, checksum), now, now)
	}
}
