package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

func TestTheSameFilesGiveTheSameArchive(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"x.zip", "x.tar", "x.tgz"} {
		sums := map[string]bool{}
		for range 2 {
			dir := project(t)
			var output packOutput
			call("archive", dir, map[string]any{"paths": []string{"docs", "bin/run"}, "to": name, "prefix": "app-1"}).Succeed(t, &output)
			sums[output.SHA256] = true
			if output.Files != 3 || output.Bytes != 18 {
				t.Errorf("%s: %+v", name, output)
			}
			var unpacked unpackOutput
			call("extract", dir, map[string]any{"path": name, "to": "u"}).Succeed(t, &unpacked)
			if strings.Join(unpacked.Files, " ") != "u/app-1/bin/run u/app-1/docs/b.md u/app-1/docs/old/c.md" || handlertest.Read(t, dir, "u/app-1/docs/old/c.md") != "three" {
				t.Errorf("%s: %+v", name, unpacked)
			}
			if info, err := os.Stat(filepath.Join(dir, "u/app-1/bin/run")); err != nil || info.Mode().Perm() != 0o755 {
				t.Errorf("%s: mode %v %v", name, info, err)
			}
		}
		if len(sums) != 1 {
			t.Errorf("%s: %v", name, sums)
		}
	}
}

func TestWhatCantBePackedIsNamed(t *testing.T) {
	t.Parallel()
	dir := project(t)
	call("archive", dir, map[string]any{"paths": []string{"docs"}, "to": "x.rar"}).Fail(t, pluginsdk.FailureInvalidInput, "says no format")
	call("archive", dir, map[string]any{"paths": []string{"none"}, "to": "x.zip"}).Fail(t, pluginsdk.FailurePermanent, "no file matches")
	call("archive", dir, map[string]any{"paths": []string{"a.txt"}, "to": "x.zip", "base": "docs"}).Fail(t, pluginsdk.FailureInvalidInput, "not in the base folder")
	call("archive", dir, map[string]any{"paths": []string{"docs"}, "to": "x.zip", "max_size": 3}).Fail(t, pluginsdk.FailurePermanent, "more than the 3 allowed")
	if handlertest.Exists(filepath.Join(dir, "x.zip")) {
		t.Error("an archive was left")
	}
}

