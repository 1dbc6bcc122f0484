package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/host/problem"
)

// Bounds of what is recorded over a time. An answer is held whole until it is
// sent, so that both are short.
const (
	profileSeconds    = 10
	maxProfileSeconds = 60
	traceSeconds      = 1
	maxTraceSeconds   = 5
	// maxTrace bounds a trace, in bytes; what is beyond it is left out.
	maxTrace = 64 << 20
)

const profilePath = "/debug/pprof/"

// addProfiles shows what the program is made of at work. The standard
// library's own pages register themselves with every server of the process;
// these are rows of the route table like others.
func (s *Server) addProfiles() {
	s.add(http.MethodGet, profilePath, s.listProfiles)
	s.add(http.MethodGet, profilePath+"{name}", s.getProfile)
}

func (s *Server) listProfiles(c *fiber.Ctx) error {
	var text strings.Builder
	for _, p := range pprof.Profiles() {
		fmt.Fprintf(&text, "%s%s\t%d\n", profilePath, p.Name(), p.Count())
	}
	fmt.Fprintf(&text, "%sprofile\tprocessor time; seconds=N, at most %d\n", profilePath, maxProfileSeconds)
	fmt.Fprintf(&text, "%strace\twhat the scheduler does; seconds=N, at most %d\n", profilePath, maxTraceSeconds)
	return c.SendString(text.String())
}

// getProfile answers with one profile for "go tool pprof", or a trace for "go
// tool trace". debug=1 gives a profile that is not recorded over a time as
// text.
func (s *Server) getProfile(c *fiber.Ctx) error {
	var content bytes.Buffer
	var err error
	name := c.Params("name")
	switch name {
	case "profile":
		err = record(c, profileSeconds, maxProfileSeconds, func(ctx context.Context) error {
			return between(ctx, func() error { return pprof.StartCPUProfile(&content) }, pprof.StopCPUProfile)
		})
	case "trace":
		err = record(c, traceSeconds, maxTraceSeconds, func(ctx context.Context) error {
			return between(ctx, func() error { return trace.Start(&cappedWriter{to: &content, room: maxTrace}) }, trace.Stop)
		})
	default:
		err = lookUp(c, name, &content)
	}
	if err != nil {
		return err
	}
	if c.Query("debug") == "" {
		c.Set(fiber.HeaderContentType, fiber.MIMEOctetStream)
		c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`"`)
	}
	return c.Send(content.Bytes())
}

func lookUp(c *fiber.Ctx, name string, to io.Writer) error {
	known := slices.ContainsFunc(pprof.Profiles(), func(p *pprof.Profile) bool { return p.Name() == name })
	if !known {
		return problem.New(http.StatusNotFound, problem.NotFound, "there is no such profile; "+profilePath+" lists them")
	}
	debug := 0
	if text := c.Query("debug"); text != "" {
		var err error
		if debug, err = strconv.Atoi(text); err != nil || debug < 0 || debug > 2 {
			return problem.InvalidValue("debug", "invalid", "debug must be 0, 1 or 2")
		}
	}
	if err := pprof.Lookup(name).WriteTo(to, debug); err != nil {
		return fmt.Errorf("write profile %s: %w", name, err)
	}
	return nil
}

// record runs what records for as long as the request says.
func record(c *fiber.Ctx, byDefault, most int, run func(context.Context) error) error {
	seconds := byDefault
	if text := c.Query("seconds"); text != "" {
		var err error
		if seconds, err = strconv.Atoi(text); err != nil || seconds < 1 || seconds > most {
			return problem.InvalidValue("seconds", "invalid", fmt.Sprintf("seconds must be from 1 to %d", most))
		}
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), time.Duration(seconds)*time.Second)
	defer cancel()
	return run(ctx)
}

// between starts, waits for ctx, and stops. Only one of a kind goes at a time.
func between(ctx context.Context, start func() error, stop func()) error {
	if err := start(); err != nil {
		return problem.New(http.StatusConflict, problem.Conflict, "one is being recorded already; try again once it is over").Because(err)
	}
	<-ctx.Done()
	stop()
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errStopping
	}
	return nil
}

// cappedWriter takes no more than there is room for, and says nothing of it:
// who writes a trace would go on all the same.
type cappedWriter struct {
	to   io.Writer
	room int
}

// Write implements io.Writer.
func (w *cappedWriter) Write(p []byte) (int, error) {
	taken := min(len(p), w.room)
	w.room -= taken
	if _, err := w.to.Write(p[:taken]); err != nil {
		return 0, err
	}
	return len(p), nil
}
