package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

type pushConfig struct {
	Remote    string     `json:"remote" title:"Remote" description:"Name of a remote, or an https or ssh address. Empty: the remote of the git plugin's configuration, then origin." example:"origin"`
	Branch    string     `json:"branch" title:"Branch" description:"The branch to push. Empty: the current one." example:"main"`
	PushTags  bool       `json:"push_tags" title:"Push tags" description:"Also push the tags that point at the newest commit of the branch." default:"true"`
	Force     bool       `json:"force" title:"Force with lease" description:"Replace the remote branch if it still is where we last saw it (--force-with-lease). Tags are never replaced."`
	Upstream  bool       `json:"upstream" title:"Set upstream" description:"Make the remote branch the upstream of the local one."`
	Auth      authConfig `json:"auth" title:"Sign-in" description:"Token for an https remote; ssh signs in with keys."`
	Directory string     `json:"directory" title:"Repository folder" description:"Folder of the repository, relative to the workspace." default:"."`
}

type pushOutput struct {
	Remote     string   `json:"remote" title:"Remote" description:"Name or address of the remote, without credentials."`
	Branch     string   `json:"branch" title:"Branch" description:"The branch pushed."`
	TagsPushed []string `json:"tags_pushed" title:"Tags" description:"The tags that went with it, sorted."`
	CommitHash string   `json:"commit_hash" title:"Commit" description:"The commit that the remote branch points at."`
}

// pushPlan is what a push is going to bring; it is its checkpoint, too.
type pushPlan struct {
	// Remote is a name, or an address without credentials.
	Remote string `json:"remote"`
	Branch string `json:"branch"`
	Commit string `json:"commit"`
	// Tags maps names to the objects they point at.
	Tags map[string]string `json:"tags,omitempty"`
}

func (p pushPlan) output() pushOutput {
	return pushOutput{Remote: redactAddresses(p.Remote), Branch: p.Branch, TagsPushed: p.tagNames(), CommitHash: p.Commit}
}

func (p pushPlan) tagNames() []string {
	names := make([]string, 0, len(p.Tags))
	for name := range p.Tags {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

type pusher struct{}

func pushHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "git.push", Name: "Push", Category: category, Icon: "upload",
		Description:  "Pushes a branch and its newest tags to a remote. Network errors are worth another attempt, refusals are not.",
		Effect:       pluginsdk.EffectReconcilable,
		Example:      example(map[string]any{"remote": "origin", "branch": "main", "push_tags": true}),
		DefaultRetry: networkRetry(),
		Network:      []string{"the repository's remote"},
	}, pusher{})
}

// prepare finds out what the push would bring, without asking the remote.
func (pusher) prepare(ctx context.Context, step *pluginsdk.Step, config pushConfig) (*repository, pushPlan, error) {
	var plan pushPlan
	repo, err := openRepository(ctx, step, config.Directory)
	if err != nil {
		return nil, plan, err
	}
	if plan.Remote, err = repo.useRemote(ctx, config.Remote, config.Auth, true); err != nil {
		return nil, plan, err
	}
	if plan.Branch, err = repo.branchOr(ctx, config.Branch); err != nil {
		return nil, plan, err
	}
	if plan.Commit, err = repo.revision(ctx, "refs/heads/"+plan.Branch+"^{commit}"); err != nil {
		return nil, plan, err
	}
	if plan.Commit == "" {
		return nil, plan, pluginsdk.Errorf("there is no branch %s with a commit to push", plan.Branch)
	}
	if !config.PushTags {
		return repo, plan, nil
	}
	listing, err := repo.read(ctx, "for-each-ref", "--format=%(objectname) %(refname:strip=2)", "--points-at="+plan.Commit, "refs/tags")
	plan.Tags = map[string]string{}
	for line := range strings.Lines(listing) {
		if object, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			plan.Tags[name] = object
		}
	}
	return repo, plan, err
}

