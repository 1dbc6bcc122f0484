package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/trigger"
	"github.com/vwmp/vwmp/host"
	"github.com/vwmp/vwmp/host/metrics"
	"github.com/vwmp/vwmp/host/vault"
	"github.com/vwmp/vwmp/store/data"
)

// publishers passes each event to several, in order.
type publishers []engine.Publisher

// Publish implements engine.Publisher.
func (p publishers) Publish(event plan.Event) {
	for _, one := range p {
		one.Publish(event)
	}
}

// hookSecrets gives the stored secrets to whoever checks the signatures of
// webhooks.
type hookSecrets struct{ vault *vault.Vault }

// Secret implements trigger.Secrets.
func (h hookSecrets) Secret(ctx context.Context, name string) (string, error) {
	value, err := h.vault.Secret(ctx, name)
	if errors.Is(err, engine.ErrNotFound) {
		return "", trigger.ErrNoSecret
	}
	if err != nil {
		return "", err
	}
	return value.Reveal(), nil
}

// newTriggers joins the triggers with what they need. They do nothing before
// they are run.
func newTriggers(s *settings, parts *core, accounts data.Accounts, ends *trigger.Ends, workspace engine.Workspace, counts *metrics.Metrics, logger *slog.Logger) *trigger.Runner {
	ports := host.TriggerPorts{Workflows: parts.store, Executions: parts.store, Accounts: accounts}
	return trigger.NewRunner(trigger.Options{
		Engine: parts.engine, Sources: ports, Executions: ports, Records: parts.store, Settings: s, Clock: wallClock{}, Ends: ends,
		Workspace: workspace, Secrets: hookSecrets{parts.vault}, Ready: parts.plugins.Ready, Noted: noteFirings(counts), Logger: logger,
	})
}
