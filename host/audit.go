package host

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

// actionSignIn is how the audit trail calls a sign-in.
const actionSignIn = "auth.sign-in"

// maxStrangers bounds the failed sign-ins that a minute leaves in the audit
// trail: whoever is not let in must not be able to fill the disk.
const maxStrangers = 100

// strangers counts failed sign-ins in windows of a minute.
type strangers struct {
	mu    sync.Mutex
	begun time.Time
	count int
}

func (s *strangers) room(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.begun) >= time.Minute {
		s.begun, s.count = now, 0
	}
	s.count++
	return s.count <= maxStrangers
}

// audited writes down what a request did, once it has its answer: every
// request that changes something passes here, and every sign-in.
func (s *Server) audited(c *fiber.Ctx, info *requestInfo) {
	action := info.action
	if s.Audit == nil || action == "" {
		return
	}
	status := c.Response().StatusCode()
	if action == actionSignIn && info.who.Name == "" && (status == http.StatusTooManyRequests || !s.strangers.room(s.now())) {
		return
	}
	object := info.object
	if object == "" {
		object = strings.Trim(strings.TrimPrefix(string(c.Response().Header.Peek(fiber.HeaderLocation)), apiBase), "/")
	}
	if object == "" {
		object = objectOf(c, info.pattern)
	}
	s.record(c.UserContext(), info, data.AuditRecord{Action: action, Object: object, Status: status, Detail: info.detail})
}

// record keeps one thing that somebody did. What was done stays done where it
// can't be written down, and the log says so.
func (s *Server) record(ctx context.Context, info *requestInfo, r data.AuditRecord) {
	if s.Audit == nil {
		return
	}
	r.Who, r.Way, r.Address, r.RequestID = info.who.Name, string(info.who.Way), info.address, info.id
	if info.who.Role != 0 {
		r.Role = info.who.Role.String()
	}
	switch {
	case r.Status >= http.StatusInternalServerError:
		r.Result = data.AuditFailed
	case r.Status >= http.StatusBadRequest:
		r.Result = data.AuditRefused
	default:
		r.Result = data.AuditDone
	}
	err := s.Audit.AppendAudit(context.WithoutCancel(ctx), r)
	s.Meter.Audited(r.Result, err == nil)
	if err != nil {
		s.log.Error("the audit trail lacks a record", "action", r.Action, "object", r.Object, "who", r.Who, "request_id", r.RequestID, "error", err)
	}
}

// objectOf is the path of a request below the API, up to its last value. The
// token of a webhook is a secret, and is left out.
func objectOf(c *fiber.Ctx, pattern string) string {
	below := strings.Trim(strings.TrimPrefix(pattern, apiBase), "/")
	parts := strings.Split(below, "/")
	last := 0
	for i, part := range parts {
		if name, found := strings.CutPrefix(part, "{"); found {
			if name == "token}" {
				break
			}
			parts[i], last = c.Params(strings.TrimSuffix(name, "}")), i
		}
	}
	return strings.Join(parts[:last+1], "/")
}

func (s *Server) addAudit() {
	s.add(http.MethodGet, apiBase+"/audit/", s.getAudit)
	text := &huma.Schema{Type: huma.TypeString}
	s.describeRaw(huma.Operation{
		OperationID: "list-audit", Method: http.MethodGet, Path: apiBase + "/audit/", Tags: []string{"audit"},
		Summary:     "List who did what, the newest first",
		Description: "Each record has the SHA-256 of itself and of the one before. format=jsonl gives all that match as lines of JSON, the oldest first.",
		Parameters: []*huma.Param{
			query("who", huma.TypeString, "Only of this account"), query("action", huma.TypeString, "Only this action, such as workflow.update"),
			query("object", huma.TypeString, "Only objects that begin so, such as workflows/ID"),
			{Name: "result", In: "query", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{data.AuditDone, data.AuditRefused, data.AuditFailed}}, Description: "Only with this result"},
			query("since", huma.TypeString, "At this time or later"), query("until", huma.TypeString, "Before this time"),
			query("cursor", huma.TypeString, "What the page before gave as next"),
			{Name: "limit", In: "query", Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0), Maximum: new(1000.0), Default: 100}},
			{Name: "format", In: "query", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"json", "jsonl"}, Default: "json"}},
		},
		Responses: map[string]*huma.Response{"200": {Description: "The records", Content: map[string]*huma.MediaType{
			typeJSON: {Schema: s.schemaOf(auditList{})}, typeLines: {Schema: text},
		}}},
	})
}

