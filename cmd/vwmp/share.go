package main

import (
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

func workflowShare(where *target) *cobra.Command {
	var output, owner, team, visibility string
	command := &cobra.Command{
		Use: "share ID", Short: "Say whose a workflow is, and who may see it", Args: cobra.ExactArgs(1),
		Long: `A workflow is seen by all, by its team, or by its owner alone; administrators see every one. For whoever may not
see it, it and its executions are not there. Without flags, shows how it is.`,
		Example: "  vwmp workflow share release --visibility team --team ops\n  vwmp workflow share release --owner ann",
	}
	flags := command.Flags()
	flags.StringVar(&owner, "owner", "", "account that it belongs to")
	flags.StringVar(&team, "team", "", "team that it belongs to")
	flags.StringVar(&visibility, "visibility", "", "private, team or all")
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		body := map[string]string{}
		for name, value := range map[string]string{"owner": owner, "team": team, "visibility": visibility} {
			if value != "" {
				body[name] = value
			}
		}
		path := "/workflows/" + url.PathEscape(args[0]) + "/"
		method := http.MethodGet
		var sent any
		if len(body) > 0 {
			method, path, sent = http.MethodPut, path+"access/", body
		}
		var now struct {
			ID         string `json:"id"`
			Owner      string `json:"owner"`
			Team       string `json:"team"`
			Visibility string `json:"visibility"`
		}
		if err := c.call(cmd.Context(), method, path, nil, sent, &now); err != nil {
			return err
		}
		return printValue(cmd.OutOrStdout(), output, now, func(t *table) {
			t.row("WORKFLOW", "OWNER", "TEAM", "SEEN BY")
			t.row(now.ID, now.Owner, now.Team, now.Visibility)
		})
	}
	return command
}
