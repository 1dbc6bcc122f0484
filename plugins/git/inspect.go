package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

type statusConfig struct {
	Untracked bool   `json:"untracked" title:"Untracked files" description:"Also list files that git does not know." default:"true"`
	Directory string `json:"directory" title:"Repository folder" description:"Folder of the repository, relative to the workspace." default:"."`
}

type statusOutput struct {
	Branch     string   `json:"branch" title:"Branch" description:"The current branch; empty when detached."`
	Commit     string   `json:"commit" title:"Commit" description:"Hash of the newest commit; empty before the first."`
	Upstream   string   `json:"upstream" title:"Upstream" description:"The branch's upstream; empty without one."`
	Ahead      int      `json:"ahead" title:"Ahead" description:"Commits that the upstream lacks, as last seen."`
	Behind     int      `json:"behind" title:"Behind" description:"Commits that only the upstream has, as last seen."`
	Clean      bool     `json:"clean" title:"Clean" description:"True if nothing is staged, changed, untracked or in conflict."`
	Staged     []string `json:"staged" title:"Staged" description:"Files staged for the next commit."`
	Modified   []string `json:"modified" title:"Modified" description:"Tracked files with changes that are not staged."`
	Untracked  []string `json:"untracked" title:"Untracked" description:"Files that git does not know."`
	Conflicted []string `json:"conflicted" title:"Conflicted" description:"Files with a merge conflict."`
}

func statusHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "git.status", Name: "Status", Category: category, Icon: "list-checks",
		Description: "Lists staged, changed, untracked and conflicted files, and how the branch stands to its upstream.",
		Effect:      pluginsdk.EffectPure, Example: example(map[string]any{"untracked": true}),
	}, pluginsdk.Func[statusConfig, statusOutput](readStatus))
}

func readStatus(ctx context.Context, step *pluginsdk.Step, config statusConfig) (statusOutput, error) {
	output := statusOutput{Staged: []string{}, Modified: []string{}, Untracked: []string{}, Conflicted: []string{}}
	repo, err := openRepository(ctx, step, config.Directory)
	if err != nil {
		return output, err
	}
	untracked := "--untracked-files=no"
	if config.Untracked {
		untracked = "--untracked-files=all"
	}
	listing, err := repo.read(ctx, "status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--ignore-submodules=dirty", untracked)
	if err != nil {
		return output, err
	}
	for _, entry := range splitNul(listing) {
		if err := output.add(entry); err != nil {
			return output, err
		}
	}
	output.Clean = len(output.Staged)+len(output.Modified)+len(output.Untracked)+len(output.Conflicted) == 0
	return output, nil
}

// add takes one entry of git status --porcelain=v2.
func (o *statusOutput) add(entry string) error {
	if header, ok := strings.CutPrefix(entry, "# branch."); ok {
		return o.addHeader(header)
	}
	kind, rest, _ := strings.Cut(entry, " ")
	switch kind {
	case "?":
		o.Untracked = append(o.Untracked, rest)
	case "u":
		if fields := strings.SplitN(rest, " ", 10); len(fields) == 10 {
			o.Conflicted = append(o.Conflicted, fields[9])
		}
	case "1":
		fields := strings.SplitN(rest, " ", 8)
		if len(fields) != 8 || len(fields[0]) != 2 {
			return fmt.Errorf("read git status: unexpected entry %q", entry)
		}
		if fields[0][0] != '.' {
			o.Staged = append(o.Staged, fields[7])
		}
		if fields[0][1] != '.' {
			o.Modified = append(o.Modified, fields[7])
		}
	}
	return nil
}

func (o *statusOutput) addHeader(header string) error {
	name, value, _ := strings.Cut(header, " ")
	switch name {
	case "oid":
		if value != "(initial)" {
			o.Commit = value
		}
	case "head":
		if value != "(detached)" {
			o.Branch = value
		}
	case "upstream":
		o.Upstream = value
	case "ab":
		if _, err := fmt.Sscanf(value, "+%d -%d", &o.Ahead, &o.Behind); err != nil {
			return fmt.Errorf("read git status: %w", err)
		}
	}
	return nil
}

