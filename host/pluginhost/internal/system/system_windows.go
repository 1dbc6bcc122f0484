package system

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// GiveLifeline: Windows can't hand a pipe over this way, and needs none.
func GiveLifeline(*exec.Cmd, *os.File) bool { return false }

// Group is a process and what it started: a job, which ends with the last
// handle to it, and so with the host.
type Group struct {
	pid int
	job windows.Handle
}

// GroupOf puts a process into a job of its own.
func GroupOf(pid int) (Group, error) {
	g := Group{pid: pid}
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
		err = assign(job, pid)
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

// Terminate is Kill: a process without a console takes no softer hint.
func (g Group) Terminate() { g.Kill() }

// Kill ends the group.
func (g Group) Kill() {
	if g.job != 0 {
		_ = windows.TerminateJobObject(g.job, 1)
		return
	}
	if process, err := os.FindProcess(g.pid); err == nil {
		_ = process.Kill()
	}
}

// Close lets go of the group.
func (g Group) Close() {
	if g.job != 0 {
		_ = windows.CloseHandle(g.job)
	}
}

// KillLeft does nothing: no process outlives its host's job.
func KillLeft(int) {}

// StartTime is not needed here, since no process is left.
func StartTime(int) string { return "" }
