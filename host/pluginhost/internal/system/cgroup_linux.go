package system

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Cgroups is a place in the tree of control groups (version 2) that is ours,
// so that each process can have one of its own.
type Cgroups struct {
	base string
	// Memory and Processes say which limits can be set.
	Memory, Processes bool
}

// made numbers the groups of this process.
var made atomic.Uint64

// groupPrefix begins the names of our groups; the pid of the host and the time
// of its start follow, so that a pid that was given again is not taken for it.
const groupPrefix = "vwmp-"

func ownPrefix() string {
	return fmt.Sprintf("%s%d-%s-", groupPrefix, os.Getpid(), startTicks(os.Getpid()))
}

// startTicks is when a process started, in the kernel's ticks since the boot;
// empty for one that has ended.
func startTicks(pid int) string {
	fields := statFields(pid)
	if len(fields) <= statStart {
		return ""
	}
	if state := string(fields[statState]); state == "Z" || state == "X" {
		return ""
	}
	return string(fields[statStart])
}

// hostGroup is where the host itself moves, if it must: a group with limits
// for those below it may hold no process.
const hostGroup = "vwmp-host"

// OpenCgroups finds the place; its error says why there is none.
func OpenCgroups() (*Cgroups, error) {
	base, err := ownGroupDir()
	if err != nil {
		return nil, err
	}
	c := &Cgroups{base: base}
	c.sweep()
	probe, err := c.New(Limits{})
	if err != nil {
		return nil, fmt.Errorf("control groups are not delegated to this process: %w", err)
	}
	_, err = os.Stat(filepath.Join(probe.dir, killFile))
	if err := errors.Join(err, probe.Remove()); err != nil {
		return nil, fmt.Errorf("the control groups of this kernel can't be ended as a whole, which Linux 5.14 brought: %w", err)
	}
	c.enable()
	return c, nil
}

// ownGroupDir is the folder of the control group that this process is in,
// where the system has handed that over.
func ownGroupDir() (string, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", fmt.Errorf("this system has no control groups: %w", err)
	}
	path := ""
	for line := range bytes.Lines(own) {
		if rest, found := bytes.CutPrefix(bytes.TrimSpace(line), []byte("0::")); found {
			path = string(rest)
		}
	}
	mount, err := cgroupMount()
	switch {
	case err != nil:
		return "", err
	case path == "":
		return "", errors.New("this system has no control groups of version 2")
	case filepath.Base(path) == hostGroup:
		path = filepath.Dir(path)
	}
	dir := filepath.Join(mount, path)
	if !delegated(dir, path) {
		return "", fmt.Errorf("the control group %s is not delegated to this process; with systemd that is Delegate=yes", path)
	}
	return dir, nil
}

func cgroupMount() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		before, after, found := strings.Cut(line, " - ")
		if fields := strings.Fields(before); found && strings.HasPrefix(after, "cgroup2 ") && len(fields) > 4 {
			return fields[4], nil
		}
	}
	return "", errors.New("no control groups of version 2 are mounted")
}

// delegated reports whether a group is ours to divide: it is marked so, it
// belongs to our user, or there is nobody else who divides groups.
func delegated(dir, path string) bool {
	for _, name := range []string{"user.delegate", "trusted.delegate"} {
		value := make([]byte, 8)
		if n, err := unix.Getxattr(dir, name, value); err == nil && string(value[:n]) == "1" {
			return true
		}
	}
	if os.Geteuid() == 0 {
		return path == "/"
	}
	var info unix.Stat_t
	return unix.Stat(dir, &info) == nil && int(info.Uid) == os.Geteuid()
}

// enable turns on the limits for the groups below, as far as they can be.
func (c *Cgroups) enable() {
	available := words(filepath.Join(c.base, "cgroup.controllers"))
	on := func() map[string]bool { return words(filepath.Join(c.base, "cgroup.subtree_control")) }
	for _, name := range []string{"memory", "pids"} {
		if !available[name] || on()[name] {
			continue
		}
		err := c.turnOn(name)
		if errors.Is(err, syscall.EBUSY) && c.moveAside() {
			err = c.turnOn(name)
		}
		_ = err // What is not on shows below.
	}
	c.Memory, c.Processes = on()["memory"], on()["pids"]
}

