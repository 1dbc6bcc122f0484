package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/host/pluginhost"
)

func pluginPin(where *target) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "pin [NAME...]", Short: "Let only the plugins run that are there now, by the SHA-256 of their files", Args: cobra.ArbitraryArgs,
		Long: `Writes the list plugins.lock in the folder plugins/ of the data folder: from then on no plugin is started that is
not in it, not even to be described. With names, only those are pinned anew and the others stay as they are.
It works on this machine only, never over the API. Remove the file to let every plugin run again.
A server that runs notices the change.`,
		Example: "  vwmp plugin pin --data ./data\n  vwmp plugin pin git --data ./data",
	}
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := loadSettings(embeddedFlags(cmd, where.data), getenv)
		if err != nil {
			return err
		}
		lock := s.lockFile()
		if err := os.MkdirAll(filepath.Dir(lock), 0o700); err != nil {
			return err
		}
		pins, err := pluginhost.PinFiles(cmd.Context(), lock, pluginhost.Options{
			Dirs: s.pluginSearch(), DataDir: s.Data, Logger: runLogger(cmd, s),
		}, args)
		if err != nil {
			return &exitError{exitFailed, err}
		}
		return printValue(cmd.OutOrStdout(), output, pins, func(t *table) {
			t.row("PLUGIN", "VERSION", "SHA256")
			for _, pin := range pins {
				t.row(pin.Name, pin.Version, pin.SHA256)
			}
		})
	}
	return command
}
