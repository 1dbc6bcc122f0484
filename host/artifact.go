package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/store/data"
)

func (s *Server) addArtifacts(tags []string) {
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "list-artifacts", Method: http.MethodGet, Path: apiBase + "/executions/{id}/artifacts/", Tags: tags,
			Summary: "List the files that an execution's steps made",
			Parameters: []*huma.Param{
				query("after_seq", huma.TypeInteger, "Only those that were told of later"), query("limit", huma.TypeInteger, "1 to 1000; 100"),
			},
		},
		answers: map[int]any{http.StatusOK: artifactList{}}, serve: s.listArtifacts,
	})
	path := apiBase + "/executions/{id}/artifacts/{sha256}/"
	s.add(http.MethodGet, path, s.getArtifact)
	s.describeRaw(huma.Operation{
		OperationID: "get-artifact", Method: http.MethodGet, Path: path, Tags: tags,
		Summary:     "Get a file that a step made, or a large output",
		Description: "404 once the file is not as the step left it.",
		Parameters: []*huma.Param{
			{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "sha256", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString, Pattern: checksum().String()}},
		},
		Responses: map[string]*huma.Response{"200": {Description: "The content", Content: content(&huma.Schema{Type: huma.TypeString, Format: "binary"}, "application/octet-stream")}},
	})
}

