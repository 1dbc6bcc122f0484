package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/edge"
)

// config is what vwmp.yaml may say. Flags stand over VWMP_… variables, those
// over the file, and the file over the defaults.
type config struct {
	Addr       string                  `json:"addr" yaml:"addr" doc:"address to listen on" default:"127.0.0.1:8000"`
	Data       string                  `json:"data" yaml:"data" doc:"data folder"`
	Workspaces []string                `json:"workspaces" yaml:"workspaces" doc:"folders that runs may touch, as NAME=DIR or DIR; the first is the default"`
	PluginDirs []string                `json:"plugin_dirs" yaml:"plugin_dirs" doc:"folders with plugins, before the usual ones"`
	Plugins    map[string]pluginConfig `json:"plugins" yaml:"plugins" doc:"settings by plugin: adapter, defaults by handler, and limits"`
	EnvAllow   []string                `json:"env_allow" yaml:"env_allow" doc:"variables that ${env.NAME} may read"`
	// AllowCommands is nil where nobody decided: then the address does.
	AllowCommands *bool     `json:"allow_commands" yaml:"allow_commands" doc:"whether steps may run commands; by default on a loopback address only"`
	Hosts         []string  `json:"hosts" yaml:"hosts" doc:"further names that the server answers to"`
	TLS           tlsConfig `json:"tls,omitzero" yaml:"tls" doc:"cert and key: files of the certificate to serve with, in PEM"`
	// TrustedProxies are not trusted for more than who asked.
	TrustedProxies []string   `json:"trusted_proxies" yaml:"trusted_proxies" doc:"addresses or networks of reverse proxies whose X-Forwarded-For, -Proto and -Host count"`
	Auth           authConfig `json:"auth" yaml:"auth" doc:"token, or none on a loopback address; or an object with mode, oidc and jwt" default:"token"`
	LogFormat      string     `json:"log_format" yaml:"log_format" doc:"text or json" default:"text"`
	LogLevel       string     `json:"log_level" yaml:"log_level" doc:"debug, info, warn or error" default:"info"`
	// Retention bounds what is kept of executions that have ended.
	Retention retentionConfig `json:"retention" yaml:"retention" doc:"how long, and how many, ended executions are kept"`
	// Telemetry says where to send what is seen of executions.
	Telemetry telemetryConfig `json:"telemetry" yaml:"telemetry" doc:"where traces are sent, as {traces: {endpoint, sample}}; nowhere by default"`
	// Limits bound what callers may take up; docs/limits.md lists them.
	Limits limitsConfig `json:"limits" yaml:"limits" doc:"what callers may take up at most"`
}

type pluginConfig struct {
	// Adapter is the plugin's own configuration.
	Adapter map[string]any `json:"adapter,omitempty" yaml:"adapter" doc:"the plugin's own configuration; its page in docs/handlers has the keys"`
	// Defaults are configs by the handler's last segment.
	Defaults map[string]map[string]any `json:"defaults,omitempty" yaml:"defaults" doc:"configs that steps of a handler begin with, by the handler's last word"`
	// Limits bound its processes.
	Limits pluginLimits `json:"limits,omitzero" yaml:"limits" doc:"bounds of its processes"`
}

// source says where a value came from.
type source string

const (
	fromDefault source = "default"
	fromFile    source = "file"
	fromEnv     source = "environment"
	fromFlag    source = "flag"
)

// settings are the values in force and where each came from.
type settings struct {
	config
	file    string
	sources map[string]source
	// runSecrets are those that a run without a server was given; nil
	// elsewhere.
	runSecrets func(name string) (value string, found bool)
}

// configFlags declares the flags that stand over the configuration.
func configFlags(flags *pflag.FlagSet) {
	flags.String("config", "", "configuration file (default vwmp.yaml in the current folder, where there is one)")
	flags.String("addr", "127.0.0.1:8000", "address to listen on")
	flags.String("data", "", "data folder (default "+homeRelative(defaultDataDir())+")")
	flags.StringArray("workspace", nil, "folder that runs may touch, as [NAME=]DIR; repeatable, the first is the default (default the current folder)")
	flags.StringArray("plugins", nil, "folder with plugins; repeatable, before the usual ones")
	flags.StringArray("allowed-host", nil, "further name that the server answers to; repeatable")
	flags.String("tls-cert", "", "file with the certificate to serve with, in PEM")
	flags.String("tls-key", "", "file with the certificate's private key")
	flags.StringArray("trusted-proxy", nil, "address or network of a reverse proxy whose word counts for who asked; repeatable")
	flags.String("auth", "token", "who may come in: token, or none on a loopback address")
	flags.String("log-format", "text", "text or json")
	flags.String("log-level", "info", "debug, info, warn or error")
}

