package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/pluginsdk"
)

func TestPushSendsTheBranchAndItsNewestTags(t *testing.T) {
	dir := newRepository(t)
	bare := newRemote(t, dir)
	git(t, dir, "tag", "old")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "second")
	git(t, dir, "tag", "-am", "v1", "v1")
	git(t, dir, "tag", "nightly")
	use := call{handler: "git.push", dir: dir, config: map[string]any{"upstream": true}}
	if effects := use.plan(t); len(effects) != 1 || !strings.Contains(effects[0].Summary, "nightly, v1") {
		t.Errorf("plan %+v", effects)
	}
	if got := git(t, bare, "tag"); got != "" {
		t.Errorf("the plan pushed %s", got)
	}
	for range 2 {
		var output pushOutput
		use.succeed(t, &output)
		if output.Remote != "origin" || output.Branch != "main" || !slices.Equal(output.TagsPushed, []string{"nightly", "v1"}) {
			t.Errorf("output %+v", output)
		}
	}
	if git(t, bare, "rev-parse", "main") != git(t, dir, "rev-parse", "main") || git(t, bare, "tag") != "nightly\nv1" {
		t.Error("the remote has something else")
	}
	if got := git(t, dir, "rev-parse", "--abbrev-ref", "main@{upstream}"); got != "origin/main" {
		t.Errorf("upstream %s", got)
	}
}

func TestPushWithoutTags(t *testing.T) {
	dir := newRepository(t)
	bare := newRemote(t, dir)
	git(t, dir, "tag", "v1")
	git(t, dir, "branch", "topic")
	git(t, dir, "remote", "rename", "origin", "upstream")
	var output pushOutput
	use := call{handler: "git.push", dir: dir, adapter: map[string]any{"remote": "upstream"}, config: map[string]any{"push_tags": false, "branch": "topic"}}
	use.succeed(t, &output)
	if len(output.TagsPushed) != 0 || output.Remote != "upstream" || git(t, bare, "tag") != "" || git(t, bare, "rev-parse", "topic") == "" {
		t.Errorf("output %+v", output)
	}
}

func TestPushTellsRefusalsFromNetworkErrors(t *testing.T) {
	dir := newRepository(t)
	bare := newRemote(t, dir)
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "ours")
	other := t.TempDir()
	git(t, other, "clone", "-q", bare, ".")
	git(t, other, "commit", "-q", "--allow-empty", "-m", "theirs")
	git(t, other, "push", "-q", "origin", "main")

	use := call{handler: "git.push", dir: dir}
	if failure := use.fail(t, pluginsdk.FailurePermanent, "pull first"); failure.Code != "PUSH_REFUSED" {
		t.Errorf("code %s", failure.Code)
	}
	use.config = map[string]any{"force": true}
	use.fail(t, pluginsdk.FailurePermanent, "stale info")
	git(t, dir, "fetch", "-q", "origin")
	use.succeed(t, nil)

	git(t, dir, "remote", "set-url", "origin", "https://127.0.0.1:"+closedPort(t)+"/x.git")
	if failure := use.fail(t, pluginsdk.FailureRetryable, ""); failure.Code != "GIT_NETWORK" {
		t.Errorf("code %s", failure.Code)
	}
	use.config = map[string]any{"remote": "absent"}
	use.fail(t, pluginsdk.FailurePermanent, "no remote")
	git(t, dir, "checkout", "-q", "--detach")
	use.config = nil
	use.fail(t, pluginsdk.FailureInvalidInput, "detached")
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
	write(t, bare, "hooks/pre-receive", "#!/bin/sh\necho 'branch is frozen' >&2\nexit 1\n")
	if err := os.Chmod(filepath.Join(bare, "hooks", "pre-receive"), 0o755); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "x")
	use := call{handler: "git.push", dir: dir}
	use.fail(t, pluginsdk.FailurePermanent, "branch is frozen")
}

