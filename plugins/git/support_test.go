package main

import (
	"context"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
)

func TestMain(m *testing.M) { handlertest.Main(m, gitPlugin(), "GIT_SSL_NO_VERIFY=true") }

func hook(t *testing.T, dir, name, script string) {
	t.Helper()
	file := filepath.Join(dir, ".git", "hooks", name)
	handlertest.Write(t, dir, ".git/hooks/"+name, "#!/bin/sh\n"+script+"\n")
	if err := os.Chmod(file, 0o755); err != nil {
		t.Fatal(err)
	}
}

// newRepository is a repository on main with one commit.
func newRepository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	handlertest.Git(t, dir, "init", "-q", "-b", "main")
	handlertest.Write(t, dir, "a.txt", "one\n")
	handlertest.Git(t, dir, "add", ".")
	handlertest.Git(t, dir, "commit", "-qm", "first")
	return dir
}

// newRemote makes a bare repository and names it origin.
func newRemote(t *testing.T, dir string) string {
	t.Helper()
	bare := filepath.Join(t.TempDir(), "remote.git")
	handlertest.Git(t, dir, "clone", "-q", "--bare", dir, bare)
	handlertest.Git(t, dir, "remote", "add", "origin", bare)
	handlertest.Git(t, dir, "fetch", "-q", "origin")
	return bare
}

const testToken = "tok+en/4711=="

// serveHTTPS serves the bare repositories of a folder to those who know the
// token.
func serveHTTPS(t *testing.T, root string) string {
	t.Helper()
	program := filepath.Join(handlertest.Git(t, root, "--exec-path"), "git-http-backend")
	backend := &cgi.Handler{Path: program, Env: []string{
		"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=ada", "GIT_CONFIG_GLOBAL=" + os.DevNull,
	}}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, ok := r.BasicAuth(); !ok || password != testToken {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// eventually waits for a condition, at most 10 s.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		case <-ticker.C:
		}
	}
}
