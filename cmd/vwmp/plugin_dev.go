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
	"time"

	"github.com/spf13/cobra"
)

func pluginDev() *cobra.Command {
	var flags stepFlags
	var handler, into string
	var once bool
	command := &cobra.Command{
		Use: "dev [DIR]", Short: "Build a plugin at each change of its files, and run a step of it", Args: cobra.MaximumNArgs(1),
		Long: `Builds the project in DIR (Go: go build, TypeScript: npm run build, Python: nothing) and runs a step of it, at the
start and after each change of a file, until Ctrl-C. A server that was started with --plugins DIR, or with the
folder above DIR for one with a plugin.yaml, takes up each new build by itself. --into puts it into another folder of plugins: a binary as it is, a project with a
plugin.yaml as a folder of its name, which is kept like the project.`,
		Example: "  vwmp plugin dev --step hello.say --config '{\"text\": \"Hi\"}'\n  vwmp plugin dev ~/hello --into ~/.local/share/vwmp/plugins",
	}
	flags.declare(command)
	command.Flags().StringVar(&handler, "step", "", "handler to call after each build")
	command.Flags().StringVar(&into, "into", "", "folder of plugins that gets each build")
	command.Flags().BoolVar(&once, "once", false, "build and run once, and end")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		dir := "."
		if len(args) > 0 {
			dir = args[0]
		}
		dir, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		for {
			seen, err := changeMark(dir)
			if err != nil {
				return err
			}
			err = buildAndRun(cmd, dir, handler, into, flags)
			if once || cmd.Context().Err() != nil {
				return err
			}
			if err != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), "vwmp:", err)
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "waiting for a change; Ctrl-C ends")
			if !awaitChange(cmd.Context(), dir, seen) {
				return nil
			}
		}
	}
	return command
}

// buildAndRun builds the project in a folder, and runs a step of it.
func buildAndRun(cmd *cobra.Command, dir, handler, into string, flags stepFlags) error {
	has := func(name string) bool { _, err := os.Stat(filepath.Join(dir, name)); return err == nil }
	var build []string
	flags.plugin = dir
	switch {
	case has("go.mod"):
		flags.plugin = filepath.Join(dir, "vwmp-plugin-"+strings.TrimPrefix(filepath.Base(dir), "vwmp-plugin-"))
		build = []string{"go", "build", "-o", flags.plugin, "."}
	case has("package.json"):
		build = []string{"npm", "run", "--silent", "build"}
	case !has("plugin.yaml"):
		return usageError("%s has neither go.mod nor package.json nor plugin.yaml", dir)
	}
	began := time.Now()
	if build != nil {
		program := exec.CommandContext(cmd.Context(), build[0], build[1:]...) //nolint:gosec // It is one of the commands above.
		program.Dir, program.Stdout, program.Stderr = dir, cmd.ErrOrStderr(), cmd.ErrOrStderr()
		if err := program.Run(); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(build, " "), err)
		}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "built in %s\n", time.Since(began).Round(10*time.Millisecond))
	if into != "" {
		if err := deliver(dir, flags.plugin, into); err != nil {
			return err
		}
	}
	if handler == "" {
		return nil
	}
	if err := runStep(cmd, handler, flags); err != nil {
		var exit *exitError
		if errors.As(err, &exit) && exit.cause == nil {
			return errors.New("the step failed")
		}
		return err
	}
	return nil
}

// changeMark is another one after each change of a project's sources.
func changeMark(dir string) (string, error) {
	var mark strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch name := entry.Name(); {
		case entry.IsDir() && path != dir && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "dist" || name == "__pycache__"):
			return fs.SkipDir
		case entry.IsDir() || strings.HasPrefix(name, "vwmp-plugin-"):
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return nil //nolint:nilerr // It is gone again.
		}
		fmt.Fprintf(&mark, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
		return nil
	})
	return mark.String(), err
}

// devTick is how often a project is looked at, which is cheap and works on
// every file system.
const devTick = 300 * time.Millisecond

// awaitChange waits for a change; false where ctx ended first.
func awaitChange(ctx context.Context, dir, seen string) bool {
	tick := time.NewTicker(devTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
		if mark, err := changeMark(dir); err == nil && mark != seen {
			return true
		}
	}
}

// deliver puts a build into a folder of plugins: the binary, or the project's
// folder where that is the plugin.
func deliver(dir, plugin, into string) error {
	into, err := filepath.Abs(into)
	if err != nil {
		return err
	}
	target := filepath.Join(into, filepath.Base(plugin))
	if plugin != dir {
		return copyProgram(plugin, target)
	}
	if target == dir {
		return nil
	}
	if inside, err := filepath.Rel(dir, into); err == nil && filepath.IsLocal(inside) {
		return usageError("--into %s lies inside the project; name a folder elsewhere", into)
	}
	_, err = os.Stat(target)
	_, manifestErr := os.Stat(filepath.Join(target, manifestFile))
	if err == nil && manifestErr != nil {
		return usageError("%s is there and is no plugin: it would be replaced", target)
	}
	return mirror(dir, target)
}

// manifestFile makes a plugin of a folder.
const manifestFile = "plugin.yaml"

// mirror makes a folder like another one. What is alike by size and time is
// left alone, so that installed packages are copied once; a running plugin
// never sees half a file.
func mirror(from, to string) error {
	kept := map[string]bool{}
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && (name == ".git" || name == "__pycache__") {
			return fs.SkipDir
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		kept[name] = true
		return mirrorEntry(path, filepath.Join(to, name), entry)
	})
	if err != nil {
		return err
	}
	return filepath.WalkDir(to, func(path string, entry fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(to, path)
		if err = errors.Join(err, relErr); err != nil || kept[name] {
			return err
		}
		if err := os.RemoveAll(path); err != nil || !entry.IsDir() { //nolint:gosec // Both folders are the developer's own.
			return err
		}
		return fs.SkipDir
	})
}

// mirrorEntry makes one entry like another one, unless it is.
func mirrorEntry(from, to string, entry fs.DirEntry) error {
	now, err := os.Lstat(to)
	if err == nil && now.Mode().Type() != entry.Type() {
		if err := os.RemoveAll(to); err != nil {
			return err
		}
	}
	isThere := err == nil && now.Mode().Type() == entry.Type()
	switch {
	case entry.IsDir():
		return os.MkdirAll(to, 0o755)
	case entry.Type() == fs.ModeSymlink:
		link, err := os.Readlink(from)
		if err != nil {
			return err
		}
		if isThere {
			if old, err := os.Readlink(to); err == nil && old == link {
				return nil
			}
			if err := os.Remove(to); err != nil {
				return err
			}
		}
		return os.Symlink(link, to)
	case !entry.Type().IsRegular():
		return nil
	}
	info, err := entry.Info()
	if err != nil || (isThere && now.Size() == info.Size() && now.ModTime().Equal(info.ModTime()) && now.Mode() == info.Mode()) {
		return err
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	fresh := to + ".new"
	if err := os.WriteFile(fresh, content, info.Mode().Perm()); err != nil { //nolint:gosec // As above.
		return err
	}
	if err := errors.Join(os.Chmod(fresh, info.Mode().Perm()), os.Chtimes(fresh, info.ModTime(), info.ModTime())); err != nil {
		return err
	}
	return os.Rename(fresh, to)
}