// Case 73: whatever moment the plugin dies at, the remote is asked and no
// second attempt doubles anything.
func TestCase73PushReconcilesByAskingTheRemote(t *testing.T) {
	start := func(t *testing.T, crash *recorder) (*call, string) {
		dir := newRepository(t)
		bare := newRemote(t, dir)
		git(t, dir, "commit", "-q", "--allow-empty", "-m", "release")
		git(t, dir, "tag", "v1")
		use := &call{handler: "git.push", dir: dir, recorder: crash}
		use.fail(t, pluginsdk.FailurePermanent, errCrash.Error())
		use.checkpoint, use.recorder = crash.checkpoint, &recorder{}
		return use, bare
	}
	t.Run("before the push", func(t *testing.T) {
		use, bare := start(t, &recorder{crashBefore: true})
		use.reconcile(t, pluginsdk.ReconcileNotStarted)
		use.succeed(t, nil)
		if git(t, bare, "tag") != "v1" {
			t.Error("the tag is not there")
		}
	})
	t.Run("after the push", func(t *testing.T) {
		use, _ := start(t, &recorder{crashAfter: true})
		result := use.reconcile(t, pluginsdk.ReconcileDone)
		var output pushOutput
		fromJSON(t, result.Output, &output)
		if output.Branch != "main" || !slices.Equal(output.TagsPushed, []string{"v1"}) {
			t.Errorf("output %+v", output)
		}
		use.checkpoint = nil
		use.reconcile(t, pluginsdk.ReconcileDone)
	})
	t.Run("between branch and tag", func(t *testing.T) {
		use, bare := start(t, &recorder{crashAfter: true})
		git(t, bare, "tag", "-d", "v1")
		use.reconcile(t, pluginsdk.ReconcileNotStarted)
		use.succeed(t, nil)
		use.reconcile(t, pluginsdk.ReconcileDone)
	})
	t.Run("after the push, and a later commit there", func(t *testing.T) {
		use, _ := start(t, &recorder{crashAfter: true})
		git(t, use.dir, "commit", "-q", "--allow-empty", "-m", "later")
		git(t, use.dir, "push", "-q", "origin", "main")
		use.reconcile(t, pluginsdk.ReconcileDone)
	})
	t.Run("the remote is away", func(t *testing.T) {
		use, _ := start(t, &recorder{crashAfter: true})
		git(t, use.dir, "remote", "set-url", "origin", "https://127.0.0.1:"+closedPort(t)+"/x.git")
		use.reconcile(t, pluginsdk.ReconcileUnknown)
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
			use := call{handler: "git.clone", dir: dir, config: map[string]any{"url": address, "directory": "clone"}}
			failure := use.fail(t, pluginsdk.FailureInvalidInput, "")
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
			use := call{handler: handler, dir: dir, config: map[string]any{"remote": remote}}
			use.fail(t, pluginsdk.FailureInvalidInput, "")
		}
		git(t, dir, "remote", "set-url", "origin", "ext::touch "+mark)
		use := call{handler: handler, dir: dir}
		use.fail(t, pluginsdk.FailureInvalidInput, "remote helpers")
		git(t, dir, "config", "url.ext::touch "+mark+" .insteadOf", "https://harmless/")
		git(t, dir, "remote", "set-url", "origin", "https://harmless/x")
		use.fail(t, pluginsdk.FailureInvalidInput, "remote helpers")
		for _, branch := range []string{"--force", "a b", "main:refs/heads/x"} {
			use := call{handler: handler, dir: dir, config: map[string]any{"branch": branch, "remote": "https://127.0.0.1:1/x"}}
			outcome := use.execute(t)
			if outcome.Kind != pluginsdk.OutcomeFailure {
				t.Errorf("%s took the branch %q", handler, branch)
			}
		}
	}
	if exists(mark) {
		t.Error("a program ran")
	}
}

