//go:build long && linux

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

// program finds a server's program, or skips the test.
func program(t *testing.T, name string, folders ...string) string {
	t.Helper()
	if found, err := exec.LookPath(name); err == nil {
		return found
	}
	for _, folder := range folders {
		if found, err := filepath.Glob(filepath.Join(folder, name)); err == nil && len(found) > 0 {
			return found[0]
		}
	}
	t.Skipf("%s is not installed here", name)
	return ""
}

// asUser runs a command as the server's own user where the test runs as root,
// which the servers refuse.
func asUser(t *testing.T, name, dir string, cmd *exec.Cmd) {
	t.Helper()
	cmd.Dir = dir
	if os.Geteuid() != 0 {
		return
	}
	account, err := user.Lookup(name)
	if err != nil {
		account, err = user.Lookup("nobody")
	}
	if err != nil {
		t.Skipf("there is no user %s to run the server as", name)
	}
	uid, uidErr := strconv.Atoi(account.Uid)
	gid, gidErr := strconv.Atoi(account.Gid)
	if uidErr != nil || gidErr != nil {
		t.Fatal(uidErr, gidErr)
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// folder is one that another user may enter.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "vwmp-sql-") //nolint:usetesting // A path of a socket must be short.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

func runTo(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd.Path, err, out)
	}
}

// start starts a server, ends it with the test, and waits until it answers.
func start(t *testing.T, cmd *exec.Cmd, b *bench) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		_ = log.Close()
	})
	for deadline := time.Now().Add(60 * time.Second); ; {
		outcome := b.call("query", map[string]any{"statement": "SELECT 1"}).Execute(t)
		if outcome.Kind == pluginsdk.OutcomeSuccess {
			return
		}
		select {
		case err := <-ended:
			ended <- err
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("the server ended: %v\n%s", err, text)
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not answer: %+v", outcome.Failure)
		}
	}
}

func TestPostgreSQL(t *testing.T) {
	initdb := program(t, "initdb", "/usr/lib/postgresql/*/bin")
	postgres := program(t, "postgres", "/usr/lib/postgresql/*/bin")
	dir, port := folder(t), freePort(t)
	cluster := exec.Command(initdb, "-D", "cluster", "-U", "ada", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
	asUser(t, "postgres", dir, cluster)
	runTo(t, cluster)
	server := exec.Command(postgres, "-D", "cluster", "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-k", dir, "-F")
	asUser(t, "postgres", dir, server)
	b := &bench{config: map[string]any{"driver": "postgres", "dsn": fmt.Sprintf("postgres://ada:s3cret@127.0.0.1:%d/postgres?sslmode=disable", port)}, first: "$1", second: "$2"}
	start(t, server, b)
	testDatabase(t, b, "TEXT")
	outcome := b.call("query", map[string]any{"statement": "SELECT 1.10::numeric AS d, '{\"a\":[1]}'::jsonb AS j, true AS b, 'x'::bytea AS y, DATE '2026-01-02' AS t, ARRAY[1,2] AS l, NULL AS n"}).Succeed(t, nil)
	if want := `{"b":true,"d":"1.10","j":{"a":[1]},"l":"{1,2}","n":null,"t":"2026-01-02","y":"eA=="}`; !strings.Contains(string(outcome.Output), want) {
		t.Errorf("got %s, want %s", outcome.Output, want)
	}
	b.call("exec", map[string]any{"statement": "SELECT 1; SELECT 2"}).Fail(t, pluginsdk.FailurePermanent, "multiple commands")
	b.call("query", map[string]any{"statement": "SELECT pg_sleep(60)", "timeout": "300ms"}).Fail(t, pluginsdk.FailureTimeout, "too long")
	b.call("exec", map[string]any{"statement": "CREATE DATABASE other", "transaction": false}).Succeed(t, nil)
}

func TestMariaDB(t *testing.T) {
	install := program(t, "mariadb-install-db")
	mariadbd := program(t, "mariadbd", "/usr/sbin")
	dir, port := folder(t), freePort(t)
	data := filepath.Join(dir, "data")
	tables := exec.Command(install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db")
	asUser(t, "mysql", dir, tables)
	runTo(t, tables)
	server := exec.Command(mariadbd, "--no-defaults", "--datadir="+data, "--bind-address=127.0.0.1", "--port="+strconv.Itoa(port), "--socket="+filepath.Join(dir, "s"), "--pid-file="+filepath.Join(dir, "pid"))
	asUser(t, "mysql", dir, server)
	b := &bench{config: map[string]any{"driver": "mysql", "dsn": fmt.Sprintf("root@tcp(127.0.0.1:%d)/mysql?multiStatements=true&interpolateParams=true&allowAllFiles=true", port)}, first: "?", second: "?"}
	start(t, server, b)
	b.exec(t, "CREATE DATABASE app")
	b.config["dsn"] = fmt.Sprintf("root@tcp(127.0.0.1:%d)/app?multiStatements=true&interpolateParams=true&allowAllFiles=true", port)
	testDatabase(t, b, "VARCHAR(100)")
	outcome := b.call("query", map[string]any{"statement": "SELECT CAST(1.10 AS DECIMAL(5,2)) AS d, 7 AS i, DATE '2026-01-02' AS t, x'00ff' AS y, NULL AS n"}).Succeed(t, nil)
	if want := `{"d":"1.10","i":7,"n":null,"t":"2026-01-02","y":"AP8="}`; !strings.Contains(string(outcome.Output), want) {
		t.Errorf("got %s, want %s", outcome.Output, want)
	}
	b.call("exec", map[string]any{"statement": "SELECT 1; SELECT 2"}).Fail(t, pluginsdk.FailurePermanent, "syntax")
	b.call("exec", map[string]any{"statement": "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE people"}).Fail(t, pluginsdk.FailurePermanent, "")
	b.call("query", map[string]any{"statement": "SELECT SLEEP(60)", "timeout": "300ms"}).Fail(t, pluginsdk.FailureTimeout, "too long")
}
