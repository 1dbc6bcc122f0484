// Command vwmp-plugin-git serves the git handlers: staging, committing,
// tagging, pushing, and reading and moving a repository in the workspace.
//
// It runs the installed git with argument lists, never through a shell, and
// never prompts. It is not a git implementation, knows no forge (GitHub,
// GitLab, …), and touches no repository outside of the workspace.
package main

import (
	"encoding/json"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

const category = "Git"

// adapterConfig is the plugin's own configuration.
type adapterConfig struct {
	Remote    string `json:"remote" title:"Remote" description:"The remote that git.push and git.pull use where the step names none." default:"origin" example:"origin"`
	RunHooks  bool   `json:"run_hooks" title:"Run hooks" description:"Run the hooks of the workspace's own repository. Hooks of repositories that git.clone made never run." default:"true"`
	UserName  string `json:"user_name" title:"Committer name" description:"Name on commits and tags instead of the one in git's configuration. Set it together with the address." example:"Release Robot"`
	UserEmail string `json:"user_email" title:"Committer address" description:"E-mail address on commits and tags instead of the one in git's configuration." example:"robot@example.com"`
}

func gitPlugin() *pluginsdk.Plugin {
	return &pluginsdk.Plugin{
		Name:        "git",
		Version:     "1.0.0",
		Author:      "VWMP",
		Description: "Stages, commits, tags and pushes with the installed git, and reads a repository's state.",
		Adapter:     adapterConfig{},
		Handlers: []*pluginsdk.Handler{
			stageHandler(), commitHandler(), tagHandler(), pushHandler(),
			statusHandler(), diffHandler(), logHandler(),
			checkoutHandler(), cloneHandler(), pullHandler(),
		},
	}
}

// example writes a handler's example config, whose values are constants of
// this package.
func example(config map[string]any) json.RawMessage {
	raw, err := json.Marshal(config)
	if err != nil {
		panic(err)
	}
	return raw
}

// networkRetry is suggested for handlers that talk to a remote.
func networkRetry() *pluginsdk.Retry {
	return &pluginsdk.Retry{
		MaxAttempts: 3, InitialInterval: 2 * time.Second, Multiplier: 2, MaxInterval: 30 * time.Second, Jitter: 0.2,
	}
}
