package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"
)

func newOpen() *cobra.Command {
	command := &cobra.Command{
		Use: "open", Short: "Print a fresh sign-in link, and open it on a desktop", Args: cobra.NoArgs, Example: "  vwmp open",
	}
	where := targetFlags(command)
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		var answer struct {
			URL string `json:"url"`
		}
		if err := c.call(cmd.Context(), http.MethodPost, "/auth/sign-in-links/", nil, nil, &answer); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), answer.URL)
		if opener := browserOpener(); opener != nil && isTerminal(cmd.OutOrStdout()) {
			// The link is printed: a desktop that can't open it is no failure.
			_ = exec.CommandContext(cmd.Context(), opener[0], append(opener[1:], answer.URL)...).Start()
		}
		return nil
	}
	return command
}

// browserOpener is the command that opens a link on this desktop, or nil.
func browserOpener() []string {
	switch runtime.GOOS {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return nil
	}
	return []string{"xdg-open"}
}
