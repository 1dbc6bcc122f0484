package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

func TestPushSendsTheBranchAndItsNewestTags(t *testing.T) {
	dir := newRepository(t)
	bare := newRemote(t, dir)
	handlertest.Git(t, dir, "tag", "old")
	handlertest.Git(t, dir, "commit", "-q", "--allow-empty", "-m", "second")
	handlertest.Git(t, dir, "tag", "-am", "v1", "v1")
	handlertest.Git(t, dir, "tag", "nightly")
	use := handlertest.Call{Handler: "git.push", Dir: dir, Config: map[string]any{"upstream": true}}
	if effects := use.Plan(t); len(effects) != 1 || !strings.Contains(effects[0].Summary, "nightly, v1") {
		t.Errorf("plan %+v", effects)
	}
	if got := handlertest.Git(t, bare, "tag"); got != "" {
		t.Errorf("the plan pushed %s", got)
	}
	for range 2 {
		var output pushOutput
		use.Succeed(t, &output)
		if output.Remote != "origin" || output.Branch != "main" || !slices.Equal(output.TagsPushed, []string{"nightly", "v1"}) {
			t.Errorf("output %+v", output)
		}
	}
	if handlertest.Git(t, bare, "rev-parse", "main") != handlertest.Git(t, dir, "rev-parse", "main") || handlertest.Git(t, bare, "tag") != "nightly\nv1" {
		t.Error("the remote has something else")
	}
	if got := handlertest.Git(t, dir, "rev-parse", "--abbrev-ref", "main@{upstream}"); got != "origin/main" {
		t.Errorf("upstream %s", got)
	}
}

func TestPushWithoutTags(t *testing.T) {
	dir := newRepository(t)
	bare := newRemote(t, dir)
	handlertest.Git(t, dir, "tag", "v1")
	handlertest.Git(t, dir, "branch", "topic")
	handlertest.Git(t, dir, "remote", "rename", "origin", "upstream")
	var output pushOutput
	use := handlertest.Call{Handler: "git.push", Dir: dir, Adapter: map[string]any{"remote": "upstream"}, Config: map[string]any{"push_tags": false, "branch": "topic"}}
	use.Succeed(t, &output)
	if len(output.TagsPushed) != 0 || output.Remote != "upstream" || handlertest.Git(t, bare, "tag") != "" || handlertest.Git(t, bare, "rev-parse", "topic") == "" {
		t.Errorf("output %+v", output)
	}
}

func TestPushTellsRefusalsFromNetworkErrors(t *testing.T) {
	dir := newRepository(t)
	bare := newRemote(t, dir)
	handlertest.Git(t, dir, "commit", "-q", "--allow-empty", "-m", "ours")
	other := t.TempDir()
	handlertest.Git(t, other, "clone", "-q", bare, ".")
	handlertest.Git(t, other, "commit", "-q", "--allow-empty", "-m", "theirs")
	handlertest.Git(t, other, "push", "-q", "origin", "main")

	use := handlertest.Call{Handler: "git.push", Dir: dir}
	if failure := use.Fail(t, pluginsdk.FailurePermanent, "pull first"); failure.Code != "PUSH_REFUSED" {
		t.Errorf("code %s", failure.Code)
	}
	use.Config = map[string]any{"force": true}
	use.Fail(t, pluginsdk.FailurePermanent, "stale info")
	handlertest.Git(t, dir, "fetch", "-q", "origin")
	use.Succeed(t, nil)

	handlertest.Git(t, dir, "remote", "set-url", "origin", "https://127.0.0.1:"+closedPort(t)+"/x.git")
	if failure := use.Fail(t, pluginsdk.FailureRetryable, ""); failure.Code != "GIT_NETWORK" {
		t.Errorf("code %s", failure.Code)
	}
	use.Config = map[string]any{"remote": "absent"}
	use.Fail(t, pluginsdk.FailurePermanent, "no remote")
	handlertest.Git(t, dir, "checkout", "-q", "--detach")
	use.Config = nil
	use.Fail(t, pluginsdk.FailureInvalidInput, "detached")
}

// closedPort returns a port on which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return port
}