const typeLines = "application/jsonl"

type auditList struct {
	Records []data.AuditRecord `json:"records" nullable:"false"`
	Next    string             `json:"next" doc:"The next page's cursor; empty on the last one"`
}

func (s *Server) getAudit(c *fiber.Ctx) error {
	filter, err := auditFilter(c)
	if err != nil {
		return err
	}
	if s.Audit == nil {
		return problem.New(http.StatusServiceUnavailable, problem.Unavailable, "this server keeps no audit trail")
	}
	switch format := c.Query("format", "json"); format {
	case "json":
	case "jsonl":
		return s.exportAudit(c, filter)
	default:
		return problem.InvalidValue("format", "enum", "format must be json or jsonl")
	}
	records, next, err := s.Audit.AuditRecords(c.UserContext(), filter)
	if err != nil {
		return err
	}
	list := auditList{Records: records}
	if next != 0 {
		list.Next = strconv.FormatUint(next, 10)
	}
	return c.JSON(list)
}

func auditFilter(c *fiber.Ctx) (filter data.AuditFilter, err error) {
	filter = data.AuditFilter{Who: c.Query("who"), Action: c.Query("action"), Object: strings.TrimPrefix(c.Query("object"), "/"), Result: c.Query("result")}
	if filter.Limit, err = wholeNumber(c, "limit", 100, data.DefaultLimit); err != nil {
		return filter, err
	}
	if !slices.Contains([]string{"", data.AuditDone, data.AuditRefused, data.AuditFailed}, filter.Result) {
		return filter, problem.InvalidValue("result", "enum", "result must be done, refused or failed")
	}
	if filter.After, err = number(c.Query("cursor"), "cursor"); err != nil {
		return filter, err
	}
	if filter.Since, err = timeValue("since", c.Query("since")); err != nil {
		return filter, err
	}
	filter.Until, err = timeValue("until", c.Query("until"))
	return filter, err
}

// maxExport bounds the records of one export, so that its answer fits into
// memory; the header Link leads to the rest.
const maxExport = 20000

// exportAudit answers with lines, the oldest first, as a chain is checked.
func (s *Server) exportAudit(c *fiber.Ctx, filter data.AuditFilter) error {
	filter.OldestFirst, filter.Limit = true, data.DefaultLimit
	encoder := json.NewEncoder(c.Response().BodyWriter())
	for written := 0; ; {
		page, next, err := s.Audit.AuditRecords(c.UserContext(), filter)
		if err != nil {
			return err
		}
		for i := range page {
			if err := encoder.Encode(&page[i]); err != nil {
				return err
			}
		}
		written, filter.After = written+len(page), next
		if next == 0 || written >= maxExport {
			break
		}
	}
	if filter.After != 0 {
		query := url.Values{}
		for name, value := range c.Queries() {
			query.Set(name, value)
		}
		query.Set("cursor", strconv.FormatUint(filter.After, 10))
		c.Set(fiber.HeaderLink, link([2]string{"next", address("/audit/", query)}))
	}
	c.Set(fiber.HeaderContentType, typeLines)
	setAttachment(c, "audit.jsonl")
	return nil
}

// signInFailed marks a request whose bearer token let nobody in.
func (i *requestInfo) signInFailed(err error) {
	if signedOut(err) || limited(err) {
		i.action, i.detail = actionSignIn, "a bearer token"
	}
}
