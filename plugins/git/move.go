package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

type checkoutConfig struct {
	Ref        string `json:"ref" title:"Branch or revision" description:"Branch, tag or commit to check out." required:"true" min_length:"1" example:"main"`
	Create     bool   `json:"create" title:"Create the branch" description:"Make the branch if it is not there yet."`
	StartPoint string `json:"start_point" title:"Start point" description:"Revision at which a new branch begins. Empty: the current one." example:"origin/main"`
	Force      bool   `json:"force" title:"Overwrite changes" description:"Throw away changes of tracked files that are in the way."`
	Directory  string `json:"directory" title:"Repository folder" description:"Folder of the repository, relative to the workspace." default:"."`
}

type checkoutOutput struct {
	Branch         string `json:"branch" title:"Branch" description:"The branch that is checked out; empty when detached."`
	CommitHash     string `json:"commit_hash" title:"Commit" description:"The commit that is checked out."`
	PreviousBranch string `json:"previous_branch" title:"Previous branch" description:"The branch before; empty when it was detached."`
	Created        bool   `json:"created" title:"Created" description:"True if the branch is new."`
}

type switcher struct{}

func checkoutHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "git.checkout", Name: "Check out", Category: category, Icon: "git-branch",
		Description: "Checks out a branch, tag or commit, making the branch if told to.",
		Effect:      pluginsdk.EffectIdempotent,
		Example:     example(map[string]any{"ref": "release/1.2", "create": true}),
	}, switcher{})
}

// prepare checks the names and says whether the branch has to be made.
func (switcher) prepare(ctx context.Context, step *pluginsdk.Step, config checkoutConfig) (repo *repository, isNew bool, err error) {
	for pointer, ref := range map[string]string{"/ref": config.Ref, "/start_point": config.StartPoint} {
		if err := checkRef(pointer, ref); err != nil {
			return nil, false, err
		}
	}
	if config.StartPoint != "" && !config.Create {
		return nil, false, pluginsdk.Invalid("/start_point", "a start point belongs to a new branch: set create")
	}
	if repo, err = openRepository(ctx, step, config.Directory); err != nil {
		return nil, false, err
	}
	if !config.Create {
		return repo, false, nil
	}
	if _, err := repo.read(ctx, "check-ref-format", "refs/heads/"+config.Ref); err != nil {
		return nil, false, pluginsdk.Invalid("/ref", fmt.Sprintf("%q is not a name that git allows for a branch", config.Ref))
	}
	existing, err := repo.revision(ctx, "refs/heads/"+config.Ref)
	return repo, existing == "", err
}

// Execute checks out; a branch that is checked out already stays as it is.
func (h switcher) Execute(ctx context.Context, step *pluginsdk.Step, config checkoutConfig) (checkoutOutput, error) {
	repo, isNew, err := h.prepare(ctx, step, config)
	if err != nil {
		return checkoutOutput{}, err
	}
	output := checkoutOutput{Created: isNew}
	if output.PreviousBranch, err = repo.branch(ctx); err != nil {
		return output, err
	}
	// git 2.39 takes --end-of-options for a path here; no name begins with a
	// dash, and "--" ends the names.
	args := []string{"checkout", "--quiet", "--no-recurse-submodules"}
	if config.Force {
		args = append(args, "--force")
	}
	if isNew {
		args = append(args, "-b", config.Ref)
		if config.StartPoint != "" {
			args = append(args, config.StartPoint)
		}
	} else {
		args = append(args, config.Ref)
	}
	if _, err := repo.run(ctx, command{args: append(args, "--"), live: true}); err != nil {
		return output, err
	}
	if output.Branch, err = repo.branch(ctx); err != nil {
		return output, err
	}
	output.CommitHash, err = repo.revision(ctx, "HEAD^{commit}")
	return output, err
}

// Plan says what would be checked out.
func (h switcher) Plan(ctx context.Context, step *pluginsdk.Step, config checkoutConfig) ([]pluginsdk.PlannedEffect, error) {
	_, isNew, err := h.prepare(ctx, step, config)
	if err != nil {
		return nil, err
	}
	summary := "check out " + config.Ref
	if isNew {
		summary = "make the branch " + config.Ref + " and check it out"
	}
	return []pluginsdk.PlannedEffect{{Action: "update", Target: "the files of the repository", Summary: summary, Known: true}}, nil
}

type pullConfig struct {
	Remote    string     `json:"remote" title:"Remote" description:"Name of a remote, or an https or ssh address. Empty: the remote of the git plugin's configuration, then origin." example:"origin"`
	Branch    string     `json:"branch" title:"Branch" description:"The remote's branch. Empty: the name of the current one." example:"main"`
	Strategy  string     `json:"strategy" title:"Strategy" description:"What to do where both sides have commits: fail (ff_only), merge, or rebase ours onto theirs." default:"ff_only" enum:"ff_only,merge,rebase"`
	Auth      authConfig `json:"auth" title:"Sign-in" description:"Token for an https remote; ssh signs in with keys."`
	Directory string     `json:"directory" title:"Repository folder" description:"Folder of the repository, relative to the workspace." default:"."`
}

