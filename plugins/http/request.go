package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

type authConfig struct {
	Type     string `json:"type" title:"Type" description:"How to sign in." enum:"none,basic,bearer" default:"none"`
	Username string `json:"username" title:"User" description:"The user's name, for basic."`
	Password string `json:"password" title:"Password" description:"The password, for basic; a reference to a secret." secret:"true" example:"${secrets.API_PASSWORD}"`
	Token    string `json:"token" title:"Token" description:"The token, for bearer; a reference to a secret." secret:"true" example:"${secrets.API_TOKEN}"`
}

type tlsConfig struct {
	CAFile         string `json:"ca_file" title:"Authorities" description:"A file of the workspace with the certificates (PEM) of further authorities to trust." example:"certs/ca.pem"`
	ClientCertFile string `json:"client_cert_file" title:"Client certificate" description:"A file of the workspace with a certificate (PEM) to sign in with."`
	ClientKey      string `json:"client_key" title:"Client key" description:"The certificate's key (PEM); a reference to a secret." secret:"true"`
	ServerName     string `json:"server_name" title:"Server name" description:"The name that the server's certificate must have, where it is another than the address's."`
	SkipVerify     bool   `json:"skip_verify" title:"Skip certificate check" description:"Talk to whoever answers. Only for trials."`
}

type requestConfig struct {
	Method          string             `json:"method" title:"Method" description:"What to do." enum:"GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS" default:"GET"`
	URL             string             `json:"url" title:"URL" description:"Where to, with http or https. Credentials belong under Authentication." required:"true" min_length:"1" max_length:"8192" example:"https://api.example.com/v1/releases"`
	Query           map[string]string  `json:"query" title:"Query" description:"Query parameters, added to those of the address." example:"{\"page\": \"1\"}"`
	Headers         map[string]string  `json:"headers" title:"Headers" description:"Headers of the request." example:"{\"Accept\": \"application/json\"}"`
	JSON            json.RawMessage    `json:"json,omitempty" title:"JSON body" description:"A body to be sent as JSON." widget:"json"`
	Form            map[string]string  `json:"form" title:"Form body" description:"A body to be sent as a form."`
	Text            string             `json:"text" title:"Text body" description:"A body to be sent as it is." multiline:"true"`
	File            string             `json:"file" title:"File body" description:"A file of the workspace to be sent as the body." example:"dist/app.tar.gz"`
	ContentType     string             `json:"content_type" title:"Content type" description:"The body's type; empty: what follows from its kind." example:"text/plain"`
	Auth            authConfig         `json:"auth" title:"Authentication" description:"How to sign in. What is sent here is left out once a redirect leads to another host."`
	TLS             tlsConfig          `json:"tls" title:"TLS" description:"How to check the server, and to be checked by it."`
	Timeout         pluginsdk.Duration `json:"timeout" title:"Timeout" description:"How long request and answer may take together." default:"30s" example:"30s"`
	MaxRedirects    int                `json:"max_redirects" title:"Redirects" description:"How many redirects are followed; with 0 the redirect itself is the answer." default:"10" minimum:"0" maximum:"20"`
	SuccessStatuses []int              `json:"success_statuses" title:"Success statuses" description:"Statuses that count as success; empty: 200 to 299, and redirects that are not followed." max_items:"100" example:"[200, 404]"`
	RetryStatuses   []int              `json:"retry_statuses" title:"Retried statuses" description:"Statuses after which another attempt makes sense." default:"[408, 425, 429, 500, 502, 503, 504]" max_items:"100"`
	Response        string             `json:"response" title:"Answer" description:"How to read the answer: auto reads JSON where its type says so, else text." enum:"auto,json,text,file" default:"auto"`
	ResponseFile    string             `json:"response_file" title:"Response file" description:"Where in the workspace the answer is written, for the kind file." example:"downloads/data.csv"`
	MaxResponse     int64              `json:"max_response" title:"Maximum response size" description:"How much is read, in bytes, after decompression; JSON and text are bounded at 4 MiB in any case." default:"4194304" minimum:"1" maximum:"1073741824"`
	IdempotencyKey  string             `json:"idempotency_header" title:"Idempotency header" description:"Header in which every attempt at the step sends the same key, with POST and PATCH, so that a server can tell a repetition; empty: none." default:"Idempotency-Key"`
}

type requestOutput struct {
	Status    int               `json:"status" title:"Status" description:"The answer's status."`
	Headers   map[string]string `json:"headers" title:"Headers" description:"The answer's headers, in lower case; several of one name are joined with commas."`
	JSON      any               `json:"json" title:"JSON" description:"The answer as JSON, else null."`
	Text      string            `json:"text" title:"Text" description:"The answer as text, else empty."`
	File      string            `json:"file" title:"File" description:"The file that the answer was written to, else empty."`
	Size      int64             `json:"size" title:"Size" description:"The answer's size in bytes, after decompression."`
	SHA256    string            `json:"sha256" title:"SHA-256" description:"The answer's checksum in hex."`
	URL       string            `json:"url" title:"URL" description:"Where the answer came from, after redirects; without the query."`
	Redirects int               `json:"redirects" title:"Redirects" description:"How many redirects were followed."`
	Duration  float64           `json:"duration" title:"Duration" description:"How long it took, in seconds."`
}

