// Command disk is a disk whose power can be cut, with a file system on it:
// a block device over a file that this process keeps, cache and all. It needs
// Linux, root, FUSE and loop devices.
//
// It says "ready FOLDER" once the file system is mounted there, and then takes
// a word a line: cut (from now on no request is answered), fail (they fail)
// and restore, which mounts what survived and says "ready FOLDER" again. It
// ends with its input. What it lacks to run it says on standard error, and ends
// with 3.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// exitLacking is the exit code where the machine can't do this.
const exitLacking = 3

func main() {
	dir := flag.String("dir", "", "an empty folder to work in")
	kind := flag.String("fs", "ext4", "the file system: ext4 or xfs")
	size := flag.Int64("size", 1024, "the size of the disk in MiB; it takes what is written")
	seed := flag.Uint64("seed", 1, "the chance of what survives")
	flag.Parse()
	if lacks := lacking(*kind); lacks != "" {
		fmt.Fprintln(os.Stderr, lacks)
		os.Exit(exitLacking)
	}
	if err := run(*dir, *kind, *size<<20, rand.New(rand.NewPCG(*seed, *seed))); err != nil { //nolint:gosec // The same chance again is what is wanted.
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// lacking says what keeps this from running here.
func lacking(kind string) string {
	if os.Geteuid() != 0 {
		return "only root may mount a disk of its own"
	}
	for _, device := range []string{"/dev/fuse", "/dev/loop-control"} {
		if _, err := os.Stat(device); err != nil {
			return "the machine has no " + device
		}
	}
	for _, program := range []string{"losetup", "mount", "umount", "mkfs." + kind} {
		if _, err := exec.LookPath(program); err != nil {
			return "there is no program " + program
		}
	}
	return ""
}

// mounted is the disk in use.
type mounted struct {
	disk   *image
	kind   string
	size   int64
	fuse   string
	folder string

	server *fuse.Server
	loop   string
}

func run(dir, kind string, size int64, chance *rand.Rand) (err error) {
	disk, err := newImage(dir, size)
	if err != nil {
		return err
	}
	defer disk.close()
	m := &mounted{disk: disk, kind: kind, size: size, fuse: filepath.Join(dir, "fuse"), folder: filepath.Join(dir, "mnt")}
	for _, name := range []string{m.fuse, m.folder} {
		if err := os.Mkdir(name, 0o700); err != nil {
			return err
		}
	}
	defer func() {
		disk.set(gone)
		err = errors.Join(err, m.take())
	}()
	if err := m.put(true); err != nil {
		return err
	}
	fmt.Println("ready", m.folder)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		switch lines.Text() {
		case "cut":
			disk.set(cut)
			fmt.Println("cut")
		case "fail":
			disk.set(gone)
			fmt.Println("failing")
		case "restore":
			if err := m.take(); err != nil {
				return err
			}
			survived, lost, err := disk.restore(chance)
			if err != nil {
				return err
			}
			if err := m.put(false); err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "%d sectors survived without a flush, %d are lost\n", survived, lost)
			fmt.Println("ready", m.folder)
		default:
			return fmt.Errorf("nobody knows %q", lines.Text())
		}
	}
	return nil
}

// put makes the disk a device and mounts what is on it.
func (m *mounted) put(fresh bool) (err error) {
	if m.server, err = show(m.disk, m.fuse, m.size); err != nil {
		return err
	}
	if m.loop, err = command("losetup", "--find", "--show", filepath.Join(m.fuse, diskName)); err != nil {
		return err
	}
	if fresh {
		quiet := map[string][]string{"ext4": {"-q", "-F"}, "xfs": {"-q", "-f"}}[m.kind]
		if _, err := command("mkfs."+m.kind, append(quiet, m.loop)...); err != nil {
			return err
		}
	}
	_, err = command("mount", "-t", m.kind, m.loop, m.folder)
	return err
}

// take undoes put, as far as that came.
func (m *mounted) take() error {
	var failures []error
	if _, err := command("mountpoint", "-q", m.folder); err == nil {
		_, err := command("umount", m.folder)
		failures = append(failures, err)
	}
	if m.loop != "" {
		_, err := command("losetup", "--detach", m.loop)
		failures = append(failures, err)
		m.loop = ""
	}
	if m.server != nil {
		failures = append(failures, m.server.Unmount())
		m.server = nil
	}
	return errors.Join(failures...)
}

func command(name string, args ...string) (string, error) {
	output, err := exec.Command(name, args...).CombinedOutput() //nolint:gosec // The arguments are our own.
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, output)
	}
	return strings.TrimSpace(string(output)), nil
}
