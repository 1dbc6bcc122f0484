package main

import (
	"strings"
	"testing"

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
			use := call{handler: "git.create_tag", dir: dir, config: test.config}
			if effects := use.plan(t); len(effects) != 1 || !effects[0].Known {
				t.Errorf("plan %+v", effects)
			}
			var output tagOutput
			outcome := use.succeed(t, &output)
			if git(t, dir, "cat-file", "-t", output.TagName) != test.kind || output.TagMessage != test.message {
				t.Errorf("output %+v", output)
			}
			if test.kind == "tag" && git(t, dir, "tag", "-l", "--format=%(contents)", output.TagName) != test.message {
				t.Error("git has another message")
			}
			use.fail(t, pluginsdk.FailurePermanent, "exists already")
			for range 2 {
				if err := use.undo(t, outcome.UndoToken); err != nil {
					t.Fatal(err)
				}
			}
			if got := git(t, dir, "tag"); got != "" {
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
			use := call{handler: "git.create_tag", dir: dir, config: config}
			use.fail(t, pluginsdk.FailureInvalidInput, "")
			if got := git(t, dir, "tag"); got != "" {
				t.Errorf("made %s", got)
			}
		})
	}
}

func TestCreateTagByForceIsUndoneToWhereItWas(t *testing.T) {
	dir := newRepository(t)
	git(t, dir, "tag", "v1.2.3")
	before := git(t, dir, "rev-parse", "v1.2.3")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "second")
	use := call{handler: "git.create_tag", dir: dir, config: map[string]any{"values": release, "force": true}}
	outcome := use.succeed(t, nil)
	if git(t, dir, "rev-parse", "v1.2.3^{commit}") != git(t, dir, "rev-parse", "HEAD") {
		t.Error("the tag did not move")
	}
	if err := use.undo(t, outcome.UndoToken); err != nil {
		t.Fatal(err)
	}
	if git(t, dir, "rev-parse", "v1.2.3") != before {
		t.Error("the tag is not back")
	}
	git(t, dir, "tag", "-f", "v1.2.3", "HEAD")
	if err := use.undo(t, outcome.UndoToken); err == nil || !strings.Contains(err.Error(), "since") {
		t.Errorf("a tag that somebody moved must stay: %v", err)
	}
}

func TestCreateTagReconcilesAtEveryPointOfACrash(t *testing.T) {
	for name, test := range map[string]struct {
		crash          *recorder
		loseCheckpoint bool
		between        []string
		want           pluginsdk.ReconcileStatus
	}{
		"before the tag":                  {crash: &recorder{crashBefore: true}, want: pluginsdk.ReconcileNotStarted},
		"after the tag":                   {crash: &recorder{crashAfter: true}, want: pluginsdk.ReconcileDone},
		"checkpoint lost, tag made":       {crash: &recorder{crashAfter: true}, loseCheckpoint: true, want: pluginsdk.ReconcileDone},
		"checkpoint lost, nothing made":   {crash: &recorder{crashBefore: true}, loseCheckpoint: true, want: pluginsdk.ReconcileNotStarted},
		"a stranger's tag of that name":   {crash: &recorder{crashBefore: true}, between: []string{"tag", "v1.2.3"}, want: pluginsdk.ReconcileUnknown},
		"after the tag and a next commit": {crash: &recorder{crashAfter: true}, between: []string{"commit", "-q", "--allow-empty", "-m", "x"}, want: pluginsdk.ReconcileDone},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newRepository(t)
			use := call{handler: "git.create_tag", dir: dir, config: map[string]any{"values": release}, recorder: test.crash}
			use.fail(t, pluginsdk.FailurePermanent, errCrash.Error())
			if !test.loseCheckpoint {
				use.checkpoint = test.crash.checkpoint
			}
			use.recorder = &recorder{}
			if test.between != nil {
				git(t, dir, test.between...)
			}
			result := use.reconcile(t, test.want)
			if test.want == pluginsdk.ReconcileDone {
				if use.checkpoint != nil {
					use.succeed(t, nil)
				}
				if err := use.undo(t, result.UndoToken); err != nil || git(t, dir, "tag") != "" {
					t.Errorf("undo: %v", err)
				}
			}
		})
	}
}