// loadSettings joins defaults, file, environment and flags.
func loadSettings(flags *pflag.FlagSet, getenv func(string) string) (*settings, error) {
	s := &settings{
		config: config{
			Addr: "127.0.0.1:8000", Data: defaultDataDir(), Auth: authConfig{Mode: "token"}, LogFormat: "text", LogLevel: "info",
			Retention: retentionConfig{Days: 90, PerWorkflow: 1000}, Telemetry: telemetryConfig{Traces: tracesConfig{Sample: 1}}, Limits: defaultLimits(),
		},
		sources: map[string]source{},
	}
	if err := s.readFile(flags, getenv); err != nil {
		return nil, err
	}
	if err := s.readEnv(getenv); err != nil {
		return nil, err
	}
	s.readFlags(flags)
	if len(s.Workspaces) == 0 {
		s.Workspaces = []string{"."}
	}
	return s, s.check()
}

func (s *settings) readFile(flags *pflag.FlagSet, getenv func(string) string) error {
	name, named := "vwmp.yaml", false
	if value := getenv("VWMP_CONFIG"); value != "" {
		name, named = value, true
	}
	if value, err := flags.GetString("config"); err == nil && value != "" {
		name, named = value, true
	}
	text, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return nil
	case err != nil:
		return usageError("read the configuration: %w", err)
	}
	if err := yaml.UnmarshalWithOptions(text, &s.config, yaml.DisallowUnknownField()); err != nil {
		return usageError("%s: %s", name, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	s.file = name
	var keys map[string]any
	if err := yaml.Unmarshal(text, &keys); err != nil {
		return usageError("%s: %w", name, err)
	}
	for key := range keys {
		s.sources[key] = fromFile
	}
	if keys["tls"] != nil {
		s.sources["tls_cert"], s.sources["tls_key"] = fromFile, fromFile
	}
	return nil
}

func (s *settings) readEnv(getenv func(string) string) error {
	for key, target := range map[string]*string{
		"addr": &s.Addr, "data": &s.Data, "auth": &s.Auth.Mode, "log_format": &s.LogFormat, "log_level": &s.LogLevel,
		"tls_cert": &s.TLS.Cert, "tls_key": &s.TLS.Key,
	} {
		if value := getenv("VWMP_" + strings.ToUpper(key)); value != "" {
			*target, s.sources[key] = value, fromEnv
		}
	}
	if s.Telemetry.Traces.readEnv(getenv) {
		s.sources["telemetry"] = fromEnv
	}
	for variable, key := range map[string]string{"VWMP_WORKSPACE": "workspaces", "VWMP_PLUGINS": "plugin_dirs", "VWMP_HOSTS": "hosts", "VWMP_ENV_ALLOW": "env_allow", "VWMP_TRUSTED_PROXIES": "trusted_proxies"} {
		value := getenv(variable)
		if value == "" {
			continue
		}
		list, separator := s.list(key), string(filepath.ListSeparator)
		if key == "hosts" || key == "env_allow" || key == "trusted_proxies" {
			separator = ","
		}
		*list, s.sources[key] = strings.Split(value, separator), fromEnv
	}
	if value := getenv("VWMP_ALLOW_COMMANDS"); value != "" {
		allow, err := strconv.ParseBool(value)
		if err != nil {
			return usageError("VWMP_ALLOW_COMMANDS must be true or false, not %q", value)
		}
		s.AllowCommands, s.sources["allow_commands"] = &allow, fromEnv
	}
	return nil
}

func (s *settings) list(key string) *[]string {
	switch key {
	case "workspaces":
		return &s.Workspaces
	case "plugin_dirs":
		return &s.PluginDirs
	case "hosts":
		return &s.Hosts
	case "trusted_proxies":
		return &s.TrustedProxies
	default:
		return &s.EnvAllow
	}
}

func (s *settings) readFlags(flags *pflag.FlagSet) {
	for flag, key := range map[string]string{"addr": "addr", "data": "data", "auth": "auth", "log-format": "log_format", "log-level": "log_level", "tls-cert": "tls_cert", "tls-key": "tls_key"} {
		if !flags.Changed(flag) {
			continue
		}
		value, _ := flags.GetString(flag)
		*map[string]*string{
			"addr": &s.Addr, "data": &s.Data, "auth": &s.Auth.Mode, "log_format": &s.LogFormat, "log_level": &s.LogLevel,
			"tls_cert": &s.TLS.Cert, "tls_key": &s.TLS.Key,
		}[key] = value
		s.sources[key] = fromFlag
	}
	for flag, key := range map[string]string{"workspace": "workspaces", "plugins": "plugin_dirs", "allowed-host": "hosts", "trusted-proxy": "trusted_proxies"} {
		if flags.Changed(flag) {
			values, _ := flags.GetStringArray(flag)
			*s.list(key), s.sources[key] = values, fromFlag
		}
	}
}

func (s *settings) check() error {
	if s.Auth.Mode != "token" && s.Auth.Mode != "none" {
		return usageError("auth must be token or none, not %q", s.Auth.Mode)
	}
	if s.LogFormat != "text" && s.LogFormat != "json" {
		return usageError("log-format must be text or json, not %q", s.LogFormat)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, s.LogLevel) {
		return usageError("log-level must be debug, info, warn or error, not %q", s.LogLevel)
	}
	if err := s.Retention.check(); err != nil {
		return err
	}
	if err := s.Telemetry.Traces.check(); err != nil {
		return err
	}
	if err := s.Limits.check(); err != nil {
		return err
	}
	if _, err := edge.ParseProxies(s.TrustedProxies); err != nil {
		return usageError("%w", err)
	}
	absolute, err := filepath.Abs(s.Data)
	if err != nil {
		return usageError("data: %w", err)
	}
	s.Data = absolute
	return nil
}

// workspaceList reads [NAME=]DIR; every folder must be there.
func (s *settings) workspaceList() ([]engine.Workspace, error) {
	var list []engine.Workspace
	for i, text := range s.Workspaces {
		name, dir, found := strings.Cut(text, "=")
		if !found {
			name, dir = filepath.Base(text), text
			if i == 0 {
				name = "default"
			}
		}
		absolute, err := filepath.Abs(dir)
		if err != nil {
			return nil, usageError("workspace %q: %w", text, err)
		}
		info, err := os.Stat(absolute)
		switch {
		case err != nil:
			return nil, usageError("workspace %q: %w", text, err)
		case !info.IsDir():
			return nil, usageError("workspace %q: it is not a folder", text)
		}
		for _, other := range list {
			if other.Name == name {
				return nil, usageError("two workspaces are named %q; give them names with NAME=DIR", name)
			}
		}
		list = append(list, engine.Workspace{Name: name, Dir: absolute})
	}
	return list, nil
}

// Env implements engine.Settings.
func (s *settings) Env(name string) (string, bool) {
	if !slices.Contains(s.EnvAllow, name) {
		return "", false
	}
	return os.LookupEnv(name)
}

// Adapter implements engine.Settings.
func (s *settings) Adapter(plugin string) json.RawMessage {
	return object(s.Plugins[plugin].Adapter)
}

// HandlerDefaults implements engine.Settings.
func (s *settings) HandlerDefaults(handler string) json.RawMessage {
	plugin, name, _ := strings.Cut(handler, ".")
	return object(s.Plugins[plugin].Defaults[name])
}

func object(values map[string]any) json.RawMessage {
	if len(values) == 0 {
		return nil
	}
	// YAML maps with other keys than strings do not decode into this type.
	raw, err := json.Marshal(values)
	if err != nil {
		return nil
	}
	return raw
}

func defaultDataDir() string {
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "vwmp")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "vwmp-data"
	}
	return filepath.Join(home, ".local", "share", "vwmp")
}

