package metrics

import (
	"net/http"
	"strconv"
	"time"

	vm "github.com/VictoriaMetrics/metrics"
)

type routeKey struct{ method, pattern string }

// routeSeries are those of one route.
type routeSeries struct {
	// classes counts answers by the first digit of their status.
	classes [6]*vm.Counter
	took    *vm.PrometheusHistogram
}

func newRouteSeries(set *vm.Set, key routeKey) *routeSeries {
	s := &routeSeries{took: set.NewPrometheusHistogramExt(series("vwmp_http_request_duration_seconds", "method", key.method, "route", key.pattern), httpBounds)}
	for class := 1; class < len(s.classes); class++ {
		s.classes[class] = set.NewCounter(series("vwmp_http_requests_total", "method", key.method, "route", key.pattern, "status", strconv.Itoa(class)+"xx"))
	}
	return s
}

// Answered implements host.Meter.
func (m *Metrics) Answered(method, pattern string, status int, took time.Duration) {
	s := m.routes.of(routeKey{method, pattern})
	s.classes[min(max(status/100, 1), len(s.classes)-1)].Inc()
	s.took.Update(took.Seconds())
	if status == http.StatusTooManyRequests {
		m.limited.Inc()
	}
}

// Identified implements host.Meter.
func (m *Metrics) Identified(way string) { m.ways.of(way).Inc() }

// The results of a sign-in.
const (
	SignInDone    = "success"
	SignInFailed  = "failure"
	SignInLimited = "limited"
)

// SignedIn implements host.Meter.
func (m *Metrics) SignedIn(status int) {
	result := SignInDone
	switch {
	case status == http.StatusTooManyRequests:
		result = SignInLimited
	case status >= http.StatusBadRequest:
		result = SignInFailed
	}
	m.signIns.of(result).Inc()
}

// Audited implements host.Meter.
func (m *Metrics) Audited(result string, kept bool) {
	if !kept {
		m.unaudited.Inc()
		return
	}
	m.audited.of(result).Inc()
}
