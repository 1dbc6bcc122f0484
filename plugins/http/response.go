package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/netguard"
)

const (
	// maxText bounds an answer that becomes a part of the output, in bytes.
	maxText = 4 << 20
	// maxQuoted bounds what is quoted of an answer in an error, in bytes.
	maxQuoted = 500
)

// client is made for one request: its redirects are counted and its
// connections closed.
func (c requestConfig) client(step *pluginsdk.Step, redirects *int) (*http.Client, error) {
	var adapter adapterConfig
	if err := step.Adapter(&adapter); err != nil {
		return nil, err
	}
	transport := netguard.Guard{AllowPrivate: adapter.AllowPrivate}.Transport()
	settings, err := c.TLS.settings(step)
	if err != nil {
		return nil, err
	}
	transport.TLSClientConfig = settings
	return &http.Client{Transport: transport, CheckRedirect: c.checkRedirect(redirects)}, nil
}

func (c tlsConfig) settings(step *pluginsdk.Step) (*tls.Config, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName, InsecureSkipVerify: c.SkipVerify} //nolint:gosec // Off unless the step says so.
	if c.SkipVerify {
		step.Log.Warn("the server's certificate is not checked")
	}
	if c.CAFile != "" {
		data, err := readFile(step, "/tls/ca_file", c.CAFile)
		if err != nil {
			return nil, err
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(data) {
			return nil, pluginsdk.Invalid("/tls/ca_file", fmt.Sprintf("%s has no certificate (PEM)", c.CAFile))
		}
		settings.RootCAs = pool
	}
	if c.ClientCertFile != "" {
		data, err := readFile(step, "/tls/client_cert_file", c.ClientCertFile)
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(data, []byte(c.ClientKey))
		if err != nil {
			return nil, pluginsdk.Invalid("/tls/client_cert_file", fmt.Sprintf("certificate and key can't be used: %v", err))
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	return settings, nil
}

var errTooManyRedirects = errors.New("too many redirects")

// harmless are the headers that another host may see.
var harmless = []string{"Accept", "Accept-Language", "Content-Type", "User-Agent"}

// checkRedirect follows a bounded number of redirects, to http and https only.
// Once one leads to another host, what was meant for the first is left out.
func (c requestConfig) checkRedirect(count *int) func(*http.Request, []*http.Request) error {
	return func(request *http.Request, via []*http.Request) error {
		if c.MaxRedirects == 0 {
			return http.ErrUseLastResponse
		}
		if len(via) > c.MaxRedirects {
			return fmt.Errorf("%w: more than %d", errTooManyRedirects, c.MaxRedirects)
		}
		if request.URL.Scheme != "http" && request.URL.Scheme != "https" {
			return fmt.Errorf("the redirect leads to %s:, which is not followed", request.URL.Scheme)
		}
		*count = len(via)
		request.URL.User = nil
		request.Header.Del("Referer")
		first := via[0].URL
		left := func(other *http.Request) bool {
			return other.URL.Host != first.Host || other.URL.Scheme != first.Scheme
		}
		if !left(request) && !slices.ContainsFunc(via, left) {
			return nil
		}
		if request.Body != nil && request.Body != http.NoBody {
			return errors.New("the redirect sends the body on to another host, which is not followed")
		}
		for name := range request.Header {
			if !slices.Contains(harmless, name) {
				request.Header.Del(name)
			}
		}
		return nil
	}
}

// failed tells a failure to get an answer: addresses, certificates and what the
// other side does wrong are for good, the rest may pass.
func failed(ctx context.Context, err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		// Its text has the address with the query.
		err = outer.Err
	}
	if ctx.Err() != nil {
		if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			return fmt.Errorf("the answer did not come in time: %w", context.DeadlineExceeded)
		}
		return fmt.Errorf("send the request: %w", context.Cause(ctx))
	}
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, netguard.ErrAddress):
		return pluginsdk.Permanent(err).WithCode("ADDRESS_REFUSED")
	case errors.As(err, &certificate), errors.As(err, &record):
		return pluginsdk.Permanent(fmt.Errorf("the server can't be trusted: %w", err)).WithCode("TLS_FAILED").WithFault(pluginsdk.FaultDownstream)
	case errors.Is(err, errTooManyRedirects), strings.Contains(err.Error(), "not followed"),
		strings.Contains(err.Error(), "malformed HTTP"), strings.Contains(err.Error(), "server response headers exceeded"):
		return pluginsdk.Permanent(err).WithCode("BAD_ANSWER").WithFault(pluginsdk.FaultDownstream)
	}
	return pluginsdk.Retryable(fmt.Errorf("send the request: %w", err)).WithCode("NETWORK_ERROR")
}

