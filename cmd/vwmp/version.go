package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/host"
)

// version is set by the release build.
var version = "dev"

// pluginProtocols are the plugin protocol versions that this host speaks.
var pluginProtocols = []int{1}

type versionInfo struct {
	Version         string `json:"version"`
	Commit          string `json:"commit"`
	Go              string `json:"go"`
	Platform        string `json:"platform"`
	PluginProtocols []int  `json:"plugin_protocols"`
}

func currentVersion() versionInfo {
	info := versionInfo{
		Version: version, Commit: "unknown", Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, PluginProtocols: pluginProtocols,
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range build.Settings {
			if setting.Key == "vcs.revision" {
				info.Commit = setting.Value
			}
		}
	}
	return info
}

// hostVersion is what the server says of itself.
func hostVersion() host.Version {
	info := currentVersion()
	return host.Version{Version: info.Version, Commit: info.Commit, Platform: info.Platform, PluginProtocols: info.PluginProtocols}
}

func newVersion() *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:     "version",
		Short:   "Show the version, commit, Go version and plugin protocol versions",
		Example: "  vwmp version --output json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info := currentVersion()
			return printValue(cmd.OutOrStdout(), output, info, func(t *table) {
				t.row("version", info.Version)
				t.row("commit", info.Commit)
				t.row("go", info.Go)
				t.row("platform", info.Platform)
				t.row("plugin protocols", fmt.Sprint(info.PluginProtocols))
			})
		},
	}
	outputFlag(command, &output)
	return command
}
