package system

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Start starts a process that leads a session, and so a group, of its own.
// What it starts stays in the session even where it has a group of its own,
// and so is found when it must end.
//
// A thread of its own starts it and waits for its end: Linux sends a process
// its parent-death signal when the thread that forked it ends, not when the
// whole parent does. The thread is within the fence itself, so that whatever it
// starts is from the first moment.
func Start(cmd *exec.Cmd, fence *Fence) (*Child, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if fence.Group != nil {
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(fence.Group.fd.Fd())
	}
	var rules *ruleset
	if abi := LandlockABI(); fence.Files != nil && abi > 0 {
		var err error
		if rules, err = newRuleset(fence.Files, abi); err != nil {
			return nil, err
		}
		defer rules.close()
	}
	exited, started := make(chan struct{}), make(chan error, 1)
	onOwnThread(func() {
		defer close(exited)
		var err error
		if rules != nil {
			err = rules.restrict()
		}
		if err == nil {
			err = startBusy(cmd)
		}
		started <- err
		if err == nil {
			awaitExit(cmd.Process.Pid)
		}
	})
	if err := <-started; err != nil {
		return nil, err
	}
	child := &Child{Pid: cmd.Process.Pid, Exited: exited, cmd: cmd}
	if rules != nil {
		child.stamps = rules.stamps
	}
	// Not on the thread within the fence: it can't write what gives the score.
	if err := fence.Limits.apply(child.Pid); err != nil {
		_ = cmd.Process.Kill()
		<-exited
		_, _ = child.Reap()
		return nil, fmt.Errorf("limit the process: %w", err)
	}
	return child, nil
}

// onOwnThread runs f in a goroutine with a thread that ends with it. It is
// never the process's first one: that stands for the whole process, so that
// within a fence it would open the host to whoever is in there too.
func onOwnThread(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != os.Getpid() {
			f() // Never unlocked.
			return
		}
		// While this goroutine holds the first thread, no other gets it.
		elsewhere := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(elsewhere)
			f()
		}()
		<-elsewhere
		runtime.UnlockOSThread()
	}()
}

// A file that was just written can't be started while a process that was
// forked meanwhile, and has not got to its own program yet, has it open.
const (
	busyTries = 50
	busyPause = 2 * time.Millisecond
)

func startBusy(cmd *exec.Cmd) error {
	for try := 1; ; try++ {
		err := cmd.Start()
		if !errors.Is(err, syscall.ETXTBSY) || try == busyTries {
			return err
		}
		again := exec.Command(cmd.Path) //nolint:gosec // The same program once more: a Cmd can be started only once.
		again.Args, again.Dir, again.Env, again.Stdout, again.Stderr = cmd.Args, cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr
		again.ExtraFiles, again.SysProcAttr = cmd.ExtraFiles, cmd.SysProcAttr
		*cmd = *again
		<-time.After(busyPause)
	}
}

// awaitExit returns when a child has ended, and leaves it unreaped.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// maxKillRounds bounds how often a session that goes on forking is killed.
const maxKillRounds = 10

// killSession kills every process of a session, whatever its group.
func killSession(session int) {
	for range maxKillRounds {
		members := sessionMembers(session)
		if len(members) == 0 {
			return
		}
		for _, pid := range members {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// sessionMembers lists the living processes of a session.
func sessionMembers(session int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var members []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		fields := statFields(pid)
		if len(fields) <= statSession || string(fields[statSession]) != strconv.Itoa(session) {
			continue
		}
		if state := string(fields[statState]); state != "Z" && state != "X" {
			members = append(members, pid)
		}
	}
	return members
}

// The fields of /proc/PID/stat behind the name.
const (
	statState   = 0 // 3
	statSession = 6 - 3
	statStart   = 22 - 3
)

func statFields(pid int) [][]byte {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	// The name, in brackets, may hold anything.
	return bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
}

// StartTime is when a process started, in the kernel's ticks since a boot, or
// nothing.
func StartTime(pid int) string {
	fields := statFields(pid)
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || len(fields) <= statStart {
		return ""
	}
	return string(bytes.TrimSpace(boot)) + "/" + string(fields[statStart])
}

// Memory is a process's resident memory in bytes, or 0.
func Memory(pid int) int64 {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(raw)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