func TestCloneCopiesARepositoryAndFindsItAgain(t *testing.T) {
	root := t.TempDir()
	source := newRepository(t)
	git(t, source, "branch", "topic")
	git(t, source, "clone", "-q", "--bare", source, filepath.Join(root, "project.git"))
	address := serveHTTPS(t, root) + "/project.git"
	dir := t.TempDir()
	use := call{handler: "git.clone", dir: dir, config: map[string]any{"url": address, "branch": "topic", "auth": map[string]any{"token": testToken}}}
	if effects := use.plan(t); len(effects) != 1 || effects[0].Target != "project" {
		t.Errorf("plan %+v", effects)
	}
	for range 2 {
		var output cloneOutput
		use.succeed(t, &output)
		if output.Directory != "project" || output.Branch != "topic" || output.CommitHash != git(t, source, "rev-parse", "HEAD") {
			t.Errorf("output %+v", output)
		}
	}
	if effects := use.plan(t); len(effects) != 0 {
		t.Errorf("plan for a clone that is there: %+v", effects)
	}
	use.config["directory"] = "deeper/down"
	use.succeed(t, nil)
	write(t, dir, "full/x", "x")
	use.config["directory"] = "full"
	use.fail(t, pluginsdk.FailurePermanent, "not empty")
	for _, directory := range []string{"../x", "/tmp/x", ".git/x", ".", "CON", "a/"} {
		use.config["directory"] = directory
		use.fail(t, pluginsdk.FailureInvalidInput, "")
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	use.config["directory"] = "link/x"
	if outcome := use.execute(t); outcome.Kind != pluginsdk.OutcomeFailure {
		t.Error("a clone went through a symbolic link out of the workspace")
	}
	names, err := filepath.Glob(filepath.Join(dir, ".vwmp-clone-*"))
	if err != nil || len(names) > 0 {
		t.Errorf("left behind: %v %v", names, err)
	}
}

func TestCloneReplacesWhatAKilledAttemptLeft(t *testing.T) {
	root := t.TempDir()
	git(t, root, "clone", "-q", "--bare", newRepository(t), filepath.Join(root, "project.git"))
	address := serveHTTPS(t, root) + "/project.git"
	dir := t.TempDir()
	use := call{handler: "git.clone", dir: dir, config: map[string]any{"url": address, "auth": map[string]any{"token": "wrong"}}}
	if failure := use.fail(t, pluginsdk.FailurePermanent, "sign-in"); failure.Code != "GIT_SIGN_IN" {
		t.Errorf("code %s", failure.Code)
	}
	use.config["auth"] = map[string]any{"token": testToken}
	use.succeed(t, nil)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the workspace has %v %v", entries, err)
	}
}

