// Package archive is the file that a backup is: a tar archive of a data
// folder's files, with a manifest as its last entry, which says what the
// archive is and has the SHA-256 of every byte before it.
//
// An archive is written under another name, read back whole, and renamed: one
// that bears its name is good. The package knows which names a data folder
// has and takes no others; it knows nothing of what the files hold.
package archive

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
	"time"
)

// manifestName is the name of the last entry.
const manifestName = "MANIFEST.json"

// kind tells a backup from other archives.
const kind = "vwmp-backup"

// ErrDamaged: a file that is no backup, or not as it was written.
var ErrDamaged = errors.New("the backup is damaged")

// names are those that an archive may hold. They are compiled when the first
// archive is written or read: most servers never do.
var names = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(INSTANCE|state\.db|secret\.key|admin-token|history/[0-9]{4}-[0-9]{2}\.db` +
		`|logs/[A-Za-z0-9][A-Za-z0-9_-]{0,63}/[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.[0-9]{1,9}\.log` +
		`|blobs/sha256/[0-9a-f]{2}/[0-9a-f]{64})$`)
})

// databases are the names of bbolt files.
var databases = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(state|history/[0-9]{4}-[0-9]{2})\.db$`)
})

// Manifest says what an archive is.
type Manifest struct {
	Kind string `json:"kind"`
	// Format is that of the data folder.
	Format    int       `json:"format"`
	Instance  string    `json:"instance_id"`
	CreatedAt time.Time `json:"created_at"`
	Files     int       `json:"files"`
	// SHA256 is of all bytes before the manifest, in hex.
	SHA256 string `json:"sha256"`
}

// Writer writes one archive.
type Writer struct {
	path  string
	file  *os.File
	tar   *tar.Writer
	sum   hash.Hash
	count int
	ctx   context.Context //nolint:containedctx // It lives for one backup.
}

// Create begins an archive at a path where there is none yet.
func Create(ctx context.Context, path string) (*Writer, error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return nil, fmt.Errorf("make the backup %s: %w", path, err)
	}
	file, err := os.OpenFile(path+".partial", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // Whoever runs the command names the file.
	if err != nil {
		return nil, fmt.Errorf("make the backup: %w", err)
	}
	w := &Writer{path: path, file: file, sum: sha256.New(), ctx: ctx}
	w.tar = tar.NewWriter(w)
	return w, nil
}

// Write implements io.Writer for the archive's own bytes.
func (w *Writer) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.file.Write(p)
	w.sum.Write(p[:n]) //nolint:errcheck // A hash never fails.
	return n, err
}

// Add writes an entry of exactly so many bytes.
func (w *Writer) Add(name string, size int64, write func(to io.Writer) error) error {
	if !names().MatchString(name) {
		return fmt.Errorf("a backup holds no file %q", name)
	}
	if err := w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: size}); err != nil {
		return fmt.Errorf("write %s to the backup: %w", name, err)
	}
	err := write(w.tar)
	if err == nil {
		err = w.tar.Flush()
	}
	if err != nil {
		return fmt.Errorf("write %s to the backup: %w", name, err)
	}
	w.count++
	return nil
}

// AddFile copies a file of a folder as long as it is now: it may grow
// meanwhile. One that is not there is left out.
func (w *Writer) AddFile(root *os.Root, name string) error {
	file, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s for the backup: %w", name, err)
	}
	defer file.Close() //nolint:errcheck // Only read.
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("read %s for the backup: %w", name, err)
	}
	return w.Add(name, info.Size(), func(to io.Writer) error {
		_, err := io.CopyN(to, file, info.Size())
		return err
	})
}

// Finish writes the manifest, makes the archive durable, passes it to check,
// and gives it its name. It returns the archive's size in bytes.
func (w *Writer) Finish(m Manifest, check func(file *os.File) error) (size int64, err error) {
	m.Kind, m.Files, m.SHA256 = kind, w.count, hex.EncodeToString(w.sum.Sum(nil))
	raw, err := json.Marshal(m)
	if err == nil {
		err = w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: manifestName, Mode: 0o600, Size: int64(len(raw))})
	}
	if err == nil {
		_, err = w.tar.Write(raw)
	}
	if err == nil {
		err = w.tar.Close()
	}
	if err == nil {
		err = w.file.Sync()
	}
	if err == nil {
		err = check(w.file)
	}
	if err == nil {
		size, err = w.file.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return 0, errors.Join(fmt.Errorf("finish the backup: %w", err), w.Abandon())
	}
	if err := w.file.Close(); err != nil {
		return 0, errors.Join(err, os.Remove(w.path+".partial"))
	}
	// A link, not a rename: whoever made a file of that name meanwhile
	// keeps it.
	if err := os.Link(w.path+".partial", w.path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return 0, errors.Join(fmt.Errorf("finish the backup: %w", err), os.Remove(w.path+".partial"))
		}
		// Not every file system has links.
		if err := os.Rename(w.path+".partial", w.path); err != nil {
			return 0, fmt.Errorf("finish the backup: %w", err)
		}
		return size, syncDir(filepath.Dir(w.path))
	}
	return size, errors.Join(os.Remove(w.path+".partial"), syncDir(filepath.Dir(w.path)))
}

// Abandon takes away what was written.
func (w *Writer) Abandon() error {
	return errors.Join(w.file.Close(), os.Remove(w.path+".partial"))
}

func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // Windows syncs no folders.
	}
	dir, err := os.Open(path) //nolint:gosec // It is the folder of a file that the caller names.
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Known reports whether a name is one that an archive may hold.
func Known(name string) bool { return names().MatchString(name) }
