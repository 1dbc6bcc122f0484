//go:build unix

package pluginhost

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vwmp/vwmp/host/pluginhost/internal/disk"
	"github.com/vwmp/vwmp/pluginsdk"
)

// benchHost is a host with one plugin that is an executable file.
func benchHost(b *testing.B, idle time.Duration) *Host {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	copyFile(b, self, filepath.Join(dir, disk.FilePrefix+"good"))
	h, err := New(b.Context(), Options{Dirs: []string{dir}, RunDir: shortTempDir(b), IdleTimeout: idle})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			b.Error(err)
		}
	})
	if err := h.Ready(b.Context()); err != nil {
		b.Fatal(err)
	}
	return h
}

func copyFile(b *testing.B, from, to string) {
	b.Helper()
	source, err := os.Open(from)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = source.Close() }()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(target, source); err != nil {
		b.Fatal(err)
	}
	if err := target.Close(); err != nil {
		b.Fatal(err)
	}
}

type silentReporter struct{ pluginsdk.Reporter }

func (silentReporter) Log(pluginsdk.LogLine) {}

// BenchmarkCall is the overhead of one step in a process that runs, with one
// log line.
func BenchmarkCall(b *testing.B) {
	h := benchHost(b, time.Hour)
	request := requestOf("good.echo", "")
	call := func() {
		if outcome := h.Invoke(b.Context(), request, silentReporter{}); outcome.Kind != pluginsdk.OutcomeSuccess {
			b.Fatalf("%+v", outcome.Failure)
		}
	}
	call()
	for b.Loop() {
		call()
	}
	b.ReportMetric(float64(h.Plugins()[0].Memory)/(1<<20), "MiB-rss")
}

// BenchmarkLaunch is a start of a process with its check, and its stop.
func BenchmarkLaunch(b *testing.B) {
	h := benchHost(b, time.Hour)
	plugin := h.catalog.Load().entries[0].instance.version
	var stopping time.Duration
	for b.Loop() {
		p, err := h.launch(b.Context(), plugin, DefaultStartTimeout)
		if err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		if !p.stop("the benchmark") {
			b.Fatal("the process can't be killed")
		}
		stopping += time.Since(begin)
	}
	b.ReportMetric(float64(stopping.Milliseconds())/float64(b.N), "ms-stop")
}

// BenchmarkVerify is the check of a binary right before it is launched.
func BenchmarkVerify(b *testing.B) {
	h := benchHost(b, time.Hour)
	plugin := h.catalog.Load().entries[0].instance.version
	info, err := os.Stat(plugin.file.Path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		if _, err := plugin.file.Verify(); err != nil {
			b.Fatal(err)
		}
	}
}
