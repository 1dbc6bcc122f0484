package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/vwmp/vwmp/pluginsdk"
)

const (
	// maxOutput bounds what is kept of git's standard output, in bytes.
	maxOutput = 4 << 20
	// maxMessage bounds git's own words in an error, in bytes.
	maxMessage = 2 << 10
	maxLine    = 8 << 10
	// clonedMark is set in the configuration of a repository that git.clone
	// made: its hooks and configured commands never run.
	clonedMark = "vwmp.cloned"
)

// repository is a git repository in the workspace, and how git runs in it.
type repository struct {
	step *pluginsdk.Step
	dir  string // absolute
	// adapter is the plugin's configuration, complete with defaults.
	adapter adapterConfig
	// isCloned: git.clone made the repository.
	isCloned bool
	// settings are configuration values of this process only.
	settings []setting
	secrets  []string
	// sshCommand replaces the plain ssh where the user configured one.
	sshCommand string
}

type setting struct{ key, value string }

// result is how one git command ended.
type result struct {
	stdout    string
	truncated bool
}

// openRepository finds the repository in directory, a folder of the
// workspace. Folders above it are not searched: a repository around the
// workspace is not the workspace's.
func openRepository(ctx context.Context, step *pluginsdk.Step, directory string) (*repository, error) {
	repo, err := bareProcess(step)
	if err != nil {
		return nil, err
	}
	if directory != "" && directory != "." {
		info, err := step.Workspace.Stat(directory)
		switch {
		case err != nil:
			return nil, pluginsdk.Invalid("/directory", fmt.Sprintf("the folder %q can't be used: %v", directory, err))
		case !info.IsDir():
			return nil, pluginsdk.Invalid("/directory", fmt.Sprintf("%q is not a folder", directory))
		}
		repo.dir = filepath.Join(repo.dir, filepath.FromSlash(directory))
	}
	if _, err := repo.read(ctx, "rev-parse", "--git-dir"); err != nil {
		return nil, err
	}
	cloned, err := repo.configValue(ctx, clonedMark)
	if err != nil {
		return nil, err
	}
	repo.isCloned = cloned == "true"
	if repo.mayRunCommands() {
		repo.sshCommand, err = repo.configValue(ctx, "core.sshCommand")
		return repo, err
	}
	return repo, repo.disarm(ctx)
}

// bareProcess is git in the workspace's folder, repository or not.
func bareProcess(step *pluginsdk.Step) (*repository, error) {
	repo := &repository{step: step, dir: step.Workspace.Dir(), adapter: adapterConfig{Remote: "origin", RunHooks: true}}
	if repo.dir == "" {
		return nil, pluginsdk.Errorf("this run has no workspace, so there is no repository to work in")
	}
	if err := step.Adapter(&repo.adapter); err != nil {
		return nil, err
	}
	if repo.adapter.Remote == "" {
		repo.adapter.Remote = "origin"
	}
	return repo, nil
}

// mayRunCommands reports whether hooks and commands of the repository's own
// configuration may run. The host forbids them with VWMP_ALLOW_COMMANDS.
func (r *repository) mayRunCommands() bool {
	return r.adapter.RunHooks && !r.isCloned && os.Getenv("VWMP_ALLOW_COMMANDS") != "false"
}

// disarm overrides everything in the repository's own configuration that
// names a program. What the user configured for all repositories stays.
func (r *repository) disarm(ctx context.Context) error {
	r.settings = append(r.settings, setting{"core.hooksPath", os.DevNull})
	listing, err := r.read(ctx, "config", "--list", "--includes", "--show-scope", "--name-only", "-z")
	if err != nil {
		return err
	}
	fields := strings.Split(listing, "\x00")
	for i := 0; i+1 < len(fields); i += 2 {
		scope, key := fields[i], fields[i+1]
		switch {
		case scope != "local" && scope != "worktree":
		case namesProgram(key):
			r.settings = append(r.settings, setting{key, ""})
		case strings.HasPrefix(key, "filter.") && strings.HasSuffix(key, ".required"):
			r.settings = append(r.settings, setting{key, "false"})
		}
	}
	return nil
}

