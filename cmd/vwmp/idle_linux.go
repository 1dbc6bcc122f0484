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
// of them only the start or the last burst of work ran through. Only what is
// the same as in the file is let go, so that nothing can be lost.
func giveBackProgram() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
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
			if from, to = partOf(line); !bytes.HasSuffix(line, []byte(" "+program)) {
				to = 0
			}
			continue
		}
		// The head of each mapping is followed by what there is to say of it; this
		// is how much differs from the file.
		differs, found := bytes.CutPrefix(line, []byte("Anonymous:"))
		if !found || to == 0 || string(bytes.TrimSpace(differs)) != "0 kB" {
			continue
		}
		if err := letGo(from, to); err != nil {
			return err
		}
	}
	return lines.Err()
}

// giveBackData lets go of the databases below a folder that are in memory.
// They are mapped to be read only, so that nothing can differ.
func giveBackData(folder string) error {
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return err
	}
	for line := range bytes.Lines(text) {
		if !bytes.Contains(line, []byte(" "+folder+"/")) || !bytes.Contains(line, []byte(" r--s ")) {
			continue
		}
		if from, to := partOf(line); to != 0 {
			if err := letGo(from, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// letGo has the kernel map what is needed again, from its cache, when it is.
func letGo(from, to uintptr) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_DONTNEED); errno != 0 {
		return fmt.Errorf("let go of mapped memory: %w", errno)
	}
	return nil
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

// partOf reads the head of a mapping, as proc_pid_maps(5) has it: "from-to
// perms offset device inode path". to is 0 for one that can be written.
func partOf(line []byte) (from, to uintptr) {
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
