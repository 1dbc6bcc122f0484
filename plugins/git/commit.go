package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

type commitConfig struct {
	MessageTemplate string            `json:"message_template" title:"Message" description:"The commit message. Placeholders: {version}, {summary}, {type}; {{ and }} write braces." default:"{version} - {summary}" multiline:"true" min_length:"1"`
	IncludeChanges  bool              `json:"include_changes" title:"Include changes" description:"Also commit changes of tracked files that are not staged, as git commit --all does."`
	SignCommit      bool              `json:"sign_commit" title:"Sign the commit" description:"Sign the commit, even where git's configuration does not ask for it."`
	AllowEmpty      bool              `json:"allow_empty" title:"Allow an empty commit" description:"Make a commit even if nothing is staged."`
	Author          string            `json:"author" title:"Author" description:"Author as Name <address>, where it is not the committer." example:"Ada Lovelace <ada@example.com>"`
	Values          map[string]string `json:"values" title:"Placeholder values" description:"Values of placeholders; they go before what the run holds." example:"{\"version\": \"1.2.3\"}"`
	Directory       string            `json:"directory" title:"Repository folder" description:"Folder of the repository, relative to the workspace." default:"."`
}

type commitOutput struct {
	CommitHash    string `json:"commit_hash" title:"Commit" description:"The full hash of the commit."`
	CommitMessage string `json:"commit_message" title:"Message" description:"The message as committed, hooks included."`
}

// commitRecord is both checkpoint and, with the hash, undo token.
type commitRecord struct {
	Directory string `json:"directory"`
	// Parent is the commit that HEAD was on, "" before the first.
	Parent  string `json:"parent"`
	Tree    string `json:"tree,omitempty"`
	Message string `json:"message,omitempty"`
	// Time is the committer time in seconds since 1970: hooks may change
	// tree and message, but not that.
	Time   int64  `json:"time,omitempty"`
	Commit string `json:"commit,omitempty"`
	Ref    string `json:"ref,omitempty"`
}

var authorForm = regexp.MustCompile(`^[^<>\n-][^<>\n]* <[^<>\n]+>$`)

type committer struct{}

func commitHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "git.commit", Name: "Commit", Category: category, Icon: "git-commit-horizontal",
		Description: "Commits what is staged. It fails when nothing is, and its undo takes the commit back while it is the newest and not pushed.",
		Effect:      pluginsdk.EffectReconcilable,
		Example:     example(map[string]any{"message_template": "{version} - {summary}", "values": map[string]string{"version": "1.2.3", "summary": "Faster start"}}),
	}, committer{})
}

// ValidateConfig checks the author's form.
func (committer) ValidateConfig(_ context.Context, config commitConfig) []pluginsdk.Problem {
	return problemsOf(config.check())
}

func (c commitConfig) check() error {
	if c.Author != "" && !authorForm.MatchString(c.Author) {
		return pluginsdk.Invalid("/author", fmt.Sprintf("the author %q must have the form Name <address>", c.Author))
	}
	return nil
}

func (c commitConfig) message(step *pluginsdk.Step) (string, error) {
	message, err := placeholders{step, c.Values}.expand("/message_template", c.MessageTemplate)
	if err == nil && strings.TrimSpace(message) == "" {
		err = pluginsdk.Invalid("/message_template", "the commit message is empty")
	}
	return message, err
}

// Execute commits what is staged, unless an earlier attempt did.
func (h committer) Execute(ctx context.Context, step *pluginsdk.Step, config commitConfig) (commitOutput, error) {
	if err := config.check(); err != nil {
		return commitOutput{}, err
	}
	message, err := config.message(step)
	if err != nil {
		return commitOutput{}, err
	}
	repo, err := openRepository(ctx, step, config.Directory)
	if err != nil {
		return commitOutput{}, err
	}
	if len(step.Request().Checkpoint) > 0 {
		verdict, err := h.Reconcile(ctx, step, config)
		if err != nil || verdict.Status == pluginsdk.ReconcileDone {
			return verdict.Output, err
		}
	}
	if config.IncludeChanges {
		if _, err := repo.run(ctx, command{args: []string{"add", "--update", "--", ":(top)"}, live: true}); err != nil {
			return commitOutput{}, err
		}
	}
	record, err := repo.prepareCommit(ctx, config, message)
	if err != nil {
		return commitOutput{}, err
	}
	effect := pluginsdk.EffectRecord{Action: "create", Target: "commit on " + record.Ref}
	if err := step.Checkpoint(record); err != nil {
		return commitOutput{}, err
	}
	if err := step.Effect(effect); err != nil {
		return commitOutput{}, err
	}
	if err := repo.commit(ctx, config, record); err != nil {
		return commitOutput{}, err
	}
	output, err := repo.finishCommit(ctx, record, "HEAD")
	if err != nil {
		return commitOutput{}, err
	}
	effect.Done, effect.ExternalID = true, output.CommitHash
	return output, step.Effect(effect)
}

