package tree

import (
	"runtime"
	"testing"
)

// TestSmallTextsCostLittle: each step's config is read by itself, and a
// workflow may have 10,000 of them.
func TestSmallTextsCostLittle(t *testing.T) {
	const times = 1000
	text := []byte(`{"message":"x"}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		if node, _ := ReadJSON(text, Limits{}); node == nil {
			t.Fatal("it can't be read")
		}
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / times; each > 1024 {
		t.Errorf("reading %s allocates %d bytes", text, each)
	}
}
