package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/netguard"
)

type emailConfig struct {
	To       []string           `json:"to" title:"To" description:"Who gets the mail." required:"true" min_items:"1" max_items:"100" example:"[\"ada@example.com\"]"`
	CC       []string           `json:"cc" title:"Cc" description:"Who gets a copy." max_items:"100"`
	BCC      []string           `json:"bcc" title:"Bcc" description:"Who gets a copy that the others do not see." max_items:"100"`
	From     string             `json:"from" title:"From" description:"The sender; empty: the one in the plugin's configuration." example:"VWMP <vwmp@example.com>"`
	ReplyTo  string             `json:"reply_to" title:"Reply to" description:"Where answers go." example:"team@example.com"`
	Subject  string             `json:"subject" title:"Subject" description:"The subject; {workflow}, {execution}, {version} and {summary} stand for those of the run." required:"true" min_length:"1" max_length:"500" example:"{workflow}: {version} is out"`
	Body     string             `json:"body" title:"Text" description:"The mail's text, with the same placeholders." multiline:"true" max_length:"1000000" example:"{summary}"`
	HTML     string             `json:"html" title:"HTML" description:"The mail as HTML beside the text; placeholders are not put in." multiline:"true" widget:"code" max_length:"1000000"`
	Host     string             `json:"host" title:"Mail server" description:"The mail server; empty: the one in the plugin's configuration, with its port, security and sign-in." example:"smtp.example.com"`
	Port     int                `json:"port" title:"Port" description:"The mail server's port." default:"587" minimum:"1" maximum:"65535"`
	Security string             `json:"security" title:"Security" description:"How the connection is secured: starttls, tls from the start, or none." enum:"starttls,tls,none" default:"starttls"`
	Username string             `json:"username" title:"User" description:"The user's name; empty: no sign-in."`
	Password string             `json:"password" title:"Password" description:"The password; a reference to a secret." secret:"true" example:"${secrets.SMTP_PASSWORD}"`
	Timeout  pluginsdk.Duration `json:"timeout" title:"Timeout" description:"How long sending may take." default:"60s"`
}

type emailOutput struct {
	Sent       bool   `json:"sent" title:"Sent" description:"True: the mail server took the mail."`
	Recipients int    `json:"recipients" title:"Recipients" description:"How many get it."`
	MessageID  string `json:"message_id" title:"Message id" description:"The mail's id, the same for every attempt at the step."`
}

type email struct{}

func emailHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "notify.email", Name: "Send an e-mail", Category: category, Icon: "mail", Tags: []string{"email", "smtp", "message"},
		Description: "Sends an e-mail by a mail server. Every attempt at the step sends the same Message-ID.",
		Effect:      pluginsdk.EffectUnsafe, Network: []string{"*"}, DefaultRetry: sendRetry(),
		Example: example(map[string]any{"to": []string{"ada@example.com"}, "subject": "{workflow}: {version} is out", "body": "{summary}"}),
	}, email{})
}

// server is a mail server and how to talk to it.
type server struct {
	host, security, username, password string
	port                               int
	guard                              netguard.Guard
}

func (c emailConfig) server(adapter adapterConfig) (server, error) {
	if c.Host != "" {
		if strings.ContainsAny(c.Host, " /\r\n:@") {
			return server{}, pluginsdk.Invalid("/host", fmt.Sprintf("%q is not a host's name", c.Host))
		}
		return server{c.Host, c.Security, c.Username, c.Password, c.Port, netguard.Guard{AllowPrivate: adapter.AllowPrivate}}, nil
	}
	if adapter.SMTPHost == "" {
		return server{}, pluginsdk.Invalid("/host", "name a mail server here, or in the plugin's configuration as smtp_host")
	}
	// The operator's own mail server may be anywhere.
	return server{adapter.SMTPHost, adapter.SMTPSecurity, adapter.SMTPUsername, adapter.SMTPPassword, adapter.SMTPPort, netguard.Guard{AllowPrivate: true}}, nil
}

