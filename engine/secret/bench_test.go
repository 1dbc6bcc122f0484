package secret_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine/secret"
)

func BenchmarkScrub(b *testing.B) {
	scrubber := secret.NewScrubber([]string{"ghp_0123456789abcdefghijABCDEFGHIJ012345", "another secret", strings.Repeat("line of a key of some length 0123456789\n", 30)})
	line := "2026-11-23T13:00:00Z uploading 17% of some/file/with/a/longer/path.txt to https://example.com/?q=1%202"
	b.Run("line", func(b *testing.B) {
		b.SetBytes(int64(len(line)))
		for b.Loop() {
			_ = scrubber.Text(line)
		}
	})
	rows := make([]map[string]any, 10000)
	for i := range rows {
		rows[i] = map[string]any{"id": i, "name": "a \"quoted\" name of some length", "url": "https://example.com/%20", "ok": true}
	}
	data, err := json.Marshal(rows)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("output", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			_ = scrubber.JSON(data)
		}
	})
}
