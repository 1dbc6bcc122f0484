package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/vwmp/vwmp/host"
)

// limitsConfig bounds what callers may take up. 0 is without bound for executions,
// requests and connections, and the default for all else.
type limitsConfig struct {
	Executions            int `json:"executions" yaml:"executions" doc:"executions that may run and wait at once; one more start is answered with 503" default:"100000"`
	RequestsPerCaller     int `json:"requests_per_caller" yaml:"requests_per_caller" doc:"requests a second of each account, over 10 seconds; more are answered with 429" default:"0"`
	RequestsPerAddress    int `json:"requests_per_address" yaml:"requests_per_address" doc:"the same for each address of those who are not signed in" default:"0"`
	Connections           int `json:"connections" yaml:"connections" doc:"open connections, sockets included, but never more than three quarters of the files that the process may open; more are answered with 503" default:"10000"`
	ConnectionsPerAddress int `json:"connections_per_address" yaml:"connections_per_address" doc:"open connections of each address; keep it off behind a proxy" default:"0"`
	SocketsPerCaller      int `json:"sockets_per_caller" yaml:"sockets_per_caller" doc:"open sockets and event streams of each account; more are answered with 503" default:"50"`

	Body         byteSize `json:"body" yaml:"body" doc:"bytes of a request's body; more are answered with 413" default:"1MiB"`
	DocumentBody byteSize `json:"document_body" yaml:"document_body" doc:"bytes of a workflow document, as JSON" default:"2MiB"`
	Header       byteSize `json:"header" yaml:"header" doc:"bytes of a request's header; more are answered with 431" default:"16KiB"`
	HeaderLines  int      `json:"header_lines" yaml:"header_lines" doc:"lines of a request's header; more are answered with 431" default:"100"`
	Address      byteSize `json:"address" yaml:"address" doc:"bytes of a request's path and query; more are answered with 414" default:"8KiB"`

	ReadTimeout  timeSpan `json:"read_timeout" yaml:"read_timeout" doc:"for a whole request to arrive, from its first byte; then the connection is closed" default:"10s"`
	WriteTimeout timeSpan `json:"write_timeout" yaml:"write_timeout" doc:"for an answer to be taken" default:"30s"`
	IdleTimeout  timeSpan `json:"idle_timeout" yaml:"idle_timeout" doc:"that a connection may wait for its next request" default:"2m"`
	SocketPing   timeSpan `json:"socket_ping" yaml:"socket_ping" doc:"between two pings of a socket; one that is silent for twice as long is closed" default:"30s"`
	SocketWrite  timeSpan `json:"socket_write" yaml:"socket_write" doc:"for a message to be taken by a socket; then it is closed" default:"10s"`
}

// timeSpan is a duration, written as a number of seconds or as 90s, 2m, 1h.
type timeSpan time.Duration

func (d *timeSpan) read(value any) error {
	switch value := value.(type) {
	case uint64:
		*d = timeSpan(float64(value) * float64(time.Second))
		return nil
	case float64:
		*d = timeSpan(value * float64(time.Second))
		return nil
	case string:
		parsed, err := time.ParseDuration(value)
		if err == nil {
			*d = timeSpan(parsed)
			return nil
		}
	}
	return fmt.Errorf("%v is no duration: write a number of seconds, or a text such as 90s or 2m", value)
}

// UnmarshalYAML reads a number or a text.
func (d *timeSpan) UnmarshalYAML(decode func(any) error) error {
	var value any
	if err := decode(&value); err != nil {
		return err
	}
	return d.read(value)
}

// UnmarshalJSON reads a number or a text.
func (d *timeSpan) UnmarshalJSON(text []byte) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	return d.read(value)
}

// keys are the limits with their YAML names, in the order of their
// declaration.
func (l *limitsConfig) keys(see func(name string, field reflect.StructField, value reflect.Value)) {
	v := reflect.ValueOf(l).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		see(field.Tag.Get("yaml"), field, v.Field(i))
	}
}

func defaultLimits() limitsConfig {
	return limitsConfig{
		Executions: 100_000, Connections: 10_000, SocketsPerCaller: 50, Body: 1 << 20, DocumentBody: 2 << 20, Header: 16 << 10, HeaderLines: 100, Address: 8 << 10,
		ReadTimeout: timeSpan(10 * time.Second), WriteTimeout: timeSpan(30 * time.Second), IdleTimeout: timeSpan(2 * time.Minute),
		SocketPing: timeSpan(30 * time.Second), SocketWrite: timeSpan(10 * time.Second),
	}
}

func (l *limitsConfig) check() (err error) {
	l.keys(func(name string, _ reflect.StructField, value reflect.Value) {
		if value.Int() < 0 && err == nil {
			err = usageError("limits.%s must not be below 0", name)
		}
	})
	if err == nil && l.Address > l.Header {
		err = usageError("limits.address must not be above limits.header, of which it is a part")
	}
	return err
}

// String tells those that are not the defaults.
func (l *limitsConfig) String() string {
	byDefault := defaultLimits()
	usual := reflect.ValueOf(&byDefault).Elem()
	var changed []string
	l.keys(func(name string, field reflect.StructField, value reflect.Value) {
		if was := usual.FieldByIndex(field.Index); !value.Equal(was) {
			text := fmt.Sprint(value)
			if d, ok := value.Interface().(timeSpan); ok {
				text = time.Duration(d).String()
			}
			changed = append(changed, name+"="+text)
		}
	})
	if len(changed) == 0 {
		return "the defaults"
	}
	return strings.Join(changed, ", ")
}

// edge are the limits of the listener.
func (l *limitsConfig) edge() host.Limits {
	connections := l.Connections
	if files := openFiles(); files > 0 && (connections == 0 || connections > files/4*3) {
		// The store, the logs and the plugins need files too.
		connections = files / 4 * 3
	}
	return host.Limits{
		RequestsPerCaller: l.RequestsPerCaller, RequestsPerAddress: l.RequestsPerAddress,
		Connections: connections, ConnectionsPerAddress: l.ConnectionsPerAddress, SocketsPerCaller: l.SocketsPerCaller,
		Body: int(l.Body), DocumentBody: int(l.DocumentBody), Header: int(l.Header), HeaderLines: l.HeaderLines, Address: int(l.Address),
		SocketPing: time.Duration(l.SocketPing), SocketWrite: time.Duration(l.SocketWrite),
		ReadTimeout: time.Duration(l.ReadTimeout), WriteTimeout: time.Duration(l.WriteTimeout), IdleTimeout: time.Duration(l.IdleTimeout),
	}
}