// letter is a mail that is ready to be sent.
type letter struct {
	from string
	to   []string
	id   string
	data []byte
}

// addresses reads a list of addresses.
func addresses(pointer string, list []string) ([]*mail.Address, error) {
	var read []*mail.Address
	for i, text := range list {
		address, err := mail.ParseAddress(text)
		if err != nil || strings.ContainsAny(text, "\r\n") {
			return nil, pluginsdk.Invalid(fmt.Sprintf("%s/%d", pointer, i), fmt.Sprintf("%q is not an e-mail address", text))
		}
		read = append(read, address)
	}
	return read, nil
}

func joined(list []*mail.Address) string {
	texts := make([]string, 0, len(list))
	for _, address := range list {
		texts = append(texts, address.String())
	}
	return strings.Join(texts, ", ")
}

// letter writes the mail.
func (c emailConfig) letter(step *pluginsdk.Step, adapter adapterConfig) (letter, error) {
	var l letter
	from := c.From
	if from == "" {
		from = adapter.From
	}
	sender, err := mail.ParseAddress(from)
	if err != nil || strings.ContainsAny(from, "\r\n") {
		return l, pluginsdk.Invalid("/from", fmt.Sprintf("%q is not an e-mail address; name the sender here, or in the plugin's configuration as from", from))
	}
	l.from = sender.Address
	lists := map[string][]*mail.Address{}
	for name, list := range map[string][]string{"to": c.To, "cc": c.CC, "bcc": c.BCC} {
		if lists[name], err = addresses("/"+name, list); err != nil {
			return l, err
		}
		for _, address := range lists[name] {
			l.to = append(l.to, address.Address)
		}
	}
	digest := sha256.Sum256([]byte(step.IdempotencyKey()))
	l.id = hex.EncodeToString(digest[:12]) + "@" + sender.Address[strings.LastIndexByte(sender.Address, '@')+1:]
	header := [][2]string{
		{"From", sender.String()}, {"To", joined(lists["to"])}, {"Cc", joined(lists["cc"])},
		{"Subject", mime.QEncoding.Encode("utf-8", strings.Join(strings.Fields(fill(step, c.Subject)), " "))},
		{"Date", time.Now().Format(time.RFC1123Z)}, {"Message-ID", "<" + l.id + ">"},
		{"Auto-Submitted", "auto-generated"}, {"MIME-Version", "1.0"},
	}
	if c.ReplyTo != "" {
		reply, err := addresses("/reply_to", []string{c.ReplyTo})
		if err != nil {
			return l, err
		}
		header = append(header, [2]string{"Reply-To", joined(reply)})
	}
	var out bytes.Buffer
	for _, field := range header {
		if field[1] != "" {
			fmt.Fprintf(&out, "%s: %s\r\n", field[0], field[1])
		}
	}
	err = writeParts(&out, fill(step, c.Body), c.HTML)
	l.data = out.Bytes()
	return l, err
}