func (c *Cgroups) turnOn(name string) error {
	return os.WriteFile(filepath.Join(c.base, "cgroup.subtree_control"), []byte("+"+name), 0)
}

// moveAside moves this process into a group of its own, if it is alone in its
// group.
func (c *Cgroups) moveAside() bool {
	own := strconv.Itoa(os.Getpid())
	for pid := range words(filepath.Join(c.base, "cgroup.procs")) {
		if pid != own {
			return false
		}
	}
	dir := filepath.Join(c.base, hostGroup)
	if err := os.Mkdir(dir, 0o750); err != nil && !errors.Is(err, os.ErrExist) {
		return false
	}
	return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(own), 0) == nil
}

func words(path string) map[string]bool {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	set := map[string]bool{}
	for _, word := range strings.Fields(string(text)) {
		set[word] = true
	}
	return set
}

// sweep ends and removes the groups of hosts that are gone.
func (c *Cgroups) sweep() {
	entries, err := os.ReadDir(c.base)
	if err != nil {
		return
	}
	for _, entry := range entries {
		rest, found := strings.CutPrefix(entry.Name(), groupPrefix)
		host, rest, _ := strings.Cut(rest, "-")
		started, _, _ := strings.Cut(rest, "-")
		pid, err := strconv.Atoi(host)
		if !found || err != nil || startTicks(pid) == started {
			continue
		}
		group := &Cgroup{dir: filepath.Join(c.base, entry.Name())}
		group.Kill()
		// One that stays is swept at the next start.
		_ = group.Remove()
	}
}

// New makes a group. A limit that can't be set is left out.
func (c *Cgroups) New(limits Limits) (*Cgroup, error) {
	dir := filepath.Join(c.base, ownPrefix()+strconv.FormatUint(made.Add(1), 10))
	if err := os.Mkdir(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make a control group: %w", err)
	}
	g := &Cgroup{dir: dir, memory: c.Memory}
	var err error
	if c.Memory && limits.Memory > 0 {
		err = errors.Join(g.set("memory.max", limits.Memory), g.set("memory.oom.group", 1))
	}
	if c.Processes && limits.Processes > 0 {
		err = errors.Join(err, g.set("pids.max", int64(limits.Processes)))
	}
	if err == nil {
		g.fd, err = os.Open(dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a control group: %w", err), os.Remove(dir))
	}
	return g, nil
}

// Cgroup is one control group.
type Cgroup struct {
	dir    string
	fd     *os.File
	memory bool
}

func (g *Cgroup) set(name string, value int64) error {
	return os.WriteFile(filepath.Join(g.dir, name), []byte(strconv.FormatInt(value, 10)), 0)
}

// killFile ends a group. A kernel that has it can start a process in a group
// as well.
const killFile = "cgroup.kill"

// Kill ends every process in the group, however it came there.
func (g *Cgroup) Kill() { _ = g.set(killFile, 1) }

// The wait for a group whose processes were killed to be empty.
const (
	emptyTries = 200
	emptyPause = 5 * time.Millisecond
)

// Remove takes the group away once it is empty. Its processes were killed: it
// waits a moment for them.
func (g *Cgroup) Remove() error {
	if g.fd != nil {
		_ = g.fd.Close()
	}
	var err error
	for range emptyTries {
		err = os.Remove(g.dir)
		if err == nil || errors.Is(err, os.ErrNotExist) {
			return nil
		}
		<-time.After(emptyPause)
	}
	return fmt.Errorf("remove a control group: %w", err)
}

// Left lists the groups of this process's plugins that are still there.
func (c *Cgroups) Left() []string {
	left, _ := filepath.Glob(filepath.Join(c.base, ownPrefix()+"*"))
	return left
}