// Case 69: a token is seen neither in logs, outputs and errors nor in the
// clone's configuration.
func TestCase69TokensAreSeenNowhere(t *testing.T) {
	root := t.TempDir()
	git(t, root, "clone", "-q", "--bare", newRepository(t), filepath.Join(root, "project.git"))
	git(t, filepath.Join(root, "project.git"), "config", "http.receivepack", "true")
	server := serveHTTPS(t, root)
	withToken := func(token string) string {
		return strings.Replace(server, "https://", "https://ada:"+token+"@", 1) + "/project.git"
	}
	seen := func(t *testing.T, use call, outcome pluginsdk.Outcome, secrets ...string) {
		t.Helper()
		text := use.recorder.log() + string(outcome.Output) + string(use.recorder.checkpoint) + string(outcome.UndoToken)
		for _, effect := range use.recorder.effects {
			text += effect.Target + effect.ExternalID
		}
		if outcome.Failure != nil {
			text += outcome.Failure.Message
		}
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %s in:\n%s", use.handler, secret, text)
			}
		}
	}
	encoded := "tok%2Ben%2F4711%3D%3D"
	dir := t.TempDir()
	use := call{handler: "git.clone", dir: dir, config: map[string]any{"url": withToken(encoded)}}
	outcome := use.succeed(t, nil)
	seen(t, use, outcome, encoded, testToken)
	config, err := os.ReadFile(filepath.Join(dir, "project", ".git", "config"))
	if err != nil || strings.Contains(string(config), "4711") || strings.Contains(string(config), "extraHeader") {
		t.Errorf("configuration %s %v", config, err)
	}
	clone := filepath.Join(dir, "project")
	git(t, clone, "commit", "-q", "--allow-empty", "-m", "x")
	git(t, clone, "tag", "v1")
	use = call{handler: "git.push", dir: dir, config: map[string]any{"directory": "project", "auth": map[string]any{"username": "ada", "token": testToken}}}
	seen(t, use, use.succeed(t, nil), testToken)
	use.reconcile(t, pluginsdk.ReconcileDone)
	use.config["auth"] = map[string]any{"token": "hunter2secret"}
	seen(t, use, use.execute(t), "hunter2secret")
	// A user's own remote may have the token in its address.
	git(t, clone, "remote", "set-url", "origin", withToken("own%2Ftoken"))
	use.config["auth"] = nil
	delete(use.config, "auth")
	seen(t, use, use.execute(t), "own%2Ftoken", "own/token")
	use.config["remote"] = withToken(encoded)
	seen(t, use, use.succeed(t, nil), encoded, testToken)
	use.config["remote"] = strings.Replace(withToken("gone%2Ftoken"), "project.git", "absent.git", 1)
	seen(t, use, use.execute(t), "gone%2Ftoken", "gone/token")
}

func TestATokenIsNotSentToSSH(t *testing.T) {
	use := call{handler: "git.clone", dir: t.TempDir(), config: map[string]any{"url": "git@example.com:x.git", "auth": map[string]any{"token": "t"}}}
	if failure := use.fail(t, pluginsdk.FailureInvalidInput, "keys"); failure.Pointer != "/auth" {
		t.Errorf("pointer %s", failure.Pointer)
	}
}

// Case 67: nothing that a hostile repository brings is executed, and neither
// is anything planted into a clone's configuration.
func TestCase67AHostileRepositoryRunsNothing(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "pwned")
	root := t.TempDir()
	source := newRepository(t)
	write(t, source, ".gitattributes", "* filter=evil diff=evil merge=evil\n")
	write(t, source, ".gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = ext::touch "+mark+"\n\tupdate = !touch "+mark+"\n")
	write(t, source, "hooks/post-checkout", "#!/bin/sh\ntouch "+mark+"\n")
	write(t, source, "DIR/post-checkout", "x")
	write(t, source, "dir/post-checkout", "x")
	git(t, source, "add", ".")
	git(t, source, "update-index", "--add", "--cacheinfo", "160000,"+git(t, source, "rev-parse", "HEAD")+",x")
	git(t, source, "commit", "-qm", "hostile")
	bare := filepath.Join(root, "evil.git")
	git(t, source, "clone", "-q", "--bare", source, bare)
	git(t, bare, "config", "http.receivepack", "true")
	address := serveHTTPS(t, root) + "/evil.git"
	dir := t.TempDir()
	auth := map[string]any{"token": testToken}
	use := call{handler: "git.clone", dir: dir, config: map[string]any{"url": address, "auth": auth}}
	use.succeed(t, nil)
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
		git(t, clone, "config", key, value)
	}
	write(t, clone, "a.txt", "changed\n")
	for _, step := range []call{
		{handler: "git.status"}, {handler: "git.diff"}, {handler: "git.diff", config: map[string]any{"from": "HEAD"}},
		{handler: "git.stage_all", config: map[string]any{}}, {handler: "git.log"},
		{handler: "git.commit", config: map[string]any{"values": release}},
		{handler: "git.create_tag", config: map[string]any{"values": release}},
		{handler: "git.push", config: map[string]any{"auth": auth}},
		{handler: "git.checkout", config: map[string]any{"ref": "topic", "create": true}},
		{handler: "git.pull", config: map[string]any{"branch": "main", "auth": auth}},
	} {
		if step.config == nil {
			step.config = map[string]any{}
		}
		step.dir, step.config["directory"] = dir, "evil"
		step.succeed(t, nil)
		if exists(mark) {
			t.Fatalf("%s ran a program", step.handler)
		}
	}
	git(t, clone, "remote", "set-url", "origin", "git@127.0.0.1:x.git")
	push := call{handler: "git.push", dir: dir, config: map[string]any{"directory": "evil"}}
	if _, err := exec.LookPath("ssh"); err == nil {
		push.fail(t, pluginsdk.FailureRetryable, "")
	}
	if exists(mark) {
		t.Error("the clone's sshCommand ran")
	}
}

