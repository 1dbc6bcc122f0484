package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func newSecret() *cobra.Command {
	command := &cobra.Command{
		Use: "secret", Short: "List, set and delete secrets", Args: cobra.NoArgs,
		Long: `Secrets are kept encrypted in the data folder. A step's config refers to one as ${secrets.NAME};
nothing shows a value again once it is set.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	where := targetFlags(command)
	command.AddCommand(secretList(where), secretSet(where), secretDelete(where))
	return command
}

func secretPath(name string) string { return "/secrets/" + url.PathEscape(name) + "/" }

func secretList(where *target) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "list", Short: "List the names of the secrets", Args: cobra.NoArgs, Example: "  vwmp secret list --output json",
	}
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		var list struct {
			Secrets []struct {
				Name      string    `json:"name"`
				UpdatedAt time.Time `json:"updated_at"`
			} `json:"secrets"`
		}
		if err := c.call(cmd.Context(), http.MethodGet, "/secrets/", nil, nil, &list); err != nil {
			return err
		}
		return printValue(cmd.OutOrStdout(), output, list.Secrets, func(t *table) {
			t.row("NAME", "SET")
			for _, secret := range list.Secrets {
				t.row(secret.Name, ago(secret.UpdatedAt))
			}
		})
	}
	return command
}

func secretSet(where *target) *cobra.Command {
	command := &cobra.Command{
		Use: "set NAME [@FILE|@-]", Short: "Set a secret, without showing it", Args: cobra.RangeArgs(1, 2),
		Long: `Reads the value from a prompt that does not show it, from a file (@FILE) or from standard input (@-),
without the line's end. It is never an argument: other users see those, and shells keep them.`,
		Example: `  vwmp secret set GITHUB_TOKEN
  vwmp secret set DEPLOY_KEY @deploy_key.pem
  pass show github | vwmp secret set GITHUB_TOKEN @-`,
	}
	command.RunE = func(cmd *cobra.Command, args []string) error {
		value, err := readSecret(cmd, args)
		if err != nil {
			return err
		}
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		return c.call(cmd.Context(), http.MethodPut, secretPath(args[0]), nil, map[string]string{"value": value}, nil)
	}
	return command
}

func secretDelete(where *target) *cobra.Command {
	command := &cobra.Command{
		Use: "delete NAME", Short: "Delete a secret", Args: cobra.ExactArgs(1), Example: "  vwmp secret delete GITHUB_TOKEN",
	}
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		return c.call(cmd.Context(), http.MethodDelete, secretPath(args[0]), nil, nil, nil)
	}
	return command
}

// readSecret reads a value from where the arguments say.
func readSecret(cmd *cobra.Command, args []string) (string, error) {
	if len(args) == 2 {
		source, found := strings.CutPrefix(args[1], "@")
		if !found {
			return "", usageError("a secret is never an argument, which others can see; leave it out to be asked, or name @FILE or @-")
		}
		text, err := readSource(source, cmd.InOrStdin())
		if err != nil {
			return "", usageError("read the secret: %w", err)
		}
		return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"), nil
	}
	stdin, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(stdin.Fd())) { //nolint:gosec // A file's number is small.
		return "", usageError("there is no terminal to ask at; name a file with @FILE, or @- for standard input")
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Value of %s (it is not shown): ", printable(args[0]))
	text, err := term.ReadPassword(int(stdin.Fd())) //nolint:gosec // A file's number is small.
	fmt.Fprintln(cmd.ErrOrStderr())
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	return string(text), nil
}