type requester struct{}

// ValidateConfig says what the schema can't.
func (requester) ValidateConfig(_ context.Context, config requestConfig) []pluginsdk.Problem {
	var problems []pluginsdk.Problem
	add := func(pointer, code, message string) {
		problems = append(problems, pluginsdk.Problem{Severity: pluginsdk.SeverityError, Pointer: pointer, Code: code, Message: message})
	}
	if err := checkURL(config.URL); err != nil {
		add("/url", "bad_url", err.Error())
	}
	bodies := 0
	for _, is := range []bool{len(config.JSON) > 0 && string(config.JSON) != "null", len(config.Form) > 0, config.Text != "", config.File != ""} {
		if is {
			bodies++
		}
	}
	switch {
	case bodies > 1:
		add("", "several_bodies", "A request has one body: json, form, text or file.")
	case bodies == 1 && (config.Method == http.MethodGet || config.Method == http.MethodHead):
		add("/method", "body_not_allowed", fmt.Sprintf("A %s request has no body.", config.Method))
	}
	switch {
	case config.Response == "file" && config.ResponseFile == "":
		add("/response_file", "missing", "Name the file that the answer is written to.")
	case config.Response != "file" && config.ResponseFile != "":
		add("/response", "file_without_kind", "The answer is written to a file only with the kind file.")
	}
	if config.Auth.Type == "bearer" && config.Auth.Token == "" {
		add("/auth/token", "missing", "Sign-in by bearer needs a token.")
	}
	if config.Auth.Type == "basic" && config.Auth.Username == "" {
		add("/auth/username", "missing", "Sign-in by basic needs a user.")
	}
	if (config.TLS.ClientCertFile == "") != (config.TLS.ClientKey == "") {
		add("/tls", "half_a_certificate", "A client certificate needs its key, and a key its certificate.")
	}
	for name, value := range config.Headers {
		if !isHeaderName(name) || strings.ContainsAny(value, "\r\n\x00") {
			add("/headers", "bad_header", fmt.Sprintf("%q can't be a header, or its value has a line break.", name))
		}
	}
	return problems
}

func checkURL(text string) error {
	if strings.HasPrefix(text, "${") {
		// A reference is judged once it is resolved.
		return nil
	}
	address, err := url.Parse(text)
	switch {
	case err != nil:
		return fmt.Errorf("the address can't be read: %w", err.(*url.Error).Err) //nolint:errorlint // url.Parse returns nothing else, and its text would repeat the address.
	case address.Scheme != "http" && address.Scheme != "https":
		return fmt.Errorf("the address must begin with http:// or https://")
	case address.Hostname() == "":
		return fmt.Errorf("the address names no host")
	case address.User != nil:
		return fmt.Errorf("the address has credentials in it; put them into auth")
	}
	return nil
}

func isHeaderName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("()<>@,;:\\\"/[]?={}", r)
	})
}

// Plan says what is sent.
func (requester) Plan(_ context.Context, _ *pluginsdk.Step, config requestConfig) ([]pluginsdk.PlannedEffect, error) {
	if problems := (requester{}).ValidateConfig(context.Background(), config); len(problems) > 0 {
		return nil, pluginsdk.Invalid(problems[0].Pointer, problems[0].Message)
	}
	var effects []pluginsdk.PlannedEffect
	target := config.Method + " " + withoutQuery(config.URL)
	if !isSafe(config.Method) {
		effects = append(effects, pluginsdk.PlannedEffect{Action: "send", Target: target, Summary: "send the request " + target, Known: true})
	}
	if config.Response == "file" {
		effects = append(effects, pluginsdk.PlannedEffect{Action: "update", Target: config.ResponseFile, Summary: "write the answer of " + target, Known: false})
	}
	return effects, nil
}

func isSafe(method string) bool {
	return slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, method)
}

func withoutQuery(address string) string {
	before, _, _ := strings.Cut(address, "?")
	return before
}

// body is what a request sends, and how to send it again.
type body struct {
	open        func() (io.ReadCloser, error)
	size        int64
	contentType string
}

