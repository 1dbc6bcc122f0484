package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

type slackConfig struct {
	WebhookURL string             `json:"webhook_url" title:"Webhook" description:"The incoming webhook's address, by a reference to a secret; empty: the one in the plugin's configuration." secret:"true" example:"${secrets.SLACK_WEBHOOK}"`
	Text       string             `json:"text" title:"Text" description:"The message, in Slack's own markup; {workflow}, {execution}, {version} and {summary} stand for those of the run, and are put in as plain text." required:"true" min_length:"1" max_length:"40000" multiline:"true" example:"*{workflow}* released {version}"`
	Status     string             `json:"status" title:"Outcome" description:"Gives the message a sign: success ✅, failure ❌, info none." enum:"success,failure,info" default:"info"`
	Channel    string             `json:"channel" title:"Channel" description:"Another channel than the webhook's own, where it allows that." example:"#releases"`
	Username   string             `json:"username" title:"Name" description:"Another name for the sender, where the webhook allows that."`
	Blocks     json.RawMessage    `json:"blocks,omitempty" title:"Blocks" description:"Slack's Block Kit blocks; the text is then what notifications show." widget:"json"`
	Timeout    pluginsdk.Duration `json:"timeout" title:"Timeout" description:"How long sending may take." default:"15s"`
}

type slack struct{}

func slackHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "notify.slack", Name: "Send to Slack", Category: category, Icon: "message-square", Tags: []string{"chat", "notify"},
		Description: "Sends a message to Slack, or to what understands Slack's incoming webhooks (Mattermost, Rocket.Chat).",
		Effect:      pluginsdk.EffectUnsafe, Network: []string{"hooks.slack.com"}, DefaultRetry: sendRetry(),
		Example: example(map[string]any{"webhook_url": "${secrets.SLACK_WEBHOOK}", "text": "*{workflow}* released {version}", "status": "success"}),
	}, slack{})
}

func (c slackConfig) address(step *pluginsdk.Step) (string, error) {
	if c.WebhookURL != "" {
		return c.WebhookURL, nil
	}
	var adapter adapterConfig
	if err := step.Adapter(&adapter); err != nil {
		return "", err
	}
	if adapter.SlackURL == "" {
		return "", pluginsdk.Invalid("/webhook_url", "name a webhook here, or in the plugin's configuration as slack_webhook_url")
	}
	return adapter.SlackURL, nil
}

// Plan says where the message goes.
func (slack) Plan(_ context.Context, step *pluginsdk.Step, config slackConfig) ([]pluginsdk.PlannedEffect, error) {
	address, err := config.address(step)
	if err != nil {
		return nil, err
	}
	host, err := hostOf(address)
	if err != nil {
		return nil, pluginsdk.Invalid("/webhook_url", err.Error())
	}
	return sent(host, "a message"), nil
}

// escapeSlack keeps a value from becoming markup, such as a mention of all.
var escapeSlack = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Execute sends the message.
func (slack) Execute(ctx context.Context, step *pluginsdk.Step, config slackConfig) (sentOutput, error) {
	address, err := config.address(step)
	if err != nil {
		return sentOutput{}, err
	}
	text := config.text(step)
	message := map[string]any{"text": map[string]string{"success": "✅ ", "failure": "❌ "}[config.Status] + text}
	for name, value := range map[string]string{"channel": config.Channel, "username": config.Username} {
		if value != "" {
			message[name] = value
		}
	}
	if len(config.Blocks) > 0 && string(config.Blocks) != "null" {
		message["blocks"] = config.Blocks
	}
	body, err := json.Marshal(message)
	if err != nil {
		return sentOutput{}, pluginsdk.Invalid("/blocks", fmt.Sprintf("the blocks are not JSON: %v", err))
	}
	return post(ctx, step, "/webhook_url", address, body, nil, config.Timeout)
}

// text puts the run's facts in, as text and not as markup.
func (c slackConfig) text(step *pluginsdk.Step) string {
	var replaced []string
	for _, name := range []string{"{workflow}", "{execution}", "{version}", "{summary}"} {
		replaced = append(replaced, name, escapeSlack.Replace(fill(step, name)))
	}
	return strings.NewReplacer(replaced...).Replace(c.Text)
}
