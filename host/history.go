package host

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/store/data"
)

const typeStream = "text/event-stream"

func (s *Server) addHistory(tags []string) {
	register(s, huma.Operation{
		OperationID: "get-logs", Method: http.MethodGet, Path: apiBase + "/executions/{id}/logs/", Tags: tags,
		Summary: "Get log lines, as JSON or text/plain",
		Responses: map[string]*huma.Response{"200": {Description: "The lines", Content: map[string]*huma.MediaType{
			typeJSON: {Schema: s.schemaOf(logList{})}, "text/plain": {Schema: &huma.Schema{Type: huma.TypeString}},
		}}},
	}, s.getLogs)
	s.add(http.MethodGet, apiBase+"/executions/{id}/events/", s.getEvents)
	s.describeRaw(huma.Operation{
		OperationID: "get-events", Method: http.MethodGet, Path: apiBase + "/executions/{id}/events/", Tags: tags,
		Summary: "Get the event history, or follow it as text/event-stream",
		Parameters: []*huma.Param{
			{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "after_seq", In: "query", Description: "Only events with a higher number", Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: new(0.0)}},
			{Name: "limit", In: "query", Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0), Maximum: new(1000.0), Default: 1000}},
			{Name: "Last-Event-ID", In: "header", Description: "As after_seq, for an event stream", Schema: &huma.Schema{Type: huma.TypeString}},
		},
		Responses: map[string]*huma.Response{
			"200": {Description: "The events", Content: map[string]*huma.MediaType{
				typeJSON: {Schema: s.schemaOf(eventList{})}, typeStream: {Schema: &huma.Schema{Type: huma.TypeString}},
			}},
			"204": {Description: "The execution has ended, and there is no event after that one"},
		},
	})
}

type logsInput struct {
	ID       string `path:"id"`
	Accept   string `header:"Accept" hidden:"true"`
	StepID   string `query:"step_id"`
	Level    string `query:"level" enum:"debug,info,warning,error" doc:"The least that is shown"`
	AfterSeq uint64 `query:"after_seq" doc:"Only lines with a higher number"`
	Limit    int    `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
}

type logLine struct {
	Seq       uint64          `json:"seq"`
	Timestamp time.Time       `json:"timestamp"`
	StepID    string          `json:"step_id"`
	ItemIndex *int            `json:"item_index,omitempty"`
	Level     string          `json:"level"`
	Message   string          `json:"message"`
	Fields    json.RawMessage `json:"fields,omitempty"`
}

type logList struct {
	Logs []logLine `json:"logs" nullable:"false"`
	Next string    `json:"next" doc:"The next page's after_seq; empty on the last one"`
	// Capped lists the logs that are not whole.
	Capped []data.CappedLog `json:"capped,omitempty" doc:"Attempts whose log reached its size limit"`
}

type logsOutput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Vary        string `header:"Vary" hidden:"true"`
	Link        string `header:"Link" doc:"The next page"`
	Body        []byte
}

func (s *Server) getLogs(ctx context.Context, in *logsInput) (*logsOutput, error) {
	id, err := executionID(in.ID)
	if err != nil {
		return nil, err
	}
	page, err := s.Executions.Logs(ctx, id, data.LogFilter{
		StepID: in.StepID, Level: pluginsdk.LogLevel(in.Level), AfterSeq: in.AfterSeq, Limit: in.Limit,
	})
	if err != nil {
		return nil, executionMissing(err)
	}
	list := logList{Logs: make([]logLine, len(page.Lines)), Capped: page.Capped}
	for i, e := range page.Lines {
		list.Logs[i] = logLine{
			Seq: e.Seq, Timestamp: e.Time, StepID: e.StepID, ItemIndex: e.ItemIndex, Level: string(e.Level), Message: e.Message, Fields: e.Fields,
		}
	}
	out := &logsOutput{ContentType: typeJSON, Vary: "Accept"}
	if page.More && len(page.Lines) > 0 {
		list.Next = strconv.FormatUint(page.Lines[len(page.Lines)-1].Seq, 10)
		out.Link = link([2]string{"next", in.at(id, list.Next)})
	}
	if strings.Contains(in.Accept, "text/plain") {
		out.ContentType, out.Body = "text/plain; charset=utf-8", plainLogs(list.Logs)
		return out, nil
	}
	out.Body, err = json.Marshal(list)
	return out, err
}

func (in *logsInput) at(id, after string) string {
	query := url.Values{"after_seq": {after}, "limit": {strconv.Itoa(in.Limit)}}
	setUnless(query, "step_id", in.StepID, "")
	setUnless(query, "level", in.Level, "")
	return address("/executions/"+id+"/logs/", query)
}

// plainLogs writes lines for a terminal: control characters, which could
// drive it, are written out.
func plainLogs(lines []logLine) []byte {
	var out bytes.Buffer
	for _, line := range lines {
		fmt.Fprintf(&out, "%s %-7s %s: ", line.Timestamp.UTC().Format("2006-01-02T15:04:05.000Z"), line.Level, line.StepID)
		for _, r := range line.Message {
			switch {
			case r == '\n':
				out.WriteString("\n    ")
			case r < ' ' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0:
				fmt.Fprintf(&out, `\x%02x`, r)
			default:
				out.WriteRune(r)
			}
		}
		if len(line.Fields) > 0 && string(line.Fields) != "{}" {
			out.WriteByte(' ')
			out.Write(line.Fields)
		}
		out.WriteByte('\n')
	}
	return out.Bytes()
}

type eventList struct {
	Events []plan.Event `json:"events" nullable:"false"`
	Next   string       `json:"next" doc:"The next page's after_seq; empty on the last one"`
}

func (s *Server) getEvents(c *fiber.Ctx) error {
	id, err := executionID(c.Params("id"))
	if err != nil {
		return err
	}
	after, err := number(c.Query("after_seq"), "after_seq")
	if err != nil {
		return err
	}
	if strings.Contains(c.Get(fiber.HeaderAccept), typeStream) {
		if last := c.Get("Last-Event-ID"); last != "" {
			if after, err = number(last, "Last-Event-ID"); err != nil {
				return err
			}
		}
		return s.streamEvents(c, id, after)
	}
	limit, err := wholeNumber(c, "limit", data.DefaultLimit, data.DefaultLimit)
	if err != nil {
		return err
	}
	// An unknown execution has no events either; only its header tells.
	if _, err := s.Executions.Execution(c.UserContext(), id); err != nil {
		return executionMissing(err)
	}
	events, err := s.Executions.Events(c.UserContext(), id, after, limit)
	if err != nil {
		return executionMissing(err)
	}
	list := eventList{Events: make([]plan.Event, len(events))}
	for i, event := range events {
		list.Events[i] = event.Public()
	}
	if len(events) == limit {
		list.Next = strconv.FormatUint(events[limit-1].Seq, 10)
		query := url.Values{"after_seq": {list.Next}, "limit": {strconv.Itoa(limit)}}
		c.Set(fiber.HeaderLink, link([2]string{"next", address("/executions/"+id+"/events/", query)}))
	}
	c.Vary(fiber.HeaderAccept)
	return c.JSON(list)
}

func number(text, name string) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, problem.InvalidValue(name, "invalid", name+" must be the number of an event")
	}
	return n, nil
}
