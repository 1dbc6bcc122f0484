package system

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The version of Landlock that brings what, see landlock(7).
const (
	abiRefer    = 2
	abiTruncate = 3
	// abiScope is the version with which a thread of a process may still
	// send signals to the others of it.
	abiScope = 7
)

const (
	// rightsWrite are what changes files and folders; devices can't be made
	// anywhere.
	rightsWrite = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_SYM
	rightsDevices = unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK
	// rightsFile are those that a rule about a single file can give.
	rightsFile = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
)

// maxRules bounds the rules of one process.
const maxRules = 8192

// LandlockABI is the version of Landlock that the kernel has, 0 for none.
func LandlockABI() int {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(version)
}

// devices are the ones that programs write to without harm. Shared memory is
// a folder for temporary files by another name.
func devices() []string {
	return []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts", "/dev/shm"}
}

// ruleset is what one process may do, ready to be put on a thread.
type ruleset struct {
	fd    int
	write uint64
	read  uint64
	rules int
	// stamps show later whether the paths still are what they were.
	stamps []stamp
}

// stamp notes how a path looks now.
func (r *ruleset) stamp(path string, look func(string) string) {
	r.stamps = append(r.stamps, stamp{path, look, look(path)})
}

// identity tells a file from another that takes its name.
func identity(path string) string {
	var info unix.Stat_t
	if unix.Stat(path, &info) != nil {
		return ""
	}
	return fmt.Sprint(info.Dev, info.Ino)
}

// content tells whether a folder has other entries.
func content(dir string) string {
	var info unix.Stat_t
	if unix.Stat(dir, &info) != nil {
		return ""
	}
	return fmt.Sprint(info.Dev, info.Ino, info.Mtim.Nano())
}

// newRuleset makes the kernel's form of f. Paths that are not there are left
// out.
func newRuleset(f *Files, abi int) (*ruleset, error) {
	r := &ruleset{write: rightsWrite}
	if abi >= abiRefer {
		r.write |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= abiTruncate {
		r.write |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if f.Hidden != "" {
		r.read = unix.LANDLOCK_ACCESS_FS_READ_FILE
	}
	attributes := unix.LandlockRulesetAttr{Handled_access_fs: r.write | r.read | rightsDevices}
	size := unsafe.Offsetof(attributes.Handled_access_net)
	if abi >= abiScope {
		attributes.Scoped = unix.LANDLOCK_SCOPE_SIGNAL
		size = unsafe.Offsetof(attributes.Quiet_access_fs)
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attributes)), size, 0) //nolint:gosec // The kernel reads it during the call.
	if errno != 0 {
		return nil, fmt.Errorf("make a Landlock ruleset: %w", errno)
	}
	r.fd = int(fd)
	if err := r.fill(f); err != nil {
		return nil, errors.Join(err, unix.Close(r.fd))
	}
	return r, nil
}

func (r *ruleset) fill(f *Files) error {
	for _, path := range f.Write {
		r.stamp(path, identity)
	}
	for _, path := range append(devices(), f.Write...) {
		if err := r.allow(path, r.write|r.read); err != nil {
			return err
		}
	}
	if f.Hidden == "" {
		return nil
	}
	for _, path := range f.Read {
		if err := r.allow(path, r.read); err != nil {
			return err
		}
	}
	return r.allowBeside(f.Hidden)
}

// allowBeside lets everything be read but what is below a folder. Landlock
// knows only what is allowed: so that is all that lies beside the way there.
func (r *ruleset) allowBeside(hidden string) error {
	hidden, err := filepath.EvalSymlinks(hidden)
	if err != nil {
		return fmt.Errorf("hide a folder: %w", err)
	}
	dir := "/"
	for part := range strings.SplitSeq(strings.Trim(hidden, "/"), "/") {
		r.stamp(dir, content)
		entries, err := os.ReadDir(dir)
		// What can't be listed, such as the homes of others, stays hidden too.
		if err != nil && !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("hide a folder: %w", err)
		}
		for _, entry := range entries {
			// A link is as good as what it leads to.
			if entry.Name() == part || entry.Type()&fs.ModeSymlink != 0 {
				continue
			}
			if err := r.allow(filepath.Join(dir, entry.Name()), r.read); err != nil {
				return err
			}
		}
		dir = filepath.Join(dir, part)
	}
	return nil
}

func (r *ruleset) allow(path string, rights uint64) error {
	if rights == 0 {
		return nil
	}
	if r.rules++; r.rules > maxRules {
		return fmt.Errorf("there are more than %d files and folders beside the data folder; move it deeper", maxRules)
	}
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENXIO) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("allow %s: %w", path, err)
	}
	defer func() { _ = unix.Close(fd) }()
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return fmt.Errorf("allow %s: %w", path, err)
	}
	if info.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= rightsFile & (r.write | r.read)
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(r.fd), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0) //nolint:gosec // As above.
	runtime.KeepAlive(&rule)
	if errno != 0 && errno != unix.EBADFD {
		return fmt.Errorf("allow %s: %w", path, errno)
	}
	return nil
}

// keysAround are the capabilities that lead around the fence: into the memory
// and the environment of other processes, or into the kernel.
func keysAround() []uintptr {
	return []uintptr{
		unix.CAP_SYS_ADMIN, unix.CAP_SYS_PTRACE, unix.CAP_PERFMON, unix.CAP_BPF, unix.CAP_SYS_MODULE, unix.CAP_SYS_RAWIO, unix.CAP_SYS_BOOT,
	}
}

// restrict puts the ruleset on the calling thread, and so on all that it
// starts, for good.
func (r *ruleset) restrict() error {
	for _, capability := range keysAround() {
		// Only one who has it must lose it: a server that runs as root.
		_ = unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(r.fd), 0, 0); errno != 0 {
		return fmt.Errorf("restrict with Landlock: %w", errno)
	}
	return nil
}

func (r *ruleset) close() { _ = unix.Close(r.fd) }