// useRemote checks the remote that a step names and signs in to it. It
// returns the name or address for git's command line.
func (r *repository) useRemote(ctx context.Context, remote string, auth authConfig, isPush bool) (string, error) {
	if remote == "" {
		remote = r.adapter.Remote
	}
	if err := checkRef("/remote", remote); err != nil {
		return "", err
	}
	configured, err := r.configValue(ctx, "remote."+remote+".url")
	if err != nil {
		return "", err
	}
	if configured == "" {
		if !hasScheme.MatchString(remote) && !strings.ContainsAny(remote, ":/") {
			return "", pluginsdk.Errorf("there is no remote %q; add one with git remote add, or give an address", remote)
		}
		if err := checkAddress("/remote", remote, false); err != nil {
			return "", err
		}
		clean, embedded := splitCredentials(remote)
		if auth.Token == "" {
			auth = embedded
		}
		return clean, r.signIn(auth, clean)
	}
	args := []string{"remote", "get-url", "--", remote}
	if isPush {
		args = []string{"remote", "get-url", "--push", "--", remote}
	}
	address, err := r.read(ctx, args...)
	if err != nil {
		return "", err
	}
	address = strings.TrimSpace(address)
	if err := checkAddress("/remote", address, true); err != nil {
		return "", err
	}
	_, embedded := splitCredentials(address)
	r.secrets = append(r.secrets, embedded.secrets()...)
	return remote, r.signIn(auth, address)
}

// branchOr returns the branch that a step names, else the current one.
func (r *repository) branchOr(ctx context.Context, branch string) (string, error) {
	if branch != "" {
		return branch, checkRef("/branch", branch)
	}
	current, err := r.branch(ctx)
	if err == nil && current == "" {
		err = pluginsdk.Invalid("/branch", "HEAD is on no branch (detached); name the branch")
	}
	return current, err
}

// Execute pushes. A push again of what is there already changes nothing.
func (h pusher) Execute(ctx context.Context, step *pluginsdk.Step, config pushConfig) (pushOutput, error) {
	repo, plan, err := h.prepare(ctx, step, config)
	if err != nil {
		return pushOutput{}, err
	}
	effect := pluginsdk.EffectRecord{Action: "send", Target: redactAddresses(plan.Remote) + " " + plan.Branch, ExternalID: plan.Commit}
	if err := step.Checkpoint(plan); err != nil {
		return pushOutput{}, err
	}
	if err := step.Effect(effect); err != nil {
		return pushOutput{}, err
	}
	if err := repo.push(ctx, config, plan, len(plan.Tags) > 0); err != nil {
		if !strings.Contains(err.Error(), "does not support --atomic") {
			return pushOutput{}, err
		}
		step.Log.Warn("the remote can't take branch and tags in one piece; pushing them one by one")
		if err := repo.push(ctx, config, plan, false); err != nil {
			return pushOutput{}, err
		}
	}
	effect.Done = true
	step.Log.Info(fmt.Sprintf("pushed %s to %s with %d tags", plan.Branch, redactAddresses(plan.Remote), len(plan.Tags)))
	return plan.output(), step.Effect(effect)
}

func (r *repository) push(ctx context.Context, config pushConfig, plan pushPlan, isAtomic bool) error {
	args := []string{"push", "--porcelain", "--recurse-submodules=no"}
	for flag, on := range map[string]bool{
		"--atomic": isAtomic, "--force-with-lease": config.Force, "--set-upstream": config.Upstream,
		// The configuration could name another program for a local remote.
		"--receive-pack=git-receive-pack": !r.mayRunCommands(),
	} {
		if on {
			args = append(args, flag)
		}
	}
	branch := "refs/heads/" + plan.Branch
	args = append(args, "--end-of-options", plan.Remote, branch+":"+branch)
	for _, tag := range plan.tagNames() {
		args = append(args, "refs/tags/"+tag+":refs/tags/"+tag)
	}
	out, err := r.run(ctx, command{args: args, live: true})
	if err == nil || ctx.Err() != nil {
		return err
	}
	if refusals := refusedRefs(out.stdout); refusals != "" {
		text := r.redact(refusals)
		if strings.Contains(text, "fetch first") || strings.Contains(text, "non-fast-forward") || strings.Contains(text, "stale info") {
			text += "; the remote has commits that are not here: pull first"
		}
		return pluginsdk.Permanent(fmt.Errorf("the remote refused %s: %w", text, err)).WithCode("PUSH_REFUSED")
	}
	return err
}