// writeParts writes a text, and HTML beside it where there is any.
func writeParts(out *bytes.Buffer, text, html string) error {
	write := func(target io.Writer, content string) error {
		encoder := quotedprintable.NewWriter(target)
		_, err := io.WriteString(encoder, content)
		return errors.Join(err, encoder.Close())
	}
	if html == "" {
		out.WriteString("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
		return write(out, text)
	}
	parts := multipart.NewWriter(out)
	fmt.Fprintf(out, "Content-Type: multipart/alternative; boundary=%s\r\n\r\n", parts.Boundary())
	for _, part := range [][2]string{{"text/plain", text}, {"text/html", html}} {
		target, err := parts.CreatePart(textproto.MIMEHeader{
			"Content-Type": {part[0] + "; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"},
		})
		if err == nil {
			err = write(target, part[1])
		}
		if err != nil {
			return err
		}
	}
	return parts.Close()
}

// Plan says who gets a mail.
func (email) Plan(_ context.Context, step *pluginsdk.Step, config emailConfig) ([]pluginsdk.PlannedEffect, error) {
	var adapter adapterConfig
	if err := step.Adapter(&adapter); err != nil {
		return nil, err
	}
	l, err := config.letter(step, adapter)
	if err != nil {
		return nil, err
	}
	if _, err := config.server(adapter); err != nil {
		return nil, err
	}
	return sent(strings.Join(l.to, ", "), fmt.Sprintf("the mail %q", fill(step, config.Subject))), nil
}

// Execute sends the mail.
func (email) Execute(ctx context.Context, step *pluginsdk.Step, config emailConfig) (emailOutput, error) {
	var output emailOutput
	var adapter adapterConfig
	if err := step.Adapter(&adapter); err != nil {
		return output, err
	}
	l, err := config.letter(step, adapter)
	if err != nil {
		return output, err
	}
	target, err := config.server(adapter)
	if err != nil {
		return output, err
	}
	ctx, cancel := context.WithTimeout(ctx, max(config.Timeout.Std(), time.Millisecond))
	defer cancel()
	effect := pluginsdk.EffectRecord{Action: "send", Target: strings.Join(l.to, ", "), ExternalID: l.id}
	if err := step.Effect(effect); err != nil {
		return output, err
	}
	if err := target.send(ctx, l); err != nil {
		return output, mailFailed(ctx, err)
	}
	output.Sent, output.Recipients, output.MessageID = true, len(l.to), l.id
	effect.Done = true
	step.Log.Info("sent the mail", "recipients", len(l.to), "message_id", l.id)
	return output, step.Effect(effect)
}

func mailFailed(ctx context.Context, err error) error {
	var answer *textproto.Error
	if ctx.Err() == nil && errors.As(err, &answer) && answer.Code >= 500 {
		return pluginsdk.Permanent(fmt.Errorf("the mail server refused: %w", err)).WithCode("NOT_SENT").WithFault(pluginsdk.FaultDownstream)
	}
	if ctx.Err() == nil && errors.Is(err, errInsecure) {
		return pluginsdk.Permanent(err).WithCode("NOT_SENT").WithFault(pluginsdk.FaultDownstream)
	}
	return notSent(ctx, err)
}

var errInsecure = errors.New("the mail server offers no STARTTLS, so nothing is sent; set security to none only where nobody can listen")

// send talks to the mail server; the end of ctx ends the talk.
func (s server) send(ctx context.Context, l letter) (err error) {
	connection, err := s.guard.Dialer().DialContext(ctx, "tcp", net.JoinHostPort(s.host, strconv.Itoa(s.port)))
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = connection.Close() })
	defer stop()
	defer func() { _ = connection.Close() }()
	settings := &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	if s.security == "tls" {
		connection = tls.Client(connection, settings)
	}
	client, err := smtp.NewClient(connection, s.host)
	if err != nil {
		return err
	}
	if s.security == "starttls" {
		if offered, _ := client.Extension("STARTTLS"); !offered {
			return errInsecure
		}
		if err := client.StartTLS(settings); err != nil {
			return err
		}
	}
	if s.username != "" {
		if err := client.Auth(smtp.PlainAuth("", s.username, s.password, s.host)); err != nil {
			return err
		}
	}
	if err := client.Mail(l.from); err != nil {
		return err
	}
	for _, recipient := range l.to {
		if err := client.Rcpt(recipient); err != nil {
			return fmt.Errorf("%s: %w", recipient, err)
		}
	}
	writer, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := writer.Write(l.data); err != nil {
		return errors.Join(err, writer.Close())
	}
	if err := writer.Close(); err != nil {
		return err
	}
	// The mail is taken; how the talk ends changes nothing.
	_ = client.Quit()
	return nil
}
