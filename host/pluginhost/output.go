package pluginhost

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// maxLine bounds one line of a plugin's output, in bytes.
	maxLine = 64 << 10
	// maxHandshake bounds the line that go-plugin is given; a good one has
	// a hundred bytes, or two thousand with a certificate.
	maxHandshake = 8 << 10
	// maxLinesPerSecond bounds how much of a plugin's chatter is logged.
	maxLinesPerSecond = 200
	maxLastWords      = 10
	maxLastWordsLine  = 400
)

// output is what one process writes: it goes to the log under the plugin's
// name, so many lines a second, and the last words are kept.
type output struct {
	log *slog.Logger
	// scrub may be nil.
	scrub func(line string) string

	mu      sync.Mutex
	second  int64
	lines   int
	dropped int
	words   []string
}

// take logs one line.
func (o *output) take(stream, line string, now time.Time) {
	if strings.TrimSpace(line) == "" {
		return
	}
	if o.scrub != nil {
		line = o.scrub(line)
	}
	o.mu.Lock()
	dropped := 0
	if now.Unix() != o.second {
		dropped, o.second, o.lines, o.dropped = o.dropped, now.Unix(), 0, 0
	}
	o.lines++
	over := o.lines > maxLinesPerSecond
	if over {
		o.dropped++
	}
	if stream == "stderr" {
		o.remember(line)
	}
	o.mu.Unlock()
	o.tellDropped(dropped)
	if !over {
		level, message, attributes := parseLine(line)
		o.log.LogAttrs(context.Background(), level, message, append(attributes, slog.String("stream", stream))...)
	}
}

func (o *output) remember(line string) {
	if len(line) > maxLastWordsLine {
		line = line[:maxLastWordsLine] + "…"
	}
	o.words = append(o.words, strings.ToValidUTF8(line, "\uFFFD"))
	if len(o.words) > maxLastWords {
		o.words = slices.Delete(o.words, 0, 1)
	}
}

// flush tells what was dropped and not told yet.
func (o *output) flush() {
	o.mu.Lock()
	dropped := o.dropped
	o.dropped = 0
	o.mu.Unlock()
	o.tellDropped(dropped)
}

func (o *output) tellDropped(lines int) {
	if lines > 0 {
		o.log.Warn("the plugin wrote too much", "lines_dropped", lines)
	}
}

// lastWords are the last lines of standard error, the oldest first.
func (o *output) lastWords() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.words)
}

// readStdout passes the first line on to go-plugin, and logs the rest:
// go-plugin stops reading for good at a line of over 64 KiB.
func (o *output) readStdout(stdout io.Reader, handshake *io.PipeWriter) {
	lines := newLineReader(stdout)
	first, err := lines.next()
	if err == nil {
		// go-plugin closes its end when it gives up.
		_, _ = io.WriteString(handshake, first[:min(len(first), maxHandshake)]+"\n")
	}
	_ = handshake.Close()
	for err == nil {
		var line string
		line, err = lines.next()
		o.take("stdout", line, time.Now())
	}
}

func (o *output) readStderr(stderr io.Reader) {
	lines := newLineReader(stderr)
	var err error
	for err == nil {
		var line string
		line, err = lines.next()
		o.take("stderr", line, time.Now())
	}
}

// lineReader reads lines of any length; what is over maxLine is cut.
type lineReader struct{ r *bufio.Reader }

func newLineReader(r io.Reader) *lineReader { return &lineReader{bufio.NewReaderSize(r, maxLine)} }

func (l *lineReader) next() (string, error) {
	line, err := l.r.ReadSlice('\n')
	text := strings.TrimRight(string(line), "\r\n")
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = l.r.ReadSlice('\n')
	}
	return text, err
}

// printed takes what a plugin prints once it serves, which go-plugin carries
// over the connection in pieces.
type printed struct {
	output *output
	stream string

	mu   sync.Mutex
	rest []byte
}

// Write implements io.Writer.
func (p *printed) Write(piece []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest = append(p.rest, piece...)
	for {
		line, rest, found := bytes.Cut(p.rest, []byte("\n"))
		if !found && len(p.rest) < maxLine {
			return len(piece), nil
		}
		p.output.take(p.stream, string(line), time.Now())
		p.rest = append(p.rest[:0], rest...)
	}
}

// parseLine reads a line of go-hclog's JSON; any other line is a message
// itself. go-plugin's own reader panics on such a line without a level or a
// time.
func parseLine(line string) (slog.Level, string, []slog.Attr) {
	var entry map[string]any
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &entry) != nil {
		return slog.LevelInfo, line, nil
	}
	message, ok := entry["@message"].(string)
	if !ok {
		return slog.LevelInfo, line, nil
	}
	var attributes []slog.Attr
	for _, key := range slices.Sorted(maps.Keys(entry)) {
		if !strings.HasPrefix(key, "@") {
			attributes = append(attributes, slog.Any(key, entry[key]))
		}
	}
	level, _ := entry["@level"].(string)
	return levelOf(level), message, attributes
}

func levelOf(level string) slog.Level {
	switch level {
	case "trace", "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}
