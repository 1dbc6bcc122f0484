package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/store"
)

// salvageData copies what is still good out of a damaged data folder.
func salvageData(cmd *cobra.Command, from, into, output string) error {
	found, err := store.Salvage(cmd.Context(), from, into)
	var locked *store.LockedError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &exitError{exitMissing, err}
	case errors.Is(err, store.ErrNotEmpty), errors.As(err, &locked):
		return &exitError{exitRefused, err}
	case err != nil:
		return err
	}
	return printValue(cmd.OutOrStdout(), output, found, func(t *table) {
		t.row(fmt.Sprintf("copied %d workflows and %d executions with %d events into %s", found.Workflows, found.Executions, found.Events, into))
		if found.Broken > 0 {
			t.row(fmt.Sprintf("of %d executions the last events are lost; they are paused, and say so", found.Broken))
		}
		if found.Damaged > 0 {
			t.row(fmt.Sprintf("%d pages could not be read", found.Damaged))
		}
		t.row(fmt.Sprintf("next: \"vwmp doctor --data %s\" tells what is missing", into))
	})
}
