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

// userView is an account as the API shows it.
type userView struct {
	Name        string    `json:"name"`
	Role        string    `json:"role"`
	Teams       []string  `json:"teams"`
	Disabled    bool      `json:"disabled"`
	HasPassword bool      `json:"has_password"`
	Issuer      string    `json:"issuer,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

func newUser() *cobra.Command {
	command := &cobra.Command{
		Use: "user", Short: "List, create, change and delete accounts", Args: cobra.NoArgs,
		Long: `Accounts sign in by name and password. Roles: viewer reads; executor also runs, cancels and approves;
editor also changes workflows; admin does everything. The admin token of the data folder is an account of its own.`,
		Example: "  vwmp user create ann --role admin\n  vwmp user update bob --role viewer --team ops",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	where := targetFlags(command)
	command.AddCommand(userList(where), userCreate(where), userUpdate(where), userDelete(where), userPassword(where))
	return command
}

func userPath(name string) string { return "/users/" + url.PathEscape(name) + "/" }

func drawUsers(t *table, users []userView) {
	t.row("NAME", "ROLE", "TEAMS", "STATE", "SIGNS IN BY", "CREATED")
	for i := range users {
		u := &users[i]
		state, by := "on", "tokens only"
		if u.Disabled {
			state = "disabled"
		}
		switch {
		case u.HasPassword:
			by = "password"
		case u.Issuer != "":
			by = u.Issuer
		}
		t.row(u.Name, u.Role, strings.Join(u.Teams, ", "), state, by, ago(u.CreatedAt))
	}
}

func userList(where *target) *cobra.Command {
	var output string
	command := &cobra.Command{Use: "list", Short: "List the accounts", Args: cobra.NoArgs, Example: "  vwmp user list --output json"}
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		var list struct {
			Users []userView `json:"users"`
		}
		if err := c.call(cmd.Context(), http.MethodGet, "/users/", nil, nil, &list); err != nil {
			return err
		}
		return printValue(cmd.OutOrStdout(), output, list.Users, func(t *table) { drawUsers(t, list.Users) })
	}
	return command
}

func userCreate(where *target) *cobra.Command {
	var output, role, password string
	var teams []string
	command := &cobra.Command{
		Use: "create NAME", Short: "Make an account", Args: cobra.ExactArgs(1),
		Long: `Makes an account. At a terminal the password is asked for and not shown; elsewhere --password names @FILE or
@- for standard input, or "none" for an account that has only API tokens.`,
		Example: `  vwmp user create ann --role admin
  vwmp user create robot --role executor --password none`,
	}
	flags := command.Flags()
	flags.StringVar(&role, "role", "viewer", "viewer, executor, editor or admin")
	flags.StringArrayVar(&teams, "team", nil, "team of the account; repeatable")
	flags.StringVar(&password, "password", "", "@FILE, @- or none (default: ask)")
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		body := map[string]any{"name": args[0], "role": role}
		if len(teams) > 0 {
			body["teams"] = teams
		}
		if password != "none" {
			text, err := readPassword(cmd, password, "Password of "+args[0])
			if err != nil {
				return err
			}
			body["password"] = text
		}
		return where.showUser(cmd, http.MethodPost, "/users/", body, output)
	}
	return command
}

// showUser sends a change of an account and prints what became of it.
func (t *target) showUser(cmd *cobra.Command, method, path string, body map[string]any, output string) error {
	c, err := t.connect(cmd)
	if err != nil {
		return err
	}
	defer c.close()
	var made userView
	if err := c.call(cmd.Context(), method, path, nil, body, &made); err != nil {
		return err
	}
	return printValue(cmd.OutOrStdout(), output, made, func(t *table) { drawUsers(t, []userView{made}) })
}

func userUpdate(where *target) *cobra.Command {
	var output, role string
	var teams []string
	var enable, disable, noTeams bool
	command := &cobra.Command{
		Use: "update NAME", Short: "Change an account's role, teams or state", Args: cobra.ExactArgs(1),
		Long:    "Changes what the flags name. It counts at once: open connections that may not stay are closed.",
		Example: "  vwmp user update bob --role executor\n  vwmp user update bob --disable",
	}
	flags := command.Flags()
	flags.StringVar(&role, "role", "", "viewer, executor, editor or admin")
	flags.StringArrayVar(&teams, "team", nil, "team of the account; repeatable, in the place of those until now")
	flags.BoolVar(&noTeams, "no-teams", false, "take the account out of all teams")
	flags.BoolVar(&disable, "disable", false, "let the account do nothing any more")
	flags.BoolVar(&enable, "enable", false, "let it in again")
	command.MarkFlagsMutuallyExclusive("enable", "disable")
	command.MarkFlagsMutuallyExclusive("team", "no-teams")
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		body := map[string]any{}
		if role != "" {
			body["role"] = role
		}
		if len(teams) > 0 || noTeams {
			body["teams"] = append([]string{}, teams...)
		}
		if enable || disable {
			body["disabled"] = disable
		}
		if len(body) == 0 {
			return usageError("say what to change: --role, --team, --no-teams, --disable or --enable")
		}
		return where.showUser(cmd, http.MethodPut, userPath(args[0]), body, output)
	}
	return command
}

func userDelete(where *target) *cobra.Command {
	command := &cobra.Command{
		Use: "delete NAME", Short: "Delete an account with its tokens and sessions", Args: cobra.ExactArgs(1), Example: "  vwmp user delete bob",
	}
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		return c.call(cmd.Context(), http.MethodDelete, userPath(args[0]), nil, nil, nil)
	}
	return command
}

func userPassword(where *target) *cobra.Command {
	var password string
	command := &cobra.Command{
		Use: "password NAME", Short: "Set an account's password, and end its sessions", Args: cobra.ExactArgs(1),
		Example: "  vwmp user password ann\n  pass show vwmp | vwmp user password ann --password @-",
	}
	command.Flags().StringVar(&password, "password", "", "@FILE or @- (default: ask)")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		text, err := readPassword(cmd, password, "New password of "+args[0])
		if err != nil {
			return err
		}
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		return c.call(cmd.Context(), http.MethodPut, userPath(args[0]), nil, map[string]string{"password": text}, nil)
	}
	return command
}

// readPassword reads a password from @FILE or @-, or asks for it twice.
func readPassword(cmd *cobra.Command, source, what string) (string, error) {
	if source != "" {
		name, found := strings.CutPrefix(source, "@")
		if !found {
			return "", usageError("a password is never an argument, which others can see; leave --password out to be asked, or name @FILE or @-")
		}
		text, err := readSource(name, cmd.InOrStdin())
		if err != nil {
			return "", usageError("read the password: %w", err)
		}
		return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"), nil
	}
	stdin, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(stdin.Fd())) { //nolint:gosec // A file's number is small.
		return "", usageError("there is no terminal to ask at; name a file with --password @FILE, or @- for standard input")
	}
	var said [2]string
	for i, prompt := range []string{what + " (it is not shown): ", "Once more: "} {
		fmt.Fprint(cmd.ErrOrStderr(), printable(prompt))
		text, err := term.ReadPassword(int(stdin.Fd())) //nolint:gosec // A file's number is small.
		fmt.Fprintln(cmd.ErrOrStderr())
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		said[i] = string(text)
	}
	if said[0] != said[1] {
		return "", usageError("the two passwords differ")
	}
	return said[0], nil
}
