//go:build long

package main

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

// objects makes what git itself would not, in a bare repository.
type objects struct {
	t   *testing.T
	dir string
}

func (o objects) put(input string, args ...string) string {
	o.t.Helper()
	cmd := exec.CommandContext(o.t.Context(), "git", append([]string{"-C", o.dir, "-c", "user.name=Eve", "-c", "user.email=eve@example.invalid"}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	output, err := cmd.CombinedOutput()
	if err != nil {
		o.t.Fatalf("git %v: %v\n%s", args, err, output)
	}
	return strings.TrimSpace(string(output))
}

func (o objects) blob(text string) string { return o.put(text, "hash-object", "-w", "--stdin") }

// An entry of a tree, by what it is.
func (o objects) file(name, text string) string   { return "100644 blob " + o.blob(text) + "\t" + name }
func (o objects) script(name, text string) string { return "100755 blob " + o.blob(text) + "\t" + name }
func (o objects) link(name, to string) string     { return "120000 blob " + o.blob(to) + "\t" + name }
func (o objects) module(name string) string {
	return "160000 commit " + strings.Repeat("1", 40) + "\t" + name
}
func (o objects) folder(name string, entries ...string) string {
	return "040000 tree " + o.put(strings.Join(entries, "\n")+"\n", "mktree", "--missing") + "\t" + name
}

// commit makes the branch main of these entries.
func (o objects) commit(entries ...string) {
	o.t.Helper()
	tree := strings.Fields(o.folder("", entries...))[2]
	o.put("", "update-ref", "refs/heads/main", o.put("hostile\n", "commit-tree", tree))
}

// hostileRepositories makes repositories whose scripts, if anything ran them,
// would write to mark. The first has what git takes as it is; the others have
// what a clone must refuse or leave without effect.
func hostileRepositories(t *testing.T, root, mark string) []string {
	t.Helper()
	touch := "echo %s >> " + mark
	var names []string
	for _, one := range []struct {
		name    string
		entries func(o objects, hidden ...string) []string
	}{
		{"drivers", func(o objects, _ ...string) []string {
			return []string{
				o.file("a.txt", "one\n"), o.file(".gitattributes", "* filter=evil diff=evil merge=evil\n"), o.module("x"),
				o.file(".gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = ext::sh -c '"+fmt.Sprintf(touch, "url")+"'\n\tupdate = !"+fmt.Sprintf(touch, "update")+"\n"),
				o.folder("hooks", o.script("post-checkout", "#!/bin/sh\n"+fmt.Sprintf(touch, "hooks")+"\n")), o.folder("DIR", o.file("f", "x")), o.folder("dir", o.file("f", "y")),
			}
		}},
		{"dot-git", func(o objects, hidden ...string) []string { return []string{o.folder(".git", hidden...)} }},
		{"capitals", func(o objects, hidden ...string) []string { return []string{o.folder(".GIT", hidden...)} }},
		{"short-name", func(o objects, hidden ...string) []string { return []string{o.folder("git~1", hidden...)} }},
		{"stream", func(o objects, hidden ...string) []string {
			return []string{o.folder(".git::$INDEX_ALLOCATION", hidden...)}
		}},
		{"leaves", func(o objects, hidden ...string) []string { return []string{o.folder("..", hidden...)} }},
		{"modules-link", func(o objects, _ ...string) []string {
			return []string{o.file("a", "[submodule \"x\"]\n\tpath = x\n\turl = ext::"+mark+"\n"), o.link(".gitmodules", "a"), o.module("x")}
		}},
		{"link", func(o objects, _ ...string) []string { return []string{o.link("a", ".git")} }},
		{"link-and-folder", func(o objects, hidden ...string) []string {
			return []string{o.link("a", ".git"), o.folder("a", hidden...)}
		}},
		{"link-in-capitals", func(o objects, hidden ...string) []string {
			return []string{o.link("A", ".git"), o.folder("a", hidden...)}
		}},
		{"module-outside", func(o objects, hidden ...string) []string {
			return []string{o.file(".gitmodules", "[submodule \"../../.git\"]\n\tpath = x\n\turl = ./x\n"), o.folder("x", o.file(".git", "gitdir: ../y\n")), o.folder("y", hidden...)}
		}},
	} {
		bare := filepath.Join(root, one.name+".git")
		git(t, root, "init", "--quiet", "--bare", "--initial-branch=main", bare)
		git(t, bare, "config", "http.receivepack", "true")
		o := objects{t, bare}
		o.commit(one.entries(o, o.file("config", "[core]\n\tfsmonitor = "+fmt.Sprintf(touch, one.name+"-config")+"\n"),
			o.folder("hooks", o.script("post-checkout", "#!/bin/sh\n"+fmt.Sprintf(touch, one.name)+"\n")))...)
		names = append(names, one.name)
	}
	return names
}

// serveRepositories serves bare repositories over HTTPS. It returns the
// address, and the environment in which git trusts the certificate.
func serveRepositories(t *testing.T, root string) (address string, env []string) {
	t.Helper()
	server := httptest.NewTLSServer(&cgi.Handler{Path: filepath.Join(git(t, root, "--exec-path"), "git-http-backend"), Env: []string{
		"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=eve", "GIT_CONFIG_GLOBAL=" + os.DevNull,
	}})
	t.Cleanup(server.Close)
	home := t.TempDir()
	certificate := filepath.Join(home, "server.pem")
	writeFile(t, certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	// A proxy of whoever runs the tests does not know this address.
	writeFile(t, filepath.Join(home, ".gitconfig"), []byte("[http]\n\tsslCAInfo = "+certificate+"\n\tproxy =\n[user]\n\tname = Ada\n\temail = ada@example.invalid\n"))
	return server.URL, []string{"HOME=" + home}
}

// gitStep is a step that is tried once.
func gitStep(id, handler, config string, after ...string) string {
	dependencies, err := json.Marshal(append([]string{}, after...))
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"id":%q,"handler":%q,"timeout":"60s","retry":{"max_attempts":1},"config":%s,"dependencies":%s}`, id, handler, config, dependencies)
}

// plant puts programs into a clone's own configuration and its folder of
// hooks: each that runs writes its name to mark.
func plant(t *testing.T, clone, mark string) {
	t.Helper()
	hooks := filepath.Join(clone, ".git", "hooks")
	if err := os.Mkdir(hooks, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "pre-push", "post-checkout", "post-merge", "reference-transaction", "fsmonitor-watchman"} {
		if err := os.WriteFile(filepath.Join(hooks, name), fmt.Appendf(nil, "#!/bin/sh\necho %s >> %s\n", name, mark), 0o755); err != nil { //nolint:gosec // A hook is to be run.
			t.Fatal(err)
		}
	}
	for _, key := range []string{
		"core.fsmonitor", "core.sshCommand", "core.editor", "core.pager", "core.askPass", "core.gitProxy", "core.alternateRefsCommand",
		"filter.evil.clean", "filter.evil.smudge", "diff.evil.textconv", "diff.evil.command", "diff.external", "merge.evil.driver",
		"credential.helper", "gpg.program", "remote.origin.receivepack", "remote.origin.uploadpack",
	} {
		value := fmt.Sprintf("echo %s >> %s; cat", key, mark)
		if key == "credential.helper" {
			value = "!" + value
		}
		git(t, clone, "config", key, value)
	}
	git(t, clone, "config", "core.hooksPath", hooks)
	git(t, clone, "config", "filter.evil.required", "true")
}

// ran names the programs that left their mark.
func ran(t *testing.T, mark string) string {
	t.Helper()
	text, err := os.ReadFile(mark)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

func TestCase67HostileRepositoriesRunNothing(t *testing.T) {
	t.Parallel()
	// The workspace is where a plugin may write: nothing else keeps a program
	// from leaving its mark.
	workspace, root := t.TempDir(), t.TempDir()
	mark := filepath.Join(workspace, "mark")
	names := hostileRepositories(t, root, mark)
	address, env := serveRepositories(t, root)
	r := startWith(t, env, t.TempDir(), workspace, "--plugins", builtPlugins(t, "file"), "--plugins", pluginsDir)
	executions := map[string]string{}
	for _, name := range names {
		executions[name] = r.start(r.save(`{"name":"Clone ` + name + `","steps":[` + gitStep("a", "git.clone", fmt.Sprintf(`{"url":%q}`, address+"/"+name+".git")) + `]}`))
	}
	for name, id := range executions {
		got := r.finish(id).StepResults["a"]
		switch {
		case got.Status == plan.StatusSuccess:
			isClean(t, filepath.Join(workspace, name))
		case name == "drivers" || got.Error == nil || !strings.Contains(got.Error.Message, "unable to checkout"):
			t.Errorf("%s: the clone is %s: %+v", name, got.Status, got.Error)
		case fileExists(filepath.Join(workspace, name)):
			t.Errorf("%s: the clone failed, and its folder is there", name)
		}
	}
	if left, err := filepath.Glob(filepath.Join(workspace, ".vwmp-clone-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if got := ran(t, mark); got != "" {
		t.Fatalf("the clones ran %s", got)
	}

	// What a clone brings leads no step into its .git either.
	for handler, config := range map[string]string{
		"file.write": `{"path":"link/a/hooks/pre-commit","content":"x"}`, "file.read": `{"path":"link/a/config"}`,
		"git.clone": fmt.Sprintf(`{"url":%q,"directory":"link/a/hooks"}`, address+"/drivers.git"),
	} {
		got := r.finish(r.start(r.save(`{"name":"Through a link: ` + handler + `","steps":[` + gitStep("a", handler, config) + `]}`))).StepResults["a"]
		if got.Status != plan.StatusFailed || got.Error == nil || !strings.Contains(got.Error.Message, "leads into .git") {
			t.Errorf("%s through a link is %s: %+v", handler, got.Status, got.Error)
		}
	}
	isClean(t, filepath.Join(workspace, "link"))

	clone := filepath.Join(workspace, "drivers")
	plant(t, clone, mark)
	writeFile(t, filepath.Join(clone, "a.txt"), []byte("changed\n"))
	const values = `"values":{"version":"1.0.0","summary":"x"}`
	steps, last := []string{}, []string{}
	for i, step := range [][2]string{
		{"status", ""}, {"diff", ""}, {"diff", `"from":"HEAD"`}, {"stage_all", ""}, {"log", ""}, {"commit", values}, {"create_tag", values},
		{"push", ""}, {"checkout", `"ref":"topic","create":true`}, {"pull", `"branch":"main"`},
	} {
		id := fmt.Sprintf("s%d", i)
		steps = append(steps, gitStep(id, "git."+step[0], strings.TrimSuffix(`{"directory":"drivers",`+step[1], ",")+"}", last...))
		last = []string{id}
	}
	if result := r.finish(r.start(r.save(`{"name":"Everything","steps":[` + strings.Join(steps, ",") + `]}`))); result.Status != plan.StatusSuccess {
		t.Errorf("in the clone, the steps end as %s: %+v", result.Status, result.Error)
	}
	git(t, clone, "remote", "set-url", "origin", "ssh://git@127.0.0.1:1/x.git")
	if got := r.finish(r.start(r.save(`{"name":"By ssh","steps":[` + gitStep("a", "git.push", `{"directory":"drivers"}`) + `]}`))).Status; got != plan.StatusFailed {
		t.Errorf("a push to where nobody listens is %s", got)
	}
	if got := ran(t, mark); got != "" {
		t.Errorf("the steps ran %s", got)
	}

	// What was planted is no dud: a git of whoever stands in the clone runs it.
	for _, args := range [][]string{{"commit", "--quiet", "--all", "--allow-empty", "--message", "x"}, {"push", "--quiet", "origin", "HEAD"}} {
		_ = exec.CommandContext(t.Context(), "git", append([]string{"-C", clone, "-c", "user.name=Ada", "-c", "user.email=ada@example.invalid"}, args...)...).Run()
	}
	for _, name := range []string{"core.fsmonitor", "pre-commit", "reference-transaction", "core.sshCommand"} {
		if got := ran(t, mark); !strings.Contains(got, name) {
			t.Errorf("even a plain git does not run %s, only %s", name, got)
		}
	}
}

// isClean holds a clone to having nothing of the remote's own making in its
// .git.
func isClean(t *testing.T, clone string) {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(clone, ".git", "config"))
	if err != nil || strings.Contains(string(config), "mark") {
		t.Errorf("the configuration is %s %v", config, err)
	}
	for _, name := range []string{"hooks", "modules"} {
		if path := filepath.Join(clone, ".git", name); fileExists(path) {
			t.Errorf("there is %s", path)
		}
	}
}

// builtPlugins builds further plugins into a folder of their own.
func builtPlugins(t *testing.T, names ...string) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range names {
		build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(folder, "vwmp-plugin-"+name), "github.com/vwmp/vwmp/plugins/"+name)
		if output, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	return folder
}

// crowd makes a folder with more files than a pattern may find.
func crowd(t *testing.T, dir string) {
	t.Helper()
	for i := range 100_001 {
		folder := filepath.Join(dir, fmt.Sprint(i/1000))
		if i%1000 == 0 {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		writeFile(t, filepath.Join(folder, fmt.Sprint(i, ".txt")), nil)
	}
}

// chain makes a chain of folders called d with a file at its end, deeper than
// a path can be long.
func chain(t *testing.T, dir string, depth int) {
	t.Helper()
	at, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	for range depth {
		if err := at.Mkdir("d", 0o755); err != nil {
			t.Fatal(err)
		}
		next, err := at.OpenRoot("d")
		if err != nil {
			t.Fatal(err)
		}
		_ = at.Close()
		at = next
	}
	defer at.Close()
	if err := at.WriteFile("end.txt", nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCase63AHugeWorkspaceIsRefusedAndClearedAway(t *testing.T) {
	t.Parallel()
	workspace := t.TempDir()
	crowd(t, filepath.Join(workspace, "many"))
	chain(t, workspace, 4000)
	huge := filepath.Join(workspace, "big", "huge.bin")
	if err := os.Mkdir(filepath.Dir(huge), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, huge, nil)
	if err := os.Truncate(huge, 50<<30); err != nil {
		t.Fatal(err)
	}
	r := startRunning(t, t.TempDir(), workspace, "--plugins", builtPlugins(t, "file"))
	before := r.memory()
	run := func(handler, config string) engine.StepResult {
		t.Helper()
		result := r.finish(r.start(r.save(fmt.Sprintf(`{"name":%q,"steps":[{"id":"a","handler":%q,"timeout":"2m","retry":{"max_attempts":1},"config":%s}]}`, "Case 63 "+config, handler, config))))
		return result.StepResults["a"]
	}
	const files, bytes = "more than 100000 files match", "more than the 1073741824 allowed"
	for _, refused := range []struct{ handler, config, want string }{
		{"file.glob", `{"patterns":["many/**"]}`, files},
		{"file.archive", `{"paths":["many/**"],"to":"x.tar"}`, files},
		{"file.checksum", `{"paths":["many/**"]}`, files},
		{"file.archive", `{"paths":["big/**"],"to":"x.zip"}`, bytes},
		{"file.read", `{"path":"big/huge.bin"}`, "more than"},
	} {
		if got := run(refused.handler, refused.config); got.Status != plan.StatusFailed || got.Error == nil || !strings.Contains(got.Error.Message, refused.want) {
			t.Errorf("%s %s is %s: %+v", refused.handler, refused.config, got.Status, got.Error)
		}
	}
	for _, name := range []string{"x.tar", "x.zip"} {
		if fileExists(filepath.Join(workspace, name)) {
			t.Errorf("%s is left", name)
		}
	}
	// The time for the depth must not grow with its square, which is minutes.
	began := time.Now()
	if got := run("file.glob", `{"patterns":["d/**/*.txt"]}`); got.Status != plan.StatusSuccess || !strings.Contains(string(got.Output), `"count":1,`) {
		t.Errorf("in the depth, finding is %s: %+v %.200s", got.Status, got.Error, got.Output)
	}
	for _, folder := range []string{"d", "big", "many"} {
		if got := run("file.delete", fmt.Sprintf(`{"paths":[%q],"recursive":true,"keep_for_undo":false}`, folder)); got.Status != plan.StatusSuccess {
			t.Errorf("deleting %s is %s: %+v", folder, got.Status, got.Error)
		}
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("the depth and the clean-up took %s", took)
	}
	if left, err := os.ReadDir(workspace); err != nil || len(left) > 0 {
		t.Errorf("%v are left: %v", left, err)
	}
	if grown := r.memory() - before; grown > 50e6 {
		t.Errorf("the server grew by %d bytes", grown)
	}
}