// prepareCommit notes what the commit is going to be.
func (r *repository) prepareCommit(ctx context.Context, config commitConfig, message string) (commitRecord, error) {
	record := commitRecord{Directory: config.Directory, Message: message, Time: time.Now().Unix()}
	var err error
	if record.Parent, err = r.revision(ctx, "HEAD^{commit}"); err != nil {
		return record, err
	}
	if record.Ref, err = r.headRef(ctx); err != nil {
		return record, err
	}
	out, err := r.run(ctx, command{args: []string{"write-tree"}})
	if err != nil {
		return record, err
	}
	record.Tree = strings.TrimSpace(out.stdout)
	var before string
	if record.Parent != "" {
		before, err = r.revision(ctx, record.Parent+"^{tree}")
	} else {
		before, err = r.emptyTree(ctx)
	}
	if err != nil {
		return record, err
	}
	merging, err := r.revision(ctx, "MERGE_HEAD")
	if err != nil {
		return record, err
	}
	if before == record.Tree && merging == "" && !config.AllowEmpty {
		return record, pluginsdk.Errorf(
			"nothing is staged, so there is nothing to commit: stage files first (git.stage_all), or set allow_empty").WithCode("NOTHING_STAGED")
	}
	return record, nil
}

func (r *repository) emptyTree(ctx context.Context) (string, error) {
	out, err := r.run(ctx, command{args: []string{"hash-object", "-t", "tree", "--stdin"}, reads: true})
	return strings.TrimSpace(out.stdout), err
}

// headRef returns the full name of the branch that HEAD is on, else "HEAD".
func (r *repository) headRef(ctx context.Context) (string, error) {
	name, err := r.branch(ctx)
	if err != nil || name == "" {
		return "HEAD", err
	}
	return "refs/heads/" + name, nil
}

func (r *repository) commit(ctx context.Context, config commitConfig, record commitRecord) error {
	args := []string{"commit", "--quiet", "--file=-", "--cleanup=whitespace"}
	if config.SignCommit {
		args = append(args, "--gpg-sign")
	}
	if config.AllowEmpty {
		args = append(args, "--allow-empty")
	}
	if config.Author != "" {
		args = append(args, "--author="+config.Author)
	}
	date := time.Unix(record.Time, 0).Format("2006-01-02T15:04:05-0700")
	_, err := r.run(ctx, command{args: args, stdin: record.Message, env: []string{"GIT_COMMITTER_DATE=" + date}, live: true})
	return err
}

// finishCommit keeps the undo token and gives the output of a commit that is
// there.
func (r *repository) finishCommit(ctx context.Context, record commitRecord, name string) (commitOutput, error) {
	text, err := r.read(ctx, "log", "--max-count=1", "--format=%H%x00%B", "--end-of-options", name, "--")
	if err != nil {
		return commitOutput{}, err
	}
	hash, message, _ := strings.Cut(text, "\x00")
	r.step.Log.Info("committed "+hash, "commit", hash)
	err = r.step.SetUndo(commitRecord{Directory: record.Directory, Parent: record.Parent, Commit: hash, Ref: record.Ref})
	return commitOutput{CommitHash: hash, CommitMessage: strings.TrimSpace(message)}, err
}

// Plan shows the message and what is staged now.
func (committer) Plan(ctx context.Context, step *pluginsdk.Step, config commitConfig) ([]pluginsdk.PlannedEffect, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	message, known, err := placeholders{step, config.Values}.preview("/message_template", config.MessageTemplate)
	if err != nil {
		return nil, err
	}
	repo, err := openRepository(ctx, step, config.Directory)
	if err != nil {
		return nil, err
	}
	ref, err := repo.headRef(ctx)
	if err != nil {
		return nil, err
	}
	diff, err := repo.run(ctx, command{args: []string{"diff", "--cached", "--no-ext-diff", "--no-textconv"}, reads: true, limit: maxPlanDiff})
	if err != nil {
		return nil, err
	}
	return []pluginsdk.PlannedEffect{{
		Action: "create", Target: "commit on " + ref, Summary: fmt.Sprintf("commit what is staged by then as %q", message),
		Diff: strings.ToValidUTF8(diff.stdout, "\uFFFD"), Known: known,
	}}, nil
}

// Reconcile looks for the commit above the one that the attempt started on.
func (h committer) Reconcile(ctx context.Context, step *pluginsdk.Step, config commitConfig) (pluginsdk.Reconciliation[commitOutput], error) {
	var verdict pluginsdk.Reconciliation[commitOutput]
	repo, err := openRepository(ctx, step, config.Directory)
	if err != nil {
		return verdict, err
	}
	var record commitRecord
	hasCheckpoint, err := step.Checkpointed(&record)
	if err != nil {
		return verdict, fmt.Errorf("read the checkpoint: %w", err)
	}
	head, err := repo.revision(ctx, "HEAD^{commit}")
	if err != nil {
		return verdict, err
	}
	if head == "" || (hasCheckpoint && head == record.Parent) {
		verdict.Status, verdict.Detail = pluginsdk.ReconcileNotStarted, "HEAD is still the commit that the attempt started on"
		return verdict, nil
	}
	if !hasCheckpoint {
		return h.reconcileByMessage(ctx, repo, config)
	}
	commit, err := repo.findCommit(ctx, record)
	if err != nil {
		return verdict, err
	}
	if commit == "" {
		verdict.Status = pluginsdk.ReconcileUnknown
		verdict.Detail = fmt.Sprintf("HEAD is %s, which is neither the attempt's start nor its commit", head)
		return verdict, nil
	}
	verdict.Status, verdict.Detail = pluginsdk.ReconcileDone, "found the attempt's commit "+commit
	verdict.Output, err = repo.finishCommit(ctx, record, commit)
	return verdict, err
}

