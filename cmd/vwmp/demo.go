package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func newDemo() *cobra.Command {
	return &cobra.Command{
		Use:   "demo DIR",
		Short: "Make a scratch git repository with a bare remote, to try releases on without harm",
		Long: `Makes DIR/repo, a small git repository with a version file, a README and a changelog,
and DIR/remote.git, a bare repository that it pushes to. Nothing outside of DIR is touched.
A DIR that holds a demo already is left as it is.`,
		Example: "  vwmp demo ./demo && vwmp serve --workspace ./demo/repo",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			repository, made, err := makeDemo(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if !made {
				fmt.Fprintf(cmd.OutOrStdout(), "%s is there already; left as it is\n", repository)
				return nil
			}
			fmt.Fprintf(cmd.OutOrStdout(), "made %s, which pushes to %s\n", repository, filepath.Join(args[0], "remote.git"))
			return nil
		},
	}
}

// demoFiles are what the demo repository holds at first.
var demoFiles = map[string]string{
	"VERSION": "0.1.0\n",
	"README.md": `# Demo service

![version](https://img.shields.io/badge/version-0.1.0-blue)

A repository to try releases on. Nothing here matters.

**Latest Release:** 0.1.0
`,
	"CHANGELOG.md": "# Changelog\n\n## Recent Releases\n\n### [0.1.0] - 01-01-26\n\nThe first one.\n",
	"src/hello.sh": "#!/bin/sh\necho hello\n",
}

// makeDemo makes the demo below dir unless it is there.
func makeDemo(ctx context.Context, dir string) (repository string, made bool, err error) {
	repository, remote := filepath.Join(dir, "repo"), filepath.Join(dir, "remote.git")
	if _, err := os.Stat(filepath.Join(repository, ".git")); err == nil {
		return repository, false, nil
	}
	if entries, err := os.ReadDir(repository); err == nil && len(entries) > 0 {
		return "", false, &exitError{exitRefused, fmt.Errorf("make a demo: %s is not empty and is no git repository; name another folder", repository)}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", false, fmt.Errorf("make a demo: %w", err)
	}
	for name, text := range demoFiles {
		path := filepath.Join(repository, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", false, fmt.Errorf("make a demo: %w", err)
		}
		mode := fs.FileMode(0o644)
		if strings.HasSuffix(name, ".sh") {
			mode = 0o755
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			return "", false, fmt.Errorf("make a demo: %w", err)
		}
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--bare", "--initial-branch=main", remote},
		{"init", "--quiet", "--initial-branch=main", repository},
		{"-C", repository, "config", "user.name", "VWMP demo"},
		{"-C", repository, "config", "user.email", "demo@example.invalid"},
		{"-C", repository, "config", "commit.gpgsign", "false"},
		{"-C", repository, "remote", "add", "origin", filepath.Join("..", "remote.git")},
		{"-C", repository, "add", "--all"},
		{"-C", repository, "commit", "--quiet", "--message", "Start"},
		{"-C", repository, "push", "--quiet", "--set-upstream", "origin", "main"},
	} {
		if output, err := exec.CommandContext(ctx, "git", args...).CombinedOutput(); err != nil {
			return "", false, fmt.Errorf("make a demo: git %s: %w\n%s", args[0], err, strings.TrimSpace(string(output)))
		}
	}
	return repository, true, nil
}