// namesProgram knows the configuration keys whose value git executes.
func namesProgram(key string) bool {
	section, rest, _ := strings.Cut(key, ".")
	name := rest[strings.LastIndexByte(rest, '.')+1:]
	switch section {
	case "filter":
		return name == "clean" || name == "smudge" || name == "process"
	case "diff":
		return name == "command" || name == "textconv" || name == "external"
	case "merge":
		return name == "driver"
	case "credential":
		return name == "helper"
	case "core":
		return name == "gitproxy" || name == "askpass" || name == "editor" || name == "pager" || name == "alternaterefscommand"
	case "remote":
		return name == "uploadpack" || name == "receivepack" || name == "vcs"
	case "gpg":
		return name == "program" || name == "defaultkeycommand"
	}
	return false
}

// signIn makes git send auth to the host of address.
func (r *repository) signIn(auth authConfig, address string) error {
	if auth.Token == "" {
		return nil
	}
	key, value, err := auth.header(address)
	if err != nil {
		return err
	}
	r.settings = append(r.settings, setting{key, value})
	r.secrets = append(r.secrets, auth.secrets()...)
	return nil
}

// configValue returns "" where the key is not set.
func (r *repository) configValue(ctx context.Context, key string) (string, error) {
	value, err := r.read(ctx, "config", "--get", key)
	var failed *commandError
	if errors.As(err, &failed) && failed.exitCode == 1 {
		return "", nil
	}
	return strings.TrimSpace(value), err
}

// read runs a command that changes nothing, quietly.
func (r *repository) read(ctx context.Context, args ...string) (string, error) {
	out, err := r.run(ctx, command{args: args, reads: true})
	if err == nil && out.truncated {
		return "", pluginsdk.Errorf("git %s: the answer is more than %d bytes", args[0], maxOutput)
	}
	return out.stdout, err
}

// revision returns the object that a name stands for, "" where it is not
// there.
func (r *repository) revision(ctx context.Context, name string) (string, error) {
	hash, err := r.read(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
	var failed *commandError
	if errors.As(err, &failed) && failed.exitCode == 1 {
		return "", nil
	}
	return strings.TrimSpace(hash), err
}

// branch returns the branch that HEAD is on, "" where HEAD is detached.
func (r *repository) branch(ctx context.Context) (string, error) {
	name, err := r.read(ctx, "symbolic-ref", "--quiet", "--short", "HEAD")
	var failed *commandError
	if errors.As(err, &failed) && failed.exitCode == 1 {
		return "", nil
	}
	return strings.TrimSpace(name), err
}

// command is one run of git.
type command struct {
	args  []string
	stdin string
	env   []string
	// reads: takes no locks that another git might wait for.
	reads bool
	// live: what git and its hooks say goes to the step's log as it comes.
	live bool
	// limit bounds what is kept of standard output; zero is maxOutput.
	limit int
}

// run runs git and turns a failure into one with git's own message.
func (r *repository) run(ctx context.Context, c command) (result, error) {
	program, err := exec.LookPath("git")
	if err != nil {
		return result{}, pluginsdk.Permanent(fmt.Errorf("git is not installed, or not on the PATH: %w", err)).
			WithCode("GIT_MISSING").WithFault(pluginsdk.FaultHost)
	}
	stdout := &keptOutput{limit: maxOutput, keepsHead: true}
	if c.limit > 0 {
		stdout.limit = c.limit
	}
	stderr := &keptOutput{limit: 64 << 10}
	if c.live {
		stderr.line = func(line string) { r.step.Log.Info(r.redact(line)) }
	}
	cmd := exec.Command(program, c.args...)
	cmd.Dir = r.dir
	cmd.Env = append(r.environ(c.reads), c.env...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if c.stdin != "" {
		cmd.Stdin = strings.NewReader(c.stdin)
	}
	err = pluginsdk.RunCommand(ctx, cmd)
	stderr.flush()
	out := result{stdout: stdout.String(), truncated: stdout.truncated}
	if err != nil {
		return out, r.failure(ctx, c.args[0], err, out.stdout, stderr.String())
	}
	return out, nil
}

// environ is the plugin's environment without the variables that would send
// git elsewhere, and with those that keep it from asking.
func (r *repository) environ(reads bool) []string {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if (!strings.HasPrefix(name, "GIT_") || isHarmlessGitVariable(name)) && name != "SSH_ASKPASS" && !strings.HasPrefix(name, "LC_") && name != "LANGUAGE" {
			env = append(env, entry)
		}
	}
	env = append(env,
		"LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS=", "SSH_ASKPASS_REQUIRE=never",
		"GIT_EDITOR=:", "GIT_SEQUENCE_EDITOR=:", "GIT_MERGE_AUTOEDIT=no", "GIT_PAGER=cat",
		"GIT_CEILING_DIRECTORIES="+filepath.Dir(r.dir),
		"GIT_SSH_COMMAND="+batchMode(r.sshCommand),
		"GIT_ALLOW_PROTOCOL="+r.protocols(),
	)
	if reads {
		env = append(env, "GIT_OPTIONAL_LOCKS=0")
	}
	if r.adapter.UserName != "" {
		env = append(env, "GIT_AUTHOR_NAME="+r.adapter.UserName, "GIT_COMMITTER_NAME="+r.adapter.UserName)
	}
	if r.adapter.UserEmail != "" {
		env = append(env, "GIT_AUTHOR_EMAIL="+r.adapter.UserEmail, "GIT_COMMITTER_EMAIL="+r.adapter.UserEmail)
	}
	settings := append([]setting{
		{"core.fsmonitor", "false"}, {"color.ui", "false"}, {"submodule.recurse", "false"},
		// A collector that outlives the command would be killed half-way.
		{"gc.auto", "0"}, {"maintenance.auto", "false"},
	}, r.settings...)
	env = append(env, "GIT_CONFIG_COUNT="+strconv.Itoa(len(settings)))
	for i, s := range settings {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, s.key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, s.value))
	}
	return env
}