type pullOutput struct {
	Remote  string `json:"remote" title:"Remote" description:"Name or address of the remote, without credentials."`
	Branch  string `json:"branch" title:"Branch" description:"The remote's branch."`
	Before  string `json:"before" title:"Before" description:"The commit before; empty for an empty repository."`
	After   string `json:"after" title:"After" description:"The commit now."`
	Updated bool   `json:"updated" title:"Updated" description:"True if there was something new."`
}

type puller struct{}

func pullHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "git.pull", Name: "Pull", Category: category, Icon: "download",
		Description:  "Fetches a remote branch and takes its commits into the current one. After a conflict everything is as it was before.",
		Effect:       pluginsdk.EffectIdempotent,
		Example:      example(map[string]any{"remote": "origin", "branch": "main", "strategy": "ff_only"}),
		DefaultRetry: networkRetry(),
		Network:      []string{"the repository's remote"},
	}, puller{})
}

func (puller) prepare(ctx context.Context, step *pluginsdk.Step, config pullConfig) (*repository, pullOutput, error) {
	var output pullOutput
	repo, err := openRepository(ctx, step, config.Directory)
	if err != nil {
		return nil, output, err
	}
	if output.Remote, err = repo.useRemote(ctx, config.Remote, config.Auth, false); err != nil {
		return nil, output, err
	}
	if output.Branch, err = repo.branchOr(ctx, config.Branch); err != nil {
		return nil, output, err
	}
	output.Before, err = repo.revision(ctx, "HEAD^{commit}")
	return repo, output, err
}

// Execute pulls. A conflict is taken back, so that the next attempt or a
// person finds the repository as it was.
func (h puller) Execute(ctx context.Context, step *pluginsdk.Step, config pullConfig) (pullOutput, error) {
	repo, output, err := h.prepare(ctx, step, config)
	if err != nil {
		return output, err
	}
	strategy := map[string]string{"ff_only": "--ff-only", "merge": "--no-rebase", "rebase": "--rebase"}[config.Strategy]
	if strategy == "" {
		return output, pluginsdk.Invalid("/strategy", "the strategy must be ff_only, merge or rebase")
	}
	args := []string{"pull", "--quiet", "--no-recurse-submodules", strategy}
	if !repo.mayRunCommands() {
		args = append(args, "--upload-pack=git-upload-pack")
	}
	args = append(args, "--end-of-options", output.Remote, "refs/heads/"+output.Branch)
	// What somebody else left half-way is not ours to give up.
	underway, err := repo.underway(ctx)
	if err != nil {
		return output, err
	}
	if underway != "" {
		return output, pluginsdk.Errorf("a %s is under way in the repository; finish or abort it first", underway)
	}
	if _, err := repo.run(ctx, command{args: args, live: true}); err != nil {
		return output, errors.Join(err, repo.abandonPull(ctx))
	}
	output.Remote = redactAddresses(output.Remote)
	if output.After, err = repo.revision(ctx, "HEAD^{commit}"); err != nil {
		return output, err
	}
	output.Updated = output.After != output.Before
	return output, nil
}

// underway names the merge or rebase that the repository is in the middle
// of, "" for none.
func (r *repository) underway(ctx context.Context) (string, error) {
	merging, err := r.revision(ctx, "MERGE_HEAD")
	if err != nil || merging != "" {
		return "merge", err
	}
	rebasing, err := r.revision(ctx, "REBASE_HEAD")
	if err != nil || rebasing != "" {
		return "rebase", err
	}
	return "", nil
}

// abandonPull ends the merge or rebase that the pull left half-way, also
// after the step was cancelled.
func (r *repository) abandonPull(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	subcommand, err := r.underway(ctx)
	if err != nil || subcommand == "" {
		return err
	}
	_, err = r.run(ctx, command{args: []string{subcommand, "--abort"}, live: true})
	return err
}

// Plan says what would be pulled; what is new there is not known.
func (h puller) Plan(ctx context.Context, step *pluginsdk.Step, config pullConfig) ([]pluginsdk.PlannedEffect, error) {
	_, output, err := h.prepare(ctx, step, config)
	if err != nil {
		return nil, err
	}
	return []pluginsdk.PlannedEffect{{
		Action: "update", Target: "the current branch", Known: false,
		Summary: fmt.Sprintf("take in what is new on %s of %s", output.Branch, redactAddresses(output.Remote)),
	}}, nil
}

// ignoreEOF turns the end of an empty folder into nil.
func ignoreEOF(err error, directory string) error {
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	return pluginsdk.Invalid("/directory", fmt.Sprintf("%q can't be used as a folder: %s", directory, strings.TrimSpace(err.Error())))
}
