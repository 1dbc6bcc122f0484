package main

import (
	"strings"
	"testing"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

func TestCreateTagTagsTheCurrentCommit(t *testing.T) {
	for name, test := range map[string]struct {
		config  map[string]any
		kind    string
		message string
	}{
		"annotated":   {map[string]any{"values": release}, "tag", "Release v1.2.3: Faster start"},
		"lightweight": {map[string]any{"values": release, "annotated": false}, "commit", ""},
		"templates":   {map[string]any{"values": map[string]string{"version": "2.0"}, "tag_template": "rel/{version}", "message_template": "{{{tag}}}"}, "tag", "{rel/2.0}"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newRepository(t)
			use := handlertest.Call{Handler: "git.create_tag", Dir: dir, Config: test.config}
			if effects := use.Plan(t); len(effects) != 1 || !effects[0].Known {
				t.Errorf("plan %+v", effects)
			}
			var output tagOutput
			outcome := use.Succeed(t, &output)
			if handlertest.Git(t, dir, "cat-file", "-t", output.TagName) != test.kind || output.TagMessage != test.message {
				t.Errorf("output %+v", output)
			}
			if test.kind == "tag" && handlertest.Git(t, dir, "tag", "-l", "--format=%(contents)", output.TagName) != test.message {
				t.Error("git has another message")
			}
			use.Fail(t, pluginsdk.FailurePermanent, "exists already")
			for range 2 {
				if err := use.Undo(t, outcome.UndoToken); err != nil {
					t.Fatal(err)
				}
			}
			if got := handlertest.Git(t, dir, "tag"); got != "" {
				t.Errorf("tags left: %s", got)
			}
		})
	}
}

func TestCreateTagRefusesBadInput(t *testing.T) {
	dir := newRepository(t)
	for name, config := range map[string]map[string]any{
		"option":             {"tag_template": "--delete"},
		"not a name":         {"tag_template": "v1..2"},
		"space":              {"tag_template": "v 1"},
		"signed but mere":    {"tag_template": "v1", "sign_tag": true, "annotated": false},
		"message without it": {"tag_template": "v1"},
	} {
		t.Run(name, func(t *testing.T) {
			use := handlertest.Call{Handler: "git.create_tag", Dir: dir, Config: config}
			use.Fail(t, pluginsdk.FailureInvalidInput, "")
			if got := handlertest.Git(t, dir, "tag"); got != "" {
				t.Errorf("made %s", got)
			}
		})
	}
}

func TestCreateTagByForceIsUndoneToWhereItWas(t *testing.T) {
	dir := newRepository(t)
	handlertest.Git(t, dir, "tag", "v1.2.3")
	before := handlertest.Git(t, dir, "rev-parse", "v1.2.3")
	handlertest.Git(t, dir, "commit", "-q", "--allow-empty", "-m", "second")
	use := handlertest.Call{Handler: "git.create_tag", Dir: dir, Config: map[string]any{"values": release, "force": true}}
	outcome := use.Succeed(t, nil)
	if handlertest.Git(t, dir, "rev-parse", "v1.2.3^{commit}") != handlertest.Git(t, dir, "rev-parse", "HEAD") {
		t.Error("the tag did not move")
	}
	if err := use.Undo(t, outcome.UndoToken); err != nil {
		t.Fatal(err)
	}
	if handlertest.Git(t, dir, "rev-parse", "v1.2.3") != before {
		t.Error("the tag is not back")
	}
	handlertest.Git(t, dir, "tag", "-f", "v1.2.3", "HEAD")
	if err := use.Undo(t, outcome.UndoToken); err == nil || !strings.Contains(err.Error(), "since") {
		t.Errorf("a tag that somebody moved must stay: %v", err)
	}
}

func TestCase73CreateTagReconcilesAtEveryPointOfACrash(t *testing.T) {
	for name, test := range map[string]struct {
		crash          *handlertest.Recorder
		loseCheckpoint bool
		between        []string
		want           pluginsdk.ReconcileStatus
	}{
		"before the tag":                  {crash: &handlertest.Recorder{CrashBefore: true}, want: pluginsdk.ReconcileNotStarted},
		"after the tag":                   {crash: &handlertest.Recorder{CrashAfter: true}, want: pluginsdk.ReconcileDone},
		"checkpoint lost, tag made":       {crash: &handlertest.Recorder{CrashAfter: true}, loseCheckpoint: true, want: pluginsdk.ReconcileDone},
		"checkpoint lost, nothing made":   {crash: &handlertest.Recorder{CrashBefore: true}, loseCheckpoint: true, want: pluginsdk.ReconcileNotStarted},
		"a stranger's tag of that name":   {crash: &handlertest.Recorder{CrashBefore: true}, between: []string{"tag", "v1.2.3"}, want: pluginsdk.ReconcileUnknown},
		"after the tag and a next commit": {crash: &handlertest.Recorder{CrashAfter: true}, between: []string{"commit", "-q", "--allow-empty", "-m", "x"}, want: pluginsdk.ReconcileDone},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newRepository(t)
			use := handlertest.Call{Handler: "git.create_tag", Dir: dir, Config: map[string]any{"values": release}, Recorder: test.crash}
			use.Fail(t, pluginsdk.FailurePermanent, handlertest.ErrCrash.Error())
			if !test.loseCheckpoint {
				use.Checkpoint = test.crash.Checkpoint
			}
			use.Recorder = &handlertest.Recorder{}
			if test.between != nil {
				handlertest.Git(t, dir, test.between...)
			}
			result := use.Reconcile(t, test.want)
			if test.want == pluginsdk.ReconcileDone {
				if use.Checkpoint != nil {
					use.Succeed(t, nil)
				}
				if err := use.Undo(t, result.UndoToken); err != nil || handlertest.Git(t, dir, "tag") != "" {
					t.Errorf("undo: %v", err)
				}
			}
		})
	}
}
