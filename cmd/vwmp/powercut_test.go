package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// exitLacking is how scripts/soak/disk says that it can't run here.
const exitLacking = 3

// disk is a disk of the test's own whose power can be cut.
type disk struct {
	t       *testing.T
	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Scanner
	said    strings.Builder
	// folder is where its file system is.
	folder string
}

// newDisk makes a disk, or skips the test where the machine can't have one.
func newDisk(t *testing.T, kind string, seed int64) *disk {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "disk")
	if output, err := exec.CommandContext(t.Context(), "go", "-C", "../../scripts/soak/disk", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the disk: %v\n%s", err, output)
	}
	d := &disk{t: t, command: exec.Command(program, "-dir", dir, "-fs", kind, "-seed", fmt.Sprint(uint64(seed)))}
	d.command.Stderr = &d.said
	var err error
	if d.input, err = d.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	output, err := d.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.output = bufio.NewScanner(output)
	if err := d.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.stop)
	if d.folder = d.hear("ready"); d.folder == "" {
		err := d.command.Wait()
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == exitLacking {
			t.Skipf("no power can be cut here: %s", d.said.String())
		}
		t.Fatalf("the disk: %v\n%s", err, d.said.String())
	}
	return d
}

// hear waits for an answer that begins with a word, and returns the rest.
func (d *disk) hear(word string) string {
	if !d.output.Scan() {
		return ""
	}
	rest, found := strings.CutPrefix(d.output.Text(), word)
	if !found {
		d.t.Fatalf("the disk says %q, not %s\n%s", d.output.Text(), word, d.said.String())
	}
	return strings.TrimSpace(rest)
}

func (d *disk) tell(word, answer string) {
	d.t.Helper()
	if _, err := fmt.Fprintln(d.input, word); err != nil {
		d.t.Fatalf("the disk is gone: %v\n%s", err, d.said.String())
	}
	d.hear(answer)
}

func (d *disk) stop() {
	_ = d.input.Close()
	if d.command.ProcessState == nil {
		if err := d.command.Wait(); err != nil {
			d.t.Errorf("the disk ended: %v\n%s", err, d.said.String())
		}
	}
}

// failUnder makes every request to the disk fail under a server at work (case
// 97): that must end by itself, at once, with the code that says why.
func (d *disk) failUnder(l *killLoop) {
	d.t.Helper()
	d.tell("fail", "failing")
	ctx, cancel := context.WithTimeout(d.t.Context(), 30*time.Second)
	defer cancel()
	l.starts++
	s := killStart{key: fmt.Sprintf("start %d", l.starts), workflow: l.drawCase()}
	l.asked = append(l.asked, s)
	for {
		// Whatever is asked for must be written first.
		var answer any
		status, err := l.ask(ctx, http.MethodPost, "/workflows/"+s.workflow+"/execute/", `{"idempotency_key": "`+s.key+`"}`, &answer)
		if err == nil && status < http.StatusInternalServerError {
			d.t.Errorf("a start was answered with %d though nothing can be written", status)
		}
		select {
		case <-l.r.ended:
			if code := l.r.cmd.ProcessState.ExitCode(); code != exitStore {
				d.t.Errorf("the server ended with %d, not %d:\n%s", code, exitStore, l.r.log())
			}
			return
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			d.t.Fatalf("the server goes on without its disk:\n%s", l.r.log())
		}
	}
}

// TestCase95PowerCut cuts the power of a machine again and again: of the disk,
// so that what was written and not flushed is lost in any part, and then of
// the processes. What was acknowledged is there, and all else holds that a
// kill of the server alone keeps. Every fifth time the disk fails instead.
// VWMP_POWERCUTS is how often.
func TestCase95PowerCut(t *testing.T) {
	cuts, seed := envNumber(t, "VWMP_POWERCUTS", 0), envNumber(t, "VWMP_SEED", time.Now().UnixNano())
	if cuts == 0 {
		t.Skip("make soak runs this: it needs root and a disk of its own")
	}
	for _, kind := range []string{"ext4", "xfs"} {
		t.Run(kind, func(t *testing.T) {
			d := newDisk(t, kind, seed)
			t.Logf("%d power cuts; VWMP_SEED=%d gives the same chance again", cuts, seed)
			l := newKillLoop(t, uint64(seed), d.folder)
			t.Cleanup(l.tellStuck)
			for n := range cuts {
				started := time.Now()
				l.r.begin()
				l.work(l.life(time.Since(started)))
				if n%5 == 4 {
					d.failUnder(l)
				} else {
					d.tell("cut", "cut")
					_ = l.r.cmd.Process.Kill()
					d.tell("fail", "failing")
				}
				<-l.r.ended
				l.awaitNoProcess()
				d.tell("restore", "ready")
				if n%10 == 9 {
					t.Logf("%d power cuts, %s", n+1, l.told())
				}
			}
			l.r.begin()
			l.finish()
			executions := l.check()
			l.r.stop()
			l.checkLeftovers(len(killCases), executions)
			t.Logf("%d power cuts, %d executions, %s\n%s", cuts, executions, l.told(), d.said.String())
		})
	}
}
