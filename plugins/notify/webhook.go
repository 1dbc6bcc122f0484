package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/netguard"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

type webhookConfig struct {
	URL             string             `json:"url" title:"URL" description:"Where to, with http or https; it may be a reference to a secret." required:"true" min_length:"1" max_length:"8192" secret:"true" example:"https://hooks.example.com/vwmp"`
	Message         string             `json:"message" title:"Message" description:"A text; {workflow}, {execution}, {version} and {summary} stand for those of the run." multiline:"true" example:"{workflow} is done"`
	Status          string             `json:"status" title:"Outcome" description:"The outcome that is told." enum:"success,failure,info" default:"info"`
	Data            json.RawMessage    `json:"data,omitempty" title:"Data" description:"Further data, sent under the key data." widget:"json"`
	Headers         map[string]string  `json:"headers" title:"Headers" description:"Further headers."`
	SigningSecret   string             `json:"signing_secret" title:"Signing secret" description:"Signs the body with HMAC-SHA256; a reference to a secret." secret:"true" example:"${secrets.HOOK_SECRET}"`
	SignatureHeader string             `json:"signature_header" title:"Signature header" description:"The header with the signature, as sha256=HEX." default:"X-VWMP-Signature" min_length:"1"`
	Timeout         pluginsdk.Duration `json:"timeout" title:"Timeout" description:"How long sending may take." default:"15s"`
}

type sentOutput struct {
	Sent   bool   `json:"sent" title:"Sent" description:"True: the message was taken."`
	Target string `json:"target" title:"Target" description:"Where to, without what is secret."`
	Detail string `json:"detail" title:"Detail" description:"What the other side said, briefly."`
}

type webhook struct{}

func webhookHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "notify.webhook", Name: "Call a webhook", Category: category, Icon: "webhook", Tags: []string{"http", "notify", "post"},
		Description: "Posts a message about the run as JSON, signed where a secret is given. The same Idempotency-Key goes with every attempt.",
		Effect:      pluginsdk.EffectUnsafe, Network: []string{"*"}, DefaultRetry: sendRetry(),
		Example: example(map[string]any{"url": "https://hooks.example.com/vwmp", "message": "{workflow} is done", "status": "success"}),
	}, webhook{})
}

// payload is the body of a webhook.
type payload struct {
	Message string          `json:"message"`
	Status  string          `json:"status"`
	Run     about           `json:"run"`
	SentAt  string          `json:"sent_at"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// hostOf names a target without its path, which may be secret.
func hostOf(address string) (string, error) {
	parsed, err := url.Parse(address)
	switch {
	case err != nil || parsed.Hostname() == "":
		return "", errors.New("the address can't be read, or names no host")
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return "", errors.New("the address must begin with http:// or https://")
	}
	return parsed.Scheme + "://" + parsed.Host, nil
}

// Plan says where the message goes.
func (webhook) Plan(_ context.Context, _ *pluginsdk.Step, config webhookConfig) ([]pluginsdk.PlannedEffect, error) {
	host, err := hostOf(config.URL)
	if err != nil {
		return nil, pluginsdk.Invalid("/url", err.Error())
	}
	return sent(host, "a webhook"), nil
}

// Execute posts the message.
func (webhook) Execute(ctx context.Context, step *pluginsdk.Step, config webhookConfig) (sentOutput, error) {
	body, err := json.Marshal(payload{fill(step, config.Message), config.Status, aboutRun(step), time.Now().UTC().Format(time.RFC3339), config.Data})
	if err != nil {
		return sentOutput{}, pluginsdk.Invalid("/data", fmt.Sprintf("the data is not JSON: %v", err))
	}
	headers := map[string]string{"Idempotency-Key": step.IdempotencyKey()}
	for name, value := range config.Headers {
		headers[name] = value
	}
	if config.SigningSecret != "" {
		mac := hmac.New(sha256.New, []byte(config.SigningSecret))
		mac.Write(body)
		headers[config.SignatureHeader] = "sha256=" + hex.EncodeToString(mac.Sum(nil))
	}
	return post(ctx, step, "/url", config.URL, body, headers, config.Timeout)
}

// post sends JSON and reads whether it was taken. Redirects are not followed:
// a message goes where it was meant to.
func post(ctx context.Context, step *pluginsdk.Step, pointer, address string, body []byte, headers map[string]string, timeout pluginsdk.Duration) (sentOutput, error) {
	host, err := hostOf(address)
	if err != nil {
		return sentOutput{}, pluginsdk.Invalid(pointer, err.Error())
	}
	output := sentOutput{Target: host}
	var adapter adapterConfig
	if err := step.Adapter(&adapter); err != nil {
		return output, err
	}
	ctx, cancel := context.WithTimeout(ctx, max(timeout.Std(), time.Millisecond))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return output, pluginsdk.Invalid(pointer, "the address can't be used")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "vwmp")
	for name, value := range headers {
		if name == "" || strings.ContainsAny(name+value, "\r\n\x00") {
			return output, pluginsdk.Invalid("/headers", fmt.Sprintf("%q can't be a header, or its value has a line break", name))
		}
		request.Header.Set(name, value)
	}
	client := &http.Client{
		Transport:     netguard.Guard{AllowPrivate: adapter.AllowPrivate}.Transport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	effect := pluginsdk.EffectRecord{Action: "send", Target: host}
	if err := step.Effect(effect); err != nil {
		return output, err
	}
	response, err := client.Do(request)
	if err != nil {
		return output, notSent(ctx, err)
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err := errors.Join(err, response.Body.Close()); err != nil && ctx.Err() != nil {
		return output, notSent(ctx, err)
	}
	output.Detail = brief(string(answer))
	if err := judge(response, output.Detail); err != nil {
		return output, err
	}
	output.Sent, effect.Done = true, true
	step.Log.Info("sent to "+host, "status", response.StatusCode)
	return output, step.Effect(effect)
}

func brief(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " ")
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}

func judge(response *http.Response, detail string) error {
	status := response.StatusCode
	if status >= 200 && status < 300 {
		return nil
	}
	err := fmt.Errorf("the message was not taken: status %d %s %s", status, http.StatusText(status), detail)
	if status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500 {
		wait, parseErr := strconv.Atoi(response.Header.Get("Retry-After"))
		if parseErr != nil {
			wait = 0
		}
		return pluginsdk.Retryable(err).WithCode("NOT_SENT").After(time.Duration(min(max(wait, 0), 3600)) * time.Second)
	}
	return pluginsdk.Permanent(err).WithCode("NOT_SENT").WithFault(pluginsdk.FaultDownstream)
}

// notSent is a failure to reach the other side.
func notSent(ctx context.Context, err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		// Its text has the address, which may be secret.
		err = outer.Err
	}
	switch {
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return fmt.Errorf("the message could not be sent in time: %w", context.DeadlineExceeded)
	case ctx.Err() != nil:
		return fmt.Errorf("send the message: %w", context.Cause(ctx))
	case errors.Is(err, netguard.ErrAddress):
		return pluginsdk.Permanent(err).WithCode("ADDRESS_REFUSED")
	}
	return pluginsdk.Retryable(fmt.Errorf("send the message: %w", err)).WithCode("NETWORK_ERROR")
}
