package pluginsdk

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

// Workspace is the folder that a run may touch. Every path is relative to it,
// with slashes, and can't leave it: not by "..", not as an absolute path, not
// through a symbolic link. It may be used from several goroutines at once.
type Workspace struct {
	dir string

	once sync.Once
	root *os.Root
	err  error
}

// OpenWorkspace opens a folder as a workspace; Close gives it back. A handler
// finds its workspace in Step.Workspace and need not open one.
func OpenWorkspace(dir string) (*Workspace, error) {
	workspace := &Workspace{dir: dir}
	_, err := workspace.open()
	return workspace, err
}

// Close gives back what the workspace holds open.
func (w *Workspace) Close() error { return w.close() }

// Dir is the absolute path of the folder, for the programs that a handler
// starts; empty where the run has none.
func (w *Workspace) Dir() string { return w.dir }

// Root returns the folder as an os.Root. Prefer the methods of Workspace,
// which also refuse names that other systems can't hold.
func (w *Workspace) Root() (*os.Root, error) { return w.open() }

// ReadFile reads a whole file.
func (w *Workspace) ReadFile(name string) ([]byte, error) {
	root, err := w.at(name)
	if err != nil {
		return nil, err
	}
	return root.ReadFile(path.Clean(name))
}

// Open opens a file to be read.
func (w *Workspace) Open(name string) (*os.File, error) {
	root, err := w.at(name)
	if err != nil {
		return nil, err
	}
	return root.Open(path.Clean(name))
}

// Stat describes a file or folder.
func (w *Workspace) Stat(name string) (fs.FileInfo, error) {
	root, err := w.at(name)
	if err != nil {
		return nil, err
	}
	return root.Stat(path.Clean(name))
}

// Exists reports whether there is a file or folder of that name.
func (w *Workspace) Exists(name string) (bool, error) {
	_, err := w.Stat(name)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	}
	return false, err
}

// WriteFile replaces a file in one step: readers see the old content or the
// new, never a part. Folders are made as needed. A file that is there keeps
// its mode.
func (w *Workspace) WriteFile(name string, data []byte, mode fs.FileMode) error {
	root, err := w.at(name)
	if err != nil {
		return err
	}
	name = path.Clean(name)
	if info, err := root.Stat(name); err == nil {
		if !info.Mode().IsRegular() {
			return fmt.Errorf("write %s: it is not a regular file", name)
		}
		mode = info.Mode().Perm()
	}
	if folder := path.Dir(name); folder != "." {
		if err := root.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("make folder %s: %w", folder, err)
		}
	}
	return writeAndRename(root, name, data, mode)
}

func writeAndRename(root *os.Root, name string, data []byte, mode fs.FileMode) (err error) {
	var random [6]byte
	if _, err := rand.Read(random[:]); err != nil {
		return fmt.Errorf("name a temporary file: %w", err)
	}
	temporary := path.Join(path.Dir(name), "."+path.Base(name)+"."+hex.EncodeToString(random[:])+".tmp")
	file, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, root.Remove(temporary))
		}
	}()
	_, writeErr := file.Write(data)
	if err := errors.Join(writeErr, file.Chmod(mode), file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := root.Rename(temporary, name); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// Remove deletes a file or an empty folder.
func (w *Workspace) Remove(name string) error {
	root, err := w.at(name)
	if err != nil {
		return err
	}
	return root.Remove(path.Clean(name))
}

// MkdirAll makes a folder and those above it.
func (w *Workspace) MkdirAll(name string) error {
	root, err := w.at(name)
	if err != nil {
		return err
	}
	return root.MkdirAll(path.Clean(name), 0o755)
}

// Glob lists the files that match a pattern of package path, in which a
// segment "**" also stands for any number of folders. The ".git" folder is
// left out.
func (w *Workspace) Glob(pattern string) ([]string, error) {
	root, err := w.at(pattern)
	if err != nil {
		return nil, err
	}
	segments := strings.Split(path.Clean(pattern), "/")
	for _, segment := range segments {
		if _, err := path.Match(segment, ""); err != nil {
			return nil, fmt.Errorf("pattern %q: %w", pattern, err)
		}
	}
	var found []string
	err = walk(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == ".git":
			return fs.SkipDir
		case !entry.IsDir() && matchSegments(segments, strings.Split(name, "/")):
			found = append(found, name)
		}
		return nil
	})
	return found, err
}

// Walk calls visit for a file or folder and all that is below it, as fs.WalkDir
// does; a folder that is nested thousands deep takes it no longer than another.
func (w *Workspace) Walk(name string, visit fs.WalkDirFunc) error {
	if path.Clean(name) != "." {
		if err := CheckPath(name); err != nil {
			return err
		}
	}
	root, err := w.open()
	if err != nil {
		return err
	}
	return walk(root, path.Clean(name), visit)
}

// maxStretch is how many folders a walk goes down by paths from one opened
// folder. Each path is resolved from that folder on, so that without an end to
// it the time would grow with the square of the depth; where Landlock keeps a
// plugin in, each of its segments costs as much as the folder is deep.
const maxStretch = 20

func walk(root *os.Root, start string, visit fs.WalkDirFunc) error {
	stopped := false
	return walkStretch(root, "", start, &stopped, func(name string, entry fs.DirEntry, err error) error {
		err = visit(name, entry, err)
		stopped = stopped || errors.Is(err, fs.SkipAll)
		return err
	})
}

