package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// giveBackProgram lets go of the parts of the program that are in memory: most
// of them only the start or the last burst of work ran through.
func giveBackProgram() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	return giveBackFile(program)
}

// mappedMemory is how much of the files that are mapped, the program among
// them, is in memory, in bytes.
func mappedMemory() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, resident, shared int64
	if _, err := fmt.Sscan(string(text), &size, &resident, &shared); err != nil {
		return 0
	}
	return shared * int64(os.Getpagesize())
}

// giveBackFile lets go of the parts of a mapped file, or of all those below a
// folder, that are in memory; the
// kernel maps what is needed again, from its cache, when it is. Only what is
// the same as in the file is let go, so that nothing can be lost.
func giveBackFile(name string) error {
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // It is only read.
	var from, to uintptr
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Bytes()
		if len(line) > 0 && (line[0] < 'A' || line[0] > 'Z') {
			from, to = partOf(line, name)
			continue
		}
		// The head of each mapping is followed by what there is to say of it; this
		// is how much differs from the file.
		differs, found := bytes.CutPrefix(line, []byte("Anonymous:"))
		if !found || to == 0 || string(bytes.TrimSpace(differs)) != "0 kB" {
			continue
		}
		if _, _, errno := syscall.Syscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_DONTNEED); errno != 0 {
			return fmt.Errorf("let go of the memory of %s: %w", name, errno)
		}
	}
	return lines.Err()
}

// partOf reads the head of a mapping, as proc_pid_maps(5) has it: "from-to
// perms offset device inode path". to is 0 for one that is neither of the file
// nor below the folder, or can be written.
func partOf(line []byte, name string) (from, to uintptr) {
	if !bytes.HasSuffix(line, []byte(" "+name)) && !bytes.Contains(line, []byte(" "+name+"/")) {
		return 0, 0
	}
	place, rest, _ := bytes.Cut(line, []byte(" "))
	perms, _, _ := bytes.Cut(rest, []byte(" "))
	first, last, _ := bytes.Cut(place, []byte("-"))
	start, err := strconv.ParseUint(string(first), 16, strconv.IntSize)
	if err != nil || len(perms) != 4 || perms[1] != '-' {
		return 0, 0
	}
	end, err := strconv.ParseUint(string(last), 16, strconv.IntSize)
	if err != nil {
		return 0, 0
	}
	return uintptr(start), uintptr(end)
}