func TestPushRefusedByAHookOfTheRemote(t *testing.T) {
	dir := newRepository(t)
	bare := newRemote(t, dir)
	handlertest.Write(t, bare, "hooks/pre-receive", "#!/bin/sh\necho 'branch is frozen' >&2\nexit 1\n")
	if err := os.Chmod(filepath.Join(bare, "hooks", "pre-receive"), 0o755); err != nil {
		t.Fatal(err)
	}
	handlertest.Git(t, dir, "commit", "-q", "--allow-empty", "-m", "x")
	use := handlertest.Call{Handler: "git.push", Dir: dir}
	use.Fail(t, pluginsdk.FailurePermanent, "branch is frozen")
}

// Case 73: whatever moment the plugin dies at, the remote is asked and no
// second attempt doubles anything.
func TestCase73PushReconcilesByAskingTheRemote(t *testing.T) {
	start := func(t *testing.T, crash *handlertest.Recorder) (*handlertest.Call, string) {
		dir := newRepository(t)
		bare := newRemote(t, dir)
		handlertest.Git(t, dir, "commit", "-q", "--allow-empty", "-m", "release")
		handlertest.Git(t, dir, "tag", "v1")
		use := &handlertest.Call{Handler: "git.push", Dir: dir, Recorder: crash}
		use.Fail(t, pluginsdk.FailurePermanent, handlertest.ErrCrash.Error())
		use.Checkpoint, use.Recorder = crash.Checkpoint, &handlertest.Recorder{}
		return use, bare
	}
	t.Run("before the push", func(t *testing.T) {
		use, bare := start(t, &handlertest.Recorder{CrashBefore: true})
		use.Reconcile(t, pluginsdk.ReconcileNotStarted)
		use.Succeed(t, nil)
		if handlertest.Git(t, bare, "tag") != "v1" {
			t.Error("the tag is not there")
		}
	})
	t.Run("after the push", func(t *testing.T) {
		use, _ := start(t, &handlertest.Recorder{CrashAfter: true})
		result := use.Reconcile(t, pluginsdk.ReconcileDone)
		var output pushOutput
		handlertest.FromJSON(t, result.Output, &output)
		if output.Branch != "main" || !slices.Equal(output.TagsPushed, []string{"v1"}) {
			t.Errorf("output %+v", output)
		}
		use.Checkpoint = nil
		use.Reconcile(t, pluginsdk.ReconcileDone)
	})
	t.Run("between branch and tag", func(t *testing.T) {
		use, bare := start(t, &handlertest.Recorder{CrashAfter: true})
		handlertest.Git(t, bare, "tag", "-d", "v1")
		use.Reconcile(t, pluginsdk.ReconcileNotStarted)
		use.Succeed(t, nil)
		use.Reconcile(t, pluginsdk.ReconcileDone)
	})
	t.Run("after the push, and a later commit there", func(t *testing.T) {
		use, _ := start(t, &handlertest.Recorder{CrashAfter: true})
		handlertest.Git(t, use.Dir, "commit", "-q", "--allow-empty", "-m", "later")
		handlertest.Git(t, use.Dir, "push", "-q", "origin", "main")
		use.Reconcile(t, pluginsdk.ReconcileDone)
	})
	t.Run("the remote is away", func(t *testing.T) {
		use, _ := start(t, &handlertest.Recorder{CrashAfter: true})
		handlertest.Git(t, use.Dir, "remote", "set-url", "origin", "https://127.0.0.1:"+closedPort(t)+"/x.git")
		use.Reconcile(t, pluginsdk.ReconcileUnknown)
	})
}

// Case 65: addresses that would run a program or read this machine.
func TestCase65HostileAddressesAreRefusedBeforeGitRuns(t *testing.T) {
	addresses := []string{
		"--upload-pack=touch pwned", "-oProxyCommand=touch pwned", "ext::sh -c touch% pwned", "ext::sh", "file:///etc", "FILE:///etc",
		"ssh://-oProxyCommand=touch/x", "ssh://-oX/", "ssh://-l@host/x", "ssh://host/-x", "-l@host:x", "git@-oX:x", "git@host:-x",
		"http://host/x", "git://host/x", "ftp://host/x", "fd::17", "/etc", "../x", "./x", "C:\\x", "host:path",
		"https://", "https://user:secret@", "https://host/x\nfile:///etc", "",
	}
	for _, address := range addresses {
		t.Run(address, func(t *testing.T) {
			// Without git on the PATH, anything that runs it fails otherwise.
			t.Setenv("PATH", t.TempDir())
			dir := t.TempDir()
			use := handlertest.Call{Handler: "git.clone", Dir: dir, Config: map[string]any{"url": address, "directory": "clone"}}
			failure := use.Fail(t, pluginsdk.FailureInvalidInput, "")
			if failure.Pointer != "/url" || strings.Contains(failure.Message, "secret") {
				t.Errorf("failure %+v", failure)
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) != 0 {
				t.Errorf("files were made: %v %v", left, err)
			}
		})
	}
}

