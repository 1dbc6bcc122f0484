package pluginhost

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// giveLifeline: Windows can't hand a pipe over this way, and needs none.
func giveLifeline(*exec.Cmd, *os.File) bool { return false }

// group is a process and what it started: a job, which ends with the last
// handle to it, and so with the host.
type group struct {
	process *os.Process
	job     windows.Handle
}

// joinGroup puts a process into a job of its own.
func joinGroup(process *os.Process) (group, error) {
	g := group{process: process}
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return g, fmt.Errorf("make a job: %w", err)
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{
		BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{LimitFlags: windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE},
	}
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err == nil {
		err = assign(job, process.Pid)
	}
	if err != nil {
		return g, errors.Join(fmt.Errorf("join a job: %w", err), windows.CloseHandle(job))
	}
	g.job = job
	return g, nil
}

func assign(job windows.Handle, pid int) error {
	handle, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		return err
	}
	return errors.Join(windows.AssignProcessToJobObject(job, handle), windows.CloseHandle(handle))
}

// terminate is kill: a process without a console takes no softer hint.
func (g group) terminate() { g.kill() }

func (g group) kill() {
	if g.job != 0 {
		_ = windows.TerminateJobObject(g.job, 1)
		return
	}
	_ = g.process.Kill()
}

func (g group) close() {
	if g.job != 0 {
		_ = windows.CloseHandle(g.job)
	}
}

// killLeft does nothing: no process outlives its host's job.
func killLeft(int) {}

// startTime is not needed here, since no process is left.
func startTime(int) string { return "" }

// checkOwner: who may write a file is not in its mode here.
func checkOwner(fs.FileInfo) error { return nil }

func checkProgram(info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	return nil
}
