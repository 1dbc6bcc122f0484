// Command vwmp-plugin-vwmp serves the project's own handlers of a release:
// running validator scripts, and ticking tasks in kanban documents.
//
// It is not a general shell (that is shell.run), and it judges no kanban
// document (that is the kanban plugin's work).
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

func vwmpPlugin() *pluginsdk.Plugin {
	return &pluginsdk.Plugin{
		Name:        "vwmp",
		Version:     "1.0.0",
		Author:      "VWMP",
		Description: "Runs validator scripts and keeps kanban documents in step with releases.",
		Handlers:    []*pluginsdk.Handler{validatorsHandler(), kanbanHandler()},
	}
}

// example writes a handler's example config, whose values are constants of
// this package.
func example(config map[string]any) json.RawMessage {
	raw, err := json.Marshal(config)
	if err != nil {
		panic(err)
	}
	return raw
}

// facts are what the run says about the release.
type facts struct{ version, summary string }

// findFacts looks in the step's values, then in the nearest upstream outputs,
// then in the parameters.
func findFacts(step *pluginsdk.Step, values map[string]string) facts {
	summary := step.Value("summary", values, []string{"summary"}, []string{"summary"})
	return facts{
		version: strings.TrimPrefix(step.Value("version", values, []string{"new_version", "version"}, []string{"version"}), "v"),
		summary: strings.Join(strings.Fields(summary), " "),
	}
}

// currentBranch returns "" outside of a repository and where HEAD is detached.
func currentBranch(ctx context.Context, step *pluginsdk.Step) (string, error) {
	dir := step.Workspace.Dir()
	if dir == "" {
		return "", pluginsdk.Errorf("this run has no workspace")
	}
	cmd := exec.Command("git", "symbolic-ref", "--quiet", "--short", "HEAD")
	cmd.Dir = dir
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "GIT_") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C", "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := pluginsdk.RunCommand(ctx, cmd); err != nil {
		if ctx.Err() != nil {
			return "", fmt.Errorf("read the branch: %w", context.Cause(ctx))
		}
		return "", nil
	}
	return strings.TrimSpace(out.String()), nil
}

func isSkip(err error) bool {
	var skipped *pluginsdk.Skipped
	return errors.As(err, &skipped)
}
