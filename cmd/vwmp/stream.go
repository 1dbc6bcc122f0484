package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"

	"github.com/vwmp/vwmp/engine/plan"
)

// maxEventSize bounds one event of a stream, in bytes.
const maxEventSize = 16 << 20

// streamError is the event with which a server ends a stream before its
// execution has ended.
const streamError plan.EventType = "error"

// endOfStream reads why.
func endOfStream(data []byte) string {
	var event struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(data, &event) != nil || event.Detail == "" {
		return "it does not say why"
	}
	return event.Detail
}

// readEventStream calls take with the data of each server-sent event, until
// take returns false or the stream ends.
func readEventStream(r io.Reader, take func(data []byte) bool) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxEventSize)
	var data []byte
	for lines.Scan() {
		line := lines.Bytes()
		switch {
		case len(line) == 0:
			if len(data) > 0 && !take(data) {
				return nil
			}
			data = data[:0]
		case bytes.HasPrefix(line, []byte("data:")):
			if len(data) > 0 {
				data = append(data, '\n')
			}
			data = append(data, bytes.TrimPrefix(line[len("data:"):], []byte(" "))...)
		}
	}
	return lines.Err()
}