func TestCase65HostileRemotesAreRefused(t *testing.T) {
	dir := newRepository(t)
	newRemote(t, dir)
	mark := filepath.Join(t.TempDir(), "pwned")
	for _, handler := range []string{"git.push", "git.pull"} {
		for _, remote := range []string{"--receive-pack=touch " + mark, "ext::touch%20" + mark, "file:///etc", "ssh://-oX/", "/etc", "../x"} {
			use := handlertest.Call{Handler: handler, Dir: dir, Config: map[string]any{"remote": remote}}
			use.Fail(t, pluginsdk.FailureInvalidInput, "")
		}
		handlertest.Git(t, dir, "remote", "set-url", "origin", "ext::touch "+mark)
		use := handlertest.Call{Handler: handler, Dir: dir}
		use.Fail(t, pluginsdk.FailureInvalidInput, "remote helpers")
		handlertest.Git(t, dir, "config", "url.ext::touch "+mark+" .insteadOf", "https://harmless/")
		handlertest.Git(t, dir, "remote", "set-url", "origin", "https://harmless/x")
		use.Fail(t, pluginsdk.FailureInvalidInput, "remote helpers")
		for _, branch := range []string{"--force", "a b", "main:refs/heads/x"} {
			use := handlertest.Call{Handler: handler, Dir: dir, Config: map[string]any{"branch": branch, "remote": "https://127.0.0.1:1/x"}}
			outcome := use.Execute(t)
			if outcome.Kind != pluginsdk.OutcomeFailure {
				t.Errorf("%s took the branch %q", handler, branch)
			}
		}
	}
	if handlertest.Exists(mark) {
		t.Error("a program ran")
	}
}

func TestCloneCopiesARepositoryAndFindsItAgain(t *testing.T) {
	root := t.TempDir()
	source := newRepository(t)
	handlertest.Git(t, source, "branch", "topic")
	handlertest.Git(t, source, "clone", "-q", "--bare", source, filepath.Join(root, "project.git"))
	address := serveHTTPS(t, root) + "/project.git"
	dir := t.TempDir()
	use := handlertest.Call{Handler: "git.clone", Dir: dir, Config: map[string]any{"url": address, "branch": "topic", "auth": map[string]any{"token": testToken}}}
	if effects := use.Plan(t); len(effects) != 1 || effects[0].Target != "project" {
		t.Errorf("plan %+v", effects)
	}
	for range 2 {
		var output cloneOutput
		use.Succeed(t, &output)
		if output.Directory != "project" || output.Branch != "topic" || output.CommitHash != handlertest.Git(t, source, "rev-parse", "HEAD") {
			t.Errorf("output %+v", output)
		}
	}
	if effects := use.Plan(t); len(effects) != 0 {
		t.Errorf("plan for a clone that is there: %+v", effects)
	}
	use.Config["directory"] = "deeper/down"
	use.Succeed(t, nil)
	handlertest.Write(t, dir, "full/x", "x")
	use.Config["directory"] = "full"
	use.Fail(t, pluginsdk.FailurePermanent, "not empty")
	for _, directory := range []string{"../x", "/tmp/x", ".git/x", ".", "CON", "a/"} {
		use.Config["directory"] = directory
		use.Fail(t, pluginsdk.FailureInvalidInput, "")
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	use.Config["directory"] = "link/x"
	if outcome := use.Execute(t); outcome.Kind != pluginsdk.OutcomeFailure {
		t.Error("a clone went through a symbolic link out of the workspace")
	}
	names, err := filepath.Glob(filepath.Join(dir, ".vwmp-clone-*"))
	if err != nil || len(names) > 0 {
		t.Errorf("left behind: %v %v", names, err)
	}
}

func TestCloneReplacesWhatAKilledAttemptLeft(t *testing.T) {
	root := t.TempDir()
	handlertest.Git(t, root, "clone", "-q", "--bare", newRepository(t), filepath.Join(root, "project.git"))
	address := serveHTTPS(t, root) + "/project.git"
	dir := t.TempDir()
	use := handlertest.Call{Handler: "git.clone", Dir: dir, Config: map[string]any{"url": address, "auth": map[string]any{"token": "wrong"}}}
	if failure := use.Fail(t, pluginsdk.FailurePermanent, "sign-in"); failure.Code != "GIT_SIGN_IN" {
		t.Errorf("code %s", failure.Code)
	}
	use.Config["auth"] = map[string]any{"token": testToken}
	use.Succeed(t, nil)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the workspace has %v %v", entries, err)
	}
}