type diffConfig struct {
	From      string   `json:"from" title:"From" description:"Revision to compare with. Empty: what is staged, or the newest commit if staged is on." example:"v1.2.2"`
	To        string   `json:"to" title:"To" description:"Revision to compare. Empty: the files as they are, or as staged." example:"HEAD"`
	Staged    bool     `json:"staged" title:"Staged changes" description:"Compare what is staged, not the files."`
	Paths     []string `json:"paths" title:"Paths" description:"Only these files, folders or patterns." example:"[\"docs\"]"`
	MaxBytes  int      `json:"max_bytes" title:"Size limit" description:"Bytes of diff text to keep." default:"1048576" minimum:"0" maximum:"4194304"`
	Directory string   `json:"directory" title:"Repository folder" description:"Folder of the repository, relative to the workspace." default:"."`
}

type diffFile struct {
	Path      string `json:"path" title:"Path" description:"The file."`
	Additions int    `json:"additions" title:"Additions" description:"Lines added; 0 for a binary file."`
	Deletions int    `json:"deletions" title:"Deletions" description:"Lines removed; 0 for a binary file."`
}

type diffOutput struct {
	Diff         string     `json:"diff" title:"Diff" description:"The unified diff."`
	Truncated    bool       `json:"truncated" title:"Truncated" description:"True if the diff is longer than the limit."`
	FilesChanged int        `json:"files_changed" title:"Files changed" description:"How many files differ."`
	Additions    int        `json:"additions" title:"Additions" description:"Lines added in all."`
	Deletions    int        `json:"deletions" title:"Deletions" description:"Lines removed in all."`
	Files        []diffFile `json:"files" title:"Files" description:"The files that differ."`
}

func diffHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "git.diff", Name: "Diff", Category: category, Icon: "file-diff",
		Description: "Shows what differs between revisions, the index and the files.",
		Effect:      pluginsdk.EffectPure, Example: example(map[string]any{"from": "v1.2.2", "to": "HEAD"}),
	}, pluginsdk.Func[diffConfig, diffOutput](readDiff))
}

func (c diffConfig) arguments() ([]string, error) {
	if c.To != "" && (c.From == "" || c.Staged) {
		return nil, pluginsdk.Invalid("/to", "to needs from, and can't be used together with staged")
	}
	args := []string{"--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--ignore-submodules=dirty"}
	if c.Staged {
		args = append(args, "--cached")
	}
	args = append(args, "--end-of-options")
	for pointer, revision := range map[string]string{"/from": c.From, "/to": c.To} {
		if err := checkRef(pointer, revision); err != nil {
			return nil, err
		}
	}
	for _, revision := range []string{c.From, c.To} {
		if revision != "" {
			args = append(args, revision)
		}
	}
	specs, err := pathspecs("/paths", c.Paths, "glob")
	return append(append(args, "--"), specs...), err
}

func readDiff(ctx context.Context, step *pluginsdk.Step, config diffConfig) (diffOutput, error) {
	output := diffOutput{Files: []diffFile{}}
	args, err := config.arguments()
	if err != nil {
		return output, err
	}
	repo, err := openRepository(ctx, step, config.Directory)
	if err != nil {
		return output, err
	}
	numbers, err := repo.read(ctx, append([]string{"diff", "--numstat", "-z"}, args...)...)
	if err != nil {
		return output, err
	}
	for _, entry := range splitNul(numbers) {
		fields := strings.SplitN(entry, "\t", 3)
		if len(fields) != 3 {
			return output, fmt.Errorf("read git diff: unexpected entry %q", entry)
		}
		file := diffFile{Path: fields[2]}
		if fields[0] != "-" {
			if file.Additions, err = strconv.Atoi(fields[0]); err != nil {
				return output, fmt.Errorf("read git diff: %w", err)
			}
			if file.Deletions, err = strconv.Atoi(fields[1]); err != nil {
				return output, fmt.Errorf("read git diff: %w", err)
			}
		}
		output.Files = append(output.Files, file)
		output.Additions += file.Additions
		output.Deletions += file.Deletions
	}
	output.FilesChanged = len(output.Files)
	text, err := repo.run(ctx, command{args: append([]string{"diff"}, args...), reads: true, limit: max(config.MaxBytes, 1)})
	if err != nil {
		return output, err
	}
	output.Truncated = text.truncated
	output.Diff = strings.ToValidUTF8(text.stdout, "\uFFFD")
	return output, nil
}

