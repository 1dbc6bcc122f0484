// Package tracing follows a request through the execution that it starts, its
// steps and the calls of plugins, and sends what it saw to a collector by
// OTLP over HTTP.
//
// It stands around the ports of the engine: the Journal tells it of new
// executions, the Publisher of their steps, the Invoker of calls. Where
// nothing is followed, none of it is there. No value that a workflow handles
// is in an attribute: they are ids, names, counts and codes.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Options of a Tracer.
type Options struct {
	// Endpoint is the collector's base address, such as
	// http://127.0.0.1:4318; empty is what the OTEL_… variables say.
	Endpoint string
	// Sample is the part of the traces that are kept, from 0 to 1, where the
	// caller did not decide.
	Sample float64
	// Version is the program's, Instance the id of the store.
	Version, Instance string
	Logger            *slog.Logger
}

// Tracer follows what one server does. Its methods may be called from several
// goroutines at once.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	wire     propagation.TraceContext

	mu sync.Mutex
	// executions are those that have not ended, by their ids.
	executions map[string]*execution
}

// execution is one that is followed.
type execution struct {
	span  trace.Span
	steps map[string]trace.Span
}

// New sets up the way to the collector. Nothing is sent yet, so that a
// collector that is not there is no error; it is in the log later.
func New(ctx context.Context, options Options) (*Tracer, error) {
	var where []otlptracehttp.Option
	if options.Endpoint != "" {
		address, err := tracesAddress(options.Endpoint)
		if err != nil {
			return nil, err
		}
		where = append(where, otlptracehttp.WithEndpointURL(address))
	}
	exporter, err := otlptracehttp.New(ctx, where...)
	if err != nil {
		return nil, fmt.Errorf("set up traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "vwmp"), attribute.String("service.version", options.Version), attribute.String("service.instance.id", options.Instance),
	), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("set up traces: %w", err)
	}
	// The library has one place for errors in the whole process.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { options.Logger.Warn("traces could not be sent", "error", err) }))
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(exporter), sdk.WithResource(about), sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(options.Sample))),
	)
	return &Tracer{provider: provider, tracer: provider.Tracer("github.com/vwmp/vwmp"), executions: map[string]*execution{}}, nil
}

// tracesAddress is where traces go at a collector: below its base address, as
// the OTEL_EXPORTER_OTLP_ENDPOINT of others means it.
func tracesAddress(endpoint string) (string, error) {
	address, err := url.Parse(endpoint)
	if err != nil || (address.Scheme != "http" && address.Scheme != "https") || address.Host == "" || address.User != nil || address.RawQuery != "" {
		return "", fmt.Errorf("telemetry.traces.endpoint must be like http://127.0.0.1:4318, not %q", redacted(address, endpoint))
	}
	return address.JoinPath("v1", "traces").String(), nil
}

// redacted keeps a password out of an error.
func redacted(address *url.URL, text string) string {
	if address == nil {
		if at := strings.LastIndexByte(text, '@'); at >= 0 {
			return "…" + text[at:]
		}
		return text
	}
	return address.Redacted()
}

// Close ends what is still followed, and sends what was not sent yet.
func (t *Tracer) Close(ctx context.Context) error {
	t.mu.Lock()
	left := t.executions
	t.executions = map[string]*execution{}
	t.mu.Unlock()
	for _, e := range left {
		for _, step := range e.steps {
			step.SetAttributes(unfinished)
			step.End()
		}
		e.span.SetAttributes(unfinished)
		e.span.End()
	}
	if err := t.provider.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}

// unfinished marks a span whose end this server has not seen.
var unfinished = attribute.Bool("vwmp.unfinished", true)

type awaitedKey struct{}

// Awaited implements host.Tracer.
func (*Tracer) Awaited(ctx context.Context) context.Context {
	return context.WithValue(ctx, awaitedKey{}, true)
}

// Request implements host.Tracer.
func (t *Tracer) Request(ctx context.Context, method, traceParent, traceState string) (context.Context, func(pattern string, status int, requestID string)) {
	if traceParent != "" {
		ctx = t.wire.Extract(ctx, propagation.MapCarrier{"traceparent": traceParent, "tracestate": traceState})
	}
	ctx, span := t.tracer.Start(ctx, method, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String("http.request.method", method)))
	return ctx, func(pattern string, status int, requestID string) {
		if pattern != "" {
			span.SetName(method + " " + pattern)
			span.SetAttributes(attribute.String("http.route", pattern))
		}
		span.SetAttributes(attribute.Int("http.response.status_code", status), attribute.String("vwmp.request.id", requestID))
		if status >= 500 {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// context puts a span's context into the form that goes over the wire.
func (t *Tracer) onWire(span trace.Span) (traceParent, traceState string) {
	carrier := propagation.MapCarrier{}
	t.wire.Inject(trace.ContextWithSpan(context.Background(), span), carrier)
	return carrier["traceparent"], carrier["tracestate"]
}
