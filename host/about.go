package host

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

func (s *Server) addAbout() {
	registerPlain(s, huma.Operation{
		OperationID: "get-about", Method: http.MethodGet, Path: apiBase + "/about/", Tags: []string{"server"},
		Summary: "What is this server, and how much does it keep?",
	}, s.getAbout)
}

type about struct {
	Version         string    `json:"version"`
	Commit          string    `json:"commit,omitempty"`
	Platform        string    `json:"platform,omitempty" doc:"Operating system and processor"`
	PluginProtocols []int     `json:"plugin_protocols" nullable:"false" doc:"The versions of the plugin protocol that it speaks"`
	StartedAt       time.Time `json:"started_at"`
	Data            keptData  `json:"data"`
}

type keptData struct {
	Workflows  int   `json:"workflows"`
	Executions int   `json:"executions"`
	FileSize   int64 `json:"file_size" doc:"Bytes of the main data file; 0 where nothing is kept on disk"`
	Full       bool  `json:"full" doc:"The disk has no room for new executions"`
}

type aboutOutput struct{ Body about }

func (s *Server) getAbout(ctx context.Context, _ *struct{}) (*aboutOutput, error) {
	out := &aboutOutput{about{
		Version: s.Version.Version, Commit: s.Version.Commit, Platform: s.Version.Platform, PluginProtocols: s.Version.PluginProtocols, StartedAt: s.started,
	}}
	if out.Body.PluginProtocols == nil {
		out.Body.PluginProtocols = []int{}
	}
	if s.Stats == nil {
		return out, nil
	}
	stats, err := s.Stats(ctx)
	if err != nil {
		return nil, err
	}
	out.Body.Data = keptData{Workflows: stats.Workflows, Executions: stats.Executions, FileSize: stats.FileSize, Full: stats.Full}
	return out, nil
}