// judge fails the step for a status that is no success.
func (c requestConfig) judge(response *http.Response) error {
	status := response.StatusCode
	isSuccess := status >= 200 && status < 300 || (c.MaxRedirects == 0 && status >= 300 && status < 400) || status == http.StatusNotModified
	if len(c.SuccessStatuses) > 0 {
		isSuccess = slices.Contains(c.SuccessStatuses, status)
	}
	if isSuccess {
		return nil
	}
	quoted, err := io.ReadAll(io.LimitReader(response.Body, maxQuoted))
	if err != nil {
		quoted = nil
	}
	message := fmt.Sprintf("the server answered with status %d %s", status, http.StatusText(status))
	if text := strings.TrimSpace(strings.ToValidUTF8(string(quoted), "\uFFFD")); text != "" {
		message += ": " + text
	}
	if slices.Contains(c.RetryStatuses, status) {
		return pluginsdk.Retryable(errors.New(message)).WithCode("HTTP_STATUS").After(retryAfter(response.Header.Get("Retry-After")))
	}
	return pluginsdk.Permanent(errors.New(message)).WithCode("HTTP_STATUS").WithFault(pluginsdk.FaultDownstream)
}

// retryAfter reads seconds or a date, and waits an hour at most.
func retryAfter(text string) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.Atoi(text); err == nil {
		wait = time.Duration(min(seconds, 3600)) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = time.Until(at)
	}
	return min(max(wait, 0), time.Hour)
}

// read takes the answer in, within its bounds.
func (c requestConfig) read(ctx context.Context, step *pluginsdk.Step, response *http.Response, output *requestOutput) error {
	digest := sha256.New()
	limit := c.MaxResponse
	if c.Response != "file" {
		limit = min(limit, maxText)
	}
	source := io.TeeReader(&bounded{reader: response.Body, left: limit, limit: limit}, digest)
	if c.Response == "file" {
		size, err := writeStream(step, c.ResponseFile, source)
		if err != nil {
			return readFailed(ctx, err)
		}
		output.File, output.Size, output.SHA256 = c.ResponseFile, size, hex.EncodeToString(digest.Sum(nil))
		return step.Artifact(pluginsdk.Artifact{Path: c.ResponseFile, Size: size, SHA256: output.SHA256, MediaType: mediaType(response)})
	}
	data, err := io.ReadAll(source)
	if err != nil {
		return readFailed(ctx, err)
	}
	output.Size, output.SHA256 = int64(len(data)), hex.EncodeToString(digest.Sum(nil))
	kind := mediaType(response)
	isJSON := kind == "application/json" || strings.HasSuffix(kind, "+json")
	if c.Response != "json" && (c.Response != "auto" || !isJSON || len(data) == 0) {
		output.Text = strings.ToValidUTF8(string(data), "\uFFFD")
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&output.JSON); err != nil {
		return pluginsdk.Permanent(fmt.Errorf("the answer is not JSON: %w", err)).WithCode("BAD_ANSWER").WithFault(pluginsdk.FaultDownstream)
	}
	return nil
}

func mediaType(response *http.Response) string {
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

var errTooLarge = errors.New("the answer is too large")

// bounded fails, rather than ends, where there is more than the limit.
type bounded struct {
	reader      io.Reader
	left, limit int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.reader.Read(p[:min(int64(len(p)), b.left+1)])
	if int64(n) > b.left {
		return 0, fmt.Errorf("%w: it has more than %d bytes", errTooLarge, b.limit)
	}
	b.left -= int64(n)
	return n, err
}

func readFailed(ctx context.Context, err error) error {
	var pathError *os.PathError
	switch {
	case errors.Is(err, errTooLarge):
		return pluginsdk.Permanent(err).WithCode("ANSWER_TOO_LARGE").WithFault(pluginsdk.FaultDownstream)
	case errors.As(err, &pathError):
		return pluginsdk.Permanent(err).WithFault(pluginsdk.FaultHost)
	}
	return failed(ctx, fmt.Errorf("read the answer: %w", err))
}

// writeStream writes a file of the workspace in one piece, without holding it
// in memory.
func writeStream(step *pluginsdk.Step, name string, source io.Reader) (size int64, err error) {
	root, err := step.Workspace.Root()
	if err != nil {
		return 0, err
	}
	name = path.Clean(name)
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return 0, err
	}
	if info, err := root.Stat(name); err == nil && !info.Mode().IsRegular() {
		return 0, pluginsdk.Invalid("/response_file", fmt.Sprintf("%q is not a file", name))
	}
	temporary := path.Join(path.Dir(name), "."+path.Base(name)+"."+rand.Text()[:10]+".tmp")
	file, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_ = root.Remove(temporary)
		}
	}()
	size, copyErr := io.Copy(file, source)
	if err := errors.Join(copyErr, file.Sync(), file.Close()); err != nil {
		return 0, err
	}
	return size, root.Rename(temporary, name)
}
