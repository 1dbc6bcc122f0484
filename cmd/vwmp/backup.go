package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/store"
	"github.com/vwmp/vwmp/store/data"
)

// storeTarget finds the data that a command is about: a server that has it
// open, or the folder itself.
func storeTarget(command *cobra.Command) *target {
	t := &target{}
	flags := command.Flags()
	flags.StringVar(&t.server, "server", "", "URL of a running server (VWMP_SERVER; by default the one that has the data folder open)")
	flags.StringVar(&t.token, "token", "", "API token (VWMP_TOKEN; by default the admin token of the data folder)")
	dataFlag(command, &t.data)
	return t
}

func dataFlag(command *cobra.Command, to *string) {
	command.Flags().StringVar(to, "data", "", "data folder (default "+homeRelative(defaultDataDir())+")")
}

// folder is the data folder that is meant.
func (t *target) folder() string {
	if t.data != "" {
		return t.data
	}
	return defaultDataDir()
}

// running is the URL of the server to ask, or nothing where the folder is to
// be opened here.
func (t *target) running(ctx context.Context) string {
	if t.server != "" {
		return t.server
	}
	if server := os.Getenv("VWMP_SERVER"); server != "" && t.data == "" {
		return server
	}
	if running := runningServer(ctx, t.folder()); running != nil {
		return running.URL
	}
	return ""
}

// openData opens a data folder that is there, for a command of its own.
func openData(cmd *cobra.Command, dir string) (*store.Store, error) {
	if !exists(filepath.Join(dir, "INSTANCE")) && !exists(filepath.Join(dir, "state.db")) {
		return nil, &exitError{exitMissing, fmt.Errorf("there is no data in %s; name its folder with --data", dir)}
	}
	keeper, err := store.Open(cmd.Context(), store.Options{Dir: dir, Logger: newLogger(cmd.ErrOrStderr(), "text", slog.LevelWarn)})
	if err != nil {
		return nil, &exitError{exitRefused, err}
	}
	return keeper, nil
}

func newBackup() *cobra.Command {
	var output string
	var withKey bool
	command := &cobra.Command{
		Use:   "backup FILE",
		Short: "Back the data up into one file, also while a server runs",
		Long: `Backs the data up into one file, also while a server runs: workflows, executions, logs and outputs.
The file is on the server's machine, and must not be there yet. It is read back before it gets its name.
The key of the secrets and the admin token are left out unless --with-key is given: keep them apart.`,
		Example: `  vwmp backup vwmp-monday.tar
  vwmp backup /backups/vwmp.tar --data ./data --with-key`,
		Args: cobra.ExactArgs(1),
	}
	where := storeTarget(command)
	command.Flags().BoolVar(&withKey, "with-key", false, "take the key of the secrets and the admin token along")
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		file, err := filepath.Abs(args[0])
		if err != nil {
			return usageError("FILE: %w", err)
		}
		made, err := backUp(cmd, where, data.BackupOptions{File: file, WithKey: withKey})
		if err != nil {
			return err
		}
		return printValue(cmd.OutOrStdout(), output, made, func(t *table) {
			t.row(fmt.Sprintf("backed up to %s: %d files, %s", made.File, made.Files, byteText(made.Size)))
		})
	}
	return command
}

func backUp(cmd *cobra.Command, where *target, options data.BackupOptions) (made data.Backup, err error) {
	if server := where.running(cmd.Context()); server != "" {
		c, err := (&target{server: server, token: where.token, data: where.data}).connect(cmd)
		if err != nil {
			return made, err
		}
		defer c.close()
		body := map[string]any{"file": options.File, "with_key": options.WithKey}
		return made, c.call(cmd.Context(), http.MethodPost, "/admin/backup/", nil, body, &made)
	}
	keeper, err := openData(cmd, where.folder())
	if err != nil {
		return made, err
	}
	made, err = keeper.Backup(cmd.Context(), options)
	if errors.Is(err, fs.ErrExist) {
		err = &exitError{exitRefused, fmt.Errorf("%w; choose another name, a backup never replaces a file", err)}
	}
	return made, errors.Join(err, keeper.Close())
}

func newRestore() *cobra.Command {
	var dir, output string
	command := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a data folder of a backup",
		Long: `Makes a data folder of a backup. The folder must be empty or not there yet, and no server may use it.
The backup is read from begin to end before anything is written.`,
		Example: `  vwmp restore vwmp-monday.tar
  vwmp restore /backups/vwmp.tar --data ./data`,
		Args: cobra.ExactArgs(1),
	}
	dataFlag(command, &dir)
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		where := &target{data: dir}
		from, err := store.Restore(cmd.Context(), args[0], where.folder())
		var newer *store.FormatError
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return &exitError{exitMissing, err}
		case errors.Is(err, store.ErrNotEmpty), errors.As(err, &newer):
			return &exitError{exitRefused, err}
		case err != nil:
			return err
		}
		return printValue(cmd.OutOrStdout(), output, from, func(t *table) {
			t.row(fmt.Sprintf("restored %s of %s into %s: %d files", from.File, from.CreatedAt.Local().Format("2 Jan 2006 15:04"), where.folder(), from.Files))
			t.row(`next: "vwmp doctor" checks it, "vwmp serve" uses it`)
		})
	}
	return command
}

func newCompact() *cobra.Command {
	var dir, output string
	command := &cobra.Command{
		Use:   "compact",
		Short: "Give the free room in the data folder's databases back to the disk",
		Long: `Gives the free room in the data folder's databases back to the disk. No server may use the folder meanwhile.
A start does the same by itself where more than half of a file is free and the rest of it is small.`,
		Example: `  vwmp compact
  vwmp compact --data ./data`,
		Args: cobra.NoArgs,
	}
	dataFlag(command, &dir)
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		where := &target{data: dir}
		if !exists(filepath.Join(where.folder(), "state.db")) {
			return &exitError{exitMissing, fmt.Errorf("there is no data in %s; name its folder with --data", where.folder())}
		}
		sizes, err := store.Compact(cmd.Context(), where.folder(), newLogger(cmd.ErrOrStderr(), "text", slog.LevelWarn))
		var locked *store.LockedError
		var refused *store.RefusedError
		switch {
		case errors.As(err, &locked):
			return &exitError{exitRefused, fmt.Errorf("%w; stop it first", err)}
		case errors.As(err, &refused):
			return &exitError{exitRefused, err}
		case err != nil:
			return err
		}
		return printValue(cmd.OutOrStdout(), output, sizes, func(t *table) {
			t.row(fmt.Sprintf("%d files had %s and have %s", sizes.Files, byteText(sizes.Before), byteText(sizes.After)))
		})
	}
	return command
}

// byteText writes a size for a person.
func byteText(n int64) string {
	switch {
	case n < 1<<20:
		return fmt.Sprintf("%d KiB", (n+1<<10-1)>>10)
	case n < 10<<30:
		return fmt.Sprintf("%d MiB", (n+1<<20-1)>>20)
	}
	return fmt.Sprintf("%d GiB", n>>30)
}
