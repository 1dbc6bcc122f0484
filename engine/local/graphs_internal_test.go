package local

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine/workflow"
)

func TestGraphsAreKeptUpToANumberOfSteps(t *testing.T) {
	t.Parallel()
	r := New(Options{})
	keep := func(name string, steps int) *workflow.Graph {
		var text []string
		for i := range steps {
			text = append(text, fmt.Sprintf(`{"id":"s%d","handler":"flow.log"}`, i))
		}
		_, graph, problems := workflow.Validate([]byte(`{"name":"`+name+`","steps":[`+strings.Join(text, ",")+`]}`), workflow.ParseOptions{}, nil)
		if graph == nil {
			t.Fatal(problems)
		}
		return r.keepGraph(graphKey{document: sha256.Sum256([]byte(name))}, graph)
	}
	const half = maxGraphSteps / 2
	first := keep("first", half)
	keep("second", half)
	if keep("first", half) != first {
		t.Error("the graph that two executions compiled at the same time is kept twice")
	}
	if len(r.graphs) != 2 || r.graphSteps != maxGraphSteps {
		t.Errorf("%d graphs of %d steps are kept", len(r.graphs), r.graphSteps)
	}
	keep("third", 1)
	if len(r.graphs) != 1 || r.graphSteps != 1 {
		t.Errorf("%d graphs of %d steps are kept after one too many", len(r.graphs), r.graphSteps)
	}
}
