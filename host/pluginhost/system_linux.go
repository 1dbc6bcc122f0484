package pluginhost

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// spawner starts processes from one thread that lives as long as the host.
// Linux sends a process its parent-death signal when the thread that forked
// it ends, not when the whole parent does.
type spawner struct {
	jobs chan spawnJob
	done chan struct{}
}

type spawnJob struct {
	cmd    *exec.Cmd
	result chan error
}

func newSpawner() *spawner {
	s := &spawner{jobs: make(chan spawnJob), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		// Never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		for job := range s.jobs {
			job.result <- job.cmd.Start()
		}
	}()
	return s
}

// start starts a process that leads a session, and so a group, of its own.
// What it starts stays in the session even where it has a group of its own,
// and so is found when it must end.
func (s *spawner) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	job := spawnJob{cmd, make(chan error, 1)}
	s.jobs <- job
	return <-job.result
}

// close ends the thread, and with it every process it started that is left.
func (s *spawner) close() {
	close(s.jobs)
	<-s.done
}

// awaitExit returns when a child has ended, and leaves it unreaped: so its
// pid can't be given to another process yet. It reports whether it did.
func awaitExit(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err == nil
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

// startTime is when a process started, in the kernel's ticks since a boot, or
// nothing.
func startTime(pid int) string {
	fields := statFields(pid)
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || len(fields) <= statStart {
		return ""
	}
	return string(bytes.TrimSpace(boot)) + "/" + string(fields[statStart])
}

func fileKey(path string, info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s|%d|%d|%d|%d.%d|%d.%d", path, stat.Dev, stat.Ino, stat.Size,
		stat.Mtim.Sec, stat.Mtim.Nsec, stat.Ctim.Sec, stat.Ctim.Nsec)
}

// residentMemory is a process's resident memory in bytes, or 0.
func residentMemory(pid int) int64 {
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
