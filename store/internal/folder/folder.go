// Package folder is a store's data folder as such: who holds it, whose it is,
// how much room it has, and how a file in it is replaced as a whole.
//
// It knows nothing of what the files hold.
package folder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"time"
)

// The names in a data folder that this package owns.
const (
	lockName     = "LOCK"
	instanceName = "INSTANCE"
)

// A process that is killed while it starts another one leaves its lock to that
// one, until it has become another program: so long the lock of a process that
// is gone is waited for.
const (
	heirPatience = 2 * time.Second
	heirInterval = 10 * time.Millisecond
)

// LockedError: another process holds the folder.
type LockedError struct {
	Dir string
	// PID is 0 where the holder had not written it yet.
	PID     int
	Started time.Time
}

// Error names the process.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("the data folder %s is in use by another process", e.Dir)
	}
	return fmt.Sprintf("the data folder %s is in use by process %d since %s", e.Dir, e.PID, e.Started.Format(time.RFC3339))
}

type holder struct {
	PID     int       `json:"pid"`
	Started time.Time `json:"started_at"`
}

// Instance says whose a folder is.
type Instance struct {
	ID     string `json:"id"`
	Format int    `json:"format"`
	// Size is the last known size of the database file in bytes; it never
	// shrinks.
	Size int64 `json:"size"`
}

// Folder is a data folder that this process holds.
type Folder struct {
	dir  string
	root *os.Root
	lock *os.File

	mu       sync.Mutex
	freeAt   time.Time
	freeRoom uint64
}

// OpenExisting is Open for a folder that must be there.
func OpenExisting(dir string) (*Folder, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("open the data folder: %w", err)
	}
	return Open(dir)
}

// Open makes the folder where it is missing, and holds it. Where another
// process does, it is a *LockedError.
func Open(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the data folder: %w", err)
	}
	f := &Folder{dir: dir, root: root}
	if err := f.hold(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return f, nil
}

func (f *Folder) hold() error {
	file, err := f.root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the lock of the data folder: %w", err)
	}
	held, by, err := lock(file)
	if err != nil {
		return errors.Join(fmt.Errorf("lock the data folder: %w", err), file.Close())
	}
	if !held {
		return errors.Join(&LockedError{Dir: f.dir, PID: by.PID, Started: by.Started}, file.Close())
	}
	raw, err := json.Marshal(holder{PID: os.Getpid(), Started: time.Now().UTC().Truncate(time.Second)})
	if err == nil {
		err = file.Truncate(0)
	}
	if err == nil {
		_, err = file.WriteAt(append(raw, '\n'), 0)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the lock of the data folder: %w", err), file.Close())
	}
	f.lock = file
	return nil
}

// lock takes the lock, or says who has it.
func lock(file *os.File) (held bool, by holder, err error) {
	tick := time.NewTicker(heirInterval)
	defer tick.Stop()
	for deadline := time.Now().Add(heirPatience); ; <-tick.C {
		if held, err = tryLock(file); held || err != nil {
			return held, holder{}, err
		}
		by = holder{}
		raw, readErr := io.ReadAll(io.NewSectionReader(file, 0, 4<<10))
		if readErr != nil || json.Unmarshal(raw, &by) != nil {
			return false, holder{}, nil // It is just being written.
		}
		if isAlive(by.PID) || time.Now().After(deadline) {
			return false, by, nil
		}
	}
}

// Close lets the folder go.
func (f *Folder) Close() error { return errors.Join(f.lock.Close(), f.root.Close()) }

// Root is the folder; every file below it is opened through it.
func (f *Folder) Root() *os.Root { return f.root }

// Dir is the folder's path, for messages.
func (f *Folder) Dir() string { return f.dir }

// Instance reads whose the folder is; found is false for a new one.
func (f *Folder) Instance() (instance Instance, found bool, err error) {
	raw, err := f.root.ReadFile(instanceName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Instance{}, false, nil
	case err != nil:
		return Instance{}, false, fmt.Errorf("read the file %s: %w", instanceName, err)
	}
	if err := json.Unmarshal(raw, &instance); err != nil || instance.ID == "" {
		return Instance{}, false, fmt.Errorf("read the file %s: it is damaged; without it, it is made anew from the database", instanceName)
	}
	return instance, true, nil
}

// SetInstance keeps durably whose the folder is.
func (f *Folder) SetInstance(instance Instance) error {
	raw, err := json.Marshal(instance)
	if err == nil {
		err = f.Replace(instanceName, append(raw, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the file %s: %w", instanceName, err)
	}
	return nil
}

// Replace writes a file of the folder as a whole, durably.
func (f *Folder) Replace(name string, content []byte) error {
	return WriteFile(f.root, name+".new", name, ".", content)
}

// WriteFile writes temp, syncs it, renames it to name and syncs the folder
// dir that name is in: after a power cut there is all of it or nothing.
func WriteFile(root *os.Root, temp, name, dir string, content []byte) error {
	file, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = root.Rename(temp, name)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(root.Remove(temp)))
	}
	return SyncDir(root, dir)
}

// SyncDir makes the names in a folder durable, where the system can.
func SyncDir(root *os.Root, name string) error {
	if runtime.GOOS == "windows" {
		return nil // Windows syncs no folders.
	}
	dir, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Free is how many bytes the folder's disk has room for, at most a second
// old.
func (f *Folder) Free() (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.freeAt.IsZero() && time.Since(f.freeAt) < time.Second {
		return f.freeRoom, nil
	}
	room, err := freeRoom(f.dir)
	if err != nil {
		return 0, fmt.Errorf("ask for the room on the disk: %w", err)
	}
	f.freeAt, f.freeRoom = time.Now(), room
	return room, nil
}
