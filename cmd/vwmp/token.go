package main

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// tokenView is an API token as the API shows it; Token is there once.
type tokenView struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Owner     string    `json:"owner"`
	Role      string    `json:"role"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	LastUsed  time.Time `json:"last_used,omitzero"`
	Token     string    `json:"token,omitempty"`
}

func newToken() *cobra.Command {
	command := &cobra.Command{
		Use: "token", Short: "List, create and revoke API tokens", Args: cobra.NoArgs,
		Long: `An API token lets a program in, as Authorization: Bearer. It acts for an account, with a role that is never more
than the account's, until it expires or is revoked. It is shown once.`,
		Example: "  vwmp token create ci --role executor --expires 720h\n  vwmp token revoke 3kq7m2xw5fad",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	where := targetFlags(command)
	command.AddCommand(tokenList(where), tokenCreate(where), tokenRevoke(where))
	return command
}

func tokenList(where *target) *cobra.Command {
	var output, user string
	command := &cobra.Command{Use: "list", Short: "List API tokens, without their secrets", Args: cobra.NoArgs, Example: "  vwmp token list --user '*'"}
	command.Flags().StringVar(&user, "user", "", "those of this account, or of all (*) (default: your own)")
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		query := url.Values{}
		if user != "" {
			query.Set("user", user)
		}
		var list struct {
			Tokens []tokenView `json:"tokens"`
		}
		if err := c.call(cmd.Context(), http.MethodGet, "/auth/tokens/", query, nil, &list); err != nil {
			return err
		}
		return printValue(cmd.OutOrStdout(), output, list.Tokens, func(t *table) {
			t.row("ID", "NAME", "OF", "ROLE", "CREATED", "EXPIRES", "LAST USED")
			for i := range list.Tokens {
				v := &list.Tokens[i]
				t.row(v.ID, v.Name, v.Owner, v.Role, ago(v.CreatedAt), expiry(v.ExpiresAt), ago(v.LastUsed))
			}
		})
	}
	return command
}

// expiry says when something ends.
func expiry(at time.Time) string {
	switch {
	case at.IsZero():
		return "never"
	case !time.Now().Before(at):
		return "expired"
	}
	return at.Local().Format("2006-01-02 15:04")
}

func tokenCreate(where *target) *cobra.Command {
	var output, role, user string
	var expires time.Duration
	command := &cobra.Command{
		Use: "create NAME", Short: "Make an API token, and show it once", Args: cobra.ExactArgs(1),
		Long:    "NAME says what the token is for. The token is printed alone, so that it can be stored by a script.",
		Example: "  vwmp token create ci --role executor --expires 720h\n  vwmp token create deploy --user robot --role executor",
	}
	flags := command.Flags()
	flags.StringVar(&role, "role", "viewer", "viewer, executor, editor or admin")
	flags.StringVar(&user, "user", "", "the account that it acts for (default: your own)")
	flags.DurationVar(&expires, "expires", 90*24*time.Hour, "how long it is good, such as 720h; 0 is for ever")
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if expires < 0 {
			return usageError("--expires must not be negative")
		}
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		body := map[string]any{"name": args[0], "role": role, "expires_in": expires.Seconds()}
		if user != "" {
			body["user"] = user
		}
		var made tokenView
		if err := c.call(cmd.Context(), http.MethodPost, "/auth/tokens/", nil, body, &made); err != nil {
			return err
		}
		if output == "table" {
			fmt.Fprintf(cmd.ErrOrStderr(), "Token %s of %s, role %s, expires: %s. It is not shown again.\n", made.ID, printable(made.Owner), made.Role, expiry(made.ExpiresAt))
			_, err := fmt.Fprintln(cmd.OutOrStdout(), made.Token)
			return err
		}
		return printValue(cmd.OutOrStdout(), output, made, nil)
	}
	return command
}

func tokenRevoke(where *target) *cobra.Command {
	command := &cobra.Command{
		Use: "revoke ID", Short: "Revoke an API token, and close what it has open", Args: cobra.ExactArgs(1), Example: "  vwmp token revoke 3kq7m2xw5fad",
	}
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		return c.call(cmd.Context(), http.MethodDelete, "/auth/tokens/"+url.PathEscape(args[0])+"/", nil, nil, nil)
	}
	return command
}