// refusedRefs lists the refusals in the answer of git push --porcelain.
func refusedRefs(porcelain string) string {
	var refused []string
	for line := range strings.Lines(porcelain) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		// "[remote failure]" is a connection that broke, not a refusal.
		if len(fields) == 3 && fields[0] == "!" && !strings.HasPrefix(fields[2], "[remote failure]") {
			_, to, _ := strings.Cut(fields[1], ":")
			refused = append(refused, to+" "+fields[2])
		}
	}
	return strings.Join(refused, ", ")
}

// Plan says what would be pushed as things stand.
func (h pusher) Plan(ctx context.Context, step *pluginsdk.Step, config pushConfig) ([]pluginsdk.PlannedEffect, error) {
	_, plan, err := h.prepare(ctx, step, config)
	if err != nil {
		return nil, err
	}
	summary := fmt.Sprintf("push the branch %s", plan.Branch)
	if config.PushTags {
		summary += " and the tags at its newest commit"
		if len(plan.Tags) > 0 {
			summary += " (now: " + strings.Join(plan.tagNames(), ", ") + ")"
		}
	}
	// Commits and tags of earlier steps are not there before the run.
	return []pluginsdk.PlannedEffect{{Action: "send", Target: redactAddresses(plan.Remote) + " " + plan.Branch, Summary: summary, Known: false}}, nil
}

// Reconcile asks the remote whether it holds the branch's commit and tags.
func (h pusher) Reconcile(ctx context.Context, step *pluginsdk.Step, config pushConfig) (pluginsdk.Reconciliation[pushOutput], error) {
	var verdict pluginsdk.Reconciliation[pushOutput]
	repo, plan, err := h.prepare(ctx, step, config)
	if err != nil {
		return verdict, err
	}
	if _, err := step.Checkpointed(&plan); err != nil {
		return verdict, fmt.Errorf("read the checkpoint: %w", err)
	}
	branch := "refs/heads/" + plan.Branch
	wanted := []string{branch}
	for _, tag := range plan.tagNames() {
		wanted = append(wanted, "refs/tags/"+tag)
	}
	args := append([]string{"ls-remote", "--quiet", "--end-of-options", plan.Remote}, wanted...)
	if !repo.mayRunCommands() {
		args = slices.Insert(args, 1, "--upload-pack=git-upload-pack")
	}
	listing, err := repo.read(ctx, args...)
	if err != nil {
		if ctx.Err() != nil {
			return verdict, err
		}
		verdict.Status, verdict.Detail = pluginsdk.ReconcileUnknown, "the remote could not be asked: "+err.Error()
		return verdict, nil
	}
	remote := map[string]string{}
	for line := range strings.Lines(listing) {
		if object, name, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			remote[name] = object
		}
	}
	hasCommit, err := repo.contains(ctx, remote[branch], plan.Commit)
	if err != nil {
		return verdict, err
	}
	missing := []string{}
	if !hasCommit {
		missing = append(missing, branch)
	}
	for tag, object := range plan.Tags {
		if remote["refs/tags/"+tag] != object {
			missing = append(missing, "refs/tags/"+tag)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		verdict.Status, verdict.Detail = pluginsdk.ReconcileNotStarted, "the remote lacks "+strings.Join(missing, ", ")
		return verdict, nil
	}
	verdict.Status, verdict.Output = pluginsdk.ReconcileDone, plan.output()
	verdict.Detail = "the remote holds commit " + plan.Commit
	return verdict, nil
}

// contains reports whether tip is the commit or, as far as it is known here,
// a descendant of it.
func (r *repository) contains(ctx context.Context, tip, commit string) (bool, error) {
	if tip == "" || tip == commit {
		return tip != "", nil
	}
	known, err := r.revision(ctx, tip+"^{commit}")
	if err != nil || known == "" {
		return false, err
	}
	base, err := r.read(ctx, "merge-base", "--end-of-options", tip, commit)
	if err != nil {
		// No common ancestor at all.
		return false, ctx.Err()
	}
	return strings.TrimSpace(base) == commit, nil
}
