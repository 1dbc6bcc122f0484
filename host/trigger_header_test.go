package host_test

import "testing"

func TestAnExecutionShowsWhatTheClientSaysStartedIt(t *testing.T) {
	w := newWorld(t)
	id := w.save("[{id: a, handler: test.echo}]")
	for sent, want := range map[string]string{"": "api", "cli": "cli", "manual": "manual"} {
		var headers []string
		if sent != "" {
			headers = []string{"X-Vwmp-Trigger", sent}
		}
		result := w.ask("POST", workflows+id+"/execute/?async=false", "", headers...).want(200).object()
		if result["trigger"] != want {
			t.Errorf("with the header %q the trigger is %v, want %q", sent, result["trigger"], want)
		}
	}
	// What only the server may say is refused.
	w.ask("POST", workflows+id+"/execute/", "", "X-Vwmp-Trigger", "schedule").problem(400, "VALIDATION_ERROR")
}