// walkStretch walks a folder whose path is prefix; stopped tells that a walk
// further down was to be the last.
func walkStretch(root *os.Root, prefix, start string, stopped *bool, visit fs.WalkDirFunc) error {
	return fs.WalkDir(root.FS(), start, func(name string, entry fs.DirEntry, err error) error {
		if prefix != "" && name == "." && err == nil {
			return nil // It was visited by the stretch above.
		}
		full := path.Join(prefix, name)
		if err != nil || !entry.IsDir() || strings.Count(name, "/") < maxStretch {
			return visit(full, entry, err)
		}
		if err := visit(full, entry, nil); err != nil {
			return err
		}
		next, err := root.OpenRoot(name)
		if err != nil {
			return visit(full, entry, err)
		}
		err = walkStretch(next, full, ".", stopped, visit)
		if err = errors.Join(err, next.Close()); err != nil {
			return err
		}
		if *stopped {
			return fs.SkipAll
		}
		return fs.SkipDir
	})
}

func matchSegments(pattern, name []string) bool {
	if len(pattern) == 0 {
		return len(name) == 0
	}
	if pattern[0] == "**" {
		for skip := 0; skip <= len(name); skip++ {
			if matchSegments(pattern[1:], name[skip:]) {
				return true
			}
		}
		return false
	}
	if len(name) == 0 {
		return false
	}
	ok, err := path.Match(pattern[0], name[0])
	return err == nil && ok && matchSegments(pattern[1:], name[1:])
}

// at opens the folder for a path that CheckPath and CheckLinks accept.
func (w *Workspace) at(name string) (*os.Root, error) {
	if err := CheckPath(name); err != nil {
		return nil, err
	}
	if err := w.CheckLinks(name); err != nil {
		return nil, err
	}
	return w.open()
}

// maxLinks is how many symbolic links a path may go through.
const maxLinks = 40

// CheckLinks refuses a path that a symbolic link leads into a folder .git. A
// repository that somebody else made can bring such a link, and git runs what
// is written there. A path that names .git by itself is the handler's to judge,
// and one that leaves the workspace is Root's to refuse.
//
// The methods of Workspace check by themselves; who uses Root calls it before.
func (w *Workspace) CheckLinks(name string) error {
	root, err := w.open()
	if err != nil {
		return err
	}
	rest := strings.Split(path.Clean(name), "/")
	done, links := []string{}, 0
	for len(rest) > 0 {
		segment := rest[0]
		rest = rest[1:]
		switch {
		case segment == "." || segment == "":
			continue
		case segment == ".." && len(done) > 0:
			done = done[:len(done)-1]
			continue
		case segment == "..":
			return nil
		case links > 0 && strings.EqualFold(segment, ".git"):
			return Invalid("", fmt.Sprintf("the path %q can't be used: a symbolic link in it leads into .git", name))
		}
		done = append(done, segment)
		info, err := root.Lstat(path.Join(done...))
		if err != nil {
			// What is not there, or can't be looked at, can't be opened either.
			return nil //nolint:nilerr // As said.
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		if links++; links > maxLinks {
			return Invalid("", fmt.Sprintf("the path %q can't be used: it goes through more than %d symbolic links", name, maxLinks))
		}
		target, err := root.Readlink(path.Join(done...))
		if err != nil || path.IsAbs(target) {
			return nil //nolint:nilerr // An absolute target is refused by Root.
		}
		done = done[:len(done)-1]
		rest = append(strings.Split(filepath.ToSlash(target), "/"), rest...)
	}
	return nil
}

func (w *Workspace) open() (*os.Root, error) {
	w.once.Do(func() {
		if w.dir == "" {
			w.err = errors.New("this run has no workspace")
			return
		}
		w.root, w.err = os.OpenRoot(w.dir)
	})
	return w.root, w.err
}

func (w *Workspace) close() error {
	w.once.Do(func() { w.err = errors.New("the workspace is closed") })
	if w.root == nil {
		return nil
	}
	return w.root.Close()
}

// CheckPath refuses a path that is empty, absolute, leaves its folder, ends
// in a slash, or has a name that some system can't hold. The rules of all
// systems hold on each, so that a workflow runs everywhere or nowhere.
func CheckPath(name string) error {
	refuse := func(reason string) error {
		return Invalid("", fmt.Sprintf("the path %q can't be used: %s", name, reason))
	}
	switch {
	case name == "":
		return refuse("it is empty")
	case strings.ContainsAny(name, "\x00\\"):
		return refuse("it has a NUL or a backslash; separate folders with /")
	case path.IsAbs(name) || (len(name) > 1 && name[1] == ':'):
		return refuse("it is absolute; paths are relative to the workspace")
	case strings.HasSuffix(name, "/"):
		return refuse("it ends in a slash")
	}
	for segment := range strings.SplitSeq(name, "/") {
		switch {
		case segment == "..":
			return refuse("it leaves the workspace")
		case segment != "." && strings.TrimRight(segment, ". ") != segment:
			return refuse("a name in it ends in a dot or a space")
		case isReserved(segment):
			return refuse(segment + " is a reserved name on Windows")
		}
	}
	return nil
}

// isReserved knows the devices of Windows, which sees them behind an
// extension, a stream's name and trailing spaces, too.
func isReserved(segment string) bool {
	base := strings.ToUpper(segment)
	if end := strings.IndexAny(base, ".:"); end >= 0 {
		base = base[:end]
	}
	base = strings.TrimRight(base, " ")
	switch base {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(base) == 4 && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT")) && base[3] >= '1' && base[3] <= '9'
}
