package host

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

// retrySoon is when a caller may expect a passing trouble to be over.
const retrySoon = 5 * time.Second

// pathValue decodes a value of the path, once.
func pathValue(raw string) (string, bool) {
	value, err := url.PathUnescape(raw)
	return value, err == nil
}

// workflowID reads a workflow's id from the path. What can't be one is not
// found.
func workflowID(raw string) (string, error) {
	if id, ok := pathValue(raw); ok && data.CheckID("workflow", id) == nil {
		return id, nil
	}
	return "", noWorkflow()
}

// executionID reads an execution's id from the path.
func executionID(raw string) (string, error) {
	if id, ok := pathValue(raw); ok && data.CheckID("execution", id) == nil {
		return id, nil
	}
	return "", noExecution()
}

func stepID(raw string) (string, error) {
	if id, ok := pathValue(raw); ok && data.CheckID("step", id) == nil {
		return id, nil
	}
	return "", problem.New(http.StatusNotFound, problem.NotFound, "the execution has no step of this id")
}

func noWorkflow() *problem.Problem {
	return problem.New(http.StatusNotFound, problem.WorkflowNotFound, "there is no workflow of this id")
}

func noExecution() *problem.Problem {
	return problem.New(http.StatusNotFound, problem.ExecutionNotFound, "there is no execution of this id")
}

// expectedRevision reads an If-Match header: 0 where any revision will do.
func expectedRevision(header string) (int, error) {
	text := strings.TrimSpace(header)
	if text == "" || text == "*" {
		return 0, nil
	}
	text = strings.Trim(strings.TrimPrefix(text, "W/"), `"`)
	revision, err := strconv.Atoi(text)
	if err != nil || revision < 1 {
		return 0, problem.InvalidValue("If-Match", "invalid", "If-Match must be the ETag of the workflow, which is its revision in quotes")
	}
	return revision, nil
}

func etag(revision int) string { return `"` + strconv.Itoa(revision) + `"` }

// link writes a Link header of addresses by relation.
func link(relations ...[2]string) string {
	var parts []string
	for _, relation := range relations {
		parts = append(parts, "<"+relation[1]+`>; rel="`+relation[0]+`"`)
	}
	return strings.Join(parts, ", ")
}

// address writes a path of the API with a query.
func address(path string, query url.Values) string {
	if len(query) == 0 {
		return apiBase + path
	}
	return apiBase + path + "?" + query.Encode()
}

// setUnless sets a query's value where it is not the default.
func setUnless(query url.Values, name, value, byDefault string) {
	if value != byDefault {
		query.Set(name, value)
	}
}

// wholeNumber reads a number from 1 to most of the query; empty is the default.
func wholeNumber(c *fiber.Ctx, name string, byDefault, most int) (int, error) {
	text := c.Query(name)
	if text == "" {
		return byDefault, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, problem.InvalidValue(name, "invalid", fmt.Sprintf("%s must be a whole number from 1 to %d", name, most))
	}
	return n, nil
}

// timeValue reads a time of the query; empty is zero.
func timeValue(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, problem.InvalidValue(name, "invalid", name+" must be a time such as 2026-01-31T12:00:00Z")
	}
	return t, nil
}
