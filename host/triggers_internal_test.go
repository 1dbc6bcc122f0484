package host

import (
	"context"
	"testing"

	"github.com/vwmp/vwmp/engine/trigger"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/host/edge"
)

func TestOnlyWhoMayEditSeesAHooksPath(t *testing.T) {
	view := &trigger.View{ID: "w.push", Trigger: workflow.Trigger{Type: workflow.TriggerWebhook, ID: "push", Enabled: true}, Token: "opens-it"}
	for role, want := range map[edge.Permission]string{
		edge.Viewer: "", edge.Executor: "", edge.Editor: "/api/vwmp/hooks/opens-it/", edge.Admin: "/api/vwmp/hooks/opens-it/",
	} {
		ctx := context.WithValue(t.Context(), infoKey{}, &requestInfo{who: edge.Principal{Name: "ada", Role: role}})
		if got := shownTriggerOf(ctx, view).HookPath; got != want {
			t.Errorf("%s sees %q, want %q", role, got, want)
		}
	}
}