func tarOf(t *testing.T, headers ...*tar.Header) string {
	t.Helper()
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	for _, header := range headers {
		if header.Typeflag == 0 {
			header.Typeflag = tar.TypeReg
		}
		if header.Mode == 0 {
			header.Mode = 0o644
		}
		header.Size = 0
		if header.Typeflag == tar.TypeReg {
			header.Size = 1
		}
		if err := archive.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if header.Size == 1 {
			if _, err := archive.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func zipOf(t *testing.T, change func(*zip.FileHeader), names ...string) string {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, name := range names {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		header.SetMode(0o644)
		if change != nil {
			change(header)
		}
		file, err := archive.CreateHeader(header)
		if err == nil {
			_, err = file.Write([]byte("x"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// zeros is a compressed stream of so many MiB of zeros.
func zeros(t *testing.T, mib int, within func(io.Writer) io.Writer, end func() error) {
	t.Helper()
	target := within(nil)
	block := make([]byte, 1<<20)
	for range mib {
		if _, err := target.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
}

// bombs are small archives of 300 MiB.
func bombs(t *testing.T) map[string]string {
	t.Helper()
	var zipped, tarred bytes.Buffer
	archive := zip.NewWriter(&zipped)
	file, err := archive.Create("bomb")
	if err != nil {
		t.Fatal(err)
	}
	zeros(t, 300, func(io.Writer) io.Writer { return file }, archive.Close)
	compressed := gzip.NewWriter(&tarred)
	tape := tar.NewWriter(compressed)
	if err := tape.WriteHeader(&tar.Header{Name: "bomb", Typeflag: tar.TypeReg, Mode: 0o644, Size: 300 << 20}); err != nil {
		t.Fatal(err)
	}
	zeros(t, 300, func(io.Writer) io.Writer { return tape }, func() error {
		if err := tape.Close(); err != nil {
			return err
		}
		return compressed.Close()
	})
	return map[string]string{"bomb.zip": zipped.String(), "bomb.tar.gz": tarred.String()}
}

// TestCase59HostileArchivesAreRefused: nothing of them is written.
func TestCase59HostileArchivesAreRefused(t *testing.T) {
	t.Parallel()
	many := make([]string, 50)
	for i := range many {
		many[i] = fmt.Sprintf("f%d", i)
	}
	archives := map[string]string{
		"above.tar":          tarOf(t, &tar.Header{Name: "ok"}, &tar.Header{Name: "../x"}),
		"deep above.tar":     tarOf(t, &tar.Header{Name: "ok"}, &tar.Header{Name: "a/../../x"}),
		"absolute.tar":       tarOf(t, &tar.Header{Name: "ok"}, &tar.Header{Name: "/etc/x"}),
		"windows.tar":        tarOf(t, &tar.Header{Name: "ok"}, &tar.Header{Name: `C:\x`}),
		"link then file.tar": tarOf(t, &tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/etc"}, &tar.Header{Name: "l/x"}),
		"hard link.tar":      tarOf(t, &tar.Header{Name: "l", Typeflag: tar.TypeLink, Linkname: "a.txt"}),
		"device.tar":         tarOf(t, &tar.Header{Name: "d", Typeflag: tar.TypeChar}),
		"pipe.tar":           tarOf(t, &tar.Header{Name: "p", Typeflag: tar.TypeFifo}),
		"twice.tar":          tarOf(t, &tar.Header{Name: "a"}, &tar.Header{Name: "a"}),
		"twice by case.tar":  tarOf(t, &tar.Header{Name: "a"}, &tar.Header{Name: "A"}),
		"twice by dots.tar":  tarOf(t, &tar.Header{Name: "a"}, &tar.Header{Name: "./a"}),
		"below a file.tar":   tarOf(t, &tar.Header{Name: "a"}, &tar.Header{Name: "a/b"}),
		"setuid.tar":         tarOf(t, &tar.Header{Name: "a", Mode: 0o4755}),
		"git.tar":            tarOf(t, &tar.Header{Name: ".git/hooks/pre-commit", Mode: 0o755}),
		"kept.tar":           tarOf(t, &tar.Header{Name: ".vwmp-undo/x/manifest"}),
		"above.zip":          zipOf(t, nil, "ok", "../x"),
		"backslash.zip":      zipOf(t, nil, "ok", `..\x`),
		"absolute.zip":       zipOf(t, nil, "/x"),
		"link.zip":           zipOf(t, func(h *zip.FileHeader) { h.SetMode(os.ModeSymlink | 0o777) }, "l"),
		"setuid.zip":         zipOf(t, func(h *zip.FileHeader) { h.SetMode(os.ModeSetuid | 0o755) }, "s"),
		"twice.zip":          zipOf(t, nil, "a", "a"),
		"many.zip":           zipOf(t, nil, many...),
		"broken.zip":         "PK\x03\x04 nothing",
		"broken.tar.gz":      "\x1f\x8b nothing",
		"cut.tar":            tarOf(t, &tar.Header{Name: "ok"})[:512],
		"reserved.tar":       tarOf(t, &tar.Header{Name: "aux.txt"}),
	}
	for name, data := range bombs(t) {
		archives[name] = data
	}
	for name, data := range archives {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			handlertest.Write(t, dir, name, data)
			if strings.HasPrefix(name, "bomb") && len(data) > 1<<20 {
				t.Fatalf("the bomb has %d bytes", len(data))
			}
			before := snapshot(t, dir)
			use := call("extract", dir, map[string]any{"path": name, "max_files": 40})
			if failure := use.Fail(t, pluginsdk.FailurePermanent, "the archive is refused"); failure.Code != "ARCHIVE_REFUSED" {
				t.Errorf("code %s", failure.Code)
			}
			if now := snapshot(t, dir); now != before {
				t.Error("something was unpacked")
			}
		})
	}
}

func TestLimitsOfAnArchiveCount(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	handlertest.Write(t, dir, "x.tar", tarOf(t, &tar.Header{Name: "a"}, &tar.Header{Name: "b"}, &tar.Header{Name: "c", Typeflag: tar.TypeDir, Mode: 0o755}))
	call("extract", dir, map[string]any{"path": "x.tar", "max_size": 1}).Fail(t, pluginsdk.FailurePermanent, "more than 1 bytes")
	call("extract", dir, map[string]any{"path": "x.tar", "max_files": 2}).Fail(t, pluginsdk.FailurePermanent, "more than 2 entries")
	var output unpackOutput
	call("extract", dir, map[string]any{"path": "x.tar", "max_files": 3, "max_size": 2}).Succeed(t, &output)
	if output.Count != 2 || output.Bytes != 2 || !handlertest.Exists(filepath.Join(dir, "c")) {
		t.Errorf("got %+v", output)
	}
	other := handlertest.Call{Handler: "file.extract", Dir: t.TempDir(), Config: map[string]any{"path": "x.tar", "overwrite": false}}
	handlertest.Write(t, other.Dir, "x.tar", tarOf(t, &tar.Header{Name: "a"}))
	handlertest.Write(t, other.Dir, "a", "mine")
	if failure := other.Fail(t, pluginsdk.FailurePermanent, "a is there already"); failure.Code != "FILE_EXISTS" {
		t.Errorf("code %s", failure.Code)
	}
}
