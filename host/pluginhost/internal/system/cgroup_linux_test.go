package system

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestGroupsOfHostsThatAreGoneAreSwept: one whose pid was given to another
// process meanwhile too, and no group of a host that lives.
func TestGroupsOfHostsThatAreGoneAreSwept(t *testing.T) {
	c, err := OpenCgroups()
	if err != nil {
		t.Skip("control groups are not delegated here: " + err.Error())
	}
	own, err := c.New(Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := own.Remove(); err != nil {
			t.Error(err)
		}
	}()
	var gone []string
	for _, pid := range []int{os.Getpid(), 1 << 30} {
		dir := filepath.Join(c.base, fmt.Sprintf("%s%d-1-1", groupPrefix, pid))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		gone = append(gone, dir)
	}
	if _, err := OpenCgroups(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range gone {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", dir, err)
		}
	}
	if left := c.Left(); len(left) != 1 || left[0] != own.dir {
		t.Errorf("of this process there are %v", left)
	}
}