func homeRelative(path string) string {
	if home, err := os.UserHomeDir(); err == nil {
		if rest, found := strings.CutPrefix(path, home+string(filepath.Separator)); found {
			return "~/" + filepath.ToSlash(rest)
		}
	}
	return path
}

// printConfig tells every value in force and where it came from.
func (s *settings) printConfig(t *table) {
	sourceOf := func(key string) string {
		from, found := s.sources[key]
		if !found {
			from = fromDefault
		}
		if from == fromFile {
			return s.file
		}
		return string(from)
	}
	list := func(values []string) string { return strings.Join(values, ", ") }
	t.row("KEY", "VALUE", "FROM")
	t.row("addr", s.Addr, sourceOf("addr"))
	t.row("data", s.Data, sourceOf("data"))
	t.row("workspaces", list(s.Workspaces), sourceOf("workspaces"))
	t.row("plugin_dirs", list(s.PluginDirs), sourceOf("plugin_dirs"))
	for name := range s.Plugins {
		// Adapters may hold credentials: only their keys are shown.
		var keys []string
		for key := range s.Plugins[name].Adapter {
			keys = append(keys, key+"=•••")
		}
		slices.Sort(keys)
		t.row("plugins."+name+".adapter", list(keys), sourceOf("plugins"))
	}
	t.row("env_allow", list(s.EnvAllow), sourceOf("env_allow"))
	allow := "on a loopback address"
	if s.AllowCommands != nil {
		allow = fmt.Sprint(*s.AllowCommands)
	}
	t.row("allow_commands", allow, sourceOf("allow_commands"))
	t.row("hosts", list(s.Hosts), sourceOf("hosts"))
	t.row("tls_cert", s.TLS.Cert, sourceOf("tls_cert"))
	t.row("tls_key", s.TLS.Key, sourceOf("tls_key"))
	t.row("trusted_proxies", list(s.TrustedProxies), sourceOf("trusted_proxies"))
	t.row("auth", s.Auth.String(), sourceOf("auth"))
	t.row("log_format", s.LogFormat, sourceOf("log_format"))
	t.row("log_level", s.LogLevel, sourceOf("log_level"))
	t.row("retention", s.Retention.String(), sourceOf("retention"))
	t.row("telemetry", s.Telemetry.Traces.String(), sourceOf("telemetry"))
	t.row("limits", s.Limits.String(), sourceOf("limits"))
}
