package host

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path/filepath"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

// Maintenance looks after the data while everything goes on.
type Maintenance interface {
	data.Backups
	// Check looks at every record; its error is that it could not.
	Check(ctx context.Context) (data.Report, error)
}

func (s *Server) addAdmin() {
	tags := []string{"administration"}
	register(s, huma.Operation{
		OperationID: "check-data", Method: http.MethodGet, Path: apiBase + "/admin/check/", Tags: tags,
		Summary: "Check every record of the data", Description: "It reads everything and may take minutes; nothing waits for it.",
	}, s.checkData)
	register(s, huma.Operation{
		OperationID: "back-up", Method: http.MethodPost, Path: apiBase + "/admin/backup/", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Back the data up into one file on the server's machine", Description: "The answer comes once the file was read back and is durable.",
	}, s.backUp)
}

type checkOutput struct{ Body dataReport }

type dataReport struct {
	OK bool `json:"ok" doc:"There are no problems"`
	data.Report
}

func (s *Server) checkData(ctx context.Context, _ *struct{}) (*checkOutput, error) {
	release, err := s.maintain()
	if err != nil {
		return nil, err
	}
	defer release()
	report, err := s.Maintenance.Check(ctx)
	if err != nil {
		return nil, err
	}
	if report.Problems == nil {
		report.Problems = []string{}
	}
	if report.Warnings == nil {
		report.Warnings = []string{}
	}
	return &checkOutput{dataReport{OK: report.OK(), Report: report}}, nil
}

type backUpInput struct {
	Body *struct {
		File    string `json:"file,omitempty" maxLength:"4096" doc:"An absolute path on the server's machine where there is no file yet; by default a name with the time in the data folder's backup/"`
		WithKey bool   `json:"with_key,omitempty" doc:"Take the key of the secrets and the admin token along"`
	}
}

type backUpOutput struct{ Body data.Backup }

func (s *Server) backUp(ctx context.Context, in *backUpInput) (*backUpOutput, error) {
	var options data.BackupOptions
	if in.Body != nil {
		options = data.BackupOptions{File: in.Body.File, WithKey: in.Body.WithKey}
	}
	if options.File != "" && !filepath.IsAbs(options.File) {
		return nil, problem.InvalidValue("/file", "invalid", "file must be an absolute path on the server's machine")
	}
	release, err := s.maintain()
	if err != nil {
		return nil, err
	}
	defer release()
	made, err := s.Maintenance.Backup(ctx, options)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, problem.New(http.StatusConflict, problem.Conflict, "there is a file of that name already; choose another one").Because(err)
	case errors.Is(err, fs.ErrNotExist):
		return nil, problem.InvalidValue("/file", "invalid", "the folder of that file is not there; make it first").Because(err)
	case errors.Is(err, fs.ErrPermission):
		return nil, problem.InvalidValue("/file", "invalid", "the server may not write there").Because(err)
	case err != nil:
		return nil, err
	}
	return &backUpOutput{made}, nil
}

// maintain lets one caller in at a time: a check and a backup both read
// everything.
func (s *Server) maintain() (release func(), err error) {
	if s.Maintenance == nil {
		return nil, problem.New(http.StatusServiceUnavailable, problem.Unavailable, "this server keeps nothing that could be checked or backed up")
	}
	if !s.maintaining.TryLock() {
		return nil, problem.New(http.StatusConflict, problem.Conflict, "a check or a backup is going on; wait until it has ended")
	}
	return s.maintaining.Unlock, nil
}