// Case 69: a token is seen neither in logs, outputs and errors nor in the
// clone's configuration.
func TestCase69TokensAreSeenNowhere(t *testing.T) {
	root := t.TempDir()
	handlertest.Git(t, root, "clone", "-q", "--bare", newRepository(t), filepath.Join(root, "project.git"))
	handlertest.Git(t, filepath.Join(root, "project.git"), "config", "http.receivepack", "true")
	server := serveHTTPS(t, root)
	withToken := func(token string) string {
		return strings.Replace(server, "https://", "https://ada:"+token+"@", 1) + "/project.git"
	}
	seen := func(t *testing.T, use handlertest.Call, outcome pluginsdk.Outcome, secrets ...string) {
		t.Helper()
		text := use.Recorder.Log() + string(outcome.Output) + string(use.Recorder.Checkpoint) + string(outcome.UndoToken)
		for _, effect := range use.Recorder.Effects {
			text += effect.Target + effect.ExternalID
		}
		if outcome.Failure != nil {
			text += outcome.Failure.Message
		}
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %s in:\n%s", use.Handler, secret, text)
			}
		}
	}
	encoded := "tok%2Ben%2F4711%3D%3D"
	dir := t.TempDir()
	use := handlertest.Call{Handler: "git.clone", Dir: dir, Config: map[string]any{"url": withToken(encoded)}}
	outcome := use.Succeed(t, nil)
	seen(t, use, outcome, encoded, testToken)
	config, err := os.ReadFile(filepath.Join(dir, "project", ".git", "config"))
	if err != nil || strings.Contains(string(config), "4711") || strings.Contains(string(config), "extraHeader") {
		t.Errorf("configuration %s %v", config, err)
	}
	clone := filepath.Join(dir, "project")
	handlertest.Git(t, clone, "commit", "-q", "--allow-empty", "-m", "x")
	handlertest.Git(t, clone, "tag", "v1")
	use = handlertest.Call{Handler: "git.push", Dir: dir, Config: map[string]any{"directory": "project", "auth": map[string]any{"username": "ada", "token": testToken}}}
	seen(t, use, use.Succeed(t, nil), testToken)
	use.Reconcile(t, pluginsdk.ReconcileDone)
	use.Config["auth"] = map[string]any{"token": "hunter2secret"}
	seen(t, use, use.Execute(t), "hunter2secret")
	// A user's own remote may have the token in its address.
	handlertest.Git(t, clone, "remote", "set-url", "origin", withToken("own%2Ftoken"))
	use.Config["auth"] = nil
	delete(use.Config, "auth")
	seen(t, use, use.Execute(t), "own%2Ftoken", "own/token")
	use.Config["remote"] = withToken(encoded)
	seen(t, use, use.Succeed(t, nil), encoded, testToken)
	use.Config["remote"] = strings.Replace(withToken("gone%2Ftoken"), "project.git", "absent.git", 1)
	seen(t, use, use.Execute(t), "gone%2Ftoken", "gone/token")
}

func TestATokenIsNotSentToSSH(t *testing.T) {
	use := handlertest.Call{Handler: "git.clone", Dir: t.TempDir(), Config: map[string]any{"url": "git@example.com:x.git", "auth": map[string]any{"token": "t"}}}
	if failure := use.Fail(t, pluginsdk.FailureInvalidInput, "keys"); failure.Pointer != "/auth" {
		t.Errorf("pointer %s", failure.Pointer)
	}
}