var checksum = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{64}$`) })

type artifact struct {
	StepID    string    `json:"step_id"`
	ItemIndex *int      `json:"item_index,omitempty"`
	Attempt   int       `json:"attempt"`
	Path      string    `json:"path" doc:"In the workspace"`
	Size      int64     `json:"size" doc:"Bytes"`
	SHA256    string    `json:"sha256"`
	MediaType string    `json:"media_type,omitempty"`
	Seq       uint64    `json:"seq" doc:"The number of the log line that tells of it"`
	Timestamp time.Time `json:"timestamp"`
}

type artifactList struct {
	Artifacts []artifact `json:"artifacts" nullable:"false"`
	Next      string     `json:"next" doc:"The next page's after_seq; empty on the last one"`
}

func (s *Server) listArtifacts(c *fiber.Ctx, _ any) (int, any, error) {
	id, err := executionID(c.Params("id"))
	if err != nil {
		return 0, nil, err
	}
	after, err := number(c.Query("after_seq"), "after_seq")
	if err != nil {
		return 0, nil, err
	}
	limit := c.QueryInt("limit", 100)
	if limit < 1 || limit > data.DefaultLimit {
		return 0, nil, problem.InvalidValue("limit", "invalid", fmt.Sprintf("limit must be from 1 to %d", data.DefaultLimit))
	}
	list := artifactList{Artifacts: []artifact{}}
	err = s.artifacts(c.UserContext(), id, after, func(one artifact) bool {
		if n := len(list.Artifacts); n == limit {
			list.Next = strconv.FormatUint(list.Artifacts[n-1].Seq, 10)
			return false
		}
		list.Artifacts = append(list.Artifacts, one)
		return true
	})
	if list.Next != "" {
		query := url.Values{"after_seq": {list.Next}, "limit": {strconv.Itoa(limit)}}
		c.Set(fiber.HeaderLink, link([2]string{"next", address("/executions/"+id+"/artifacts/", query)}))
	}
	return http.StatusOK, list, err
}

// artifacts visits what steps said they made, in order, until visit returns
// false. The engine notes each in the log.
func (s *Server) artifacts(ctx context.Context, id string, after uint64, visit func(artifact) bool) error {
	for {
		page, err := s.Executions.Logs(ctx, id, data.LogFilter{Level: pluginsdk.LevelInfo, AfterSeq: after})
		if err != nil {
			return executionMissing(err)
		}
		for i := range page.Lines {
			after = page.Lines[i].Seq
			if one, found := artifactOf(&page.Lines[i]); found && !visit(one) {
				return nil
			}
		}
		if !page.More || len(page.Lines) == 0 {
			return nil
		}
	}
}

func artifactOf(line *plan.Event) (artifact, bool) {
	if !strings.Contains(string(line.Fields), `"artifact"`) {
		return artifact{}, false
	}
	var fields struct{ Artifact *pluginsdk.Artifact }
	if json.Unmarshal(line.Fields, &fields) != nil || fields.Artifact == nil || !checksum().MatchString(fields.Artifact.SHA256) {
		return artifact{}, false
	}
	made := fields.Artifact
	return artifact{
		StepID: line.StepID, ItemIndex: line.ItemIndex, Attempt: line.Attempt, Path: made.Path, Size: made.Size,
		SHA256: made.SHA256, MediaType: made.MediaType, Seq: line.Seq, Timestamp: line.Time,
	}, true
}

func noArtifact() *problem.Problem {
	return problem.New(http.StatusNotFound, problem.NotFound, "the execution made nothing of this checksum, or it is not there any more as it was made")
}

func (s *Server) getArtifact(c *fiber.Ctx) error {
	ctx := c.UserContext()
	id, err := executionID(c.Params("id"))
	if err != nil {
		return err
	}
	execution, err := s.Executions.Execution(ctx, id)
	if err != nil {
		return executionMissing(err)
	}
	sum := c.Params("sha256")
	if !checksum().MatchString(sum) {
		return noArtifact()
	}
	text, err := s.outputOf(ctx, id, sum)
	if err != nil {
		return err
	}
	if text != nil {
		c.Set(fiber.HeaderContentType, typeJSON)
		c.Set(fiber.HeaderContentDisposition, attachment(sum[:16]+".json"))
		return c.Send(text)
	}
	var made *artifact
	if err := s.artifacts(ctx, id, 0, func(one artifact) bool {
		if one.SHA256 == sum {
			made = &one
		}
		return made == nil
	}); err != nil {
		return err
	}
	if made == nil {
		return noArtifact()
	}
	return s.sendArtifact(c, execution.Workspace, made)
}

// sendArtifact sends a file of the workspace, if it is still what was made.
func (s *Server) sendArtifact(c *fiber.Ctx, workspace string, made *artifact) error {
	file, err := s.openArtifact(workspace, made)
	if err != nil {
		return noArtifact().Because(err)
	}
	kind := "application/octet-stream"
	if _, _, err := mime.ParseMediaType(made.MediaType); err == nil {
		kind = made.MediaType
	}
	c.Set(fiber.HeaderContentType, kind)
	// Whatever opens it all the same must not run what a step made.
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'; sandbox")
	c.Set(fiber.HeaderContentDisposition, attachment(plainName(filepath.Base(made.Path))))
	c.Set(fiber.HeaderETag, `"`+made.SHA256+`"`)
	// The library closes the file when the answer is out.
	return c.SendStream(&patientFile{file: file, conn: c.Context().Conn(), timeout: s.Limits.WriteTimeout}, int(made.Size))
}

// openArtifact opens a file below the workspace's folder and holds it against
// its checksum: what a plugin says of itself is not taken for granted.
func (s *Server) openArtifact(workspace string, made *artifact) (file *os.File, err error) {
	known, err := s.workspace(workspace)
	if err != nil {
		return nil, err
	}
	name := made.Path
	if filepath.IsAbs(name) {
		if name, err = filepath.Rel(known.Dir, name); err != nil {
			return nil, fmt.Errorf("find an artifact: %w", err)
		}
	}
	root, err := os.OpenRoot(known.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the workspace: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	// A pipe must not be opened: that would wait for its other end.
	info, err := root.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() != made.Size {
		return nil, errors.Join(errors.New("an artifact is gone or has another size"), err)
	}
	if file, err = root.Open(name); err != nil {
		return nil, fmt.Errorf("open an artifact: %w", err)
	}
	sum := sha256.New()
	_, err = io.Copy(sum, io.LimitReader(file, made.Size))
	if err == nil && hex.EncodeToString(sum.Sum(nil)) != made.SHA256 {
		err = errors.New("an artifact has another content")
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// plainName writes a file's name with letters that every header takes.
func plainName(name string) string {
	kept := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, name)
	return kept[:min(len(kept), 100)]
}

// patientFile gives a connection the time of a write anew with each part of a
// file, however large that is. It offers no more than that, so that nothing
// reads past it.
type patientFile struct {
	file    *os.File
	conn    net.Conn
	timeout time.Duration
}

// Read reads the next part.
func (f *patientFile) Read(p []byte) (int, error) {
	if err := f.conn.SetWriteDeadline(time.Now().Add(f.timeout)); err != nil {
		return 0, err
	}
	return f.file.Read(p)
}

// Close closes the file.
func (f *patientFile) Close() error { return f.file.Close() }