type logConfig struct {
	From      string   `json:"from" title:"From" description:"List the commits after this revision; it is not listed itself." example:"v1.2.2"`
	To        string   `json:"to" title:"To" description:"The newest revision to list." default:"HEAD"`
	MaxCount  int      `json:"max_count" title:"At most" description:"How many commits to list." default:"20" minimum:"1" maximum:"1000"`
	Paths     []string `json:"paths" title:"Paths" description:"Only commits that touch these files, folders or patterns." example:"[\"docs\"]"`
	Directory string   `json:"directory" title:"Repository folder" description:"Folder of the repository, relative to the workspace." default:"."`
}

type logCommit struct {
	Hash    string `json:"hash" title:"Commit" description:"The full hash."`
	Author  string `json:"author" title:"Author" description:"Name of the author."`
	Email   string `json:"email" title:"Address" description:"E-mail address of the author."`
	Date    string `json:"date" title:"Date" description:"Time of the author's work, RFC 3339 in UTC."`
	Subject string `json:"subject" title:"Subject" description:"First paragraph of the message."`
	Body    string `json:"body" title:"Body" description:"The rest of the message."`
}

type logOutput struct {
	Count   int         `json:"count" title:"Count" description:"How many commits are listed."`
	Commits []logCommit `json:"commits" title:"Commits" description:"The commits, newest first."`
}

func logHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "git.log", Name: "Log", Category: category, Icon: "history",
		Description: "Lists commits, newest first.",
		Effect:      pluginsdk.EffectPure, Example: example(map[string]any{"from": "v1.2.2", "max_count": 50}),
	}, pluginsdk.Func[logConfig, logOutput](readLog))
}

func readLog(ctx context.Context, step *pluginsdk.Step, config logConfig) (logOutput, error) {
	output := logOutput{Commits: []logCommit{}}
	for pointer, revision := range map[string]string{"/from": config.From, "/to": config.To} {
		if err := checkRef(pointer, revision); err != nil {
			return output, err
		}
	}
	specs, err := pathspecs("/paths", config.Paths, "glob")
	if err != nil {
		return output, err
	}
	repo, err := openRepository(ctx, step, config.Directory)
	if err != nil {
		return output, err
	}
	head, err := repo.revision(ctx, "HEAD")
	if err != nil || (head == "" && config.To == "HEAD") {
		return output, err
	}
	args := []string{"log", "-z", "--format=%H%x1f%an%x1f%ae%x1f%at%x1f%s%x1f%b", "--no-show-signature",
		"--max-count=" + strconv.Itoa(config.MaxCount), "--end-of-options", config.To}
	if config.From != "" {
		args = append(args, "^"+config.From)
	}
	listing, err := repo.read(ctx, append(append(args, "--"), specs...)...)
	if err != nil {
		return output, err
	}
	for _, entry := range splitNul(listing) {
		fields := strings.SplitN(entry, "\x1f", 6)
		if len(fields) != 6 {
			return output, fmt.Errorf("read git log: unexpected entry %q", entry)
		}
		seconds, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil {
			return output, fmt.Errorf("read git log: %w", err)
		}
		output.Commits = append(output.Commits, logCommit{
			Hash: fields[0], Author: fields[1], Email: fields[2], Date: time.Unix(seconds, 0).UTC().Format(time.RFC3339),
			Subject: fields[4], Body: strings.TrimSpace(fields[5]),
		})
	}
	output.Count = len(output.Commits)
	return output, nil
}