// Case 67: nothing that a hostile repository brings is executed, and neither
// is anything planted into a clone's configuration.
func TestCase67AHostileRepositoryRunsNothing(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "pwned")
	root := t.TempDir()
	source := newRepository(t)
	handlertest.Write(t, source, ".gitattributes", "* filter=evil diff=evil merge=evil\n")
	handlertest.Write(t, source, ".gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = ext::touch "+mark+"\n\tupdate = !touch "+mark+"\n")
	handlertest.Write(t, source, "hooks/post-checkout", "#!/bin/sh\ntouch "+mark+"\n")
	handlertest.Write(t, source, "DIR/post-checkout", "x")
	handlertest.Write(t, source, "dir/post-checkout", "x")
	handlertest.Git(t, source, "add", ".")
	handlertest.Git(t, source, "update-index", "--add", "--cacheinfo", "160000,"+handlertest.Git(t, source, "rev-parse", "HEAD")+",x")
	handlertest.Git(t, source, "commit", "-qm", "hostile")
	bare := filepath.Join(root, "evil.git")
	handlertest.Git(t, source, "clone", "-q", "--bare", source, bare)
	handlertest.Git(t, bare, "config", "http.receivepack", "true")
	address := serveHTTPS(t, root) + "/evil.git"
	dir := t.TempDir()
	auth := map[string]any{"token": testToken}
	use := handlertest.Call{Handler: "git.clone", Dir: dir, Config: map[string]any{"url": address, "auth": auth}}
	use.Succeed(t, nil)
	clone := filepath.Join(dir, "evil")
	for _, name := range []string{"pre-commit", "post-commit", "pre-push", "post-checkout", "post-merge", "reference-transaction", "fsmonitor-watchman"} {
		hook(t, clone, name, "touch "+mark)
	}
	touch := "touch " + mark + "; cat"
	for key, value := range map[string]string{
		"core.fsmonitor": touch, "core.sshCommand": touch, "core.editor": touch, "core.pager": touch, "core.askPass": touch,
		"filter.evil.clean": touch, "filter.evil.smudge": touch, "filter.evil.required": "true",
		"diff.evil.textconv": touch, "diff.evil.command": touch, "diff.external": touch, "merge.evil.driver": touch,
		"credential.helper": "!" + touch, "remote.origin.receivepack": touch, "remote.origin.uploadpack": touch,
	} {
		handlertest.Git(t, clone, "config", key, value)
	}
	handlertest.Write(t, clone, "a.txt", "changed\n")
	for _, step := range []handlertest.Call{
		{Handler: "git.status"}, {Handler: "git.diff"}, {Handler: "git.diff", Config: map[string]any{"from": "HEAD"}},
		{Handler: "git.stage_all", Config: map[string]any{}}, {Handler: "git.log"},
		{Handler: "git.commit", Config: map[string]any{"values": release}},
		{Handler: "git.create_tag", Config: map[string]any{"values": release}},
		{Handler: "git.push", Config: map[string]any{"auth": auth}},
		{Handler: "git.checkout", Config: map[string]any{"ref": "topic", "create": true}},
		{Handler: "git.pull", Config: map[string]any{"branch": "main", "auth": auth}},
	} {
		if step.Config == nil {
			step.Config = map[string]any{}
		}
		step.Dir, step.Config["directory"] = dir, "evil"
		step.Succeed(t, nil)
		if handlertest.Exists(mark) {
			t.Fatalf("%s ran a program", step.Handler)
		}
	}
	handlertest.Git(t, clone, "remote", "set-url", "origin", "git@127.0.0.1:x.git")
	push := handlertest.Call{Handler: "git.push", Dir: dir, Config: map[string]any{"directory": "evil"}}
	if _, err := exec.LookPath("ssh"); err == nil {
		push.Fail(t, pluginsdk.FailureRetryable, "")
	}
	if handlertest.Exists(mark) {
		t.Error("the clone's sshCommand ran")
	}
}