// protocols are those that git itself enforces, after insteadOf rewrites and
// redirects too.
func (r *repository) protocols() string {
	if r.isCloned {
		return "https:ssh"
	}
	return "https:ssh:file"
}

func isHarmlessGitVariable(name string) bool {
	switch name {
	case "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH", "GIT_DEFAULT_HASH":
		return true
	}
	return strings.HasPrefix(name, "GIT_AUTHOR_") || strings.HasPrefix(name, "GIT_COMMITTER_") || strings.HasPrefix(name, "GIT_SSL_")
}

// batchMode keeps ssh from asking on a terminal that it might find.
func batchMode(configured string) string {
	first, _, _ := strings.Cut(configured, " ")
	switch {
	case configured == "":
		return "ssh -oBatchMode=yes -oConnectTimeout=30"
	case filepath.Base(first) == "ssh":
		return configured + " -oBatchMode=yes"
	}
	return configured
}

// redact takes secrets and the credentials of URLs out of a text.
func (r *repository) redact(text string) string {
	for _, secret := range r.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return redactAddresses(text)
}

// keptOutput keeps the head or the tail of what is written to it, and may
// hand on each line.
type keptOutput struct {
	limit     int
	keepsHead bool
	line      func(string)

	mu        sync.Mutex
	kept      bytes.Buffer
	partial   []byte
	truncated bool
}

func (k *keptOutput) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	written := len(p)
	k.emitLines(p)
	if k.keepsHead {
		if room := k.limit - k.kept.Len(); len(p) > room {
			p, k.truncated = p[:room], true
		}
		k.kept.Write(p)
		return written, nil
	}
	k.kept.Write(p)
	if over := k.kept.Len() - k.limit; over > 0 {
		k.kept.Next(over)
		k.truncated = true
	}
	return written, nil
}

func (k *keptOutput) emitLines(p []byte) {
	if k.line == nil {
		return
	}
	k.partial = append(k.partial, p...)
	for {
		end := bytes.IndexAny(k.partial, "\r\n")
		if end < 0 && len(k.partial) < maxLine {
			return
		}
		next := end + 1
		if end < 0 {
			end, next = maxLine, maxLine
		}
		if line := strings.TrimSpace(string(k.partial[:end])); line != "" {
			k.line(strings.ToValidUTF8(line, "\uFFFD"))
		}
		k.partial = k.partial[next:]
	}
}

// flush hands on a last line without an end.
func (k *keptOutput) flush() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.line != nil && len(bytes.TrimSpace(k.partial)) > 0 {
		k.line(strings.ToValidUTF8(strings.TrimSpace(string(k.partial)), "\uFFFD"))
	}
	k.partial = nil
}

func (k *keptOutput) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kept.String()
}