func (c requestConfig) body(step *pluginsdk.Step) (*body, error) {
	var data []byte
	b := &body{}
	switch {
	case len(c.JSON) > 0 && string(c.JSON) != "null":
		data, b.contentType = c.JSON, "application/json"
	case len(c.Form) > 0:
		values := url.Values{}
		for name, value := range c.Form {
			values.Set(name, value)
		}
		data, b.contentType = []byte(values.Encode()), "application/x-www-form-urlencoded"
	case c.Text != "":
		data, b.contentType = []byte(c.Text), "text/plain; charset=utf-8"
	case c.File != "":
		if err := fileedit.CheckPath("/file", c.File); err != nil {
			return nil, err
		}
		info, err := step.Workspace.Stat(c.File)
		if err != nil || !info.Mode().IsRegular() {
			return nil, pluginsdk.Invalid("/file", fmt.Sprintf("the file %q can't be sent: it is not there, or not a file of the workspace", c.File))
		}
		b.contentType, b.size = "application/octet-stream", info.Size()
		b.open = func() (io.ReadCloser, error) { return step.Workspace.Open(c.File) }
	default:
		return nil, nil
	}
	if b.open == nil {
		b.size = int64(len(data))
		b.open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	}
	if c.ContentType != "" {
		b.contentType = c.ContentType
	}
	return b, nil
}

// request makes the request of a config.
func (c requestConfig) request(ctx context.Context, step *pluginsdk.Step) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, c.Method, c.URL, nil)
	if err != nil {
		return nil, pluginsdk.Invalid("/url", "the address can't be used")
	}
	if len(c.Query) > 0 {
		query := request.URL.Query()
		for name, value := range c.Query {
			query.Set(name, value)
		}
		request.URL.RawQuery = query.Encode()
	}
	request.Header.Set("User-Agent", "vwmp")
	b, err := c.body(step)
	if err != nil {
		return nil, err
	}
	if b != nil {
		if request.Body, err = b.open(); err != nil {
			return nil, fmt.Errorf("open the body: %w", err)
		}
		request.GetBody, request.ContentLength = b.open, b.size
		request.Header.Set("Content-Type", b.contentType)
	}
	if c.IdempotencyKey != "" && (c.Method == http.MethodPost || c.Method == http.MethodPatch) {
		request.Header.Set(c.IdempotencyKey, step.IdempotencyKey())
	}
	for name, value := range c.Headers {
		if strings.EqualFold(name, "Host") {
			request.Host = value
			continue
		}
		request.Header.Set(name, value)
	}
	switch c.Auth.Type {
	case "basic":
		request.SetBasicAuth(c.Auth.Username, c.Auth.Password)
	case "bearer":
		request.Header.Set("Authorization", "Bearer "+c.Auth.Token)
	}
	return request, nil
}

// Execute sends the request and reads the answer.
func (requester) Execute(ctx context.Context, step *pluginsdk.Step, config requestConfig) (requestOutput, error) {
	var output requestOutput
	if problems := (requester{}).ValidateConfig(ctx, config); len(problems) > 0 {
		return output, pluginsdk.Invalid(problems[0].Pointer, problems[0].Message)
	}
	if config.ResponseFile != "" {
		if err := fileedit.CheckPath("/response_file", config.ResponseFile); err != nil {
			return output, err
		}
		if err := step.Workspace.CheckLinks(config.ResponseFile); err != nil {
			return output, pluginsdk.Invalid("/response_file", err.Error())
		}
	}
	timeout := config.Timeout.Std()
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	client, err := config.client(step, &output.Redirects)
	if err != nil {
		return output, err
	}
	request, err := config.request(ctx, step)
	if err != nil {
		return output, err
	}
	started := time.Now()
	step.Log.Info(config.Method + " " + withoutQuery(request.URL.String()))
	response, err := client.Do(request)
	if err != nil {
		return output, failed(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	output.Status, output.Headers = response.StatusCode, headersOf(response.Header)
	output.URL = withoutQuery(response.Request.URL.String())
	if err := config.judge(response); err != nil {
		return output, err
	}
	err = config.read(ctx, step, response, &output)
	output.Duration = time.Since(started).Seconds()
	step.Log.Info(fmt.Sprintf("status %d", output.Status), "bytes", output.Size, "redirects", output.Redirects)
	return output, err
}

// headersOf bounds what an output keeps of the headers by what the transport
// reads of them.
func headersOf(header http.Header) map[string]string {
	headers := map[string]string{}
	for name, values := range header {
		headers[strings.ToLower(name)] = strings.ToValidUTF8(strings.Join(values, ", "), "\uFFFD")
	}
	// It is a session's, and of no use to a later step.
	delete(headers, "set-cookie")
	return headers
}

// readFile reads a small file of the workspace, such as a certificate.
func readFile(step *pluginsdk.Step, pointer, name string) ([]byte, error) {
	data, isThere, err := fileedit.ReadFile(step, pointer, name)
	if err == nil && !isThere {
		err = pluginsdk.Invalid(pointer, fmt.Sprintf("the file %q is not there: %v", name, os.ErrNotExist))
	}
	return data, err
}
