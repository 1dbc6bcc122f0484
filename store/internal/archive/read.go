package archive

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"time"

	"github.com/vwmp/vwmp/store/internal/folder"
)

// entry is a file inside an archive.
type entry struct {
	name string
	// at is where its content begins, size how long it is.
	at, size int64
}

// Verify reads an archive from begin to end and passes every bbolt file in it
// to database. Its error is an ErrDamaged for anything that is not as it was
// written.
func Verify(ctx context.Context, file *os.File, database func(content io.ReaderAt, size int64) error) (Manifest, error) {
	m, end, entries, err := list(ctx, file)
	if err != nil {
		return Manifest{}, err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, contextReader{ctx, io.NewSectionReader(file, 0, end)}); err != nil {
		return Manifest{}, fmt.Errorf("read the backup: %w", err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != m.SHA256 {
		return Manifest{}, fmt.Errorf("%w: its content has another checksum than it says", ErrDamaged)
	}
	for _, e := range entries {
		if !databases().MatchString(e.name) {
			continue
		}
		if err := database(io.NewSectionReader(file, e.at, e.size), e.size); err != nil {
			return Manifest{}, fmt.Errorf("%w: %s: %w", ErrDamaged, e.name, err)
		}
	}
	return m, nil
}

// list reads the names in an archive and its manifest; end is where the
// manifest begins. Only databases and INSTANCE are returned: there may be very
// many others.
func list(ctx context.Context, file *os.File) (m Manifest, end int64, entries []entry, err error) {
	damaged := func(format string, values ...any) (Manifest, int64, []entry, error) {
		return Manifest{}, 0, nil, fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, values...))
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return Manifest{}, 0, nil, fmt.Errorf("read the backup: %w", err)
	}
	seen := map[string]bool{}
	count := 0
	for archive := tar.NewReader(file); ; {
		if err := ctx.Err(); err != nil {
			return Manifest{}, 0, nil, err
		}
		header, err := archive.Next()
		if err != nil {
			return damaged("it is not whole: %v", err)
		}
		at, err := file.Seek(0, io.SeekCurrent)
		if err != nil {
			return Manifest{}, 0, nil, fmt.Errorf("read the backup: %w", err)
		}
		if header.Typeflag != tar.TypeReg {
			return damaged("%q is no file", header.Name)
		}
		if header.Name == manifestName {
			raw, err := io.ReadAll(io.LimitReader(archive, 64<<10))
			if err != nil || json.Unmarshal(raw, &m) != nil || m.Kind != kind || m.Files != count {
				return damaged("its manifest does not fit")
			}
			if _, err := archive.Next(); !errors.Is(err, io.EOF) {
				return damaged("something follows its manifest")
			}
			if !seen["state.db"] || !seen["INSTANCE"] {
				return damaged("it has no database")
			}
			return m, at - 512, entries, nil // A header is one block.
		}
		if !names().MatchString(header.Name) {
			return damaged("it has a file %q", header.Name)
		}
		if databases().MatchString(header.Name) || header.Name == "INSTANCE" {
			if seen[header.Name] {
				return damaged("%s is in it twice", header.Name)
			}
			seen[header.Name] = true
			entries = append(entries, entry{header.Name, at, header.Size})
		}
		count++
	}
}

// Extract writes the files of an archive that was verified into an empty
// folder. state.db gets its name last, so that a folder that was not finished
// is not taken for one.
func Extract(ctx context.Context, file *os.File, root *os.Root) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the backup: %w", err)
	}
	const last, unfinished = "state.db", "state.db.restoring"
	dirs := map[string]bool{".": true}
	for archive := tar.NewReader(file); ; {
		header, err := archive.Next()
		if err != nil {
			return fmt.Errorf("read the backup: %w", err)
		}
		if header.Name == manifestName {
			break
		}
		name := header.Name
		if !names().MatchString(name) {
			return fmt.Errorf("%w: it has a file %q", ErrDamaged, name)
		}
		if name == last {
			name = unfinished
		}
		for dir := path.Dir(name); !dirs[dir]; dir = path.Dir(dir) {
			if err := root.MkdirAll(dir, 0o700); err != nil {
				return fmt.Errorf("restore %s: %w", name, err)
			}
			dirs[dir] = true
		}
		if err := extractFile(ctx, archive, root, name); err != nil {
			return fmt.Errorf("restore %s: %w", name, err)
		}
	}
	for dir := range dirs {
		if err := folder.SyncDir(root, dir); err != nil {
			return err
		}
	}
	if err := root.Rename(unfinished, last); err != nil {
		return err
	}
	return folder.SyncDir(root, ".")
}

func extractFile(ctx context.Context, from io.Reader, root *os.Root, name string) error {
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, contextReader{ctx, from})
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// contextReader ends with its context.
type contextReader struct {
	ctx  context.Context //nolint:containedctx // It lives for one copy.
	from io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}

// Stamp writes a time as it is part of a backup's name.
func Stamp(t time.Time) string { return t.UTC().Format("20060102T150405Z") }
