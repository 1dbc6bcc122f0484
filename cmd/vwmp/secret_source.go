package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/vwmp/vwmp/engine/secret"
)

// secretKeyName is the name of the secrets' key, below the data folder.
const secretKeyName = "secret.key"

// secretKeyFile is where the key is; nowhere for a run without data.
func (s *settings) secretKeyFile(runDir string) string {
	if runDir == "" {
		return ""
	}
	if file := getenv("VWMP_SECRET_KEY_FILE"); file != "" {
		return file
	}
	return filepath.Join(s.Data, secretKeyName)
}

// givenSecrets looks up what a run was given, and then what is stored.
type givenSecrets struct {
	// given may be nil.
	given func(name string) (value string, found bool)
	next  secret.Secrets
}

// Secret implements secret.Secrets.
func (g givenSecrets) Secret(ctx context.Context, name string) (secret.Value, error) {
	if g.given != nil {
		if value, found := g.given(name); found {
			return secret.NewValue(value), nil
		}
	}
	return g.next.Secret(ctx, name)
}

// readRunSecrets reads the secrets of a run without a server: those of the
// file, where one is named, over VWMP_SECRET_NAME.
func readRunSecrets(file string, lookupEnv func(string) (string, bool)) (func(name string) (string, bool), error) {
	var values map[string]string
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, usageError("read the secrets: %w", err)
		}
		// The decoder's own words may repeat a value.
		if yaml.Unmarshal(text, &values) != nil {
			return nil, usageError("%s must hold a map of secrets: names, and texts in quotes", file)
		}
	}
	return func(name string) (string, bool) {
		if value, found := values[name]; found {
			return value, true
		}
		if strings.EqualFold(name, "KEY_FILE") {
			return "", false // VWMP_SECRET_KEY_FILE names a file.
		}
		return lookupNamed("VWMP_SECRET_", name, lookupEnv)
	}, nil
}

// lookupNamed finds a variable of the environment for a name, as it is
// written or in capitals, with _ for -. An empty one counts as not set.
func lookupNamed(prefix, name string, lookupEnv func(string) (string, bool)) (string, bool) {
	name = strings.ReplaceAll(name, "-", "_")
	for _, variable := range []string{prefix + name, prefix + strings.ToUpper(name)} {
		if value, found := lookupEnv(variable); found && value != "" {
			return value, true
		}
	}
	return "", false
}
