package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestOnlyWhatNobodyWritesIsLetGo(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][2]uintptr{
		"00400000-01400000 r-xp 00000000 fe:00 1234                       /usr/bin/vwmp":  {0x400000, 0x1400000},
		"01500000-01600000 rw-p 01100000 fe:00 1234                       /usr/bin/vwmp":  {},
		"7f0000000000-7f0000001000 r--s 00000000 fe:00 99                 /data/state.db": {0x7f0000000000, 0x7f0000001000},
		"c000000000-c000400000 rw-p 00000000 00:00 0 ":                                    {},
		"zz-1 r-xp 0 0 0 /usr/bin/vwmp":                                                   {},
		"":                                                                                {},
	} {
		if from, to := partOf([]byte(line)); [2]uintptr{from, to} != want {
			t.Errorf("%q: got %x-%x", line, from, to)
		}
	}
}

// A database that is mapped to be read is let go, and read again.
func TestADatabaseIsLetGo(t *testing.T) {
	folder := t.TempDir()
	text := bytes.Repeat([]byte("database"), 1<<20)
	writeFile(t, filepath.Join(folder, "state.db"), text)
	file, err := os.Open(filepath.Join(folder, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	mapped, err := syscall.Mmap(int(file.Fd()), 0, len(text), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(mapped) //nolint:errcheck // The test is over.
	if !bytes.Equal(mapped, text) {
		t.Fatal("the mapping differs from its file")
	}
	before := fileMemory(t)
	if err := giveBackData(folder); err != nil {
		t.Fatal(err)
	}
	if after := fileMemory(t); before-after < len(text)>>11 {
		t.Errorf("%d KiB of files in memory, %d before", after, before)
	}
	if !bytes.Equal(mapped, text) {
		t.Error("the mapping differs from its file afterwards")
	}
}

// The program goes on after it, with less of its file in memory.
func TestTheProgramIsLetGo(t *testing.T) {
	before := fileMemory(t)
	if err := giveBackProgram(); err != nil {
		t.Fatal(err)
	}
	if after := fileMemory(t); after >= before {
		t.Errorf("%d KiB of files in memory, %d before", after, before)
	}
}

// fileMemory is how much of mapped files the process has in memory, in KiB.
func fileMemory(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kib, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	return kib
}