func TestPullTakesInWhatIsNew(t *testing.T) {
	setup := func(t *testing.T) (dir, other string) {
		dir = newRepository(t)
		bare := newRemote(t, dir)
		other = t.TempDir()
		handlertest.Git(t, other, "clone", "-q", bare, ".")
		handlertest.Write(t, other, "a.txt", "theirs\n")
		handlertest.Git(t, other, "commit", "-qam", "theirs")
		handlertest.Git(t, other, "push", "-q", "origin", "main")
		return dir, other
	}
	t.Run("fast forward", func(t *testing.T) {
		dir, other := setup(t)
		use := handlertest.Call{Handler: "git.pull", Dir: dir}
		for _, updated := range []bool{true, false} {
			var output pullOutput
			use.Succeed(t, &output)
			if output.Updated != updated || output.After != handlertest.Git(t, other, "rev-parse", "HEAD") {
				t.Errorf("output %+v", output)
			}
		}
	})
	for _, strategy := range []string{"merge", "rebase"} {
		t.Run(strategy, func(t *testing.T) {
			dir, _ := setup(t)
			handlertest.Write(t, dir, "b.txt", "ours\n")
			handlertest.Git(t, dir, "add", ".")
			handlertest.Git(t, dir, "commit", "-qm", "ours")
			(&handlertest.Call{Handler: "git.pull", Dir: dir}).Fail(t, pluginsdk.FailurePermanent, "")
			(&handlertest.Call{Handler: "git.pull", Dir: dir, Config: map[string]any{"strategy": strategy}}).Succeed(t, nil)
			if merges := handlertest.Git(t, dir, "rev-list", "--count", "--merges", "HEAD"); (merges == "1") != (strategy == "merge") {
				t.Errorf("%s merges", merges)
			}
		})
		t.Run(strategy+" with a conflict", func(t *testing.T) {
			dir, _ := setup(t)
			handlertest.Write(t, dir, "a.txt", "ours\n")
			handlertest.Git(t, dir, "commit", "-qam", "ours")
			before := handlertest.Git(t, dir, "rev-parse", "HEAD")
			use := handlertest.Call{Handler: "git.pull", Dir: dir, Config: map[string]any{"strategy": strategy}}
			use.Fail(t, pluginsdk.FailurePermanent, "")
			if handlertest.Git(t, dir, "rev-parse", "HEAD") != before || handlertest.Git(t, dir, "status", "--porcelain") != "" {
				t.Errorf("not as before: %s", handlertest.Git(t, dir, "status"))
			}
		})
	}
	t.Run("a merge of somebody else is left alone", func(t *testing.T) {
		dir, _ := setup(t)
		handlertest.Write(t, dir, "a.txt", "ours\n")
		handlertest.Git(t, dir, "commit", "-qam", "ours")
		handlertest.Git(t, dir, "fetch", "-q", "origin")
		if _, err := handlertest.GitErr(dir, "merge", "origin/main"); err == nil {
			t.Fatal("no conflict")
		}
		use := handlertest.Call{Handler: "git.pull", Dir: dir, Config: map[string]any{"strategy": "merge"}}
		use.Fail(t, pluginsdk.FailurePermanent, "under way")
		if handlertest.Git(t, dir, "rev-parse", "MERGE_HEAD") == "" {
			t.Error("the merge is gone")
		}
	})
}

func TestOneAdapterValueDoesNotSwitchOffTheOthers(t *testing.T) {
	_, step := (&handlertest.Call{Handler: "git.status", Dir: t.TempDir(), Adapter: map[string]any{"user_name": "x", "remote": ""}}).Step(t)
	repo, err := bareProcess(step)
	if err != nil {
		t.Fatal(err)
	}
	if !repo.adapter.RunHooks || repo.adapter.Remote != "origin" {
		t.Errorf("adapter %+v", repo.adapter)
	}
}

func TestABrokenConnectionIsNoRefusal(t *testing.T) {
	answer := "To https://example.com/x\n!\trefs/heads/main:refs/heads/main\t[remote failure] (remote failed to report status)\n"
	if got := refusedRefs(answer); got != "" {
		t.Errorf("got %q", got)
	}
	answer += "!\trefs/tags/v1:refs/tags/v1\t[remote rejected] (protected)\nDone\n"
	if got := refusedRefs(answer); got != "refs/tags/v1 [remote rejected] (protected)" {
		t.Errorf("got %q", got)
	}
}
