// Command vwmp-plugin-http serves http.request, which sends one HTTP request
// and reads its answer within bounds.
//
// It reaches public addresses only, unless the server's configuration allows
// all: a workflow must not be a way into the network that the server stands in.
package main

import (
	"encoding/json"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

// adapterConfig is the plugin's own configuration.
type adapterConfig struct {
	AllowPrivate bool `json:"allow_private" title:"Allow private addresses" description:"Let requests reach this machine, and private and link-local networks. Whoever may write a workflow reaches them then."`
}

func httpPlugin() *pluginsdk.Plugin {
	return &pluginsdk.Plugin{
		Name:        "http",
		Version:     "1.0.0",
		Author:      "VWMP",
		Description: "Sends HTTP requests to public addresses, or to all where the configuration allows it.",
		Adapter:     adapterConfig{},
		Handlers:    []*pluginsdk.Handler{requestHandler()},
	}
}

func requestHandler() *pluginsdk.Handler {
	raw, err := json.Marshal(map[string]any{
		"method": "POST", "url": "https://api.example.com/v1/releases", "json": map[string]any{"version": "1.2.3"},
		"auth": map[string]any{"type": "bearer", "token": "${secrets.API_TOKEN}"}, //nolint:gosec // It names a secret and is none.
	})
	if err != nil {
		// The example is a constant of this package.
		panic(err)
	}
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "http.request", Name: "HTTP request", Category: "Network", Icon: "globe", Tags: []string{"rest", "api", "curl", "download", "url"},
		Description: "Sends an HTTP request and reads the answer as JSON, text or a file. Answers that are no success fail the step, and those that may pass are tried again. Private and link-local addresses are refused unless the server's configuration allows them.",
		Effect:      pluginsdk.EffectIdempotent,
		Example:     raw,
		Network:     []string{"*"},
		DefaultRetry: &pluginsdk.Retry{
			MaxAttempts: 3, InitialInterval: time.Second, Multiplier: 2, MaxInterval: 30 * time.Second, Jitter: 0.2,
		},
	}, requester{})
}