// reconcileByMessage serves an attempt that was lost before its checkpoint
// arrived: HEAD is its commit if it has its message and is younger than the
// execution.
func (committer) reconcileByMessage(ctx context.Context, repo *repository, config commitConfig) (pluginsdk.Reconciliation[commitOutput], error) {
	var verdict pluginsdk.Reconciliation[commitOutput]
	message, err := config.message(repo.step)
	if err != nil {
		return verdict, err
	}
	commits, err := repo.listCommits(ctx, "--max-count=1", "HEAD")
	if err != nil || len(commits) == 0 {
		return verdict, err
	}
	head := commits[0]
	if head.message != strings.TrimSpace(message) || head.time < repo.step.Request().StartedAt.Unix() {
		verdict.Status, verdict.Detail = pluginsdk.ReconcileNotStarted, "HEAD is not a commit of this execution"
		return verdict, nil
	}
	record := commitRecord{Directory: config.Directory, Parent: head.parent}
	if record.Ref, err = repo.headRef(ctx); err != nil {
		return verdict, err
	}
	verdict.Status, verdict.Detail = pluginsdk.ReconcileDone, "HEAD has the attempt's message and is younger than the execution"
	verdict.Output, err = repo.finishCommit(ctx, record, head.hash)
	return verdict, err
}

type foundCommit struct {
	hash, parent, tree, message string
	time                        int64
}

// findCommit looks through the 100 newest commits since the attempt started
// for the one it made; "" where there is none.
func (r *repository) findCommit(ctx context.Context, record commitRecord) (string, error) {
	revisions := []string{"--max-count=100", "--first-parent", "HEAD"}
	if record.Parent != "" {
		revisions = append(revisions, "^"+record.Parent)
	}
	commits, err := r.listCommits(ctx, revisions...)
	if err != nil {
		return "", err
	}
	for _, commit := range commits {
		sameTree, sameMessage := commit.tree == record.Tree, commit.message == strings.TrimSpace(record.Message)
		if commit.parent == record.Parent && ((sameTree && sameMessage) || commit.time == record.Time) {
			return commit.hash, nil
		}
	}
	return "", nil
}

func (r *repository) listCommits(ctx context.Context, revisions ...string) ([]foundCommit, error) {
	args := append([]string{"log", "-z", "--format=%H%x1f%P%x1f%T%x1f%ct%x1f%B"}, revisions...)
	listing, err := r.read(ctx, append(args, "--")...)
	if err != nil {
		return nil, err
	}
	var commits []foundCommit
	for entry := range strings.SplitSeq(listing, "\x00") {
		fields := strings.SplitN(entry, "\x1f", 5)
		if len(fields) != 5 {
			continue
		}
		parent, _, _ := strings.Cut(fields[1], " ")
		seconds, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read the time of commit %s: %w", fields[0], err)
		}
		commits = append(commits, foundCommit{fields[0], parent, fields[2], strings.TrimSpace(fields[4]), seconds})
	}
	return commits, nil
}

// Undo moves the branch back to the commit's parent; index and files stay.
func (committer) Undo(ctx context.Context, step *pluginsdk.Step, token json.RawMessage) error {
	var record commitRecord
	if err := json.Unmarshal(token, &record); err != nil {
		return fmt.Errorf("read the undo token: %w", err)
	}
	repo, err := openRepository(ctx, step, record.Directory)
	if err != nil {
		return err
	}
	head, err := repo.revision(ctx, "HEAD^{commit}")
	if err != nil {
		return err
	}
	ref, err := repo.headRef(ctx)
	if err != nil {
		return err
	}
	switch {
	case head == record.Parent && ref == record.Ref:
		return nil
	case head != record.Commit || ref != record.Ref:
		return pluginsdk.Errorf("the commit %s can't be undone: it is no longer the newest on %s", record.Commit, record.Ref)
	}
	remotes, err := repo.read(ctx, "for-each-ref", "--format=%(refname:short)", "--contains="+record.Commit, "refs/remotes")
	if err != nil {
		return err
	}
	if names := strings.Fields(remotes); len(names) > 0 {
		return pluginsdk.Errorf("the commit %s can't be undone: it is pushed already (%s)", record.Commit, strings.Join(names, ", "))
	}
	args := []string{"update-ref", "-m", "undo of commit", "HEAD", record.Parent, record.Commit}
	if record.Parent == "" {
		args = []string{"update-ref", "-d", "HEAD", record.Commit}
	}
	_, err = repo.run(ctx, command{args: args})
	return err
}
