package main

import (
	"bytes"
	"strings"
	"sync"

	"github.com/vwmp/vwmp/pluginsdk"
)

const (
	// maxMessage bounds a command's own words in an error, in bytes.
	maxMessage = 4 << 10
	// maxLine bounds one line of the log, in bytes; a longer one is broken.
	maxLine = 8 << 10
)

// stream hands on each line of a command as it comes, and keeps the end of
// them all.
type stream struct {
	line  func(string)
	limit int

	mu      sync.Mutex
	kept    []byte
	partial []byte
	isCut   bool
}

func newStream(step *pluginsdk.Step, name string, config runConfig) *stream {
	s := &stream{limit: config.MaxOutput, line: func(string) {}}
	if config.LogOutput {
		s.line = func(line string) { step.Log.Info(line, "stream", name) }
	}
	return s
}

// Write never fails, so that a command is not stopped by what it prints.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, p...)
	// Cutting at twice the limit moves each byte once.
	if len(s.kept) > 2*s.limit+maxLine {
		s.kept = append(s.kept[:0], s.kept[len(s.kept)-s.limit:]...)
		s.isCut = true
	}
	s.partial = append(s.partial, p...)
	rest := s.partial
	for {
		end := bytes.IndexByte(rest, '\n')
		switch {
		case end >= 0 && end <= maxLine:
			s.emit(rest[:end])
			rest = rest[end+1:]
		case len(rest) > maxLine:
			s.emit(rest[:maxLine])
			rest = rest[maxLine:]
		default:
			s.partial = append(s.partial[:0], rest...)
			return len(p), nil
		}
	}
}

func (s *stream) emit(line []byte) {
	if text := strings.TrimRight(strings.ToValidUTF8(string(line), "\uFFFD"), " \t\r"); text != "" {
		s.line(text)
	}
}

// end hands on what is left and returns what was kept.
func (s *stream) end() (text string, isCut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emit(s.partial)
	s.partial = nil
	if len(s.kept) > s.limit {
		s.kept, s.isCut = s.kept[len(s.kept)-s.limit:], true
	}
	return strings.ToValidUTF8(string(s.kept), "\uFFFD"), s.isCut
}

// tailOf returns the last limit bytes, from the start of a line where there is
// one.
func tailOf(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	text = text[len(text)-limit:]
	if _, rest, ok := strings.Cut(text, "\n"); ok {
		text = rest
	}
	return "…\n" + strings.ToValidUTF8(text, "")
}