func TestPullTakesInWhatIsNew(t *testing.T) {
	setup := func(t *testing.T) (dir, other string) {
		dir = newRepository(t)
		bare := newRemote(t, dir)
		other = t.TempDir()
		git(t, other, "clone", "-q", bare, ".")
		write(t, other, "a.txt", "theirs\n")
		git(t, other, "commit", "-qam", "theirs")
		git(t, other, "push", "-q", "origin", "main")
		return dir, other
	}
	t.Run("fast forward", func(t *testing.T) {
		dir, other := setup(t)
		use := call{handler: "git.pull", dir: dir}
		for _, updated := range []bool{true, false} {
			var output pullOutput
			use.succeed(t, &output)
			if output.Updated != updated || output.After != git(t, other, "rev-parse", "HEAD") {
				t.Errorf("output %+v", output)
			}
		}
	})
	for _, strategy := range []string{"merge", "rebase"} {
		t.Run(strategy, func(t *testing.T) {
			dir, _ := setup(t)
			write(t, dir, "b.txt", "ours\n")
			git(t, dir, "add", ".")
			git(t, dir, "commit", "-qm", "ours")
			(&call{handler: "git.pull", dir: dir}).fail(t, pluginsdk.FailurePermanent, "")
			(&call{handler: "git.pull", dir: dir, config: map[string]any{"strategy": strategy}}).succeed(t, nil)
			if merges := git(t, dir, "rev-list", "--count", "--merges", "HEAD"); (merges == "1") != (strategy == "merge") {
				t.Errorf("%s merges", merges)
			}
		})
		t.Run(strategy+" with a conflict", func(t *testing.T) {
			dir, _ := setup(t)
			write(t, dir, "a.txt", "ours\n")
			git(t, dir, "commit", "-qam", "ours")
			before := git(t, dir, "rev-parse", "HEAD")
			use := call{handler: "git.pull", dir: dir, config: map[string]any{"strategy": strategy}}
			use.fail(t, pluginsdk.FailurePermanent, "")
			if git(t, dir, "rev-parse", "HEAD") != before || git(t, dir, "status", "--porcelain") != "" {
				t.Errorf("not as before: %s", git(t, dir, "status"))
			}
		})
	}
	t.Run("a merge of somebody else is left alone", func(t *testing.T) {
		dir, _ := setup(t)
		write(t, dir, "a.txt", "ours\n")
		git(t, dir, "commit", "-qam", "ours")
		git(t, dir, "fetch", "-q", "origin")
		if _, err := gitErr(dir, "merge", "origin/main"); err == nil {
			t.Fatal("no conflict")
		}
		use := call{handler: "git.pull", dir: dir, config: map[string]any{"strategy": "merge"}}
		use.fail(t, pluginsdk.FailurePermanent, "under way")
		if git(t, dir, "rev-parse", "MERGE_HEAD") == "" {
			t.Error("the merge is gone")
		}
	})
}

func TestOneAdapterValueDoesNotSwitchOffTheOthers(t *testing.T) {
	_, step := (&call{handler: "git.status", dir: t.TempDir(), adapter: map[string]any{"user_name": "x", "remote": ""}}).step(t)
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
