package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/vwmp/vwmp/host/tracing"
)

// telemetryConfig says where to send what is seen of executions.
type telemetryConfig struct {
	Traces tracesConfig `json:"traces" yaml:"traces" doc:"spans of requests, executions, steps and calls of plugins, by OTLP over HTTP"`
}

// tracesConfig is off where it names no endpoint.
type tracesConfig struct {
	Endpoint string  `json:"endpoint" yaml:"endpoint" doc:"the collector's base address, such as http://127.0.0.1:4318"`
	Sample   float64 `json:"sample" yaml:"sample" doc:"the part of the traces that is kept, from 0 to 1, where the caller did not decide" default:"1"`
	// byEnvironment: the OTEL_… variables name the endpoint.
	byEnvironment bool
}

// readEnv takes over what the variables of OpenTelemetry say, and reports
// whether they do. The exporter reads the others, such as its headers, itself.
func (c *tracesConfig) readEnv(getenv func(string) string) bool {
	endpoint := getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") + getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") || getenv("OTEL_TRACES_EXPORTER") == "none" {
		c.Endpoint, c.byEnvironment = "", false
		return true
	}
	c.byEnvironment = endpoint != ""
	return c.byEnvironment
}

func (c *tracesConfig) check() error {
	if c.Sample < 0 || c.Sample > 1 {
		return usageError("telemetry.traces.sample must be from 0 to 1, not %v", c.Sample)
	}
	protocol := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
	if protocol == "" {
		protocol = os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")
	}
	if c.on() && protocol != "" && protocol != "http/protobuf" {
		return usageError("OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, not %q: traces are sent by nothing else", protocol)
	}
	return nil
}

func (c *tracesConfig) on() bool { return c.byEnvironment || c.Endpoint != "" }

// String is what print-config shows.
func (c *tracesConfig) String() string {
	switch {
	case !c.on():
		return "off"
	case c.byEnvironment:
		return fmt.Sprintf("traces to where OTEL_… says, sample %v", c.Sample)
	}
	return fmt.Sprintf("traces to %s, sample %v", c.Endpoint, c.Sample)
}

// tracer is nil where nothing is followed.
func (s *settings) tracer(ctx context.Context, instance string, logger *slog.Logger) (*tracing.Tracer, error) {
	traces := &s.Telemetry.Traces
	if !traces.on() {
		return nil, nil //nolint:nilnil // Off is no error.
	}
	endpoint := traces.Endpoint
	if traces.byEnvironment {
		endpoint = ""
	}
	return tracing.New(ctx, tracing.Options{
		Endpoint: endpoint, Sample: traces.Sample, Version: currentVersion().Version, Instance: instance, Logger: logger,
	})
}

// traceFarewell bounds the sending of the last traces.
const traceFarewell = 3 * time.Second

// closeTracer sends what was not sent. A collector that is not there must not
// make a stop a failure.
func (v *server) closeTracer(ctx context.Context) {
	if v.tracer == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, traceFarewell)
	defer cancel()
	if err := v.tracer.Close(ctx); err != nil {
		v.log.Warn("the last traces were not sent", "error", err)
	}
}
