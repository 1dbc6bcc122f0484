package host_test

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/vwmp/vwmp/host"
	"github.com/vwmp/vwmp/store"
	"github.com/vwmp/vwmp/store/data"
)

// withStore gives a world a store on disk to look after.
func withStore(t *testing.T) (setting, *store.Store) {
	t.Helper()
	keeper, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := keeper.Close(); err != nil {
			t.Error(err)
		}
	})
	return func(o *host.Options) { o.Maintenance = keeper }, keeper
}

func TestBackupAndCheck(t *testing.T) {
	set, _ := withStore(t)
	w := newWorld(t, set)
	for _, path := range []string{"/api/vwmp/admin/check/", "/api/vwmp/admin/check"} {
		report := w.ask("GET", path, "").want(200).object()
		if problems, ok := report["problems"].([]any); !ok || len(problems) != 0 || report["ok"] != true {
			t.Errorf("report is %v", report)
		}
	}
	file := filepath.Join(t.TempDir(), "backup.tar")
	made := w.ask("POST", "/api/vwmp/admin/backup/", fmt.Sprintf(`{"file":%q}`, file), "Content-Type", "application/json").want(201).object()
	if made["file"] != file || made["size"].(float64) < 1000 {
		t.Errorf("backup is %v", made)
	}
	if _, err := store.Restore(t.Context(), file, filepath.Join(t.TempDir(), "restored")); err != nil {
		t.Errorf("restore: %v", err)
	}
	w.ask("POST", "/api/vwmp/admin/backup/", fmt.Sprintf(`{"file":%q}`, file), "Content-Type", "application/json").problem(409, "CONFLICT")
	w.ask("POST", "/api/vwmp/admin/backup/", `{"file":"relative.tar"}`, "Content-Type", "application/json").problem(400, "VALIDATION_ERROR")
	w.ask("POST", "/api/vwmp/admin/backup/", `{"file":"/no/such/folder/b.tar"}`, "Content-Type", "application/json").problem(400, "VALIDATION_ERROR")
	w.ask("POST", "/api/vwmp/admin/backup/", `{"unknown":1}`, "Content-Type", "application/json").problem(400, "VALIDATION_ERROR")
	if name := w.ask("POST", "/api/vwmp/admin/backup", "").want(201).text("file"); filepath.Base(filepath.Dir(name)) != "backup" {
		t.Errorf("without a name it is %s", name)
	}
}

func TestBackupIsForAdministratorsOnly(t *testing.T) {
	set, _ := withStore(t)
	w := newWorld(t, set)
	for _, request := range [][2]string{{"GET", "/api/vwmp/admin/check/"}, {"POST", "/api/vwmp/admin/backup/"}} {
		w.ask(request[0], request[1], "", "Authorization", "").problem(401, "AUTHENTICATION_ERROR")
	}
}

func TestServerWithoutAStoreSaysSo(t *testing.T) {
	w := newWorld(t)
	w.ask("GET", "/api/vwmp/admin/check/", "").problem(503, "UNAVAILABLE")
}

// stuck is a store whose check does not end by itself.
type stuck struct{ begun, end chan struct{} }

func (s stuck) Check(ctx context.Context) (data.Report, error) {
	close(s.begun)
	select {
	case <-s.end:
		return data.Report{Problems: []string{"event 3 is missing"}}, nil
	case <-ctx.Done():
		return data.Report{}, ctx.Err()
	}
}

func (stuck) Backup(context.Context, data.BackupOptions) (data.Backup, error) {
	return data.Backup{}, fmt.Errorf("make it: %w", fs.ErrPermission)
}

func TestOneCheckOrBackupAtATime(t *testing.T) {
	slow := stuck{make(chan struct{}), make(chan struct{})}
	w := newWorld(t, func(o *host.Options) { o.Maintenance = slow })
	checked := make(chan answer, 1)
	go func() {
		a, err := w.try("GET", "/api/vwmp/admin/check/", "")
		if err != nil {
			t.Error(err)
		}
		checked <- a
	}()
	<-slow.begun
	w.ask("POST", "/api/vwmp/admin/backup/", "").problem(409, "CONFLICT")
	close(slow.end)
	report := (<-checked).want(200).object()
	if report["ok"] != false || len(report["problems"].([]any)) != 1 {
		t.Errorf("report is %v", report)
	}
	w.ask("POST", "/api/vwmp/admin/backup/", "").problem(400, "VALIDATION_ERROR")
}
