package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

// commandError is git ending with an exit code other than 0.
type commandError struct {
	subcommand string
	exitCode   int
	message    string
}

func (e *commandError) Error() string {
	if e.message == "" {
		return fmt.Sprintf("git %s: exit code %d", e.subcommand, e.exitCode)
	}
	return fmt.Sprintf("git %s: %s", e.subcommand, e.message)
}

// Signs by which git's messages (under LC_ALL=C) tell what is wrong. The
// order matters: a server that refuses a sign-in also hangs up.
var (
	signInSigns = []string{
		"authentication failed", "could not read username", "could not read password", "terminal prompts disabled",
		"permission denied (", "host key verification failed", "returned error: 401", "returned error: 403",
		"invalid username or password", "access denied",
	}
	networkSigns = []string{
		"could not resolve host", "name or service not known", "temporary failure in name resolution",
		"connection timed out", "operation timed out", "connection refused", "connection reset", "couldn't connect",
		"failed to connect", "network is unreachable", "no route to host", "early eof", "unexpected disconnect",
		"hung up unexpectedly", "rpc failed", "gnutls_handshake", "ssl_error_syscall", "connection closed by",
		"returned error: 429", "returned error: 500", "returned error: 502", "returned error: 503", "returned error: 504",
	}
)

// failure turns the end of a git command into a typed error with git's own
// message, without secrets.
func (r *repository) failure(ctx context.Context, subcommand string, err error, stdout, stderr string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("git %s: %w", subcommand, context.Cause(ctx))
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return pluginsdk.Permanent(fmt.Errorf("run git %s: %w", subcommand, err)).WithFault(pluginsdk.FaultHost)
	}
	message := gitMessage(stderr)
	if message == "" {
		message = gitMessage(stdout)
	}
	failed := &commandError{subcommand: subcommand, exitCode: exit.ExitCode(), message: r.redact(message)}
	lower := strings.ToLower(stderr)
	switch {
	case containsAny(lower, signInSigns):
		return pluginsdk.Permanent(fmt.Errorf(
			"%w\nThe remote refused the sign-in: give the step auth with a token (https), or a key that ssh finds without asking", failed)).
			WithCode("GIT_SIGN_IN")
	case containsAny(lower, networkSigns):
		return pluginsdk.Retryable(failed).WithCode("GIT_NETWORK")
	case strings.Contains(lower, ".lock': file exists"):
		return pluginsdk.Retryable(fmt.Errorf(
			"%w\nAnother git works in this repository, or one was killed; if none runs, remove the lock file", failed)).
			WithCode("GIT_LOCKED").WithFault(pluginsdk.FaultUser)
	case strings.Contains(lower, "failed to sign the data"):
		return pluginsdk.Permanent(fmt.Errorf(
			"%w\nThe key must be there and need no passphrase that nobody can type; where plugins are fenced in, gpg's own folder must be named in plugins.git.limits.write", failed)).
			WithCode("GIT_SIGNING").WithFault(pluginsdk.FaultUser)
	case strings.Contains(lower, "please tell me who you are") || strings.Contains(lower, "empty ident name"):
		return pluginsdk.Permanent(fmt.Errorf(
			"%w\nSet user.name and user.email in git's configuration, or user_name and user_email of the git plugin", failed)).
			WithCode("GIT_IDENTITY")
	}
	return pluginsdk.Permanent(failed).WithCode("GIT_FAILED")
}

// gitMessage is what a person needs of git's output: no hints, no progress,
// not more than maxMessage bytes, the end rather than the beginning.
func gitMessage(output string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.ToValidUTF8(output, "\uFFFD"), "\n") {
		line = strings.TrimRight(line[strings.LastIndexByte(line, '\r')+1:], " \t")
		if line != "" && !strings.HasPrefix(line, "hint:") {
			lines = append(lines, line)
		}
	}
	text := strings.Join(lines, "\n")
	if len(text) > maxMessage {
		text = "…" + strings.ToValidUTF8(text[len(text)-maxMessage:], "")
	}
	return text
}

func containsAny(text string, signs []string) bool {
	for _, sign := range signs {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}
