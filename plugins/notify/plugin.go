// Command vwmp-plugin-notify serves handlers that tell people and programs how
// a run went: a webhook, a Slack message, an e-mail.
//
// They send and never read what comes back, beyond whether it was taken.
// Webhooks reach public addresses only, unless the server's configuration
// allows all; the mail server is the operator's choice, and may be anywhere.
package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

const category = "Notifications"

// adapterConfig is the plugin's own configuration.
type adapterConfig struct {
	AllowPrivate bool   `json:"allow_private" title:"Allow private addresses" description:"Let webhooks and mail servers that steps name reach this machine, and private and link-local networks."`
	SMTPHost     string `json:"smtp_host" title:"Mail server" description:"The mail server that notify.email uses where the step names none." example:"smtp.example.com"`
	SMTPPort     int    `json:"smtp_port" title:"Port" description:"Its port." default:"587" minimum:"1" maximum:"65535"`
	SMTPSecurity string `json:"smtp_security" title:"Security" description:"How the connection is secured: starttls, tls from the start, or none." enum:"starttls,tls,none" default:"starttls"`
	SMTPUsername string `json:"smtp_username" title:"User" description:"The user's name at the mail server; empty: no sign-in."`
	SMTPPassword string `json:"smtp_password" title:"Password" description:"The password at the mail server." secret:"true"`
	From         string `json:"from" title:"From" description:"The sender of mails where the step names none." example:"VWMP <vwmp@example.com>"`
	SlackURL     string `json:"slack_webhook_url" title:"Slack webhook" description:"The webhook that notify.slack uses where the step names none." secret:"true"`
}

func notifyPlugin() *pluginsdk.Plugin {
	return &pluginsdk.Plugin{
		Name:        "notify",
		Version:     "1.0.0",
		Author:      "VWMP",
		Description: "Tells people and programs how a run went: by webhook, Slack and e-mail.",
		Adapter:     adapterConfig{},
		Handlers:    []*pluginsdk.Handler{webhookHandler(), slackHandler(), emailHandler()},
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

// sendRetry is suggested for handlers that send over a network. A message may
// be sent twice where the answer to the first was lost.
func sendRetry() *pluginsdk.Retry {
	return &pluginsdk.Retry{
		MaxAttempts: 3, InitialInterval: 2 * time.Second, Multiplier: 2, MaxInterval: 30 * time.Second, Jitter: 0.2,
	}
}

// about are the facts of a run that every message may carry.
type about struct {
	Execution string `json:"execution_id"`
	Workflow  string `json:"workflow"`
	Version   string `json:"workflow_version"`
	Step      string `json:"step_id"`
}

func aboutRun(step *pluginsdk.Step) about {
	r := step.Request()
	return about{r.ExecutionID, r.WorkflowName, r.WorkflowVersion, r.StepID}
}

// fill puts the run's facts into {workflow}, {execution}, {version} (that of
// the release, else the workflow's) and {summary}; braces with anything else
// stay as they are.
func fill(step *pluginsdk.Step, text string) string {
	run := aboutRun(step)
	version := step.Value("version", nil, []string{"new_version", "version"}, []string{"version"})
	if version == "" {
		version = run.Version
	}
	return strings.NewReplacer(
		"{workflow}", run.Workflow, "{execution}", run.Execution, "{version}", version,
		"{summary}", step.Value("summary", nil, []string{"summary"}, []string{"summary"}),
	).Replace(text)
}

func sent(target, what string) []pluginsdk.PlannedEffect {
	return []pluginsdk.PlannedEffect{{Action: "send", Target: target, Summary: fmt.Sprintf("send %s to %s", what, target), Known: true}}
}
